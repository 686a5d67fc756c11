"""A source file may be deleted when the archive has proven to hold its pixels, and any second copy has them too.

What is catalogued was proven: every stored tile was read back and compared before the commit (see ``proving``).
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from archive import fixity
from archive.errors import InvalidValue
from archive.holdings import Archive
from archive.holdings.backup import second_copy_has
from archive.holdings.place import Place
from archive.records import ScanRecord, ScanStatus
from ingest.errors import SlideRefused
from ingest.keyvault import Entry, KeyVault, State
from ingest.precheck import parts
from ingest.quarantine.moment import GONE, moment_of

SECOND_COPY = "second copy"
"""The kind of declaration that names the folder of a second copy."""


class Hold(StrEnum):
    """Why a source file is not to be deleted yet."""

    NOTHING = "nothing: it may be deleted"
    NOT_IN_ARCHIVE = "the archive does not hold its scan, or holds it as withdrawn or damaged"
    NOT_COPIED = "its scan is not in the second copy yet; run: coverslip backup"
    CHANGED = "the file changed since it was taken in; ingest it again"
    GONE = "the file is not there any more"


@dataclass(frozen=True, slots=True)
class Source:
    """A delivered file that may be deleted, with all its parts. Paths name patients."""

    number: str
    files: tuple[Path, ...] = field(repr=False)


class Releasing:
    """Decides about the source files of one laboratory."""

    def __init__(self, archive: Archive, vault: KeyVault) -> None:
        self._archive, self._vault = archive, vault
        self._copies = tuple(Path(folder) for folder in vault.declared(SECOND_COPY).values())

    def hold(self, entry: Entry) -> Hold:
        """Say what holds a source file back."""
        records = [held.record for scan in entry.scans if (held := self._archive.scan(scan)) is not None]
        kept = [record for record in records if record.status is ScanStatus.KEPT]
        if not kept or len(kept) < len(entry.scans):
            return Hold.NOT_IN_ARCHIVE
        if moment_of(entry.path) == GONE:
            return Hold.GONE
        if not _is_as_taken_in(entry):
            return Hold.CHANGED
        if not all(_copied(folder, record) for folder in self._copies for record in kept):
            return Hold.NOT_COPIED
        return Hold.NOTHING

    def sources(self) -> Iterator[Source]:
        """Give every source file that may be deleted, whenever it was taken in."""
        for entry in self._vault.register.each(State.KEPT, State.KNOWN):
            if self.hold(entry) is Hold.NOTHING:
                with suppress(SlideRefused):  # somebody changed it just now
                    yield Source(entry.number, tuple(parts(entry.path)))


def _is_as_taken_in(entry: Entry) -> bool:
    """Tell whether a file and all its parts are still what was taken in, by their sizes and times."""
    try:
        statuses = [file.stat() for file in parts(entry.path)]
    except (SlideRefused, OSError):
        return False
    return (
        moment_of(entry.path) == entry.moment
        and sum(status.st_size for status in statuses) == entry.source_bytes
        and all(status.st_mtime <= entry.since.timestamp() for status in statuses[1:])
    )


def _copied(folder: Path, record: ScanRecord) -> bool:
    """Tell whether a second copy has the files of a scan, all that its manifest names and each of its size."""
    if not second_copy_has(folder, record.key):
        return False
    copy = Place(folder).of_scan(record.key)
    try:
        manifest = fixity.Manifest.from_bytes((copy / fixity.MANIFEST).read_bytes())
        sizes = all((copy / file.path).stat().st_size == file.size_bytes for file in manifest.files)
    except (OSError, InvalidValue):
        return False
    return manifest.sha256 == record.manifest_sha256 and sizes
