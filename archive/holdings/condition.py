"""What whoever looks after an archive wants to know at a glance: its disk, its clock, its journal, its checks."""

import json
import shutil
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from archive.catalogue import audit, slides
from archive.catalogue.engine import file_system, is_on_network
from archive.catalogue.journal_reading import newest_is_sound
from archive.holdings.archive import Archive
from archive.holdings.checking.rounds import Rounds


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk: bytes that are free, the kind of its file system (empty where not known), and whether it is remote."""

    free_bytes: int
    kind: str
    on_network: bool

    @classmethod
    def of(cls, folder: Path) -> "Disk":
        """Look at the disk that a folder is on, or would be."""
        there = next(parent for parent in (folder, *folder.parents) if parent.exists())
        kind = file_system(there)
        return cls(shutil.disk_usage(there).free, kind, is_on_network(kind))


@dataclass(frozen=True, slots=True)
class Condition:
    """What an archive's own records say of it.

    ``overdue`` counts scans that nobody read again for longer than they should be left, ``newest_act`` is when the
    newest act was sealed, and ``journal_is_sound`` whether the newest part of the journal is as it was written.
    """

    slides: int
    scans: int
    overdue: int
    newest_act: datetime | None
    journal_is_sound: bool

    @classmethod
    def of(cls, archive: Archive) -> "Condition":
        """Look at an open archive."""
        with archive.catalogue.reading() as connection:
            slide_count, scan_count = slides.count(connection)
            scans = slides.scan_keys(connection)
            newest = audit.newest_text(connection)
        return cls(
            slide_count,
            scan_count,
            len(Rounds(archive.place.checks).overdue(scans, date.today())),
            datetime.fromisoformat(json.loads(newest)["at"]) if newest else None,
            newest_is_sound(archive.place.journal),
        )
