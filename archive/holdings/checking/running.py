"""A check reads everything once, in several threads, and tells each fault when it finds it.

What the archive says comes first, because it is quick and everything hangs on it; then scan after scan, the one that
was read longest ago first. A scan that is not what was stored is marked, and from then on shown to nobody.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from threading import Lock

from archive.catalogue import checking, slides
from archive.catalogue.checking import IMPOSSIBLE
from archive.codes import Code, InternalKey
from archive.fixity import READERS
from archive.holdings.archive import Archive
from archive.holdings.checking.databases import DatabaseFile
from archive.holdings.checking.faults import Fault, FaultCode
from archive.holdings.checking.records import audit_faults, journal_differences, mark_faults, row_faults
from archive.holdings.checking.rounds import Rounds
from archive.holdings.checking.scans import KeptScan, Started, begin
from archive.holdings.place import Claim
from archive.holdings.reading import ReadingRoom
from archive.records import ScanRecord, ScanStatus

AHEAD = 2 * READERS
"""Scans begun before the first of them is finished, so that no thread waits for the last file of a small one."""

DAMAGED = "found damaged by a check"
WHOLE = "found whole by a check"


class Stopped(Exception):
    """There is no time left; what was begun is not finished."""


@dataclass(frozen=True)
class Plan:
    """What a check is to do."""

    share: int = 1
    """Which part of the scans: 30 for the thirtieth that was read longest ago."""
    seconds: float | None = None
    """After so long it stops, and the next one goes on."""
    mark: bool = True
    """Whether damaged scans are marked, so that nobody is shown them."""
    today: date = field(default_factory=date.today)


@dataclass
class Progress:
    """How far a check is; safe to be told by several threads."""

    total_bytes: int = 0
    read_bytes: int = 0
    scans: int = 0
    of_scans: int = 0
    faults: int = 0
    watch: Callable[["Progress"], None] = field(default=lambda progress: None)
    _lock: Lock = field(default_factory=Lock)

    def read(self, count: int) -> None:
        """Count bytes."""
        with self._lock:
            self.read_bytes += count
        self.watch(self)


@dataclass
class Checked:
    """What a check did in the end."""

    scans: int = 0
    left: int = 0
    """Scans of this round that were not reached."""
    marked: list[Code] = field(default_factory=list)
    unmarked: list[Code] = field(default_factory=list)
    """Scans that were marked as damaged and found whole."""


class Check:
    """One run over an open archive.

    Parameters
    ----------
    archive
        The archive, open for writing.
    rounds
        The record of checks.
    catalogue_file
        The catalogue's file, already held against its seal; None where the catalogue is in PostgreSQL.
    plan
        What is to be done.
    progress
        Told how far it is.
    """

    def __init__(
        self, archive: Archive, rounds: Rounds, catalogue_file: DatabaseFile | None, plan: Plan, progress: Progress
    ) -> None:
        self._archive, self._rounds, self._file = archive, rounds, catalogue_file
        self._plan, self._progress = plan, progress
        self._until = None if plan.seconds is None else time.monotonic() + plan.seconds
        self.checked = Checked()

    def run(self) -> Iterator[Fault]:
        """Check the archive's own records and then the scans of this round, giving fault after fault."""
        for fault in self._records():
            yield self._counted(fault)
        for fault in self._folders():
            yield self._counted(fault)
        sizes = scan_sizes(self._archive)
        current, left = self._rounds.begin(f"1/{self._plan.share}", sizes, self._plan.share, self._plan.today)
        self._progress.of_scans, self._progress.total_bytes = len(left), sum(sizes[key] for key in left)
        for key, row, faults in self._read(left):
            for fault in faults:
                yield self._counted(fault)
            if row is not None:
                self._mark(key, row, faults)
            spoilt = any(fault.code.spoils for fault in faults)
            self._rounds.note(key, current, self._plan.today, spoilt=spoilt)
            self.checked.scans += 1
            self._progress.scans += 1
        self.checked.left = len(left) - self.checked.scans
        if not self.checked.left:
            self._rounds.end(current)
        if self.checked.marked or self.checked.unmarked:
            self._seal()

    def _records(self) -> Iterator[Fault]:
        """Check everything but the scans; what is found well is sealed."""
        identity = self._archive.catalogue.identity
        found = [*mark_faults(self._archive.place, identity), *row_faults(self._archive), *audit_faults(self._archive)]
        if self._file is None or not self._file.unchanged:
            found += journal_differences(self._archive.place, identity)
        yield from found
        if not any(fault.code is not FaultCode.MARK_DAMAGED for fault in found):
            self._seal()

    def _seal(self) -> None:
        if self._file is not None:
            self._file.seal()

    def _folders(self) -> Iterator[Fault]:
        """Tell what lies among the scans and belongs to none."""
        place = self._archive.place
        if not place.scans.is_dir():
            yield Fault(FaultCode.FOLDER_MISSING, "scans", "the folder of all scans", "nothing")
            return
        for parent in sorted(place.scans.iterdir()):
            if not parent.is_dir() or parent.is_symlink():
                yield Fault(FaultCode.FILE_UNLISTED, "scans", "folders only", "a file or a link")
                continue
            for folder in sorted(parent.iterdir()):
                if folder.is_symlink() or not folder.is_dir() or not folder.name.startswith(parent.name):
                    yield Fault(FaultCode.FILE_UNLISTED, "scans", "folders of scans only", "something else")
                elif self._is_nobodys(InternalKey(folder.name)):
                    yield Fault(FaultCode.FOLDER_WITHOUT_ROW, "scans", "a row for each folder", "none for one of them")

    def _is_nobodys(self, key: InternalKey) -> bool:
        if self._has_row(key):
            return False
        claim = Claim.take(self._archive.place.of_scan(key))
        if claim is None:  # an ingest is between moving it here and its row
            return False
        claim.release()
        return not self._has_row(key)

    def _has_row(self, key: InternalKey) -> bool:
        try:
            return self._row(key) is not None
        except IMPOSSIBLE:
            return True  # a row that cannot be was told already

    def _row(self, key: InternalKey) -> ScanRecord | None:
        with self._archive.catalogue.reading() as connection:
            return slides.find_scan(connection, key)

    def _read(self, keys: list[InternalKey]) -> Iterator[tuple[InternalKey, ScanRecord | None, list[Fault]]]:
        """Read scan after scan, with several begun at a time; ends early when there is no time left."""
        begun: deque[tuple[InternalKey, ScanRecord | None, Started]] = deque()
        waiting = iter(keys)
        with ThreadPoolExecutor(READERS) as readers:

            def start(work: Callable[[], list[Fault]]) -> Started:
                return readers.submit(work).result

            try:
                while True:
                    while len(begun) < AHEAD and (key := next(waiting, None)) is not None:
                        kept = self._kept(key)
                        row, finish = (kept.row, begin(kept, start, self._told)) if kept else (None, list)
                        begun.append((key, row, finish))
                    if not begun:
                        return
                    key, row, finish = begun.popleft()
                    faults = finish()
                    yield key, row, [] if faults and row and self._was_blacked_out(row) else faults
            except Stopped:
                readers.shutdown(wait=True, cancel_futures=True)

    def _was_blacked_out(self, row: ScanRecord) -> bool:
        """Tell whether a scan became another version while it was read; that is checked another time."""
        try:
            now = self._row(row.key)
        except IMPOSSIBLE:
            return False
        return now is not None and _version(now) != _version(row)

    def _kept(self, key: InternalKey) -> KeptScan | None:
        """Look a scan up; None if its row cannot be read, which was told."""
        try:
            row = self._row(key)
            return None if row is None else KeptScan(self._archive.place.of_scan(key), self._code(key), row)
        except IMPOSSIBLE:
            return None

    def _code(self, key: InternalKey) -> Code | None:
        try:
            held = self._archive.scan(key)
        except IMPOSSIBLE:
            return None
        return held.code if held else None

    def _told(self, count: int) -> None:
        if self._until is not None and time.monotonic() > self._until:
            raise Stopped
        self._progress.read(count)

    def _counted(self, fault: Fault) -> Fault:
        self._progress.faults += 1
        self._progress.watch(self._progress)
        return fault

    def _mark(self, key: InternalKey, row: ScanRecord, faults: list[Fault]) -> None:
        """Mark a scan that is not what was stored, and take the mark from one that is again."""
        spoilt = any(fault.code.spoils for fault in faults)
        code = self._code(key)
        if not self._plan.mark or code is None:
            return
        if spoilt and row.status is ScanStatus.KEPT:
            self._archive.set_status(key, ScanStatus.DAMAGED, reason=DAMAGED)
            self.checked.marked.append(code)
        elif not faults and row.status is ScanStatus.DAMAGED:
            self._archive.set_status(key, ScanStatus.KEPT, reason=WHOLE)
            self.checked.unmarked.append(code)


def _version(row: ScanRecord) -> tuple[str, bool]:
    return row.manifest_sha256, row.status is ScanStatus.REDACTING


def scans_in_order(archive: ReadingRoom) -> Iterator[InternalKey]:
    """Give the keys of all scans in their order, some in memory at a time."""
    with archive.catalogue.reading() as connection:
        yield from (key for key, _ in checking.scan_bytes(connection))


def scan_sizes(archive: ReadingRoom) -> dict[InternalKey, int]:
    """Give the keys of all scans, and in how many bytes each is stored."""
    with archive.catalogue.reading() as connection:
        return dict(checking.scan_bytes(connection))
