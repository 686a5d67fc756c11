"""What is known about a case, and which words may stand in an archive although somebody is called so."""

from dataclasses import dataclass, field
from enum import StrEnum


class IdentifierClass(StrEnum):
    """What kind of identifier was found; the value itself is never told."""

    PATIENT_NUMBER = "patient number"
    NAME = "name"
    BIRTH_DATE = "birth date"
    CASE_NUMBER = "case number"
    BARCODE = "barcode"
    FILE_NAME = "file name"
    FOLDER_NAME = "folder name"
    SOURCE_METADATA = "source metadata"
    UNSORTED = "known identifier"
    """For identifiers whose kind the caller does not know: their shape tells name, date or number."""


@dataclass(frozen=True, slots=True)
class KnownIdentifier:
    """One identifier of a case as it was delivered, or one value from the source's metadata. Its text is never shown.

    File and folder names come without their endings and parents. A value of the metadata is untrusted and may have
    any length.
    """

    kind: IdentifierClass
    text: str = field(repr=False)


PLACE_DIGITS = 3
"""A name of so many digits is the number of a level, a row or a column."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words and numbers that an archive is written in: a patient called ``Scale`` does not make a leak of them.

    They count only as a whole JSON string, a whole JSON number, or a whole name of a file or folder in a path.

    Parameters
    ----------
    terms
        Schema keys and closed terms, such as ``"micrometer"``, and names of files, such as ``"zarr.json"``.
    numbers
        Measured numbers, such as the width of a level.
    """

    terms: frozenset[str] = frozenset()
    numbers: frozenset[float] = frozenset()

    def has_number(self, text: str) -> bool:
        """Whether a JSON number is one of the measured ones."""
        return float(text) in self.numbers

    def has_string(self, text: str) -> bool:
        """Whether a JSON string is a term, or a path of usual names."""
        return text in self.terms or ("/" in text and all(map(self.has_name, text.split("/"))))

    def has_name(self, name: str) -> bool:
        """Whether a file or folder may have this name in any archive: a term, or the number of a level or tile."""
        return name in self.terms or (name.isdigit() and len(name) <= PLACE_DIGITS)
