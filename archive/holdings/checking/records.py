"""What the archive says of its slides is held against itself: rows, codes, collections, journal and audit trail."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from archive.catalogue import checking, journal_reading, resting
from archive.catalogue.checking import RowFault
from archive.catalogue.journal import Line, Segment, segments
from archive.catalogue.journal_replay import replay
from archive.codes import InternalKey
from archive.errors import ArchiveError, CatalogueUnavailable, HoldingsUnavailable
from archive.holdings.checking.faults import Fault, FaultCode
from archive.holdings.place import Place, mark_text
from archive.holdings.reading import ReadingRoom

CATALOGUE = "the catalogue"

_CODES = {
    "structure": FaultCode.DATABASE_STRUCTURE,
    "link": FaultCode.LINK_BROKEN,
    "impossible": FaultCode.ROW_IMPOSSIBLE,
    "code missing": FaultCode.CODE_MISSING,
    "code wrong": FaultCode.CODE_WRONG,
    "collection": FaultCode.COLLECTION_WRONG,
    "derived": FaultCode.SEARCH_STALE,
}

_CHECKS: tuple[Callable[[Connection], Iterator[RowFault]], ...] = (
    checking.definition_faults,
    checking.structure,
    checking.links,
    checking.records,
    checking.code_faults,
    checking.collection_faults,
    checking.derived_faults,
    checking.consent_faults,
)


def mark_faults(place: Place, identity: InternalKey) -> Iterator[Fault]:
    """Hold archive.json against what was written; the catalogue says which archive it is."""
    try:
        text = place.mark.read_bytes()
    except OSError:
        yield Fault(FaultCode.MARK_DAMAGED, place.mark.name, "the mark of the archive", "nothing")
        return
    if text != mark_text(identity):
        yield Fault(FaultCode.MARK_DAMAGED, place.mark.name, "the mark of this archive", "another")


def row_faults(room: ReadingRoom) -> Iterator[Fault]:
    """Read every row of the catalogue and tell what cannot be."""
    for check in _CHECKS:
        with _unreadable() as unread, room.catalogue.reading() as connection:
            for found in check(connection):
                place = f"{CATALOGUE}, table {found.table}" if " " not in found.table else CATALOGUE
                yield Fault(_CODES[found.kind], place, found.expected, found.found)
        if unread:
            yield Fault(FaultCode.ROW_IMPOSSIBLE, CATALOGUE, "rows that can be read", "some that cannot")


def audit_faults(room: ReadingRoom) -> Iterator[Fault]:
    """Tell every fault of the audit trail, held against the heads in its second place."""
    try:
        found = room.audit_faults()
    except CatalogueUnavailable:
        yield Fault(FaultCode.AUDIT_DAMAGED, "the audit trail", "entries that can be read", "others")
        return
    except HoldingsUnavailable:
        yield Fault(FaultCode.WITNESS_DAMAGED, "the audit trail's second place", "the heads of the trail", "nothing")
        return
    except (ArchiveError, ValueError, TypeError, AttributeError):
        # A head or an entry that has no form; which of the two, the trail alone tells.
        whole = not _alone(room)
        code = FaultCode.WITNESS_DAMAGED if whole else FaultCode.AUDIT_DAMAGED
        place = "the audit trail's second place" if whole else "the audit trail"
        yield Fault(code, place, "lines with a number and a digest", "others")
        return
    for fault in found:
        place = f"the audit trail, entry {fault.number}"
        yield Fault(FaultCode.AUDIT_DAMAGED, place, fault.expected, f"{fault.found} ({fault.code})")


def _alone(room: ReadingRoom) -> bool:
    """Whether the trail has a fault of its own."""
    alone = ReadingRoom(room.place, room.catalogue, None)
    try:
        return bool(alone.audit_faults())
    except (ArchiveError, ValueError, TypeError, AttributeError):
        return True


def journal_faults(place: Place) -> Iterator[Fault]:
    """Read every line of the journal, those before its newest snapshot too."""
    if not place.journal.is_dir():
        return
    faults = {fault.place: fault for fault in journal_reading.verify(place.journal)}
    for segment in segments(place.journal):
        for where in _damaged_lines(segment):
            if where not in faults:
                yield Fault(
                    FaultCode.JOURNAL_DAMAGED, f"journal/{where}", "the checksum that was written", "another one"
                )
    for where, fault in faults.items():
        yield Fault(FaultCode.JOURNAL_DAMAGED, f"journal/{where}", fault.expected, f"{fault.found} ({fault.code})")


def _damaged_lines(segment: Segment) -> Iterator[str]:
    """Name the lines that are not what was written; one that a crash cut short was never finished, and is none."""
    with segment.path.open("rb") as file:
        for count, stored in enumerate(file, start=1):
            ended = stored.endswith(b"\n")
            if Line.parse(stored[:-1] if ended else stored) is not None:
                continue
            cut = not stored.rstrip(b"\n").endswith(b"}") if ended else Line.parse(stored[:-1]) is None
            if not cut:
                yield f"{segment.path.name}, line {count}"


def journal_differences(place: Place, identity: InternalKey) -> Iterator[Fault]:
    """Make the catalogue once more from its journal, aside, and tell every table that says something else."""
    if not place.journal.is_dir() or not place.catalogue.exists():
        return
    with tempfile.TemporaryDirectory(prefix="coverslip-check-") as folder:
        made = Path(folder) / "catalogue.sqlite"
        try:
            replayed = replay(place.journal, identity, made)
            told, kept = resting.seal(made).tables, resting.seal(place.catalogue).tables
        except resting.NotAtRest:
            return  # somebody writes; it is compared another time
        except (ArchiveError, *resting.UNREADABLE):
            yield Fault(FaultCode.JOURNAL_DAMAGED, "journal", "a journal that makes the catalogue", "another one")
            return
    if replayed.faults:
        return  # they were told, and what it makes is not the whole catalogue
    for table in sorted(checking.told_by_journal()):
        if told.get(table) != kept.get(table):
            place_of = f"catalogue.sqlite, table {table}"
            yield Fault(FaultCode.JOURNAL_DIFFERS, place_of, "the rows that the journal tells", "others")


@contextmanager
def _unreadable() -> Iterator[list[Exception]]:
    """Catch what a damaged row or file raises where it is read."""
    found: list[Exception] = []
    try:
        yield found
    except checking.IMPOSSIBLE as error:
        found.append(error)
