"""What a check may find: a closed list of codes, each with what it means and what to do.

A fault names its place by codes of scans and paths inside a scan's folder, so that it may be shown and sent on.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from archive.codes import Code
from archive.geometry import TileAddress


class Coded(StrEnum):
    """A stable code with its meaning; scripts may rely on the code."""

    meaning: str
    spoils: bool
    """Whether a scan that has this fault is not what was stored and must not be shown."""

    def __new__(cls, code: str, meaning: str = "", spoils: bool = False) -> Self:
        """Make a member whose value is its code."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        member.spoils = spoils
        return member


class FaultCode(Coded):
    """What can be wrong with an archive."""

    FILE_MISSING = "file-missing", "a file that the scan's manifest lists is not there; repair it", True
    FILE_EMPTY = "file-empty", "a file is there and has no byte; repair it", True
    FILE_TRUNCATED = "file-truncated", "a file ends before it should; repair it", True
    FILE_ZEROED = "file-zeroed", "whole pages of a file are zeros, as after a write that was lost; repair it", True
    FILE_GROWN = "file-grown", "a file is longer than what was stored; repair it", True
    FILE_CHANGED = "file-changed", "a file has the right length and other bytes; repair it", True
    NOT_A_FILE = "not-a-file", "a link, folder or device lies where a file should; repair it", True
    INDEX_DAMAGED = (
        "index-damaged",
        "the index of a shard is damaged, so none of its tiles can be shown; repair it",
        True,
    )
    TILE_DAMAGED = "tile-damaged", "a tile does not match its crc32c; the fault names level, column and row", True
    LAYOUT_WRONG = "layout-wrong", "the pyramid's own description is none, or leaves out a shard; repair it", True
    FILE_UNREADABLE = "file-unreadable", "the disk or its permissions do not let a file be read; look at the disk"
    FILE_UNLISTED = "file-unlisted", "there is a file that no manifest lists; find out who put it there"
    FOLDER_MISSING = (
        "folder-missing",
        "a scan of the catalogue has no folder; see that its disk is mounted, or repair it",
    )
    FOLDER_WITHOUT_ROW = (
        "folder-without-row",
        "a folder among the scans has no row in the catalogue; the next ingest takes it up or sets it aside",
    )
    ROW_DIFFERS = (
        "row-differs",
        "the catalogue says something else of a scan than what was stored with it; rebuild the catalogue",
    )
    CODE_MISSING = "code-missing", "a patient, case, slide or scan has no code; rebuild the catalogue"
    CODE_WRONG = "code-wrong", "a code is none, is of another kind, or stands for nothing; rebuild the catalogue"
    ROW_IMPOSSIBLE = "row-impossible", "a row holds a value that cannot be; rebuild the catalogue"
    LINK_BROKEN = "link-broken", "a row refers to another that is not there; rebuild the catalogue"
    COLLECTION_WRONG = "collection-wrong", "a teaching collection's row cannot be; rebuild the catalogue"
    SEARCH_STALE = (
        "search-stale",
        "what cohorts are counted from is not what the catalogue records; rebuild the catalogue",
    )
    DATABASE_UNOPENED = "database-unopened", "a database file cannot be opened; restore it, or rebuild the catalogue"
    DATABASE_STRUCTURE = "database-structure", "SQLite finds the structure of its file damaged; restore it"
    DATABASE_CHANGED = (
        "database-changed",
        "what a database says changed although nothing was written to it; restore it, or rebuild the catalogue",
    )
    DATABASE_BYTES = (
        "database-bytes",
        "bytes of a database changed in which no row lies, although nothing was written; look at the disk",
    )
    DATABASE_COUNT = (
        "database-count",
        "a database was put back by an older one, or its count of acts is damaged; restore the newest copy",
    )
    JOURNAL_DAMAGED = "journal-damaged", "a line of the journal is not what was written; back up the catalogue"
    JOURNAL_DIFFERS = "journal-differs", "the catalogue is not what its journal says; rebuild the catalogue"
    AUDIT_DAMAGED = "audit-damaged", "the audit trail was changed, or its end is missing; find out who did so"
    WITNESS_DAMAGED = "witness-damaged", "the audit trail's second place cannot be read; look at it"
    MARK_DAMAGED = "mark-damaged", "archive.json is not what was written; restore it from a backup"
    RECORD_DAMAGED = "record-damaged", "the record of earlier checks had damaged lines; those scans are due again"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what, where, what was expected and what was found.

    ``place`` is a path inside the scan's folder, or says which part of the archive it is.
    """

    code: Coded
    place: str
    expected: str
    found: str
    scan: Code | None = None
    tile: TileAddress | None = None

    def __str__(self) -> str:
        """Give one line, without what the code means."""
        return f"{self.code}: {self.where}: expected {self.expected}, found {self.found}"

    @property
    def where(self) -> str:
        """The place in words, with the scan's code and the tile."""
        path = f"{self.scan}/{self.place}" if self.scan else self.place
        tile = self.tile
        return path if tile is None else f"{path}, level {tile.level}, column {tile.column}, row {tile.row}"

    def as_json(self) -> dict[str, Any]:
        """Give the fault for another program: the same keys for every code."""
        tile = self.tile
        return {
            "code": str(self.code),
            "scan": str(self.scan) if self.scan else None,
            "place": self.place,
            "level": tile.level if tile else None,
            "column": tile.column if tile else None,
            "row": tile.row if tile else None,
            "expected": self.expected,
            "found": self.found,
        }
