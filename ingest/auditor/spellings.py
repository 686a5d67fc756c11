"""People and machines write one identifier in many ways: other orders, separators, zeros, dates and initials.

A spelling is a row of words. Between them may stand up to three characters that are neither letter nor digit, or
none. Case and accents are not part of a spelling; see `ingest.auditor.folding`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import permutations

from ingest.auditor.folding import words_of
from ingest.auditor.identifiers import IdentifierClass, KnownIdentifier

FEWEST = 4
"""Letters and digits in a number or a file name: shorter ones, such as block A1, are no one's identifier."""

MOST_WORDS = 12
"""Words of an identifier; a longer text is told by its first twelve."""

MOST_NAMES = 6
"""Words of a person's name that are tried in pairs."""

LONGEST_PIECE = 64
"""Characters of a metadata value that are searched for; a copy of the whole is found by its beginning."""

PIECES_OF_VALUE = 64
"""Pieces of one metadata value: an XML text of megabytes gives as many as a short one."""

FEWEST_DIGITS = 7
"""A metadata value without a letter is taken for an identifier from so many digits: shorter ones measure something."""

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)

_RUNS = re.compile(r"\d+|[^\W\d_]+")
_DATE = re.compile(
    r"(?:(\d{4})[-/.: ]?(\d{2})[-/.: ]?(\d{2})|(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}))"
    r"(?:[T ]\d{1,2}:[\d:.+Z-]+)?",  # a time of day, which is not looked at
    re.ASCII,
)
_APOSTROPHES = re.compile("['`\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}]")
_PIECES = re.compile(r'[|;\r\n\t<>"&\0]+')
_QUANTITY = re.compile(r"[-+]?\d*[.,]\d+(?:e[-+]?\d+)?\s?[a-zµ%]{0,3}|\d+\s?[a-zµ%]{1,3}", re.IGNORECASE)
_DATE_OR_TIME = re.compile(r"\d{1,4}([-/.:])\d{1,2}\1\d{2,4}")


@dataclass(frozen=True, slots=True)
class Spelling:
    """A row of words as they were written; `apart` says that something must stand between them."""

    words: tuple[str, ...] = field(repr=False)
    apart: bool = False

    @property
    def weight(self) -> int:
        """Letters and digits."""
        return sum(map(len, self.words))


def spellings(identifier: KnownIdentifier) -> Iterator[Spelling]:
    """Give the spellings of an identifier, none if it is too short to mean anybody."""
    yield from _SPELT[identifier.kind](identifier.text)


def _name(text: str) -> Iterator[Spelling]:
    """Spell each word of a name, each pair of words in both orders, an initial beside a word, and the whole."""
    for form in dict.fromkeys((text, _APOSTROPHES.sub("", text))):
        yield from _name_in_words([word for word in words_of(form) if len(word) > 1][:MOST_NAMES])


def _name_in_words(words: list[str]) -> Iterator[Spelling]:
    for word in words:
        if len(word) > 2 or len(words) == 1:
            yield Spelling((word,))
    for one, other in permutations(words, 2):
        yield Spelling((one, other))
        if len(other) > 2:
            yield Spelling((one[0], other))
            yield Spelling((other, one[0]))
    if len(words) > 2:
        yield Spelling(tuple(words))
        yield Spelling((words[-1], *words[:-1]))


def _number(text: str) -> Iterator[Spelling]:
    """Spell a number in its parts, without the letters before it, and without leading zeros."""
    parts = [run for word in words_of(text) for run in _RUNS.findall(word)]
    if len(parts) > MOST_WORDS:
        parts = words_of(text)[:MOST_WORDS]
    rows = [parts]
    if len(parts) > 1 and parts[0].isalpha() and any(part.isdigit() for part in parts[1:]):
        rows.append(parts[1:])
    rows += [[row[0].lstrip("0"), *row[1:]] for row in rows if row and row[0].isdigit() and row[0].startswith("0")]
    rows += [groups for row in rows if len(row) == 1 and row[0].isdigit() for groups in _grouped(row[0])]
    for row in rows:
        spelling = Spelling(tuple(part for part in row if part))
        if spelling.weight >= FEWEST:
            yield spelling


def _grouped(digits: str) -> list[list[str]]:
    """Cut a long number as people write it: by threes from its end, by fours, and by three, three and four."""
    if len(digits) < FEWEST_DIGITS:
        return []
    first = len(digits) % 3
    by_threes = [digits[:first], *(digits[at : at + 3] for at in range(first, len(digits), 3))]
    by_fours = [digits[at : at + 4] for at in range(0, len(digits), 4)]
    return [by_threes, by_fours, [digits[:3], digits[3:6], digits[6:]]]


def _birth_date(text: str) -> Iterator[Spelling]:
    """Spell a date in the orders, with the separators, months and short years that are in use."""
    dates = _dates(text)
    if not dates:
        yield from _number(text)
    for day in dates:
        year, month, dom = f"{day.year:04}", f"{day.month:02}", f"{day.day:02}"
        for row in ((year, month, dom), (dom, month, year), (month, dom, year)):
            yield Spelling(row)
            yield Spelling(tuple(part.lstrip("0") for part in row), apart=True)
        for row in ((year[2:], month, dom), (dom, month, year[2:]), (month, dom, year[2:])):
            yield Spelling(row)
        name = _MONTHS[day.month - 1]
        for called in (name, name[:3]):
            for number in {dom, dom.lstrip("0")}:
                yield Spelling((number, called, year))
                yield Spelling((called, number, year))


def _dates(text: str) -> list[date]:
    """Read a date; where day and month cannot be told apart, both are meant."""
    found = _DATE.fullmatch(text.strip())
    if not found:
        return []
    year, month, day = (int(part) for part in (found.group(1, 2, 3) if found[1] else found.group(6, 5, 4)))
    orders = [(month, day)] if found[1] else [(month, day), (day, month)]
    dates = []
    for one, other in orders:
        try:
            dates.append(date(year, one, other))
        except ValueError:
            continue
    return dates


def _file_name(text: str) -> Iterator[Spelling]:
    """Spell a name as a whole, and those of its parts that hold a digit."""
    whole = Spelling(tuple(words_of(text)[:MOST_WORDS]))
    if whole.weight >= FEWEST:
        yield whole
    for part in re.split(r"[\s_,()]+", text):
        spelling = Spelling(tuple(words_of(part)[:MOST_WORDS]))
        if spelling != whole and spelling.weight > FEWEST and re.search(r"\d", part):
            yield spelling


def _metadata(text: str) -> Iterator[Spelling]:
    """Spell every piece of a value that is no measurement; of ``key = value`` the value."""
    for piece in _PIECES.split(text)[:PIECES_OF_VALUE]:
        key, equals, value = piece.partition("=")
        told = (value if equals else key).strip()[:LONGEST_PIECE]
        spelling = Spelling(tuple(words_of(told)[:MOST_WORDS]))
        if spelling.weight >= FEWEST and not _is_measurement(told):
            yield spelling


def _is_measurement(text: str) -> bool:
    """Whether a value is a number with or without a unit, or has too few digits to be anybody's number."""
    if _QUANTITY.fullmatch(text):
        return True
    if any(c.isalpha() for c in text) or _DATE_OR_TIME.fullmatch(text):
        return False
    return sum(c.isdigit() for c in text) < FEWEST_DIGITS


def _unsorted(text: str) -> Iterator[Spelling]:
    if _dates(text):
        yield from _birth_date(text)
    if any(c.isdigit() for c in text):
        yield from _number(text)
        yield from _file_name(text)
    else:
        yield from _name(text)


_SPELT = {
    IdentifierClass.PATIENT_NUMBER: _number,
    IdentifierClass.NAME: _name,
    IdentifierClass.BIRTH_DATE: _birth_date,
    IdentifierClass.CASE_NUMBER: _number,
    IdentifierClass.BARCODE: _number,
    IdentifierClass.FILE_NAME: _file_name,
    IdentifierClass.FOLDER_NAME: _file_name,
    IdentifierClass.SOURCE_METADATA: _metadata,
    IdentifierClass.UNSORTED: _unsorted,
}
