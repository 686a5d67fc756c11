"""What one cell of a list may hold, and how people write it."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final, TypeVar

from archive.consent.terms import Answer
from archive.errors import InvalidValue
from archive.records import Concept, Scheme, Stain
from ingest.delivery.vocabulary import aliases_of

E = TypeVar("E", bound=StrEnum)

LONGEST = 200
"""Characters of a number or a name. A pasted report is longer."""

LONGEST_PATH = 1000
LONGEST_REASON = 500

OLDEST_BIRTH = 1850
"""Slides of people born earlier are in museums."""

_DATES = ("%Y-%m-%d", "%Y%m%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y")
_ELSEWHERE = re.compile(r"/|[A-Za-z][A-Za-z0-9+.-]*:")
_WITHOUT_POINT = re.compile(r"^(C[0-9]{2})([0-9])$")
_DIGITS = re.compile(r"[0-9]+")

_SCHEME = re.compile(r"(?:SNOMED[ -]?CT|SCT|ICD-?O(?:-?3)?)[ :]*")


def folded(text: str) -> str:
    """Give the letters and digits of a word in one case, which is how vocabularies are compared."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in plain if character.isalnum())


def same(text: str) -> str:
    """Give the form in which numbers are compared: without letter case, width and white space."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def text(longest: int = LONGEST) -> Callable[[str], str]:
    """Read any one line of text, kept in the vault only."""

    def read(cell: str) -> str:
        if len(cell) > longest or any(unicodedata.category(character) in ("Cc", "Cs") for character in cell):
            raise InvalidValue(f"one line of at most {longest} characters")
        if not any(character.isalnum() for character in cell):
            raise InvalidValue("letters or digits")
        return cell

    return read


def path(cell: str) -> PurePosixPath:
    """Read a file's name or its path from the list's folder, with either slash; it may not lead out of that folder."""
    plain = unicodedata.normalize("NFC", cell.replace("\\", "/"))
    found = PurePosixPath(plain)
    leads_out = _ELSEWHERE.match(plain) or ".." in found.parts or not found.name
    if leads_out or len(plain) > LONGEST_PATH or any(unicodedata.category(character) == "Cc" for character in plain):
        raise InvalidValue("a file name, or a path below the list's folder without '..'")
    return found


def day(cell: str) -> date:
    """Read a date: the year first, or the day first."""
    for form in _DATES:
        try:
            found = datetime.strptime(cell, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
        if found.year >= OLDEST_BIRTH and found <= datetime.now(UTC).date():
            return found
    raise InvalidValue("a date of the past: year-month-day or day/month/year")


ALL_STAINS: Final = "a stain of the list, such as H&E, PAS or Ki-67; all of them: coverslip delivery template"
"""What was expected where something else stands."""


def stain(cell: str) -> Stain:
    """Read a stain in any of its usual spellings."""
    found = Stain.parse(cell)
    if found is None:
        raise InvalidValue(ALL_STAINS)
    return found


def concept(form: str, example: str) -> Callable[[str], Concept]:
    """Read a code of SNOMED CT or, of the given form, of ICD-O-3; never words."""
    fits = re.compile(form)

    def read(cell: str) -> Concept:
        code = _WITHOUT_POINT.sub(r"\1.\2", _SCHEME.sub("", cell.upper(), count=1))
        scheme = Scheme.SNOMED_CT if _DIGITS.fullmatch(code) else Scheme.ICD_O_3
        try:
            if scheme is Scheme.SNOMED_CT or fits.fullmatch(code):
                return Concept(scheme, code)
        except InvalidValue:
            pass
        raise InvalidValue(f"a SNOMED CT number with a right check digit, or an ICD-O-3 code such as {example}")

    return read


def choice(kind: Iterable[E], aliases: Mapping[str, E]) -> Callable[[str], E]:
    """Read one word of a closed vocabulary, or another word for it."""
    words = tuple(kind)
    spelt = {folded(word): word for word in words} | {folded(alias): word for alias, word in aliases.items()}

    def read(cell: str) -> E:
        found = spelt.get(folded(cell))
        if found is None:
            raise InvalidValue(one_of(words))
        return found

    return read


def choices(kind: Iterable[E], aliases: Mapping[str, E]) -> Callable[[str], frozenset[E]]:
    """Read several words of a closed vocabulary, with semicolons, commas or plus signs between them."""
    words = tuple(kind)
    spelt = {folded(word): word for word in words} | {folded(alias): word for alias, word in aliases.items()}

    def read(cell: str) -> frozenset[E]:
        found = {spelt.get(folded(part)) for part in re.split(r"[;,+|]", cell) if part.strip()}
        if None in found or not found:
            raise InvalidValue(f"{one_of(words)}; several with semicolons between")
        return frozenset(word for word in found if word is not None)

    return read


def flag(cell: str) -> bool:
    """Read yes or no."""
    known = (Answer.YES, Answer.NO)
    return choice(known, aliases_of(known))(cell) is Answer.YES


def one_of(words: Iterable[str]) -> str:
    """Say which words there are."""
    return f"one of: {'; '.join(words)}"
