"""The pixels of slides that are held are looked at, and what is seen decides who may be shown them from then on.

Writing on a slide that is held makes its grade ``yes``: it counts as identifiable, so that nobody is shown it but
the laboratory and those who treat the patient, until a person has looked at the place.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from archive.codes import Code, Kind
from archive.consent import MightIdentify
from archive.consent.terms import Grade
from archive.errors import DamagedPyramid, InvalidValue, UnknownCode
from archive.geometry import Rectangle, Size
from archive.holdings import Archive
from archive.records import HeldScan, ScanStatus
from ingest.pipeline.screening import without_black
from ingest.pipeline.seen import Seen, Spot
from ingest.quarantine.judging import MOST_PLACES
from ingest.screening import VERSION, Screener, Screening
from ingest.screening.verdict import is_of_this_version

PAGE = 500
"""Slides that are asked for at once."""

SEEN = f"seen by screening {VERSION}"
NOTHING_SEEN = f"nothing seen by screening {VERSION}"


@dataclass(frozen=True)
class Rescreened:
    """A scan, the grade that it had, and what came of its screening; None if its pixels cannot be read."""

    scan: Code
    before: MightIdentify
    screening: Screening | None
    size: Size

    @property
    def is_settled(self) -> bool:
        """Whether it was seen whole and shows nothing that a person must look at."""
        return self.screening is not None and self.screening.complete and not self.screening.alarms

    @property
    def to_black_out(self) -> tuple[Rectangle, ...]:
        """What to make black so that nothing is left of what a person must look at: the places, with a margin."""
        alarms = self.screening.alarms if self.screening else ()
        return Seen(self.size, tuple(Spot(alarm.kind, alarm.place) for alarm in alarms)).places(MOST_PLACES)


def due(archive: Archive) -> Iterator[HeldScan]:
    """Give the scans that may be opened and were not screened as it is done now."""
    after: Code | None = None
    while page := archive.slides(after=after, limit=PAGE):
        for slide in page:
            yield from (scan for scan in slide.scans if _is_due(scan))
        after = page[-1].code


def _is_due(scan: HeldScan) -> bool:
    grade, record = scan.record.might_identify, scan.record
    outdated = grade.grade is Grade.NO_SCREENED and not is_of_this_version(grade)
    return record.status is ScanStatus.KEPT and (record.rescreen or outdated)


def rescreen(archive: Archive, screener: Screener) -> Iterator[Rescreened]:
    """Look at every scan that is due and record its grade, as `grade_anew` does.

    Raises
    ------
    JailUnavailable
        If pixels cannot be looked at safely on this machine.
    CatalogueUnavailable
        If a grade cannot be recorded.
    """
    for listed in due(archive):
        scan = archive.scan(listed.record.key)  # as it is now: hundreds were listed at once
        if scan is not None and _is_due(scan):
            with suppress(UnknownCode):  # withdrawn meanwhile
                yield grade_anew(archive, screener, scan)


def look_again(archive: Archive, screener: Screener) -> Iterator[Rescreened]:
    """Tell once more what is seen on every scan that waits for a person to judge it; nothing is recorded.

    Raises
    ------
    JailUnavailable
        If pixels cannot be looked at safely on this machine.
    """
    for scan in archive.scans_that_identify():
        with suppress(UnknownCode):  # withdrawn meanwhile
            yield look_at(archive, screener, scan)


def grade_anew(archive: Archive, screener: Screener, scan: HeldScan) -> Rescreened:
    """Look at a scan and record its grade.

    One that could not be looked at whole keeps its grade and stays due, unless something was seen on it; and so does
    one that was changed while it was looked at.

    Raises
    ------
    UnknownCode
        If it may not be opened any more.
    JailUnavailable
        If pixels cannot be looked at safely on this machine.
    CatalogueUnavailable
        If the grade cannot be recorded.
    """
    found = look_at(archive, screener, scan)
    if found.screening is not None and not _record(archive, scan, found.screening):
        return replace(found, screening=Screening())
    return found


def _record(archive: Archive, scan: HeldScan, screening: Screening) -> bool:
    """Record what was seen; false if the scan was changed while it was looked at, so that another picture was seen."""
    if not (screening.complete or screening.alarms):
        return True
    reason = SEEN if screening.alarms else NOTHING_SEEN
    return archive.set_grade(scan.record.key, screening.grade, rescreen=False, reason=reason, looked_at=scan.record)


def look_at(archive: Archive, screener: Screener, scan: HeldScan) -> Rescreened:
    """Look at a scan, and record nothing.

    Raises
    ------
    UnknownCode
        If it may not be opened any more.
    JailUnavailable
        If pixels cannot be looked at safely on this machine.
    """
    return Rescreened(scan.code, scan.record.might_identify, _look(archive, screener, scan), scan.record.size)


def _look(archive: Archive, screener: Screener, scan: HeldScan) -> Screening | None:
    try:
        with archive.open_pyramid(scan.record.key) as pyramid:
            seen = screener.screen(pyramid.levels)
            return without_black(seen, archive.redactions_of(scan.record.key), scan.record.size)
    except DamagedPyramid:
        return None


def take_back(archive: Archive, scan: Code | str, *, reason: str) -> None:
    """Record that a person looked at what a screening saw, and that it names nobody.

    The scan is then not assessed, and stays shut until a person attests for its case that it identifies nobody.

    Raises
    ------
    UnknownCode
        If there is no such scan.
    InvalidValue
        If no screening saw anything on it, or no reason is given.
    FreeTextRefused
        If the reason looks as if it held an identifier.
    """
    if not reason.strip():
        raise InvalidValue("say who looked, and what is there instead (--reason)")
    held = archive.scan(archive.key_of(scan, Kind.SCAN))
    if held is None or held.record.might_identify.grade is not Grade.YES:
        raise InvalidValue("no screening saw anything on this scan that could be taken back")
    archive.set_grade(held.record.key, MightIdentify(Grade.UNASSESSED), rescreen=held.record.rescreen, reason=reason)
