"""What can go wrong in the archive, one class for each condition that a caller would handle differently.

The text of every error is written for the person at the screen: one sentence that says what, where and what to do.
It never holds an identifier, so it may be logged and shown.
"""


class ArchiveError(Exception):
    """Base of all errors that the archive raises on purpose."""


class InvalidValue(ArchiveError, ValueError):
    """A value that cannot be: refused when the value type is made, so that nobody has to check it later."""


class UnknownCode(ArchiveError, LookupError):
    """No slide, scan, case or collection of that code or handle; forbidden ones look exactly the same."""


class ConsentRefused(ArchiveError):
    """The decision table says no, or not yet. ``row`` and ``paragraph`` say why."""

    def __init__(self, sentence: str, *, row: str = "", paragraph: str = "") -> None:
        super().__init__(sentence)
        self.row = row
        self.paragraph = paragraph


class TileOutsideLevel(ArchiveError, IndexError):
    """A level, tile or region address that the pyramid does not have."""


class DamagedPyramid(ArchiveError):
    """Stored bytes are not what was stored. Never shown as white glass.

    ``place`` is relative to the scan's folder; ``expected`` and ``found`` are short.
    """

    def __init__(self, place: str, expected: str, found: str) -> None:
        super().__init__(
            f"stored data is damaged at {place}: expected {expected}, found {found}; "
            "restore this scan from its source file or from a second copy"
        )
        self.place = place
        self.expected = expected
        self.found = found


class CatalogueUnavailable(ArchiveError):
    """The catalogue cannot be read or written now; nothing is served until it can."""


class FreeTextRefused(ArchiveError, ValueError):
    """Free text that looks as if it might hold an identifier."""


class FactsConflict(ArchiveError):
    """A delivery says something else about a case's tissue or consent than what is recorded."""


class HoldingsUnavailable(ArchiveError):
    """The archive's folder cannot be read or written now: it is missing, full, or its disk is failing."""
