"""One name has many forms: capitals, accents made in two ways, accents left out, and letters written as two."""

import re
import unicodedata

_LETTERS = str.maketrans({"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})
_WRITTEN_AS_TWO = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})

_BETWEEN_WORDS = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """Give the form in which texts are compared: without case, accents and width. ASCII keeps its length."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold().translate(_LETTERS)


def written_as_two(text: str) -> str:
    """Give the form that writes umlauts and similar letters as two, such as ``Mueller``."""
    return fold(unicodedata.normalize("NFC", text).casefold().translate(_WRITTEN_AS_TWO))


def accents_both_ways(text: str) -> frozenset[str]:
    """Give a text with its accents as part of their letters, and with accents of their own."""
    return frozenset(unicodedata.normalize(form, text) for form in ("NFC", "NFD"))


def in_cases(word: str) -> frozenset[str]:
    """Give a word as it is, in small letters, in capitals and with a capital, each with its accents both ways."""
    whole = unicodedata.normalize("NFC", word)
    cases = (whole, whole.lower(), whole.upper(), whole.title())
    return frozenset(form for case in cases for form in accents_both_ways(case))


def words_of(text: str) -> list[str]:
    """Split a text at everything that is neither letter nor digit."""
    return [word for word in _BETWEEN_WORDS.split(text) if word]


def squeeze(folded: str) -> str:
    """Take everything out of a folded text that is neither letter nor digit."""
    return _BETWEEN_WORDS.sub("", folded)
