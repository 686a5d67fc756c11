"""What is to be black is told to the second place too, so that an older copy of the catalogue cannot forget it.

A line a scan and act, beside the heads of the audit trail: the scan's random key, the rectangles, and the digest of the
manifest of the version that still shows them. Whoever restores an older backup or rebuilds a catalogue reads it first.
"""

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from archive.catalogue import Catalogue, redactions, slides
from archive.codes import InternalKey
from archive.errors import HoldingsUnavailable, InvalidValue
from archive.geometry import Rectangle
from archive.holdings.place import disk_errors
from archive.records import ScanStatus

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ordered:
    """What was ordered of one scan in one act."""

    scan: InternalKey
    black: tuple[Rectangle, ...]
    replaced: str

    def to_line(self) -> str:
        """Give it as one line."""
        told = {"scan": self.scan, "black": [list(one.sides) for one in self.black], "replaced": self.replaced}
        return json.dumps(told, sort_keys=True) + "\n"

    @classmethod
    def parse(cls, line: str) -> "Ordered":
        """Read what ``to_line`` gave.

        Raises
        ------
        HoldingsUnavailable
            If it is anything else.
        """
        try:
            told = json.loads(line)
            return cls(
                InternalKey(told["scan"]), tuple(Rectangle(*sides) for sides in told["black"]), str(told["replaced"])
            )
        except (ValueError, TypeError, KeyError, InvalidValue):
            raise HoldingsUnavailable(
                "the second place's list of what is black is damaged; look at its disk, and restore the file"
            ) from None


def file_of(second_place: Path) -> Path:
    """Name the file beside the heads of the audit trail."""
    return second_place.with_name(f"{second_place.name}.redactions")


def catch_up(second_place: Path | None, catalogue: Catalogue) -> None:
    """Tell what is recorded and not told there yet, if there is a second place: also what a killed process left out.

    Where it cannot be written that is only warned of, as of a head; the next time it is tried again.
    """
    if second_place is None:
        return
    try:
        missing = tuple(_untold(_read(second_place), catalogue))
        if missing:
            with file_of(second_place).open("a", encoding="ascii") as lines:
                lines.writelines(one.to_line() for one in missing)
    except (OSError, HoldingsUnavailable):
        _log.warning("what is to be black could not be told to the second place; check that place")


def shut_again(second_place: Path | None, catalogue: Catalogue) -> int:
    """Order anew what an older catalogue has forgotten, and give the number of scans, which are shut until it is done.

    Raises
    ------
    HoldingsUnavailable
        If the list cannot be read: then an old version might be shown.
    """
    with disk_errors():
        forgotten = list(_forgotten(_read(second_place), catalogue))
    if not forgotten:
        return 0
    with catalogue.writing() as writing:
        scans = {one.scan for one in forgotten}
        writing.tell("shut again", scans=len(scans))
        act = writing.head.number if writing.head else 0
        for one in forgotten:
            redactions.add(writing.connection, one.scan, one.black, act=act, replaced=one.replaced)
            slides.screen_again(writing.connection, one.scan)
            record = slides.find_scan(writing.connection, one.scan)
            if record is not None and record.status is ScanStatus.KEPT:
                slides.set_status(writing.connection, one.scan, ScanStatus.REDACTING)
    return len(scans)


def _read(second_place: Path | None) -> list[Ordered]:
    if second_place is None or not file_of(second_place).exists():
        return []
    try:
        text = file_of(second_place).read_text("ascii")
    except UnicodeDecodeError:
        text = "?"  # no line of the list
    return [Ordered.parse(line) for line in text.splitlines()]


def _untold(told: Iterable[Ordered], catalogue: Catalogue) -> Iterator[Ordered]:
    with catalogue.reading() as connection:
        left = redactions.by_version(connection)
    for one in told:
        left.get((one.scan, one.replaced), set()).difference_update(one.black)
    for (scan, replaced), black in left.items():
        if black:
            yield Ordered(scan, tuple(sorted(black)), replaced)


def _forgotten(told: Iterable[Ordered], catalogue: Catalogue) -> Iterator[Ordered]:
    with catalogue.reading() as connection:
        for one in told:
            known = redactions.of_scan(connection, one.scan)
            if slides.find_scan(connection, one.scan) is not None and not set(one.black) <= set(known):
                yield one
