"""A fault of a list is told by its place and by what was expected; what was found may be a name.

A cell in the wrong column may hold anything. So what was found is described (nothing, so many characters) and repeated
only where it is nearly a word of the column's own closed vocabulary.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NoReturn

from archive.amounts import counted
from ingest.errors import DeliveryListInvalid

ALIKE = 0.7
"""How alike two words must be, of 1, for the one to be taken for a slip of the other."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a delivery list.

    ``row`` is the line of the file, counted from 1 as a spreadsheet does, and 0 for the file as a whole; ``column`` is
    the name of one of our columns, or the place of another (``column 7``), or empty.
    """

    row: int
    column: str
    found: str
    expected: str

    def __str__(self) -> str:
        place = ", ".join(part for part in (f"row {self.row}" if self.row else "", self.column) if part)
        return f"{place or 'the list'}: found {self.found}; expected {self.expected}"


def described(text: str, vocabulary: tuple[str, ...] = ()) -> str:
    """Describe what a cell holds without repeating it, unless it is nearly a word of the vocabulary."""
    plain = text.strip()
    if not plain:
        return "nothing"
    nearest = get_close_matches(plain.casefold(), [word.casefold() for word in vocabulary], n=1, cutoff=ALIKE)
    if nearest and plain.isprintable():
        return f"'{plain}'"
    return f"{len(plain):,} characters" if len(plain) > 1 else "1 character"


def refuse(faults: Iterable[Fault], what: str = "delivery list") -> NoReturn:
    """Raise all faults of a list at once.

    Raises
    ------
    DeliveryListInvalid
        With one line for each fault, in the order of rows.
    """
    ordered = tuple(sorted(faults, key=lambda fault: fault.row))
    count = counted(len(ordered), "fault")
    raise DeliveryListInvalid(f"the {what} has {count}; correct it and try again", ordered)


def fault_of_header(number: int, found: str, expected: str) -> Fault:
    """Make the fault of a header's cell, counted from 0; a column that is not ours is told by its number."""
    return Fault(0, f"column {number + 1}", found, expected)
