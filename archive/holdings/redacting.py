"""What identifies somebody in a picture is made black on the scan that is held, and nobody is shown the old one again.

The order is what makes it so. In one transaction the rectangles are recorded and the scan is shut; then its new version
is made and put in the place of the old one (`archive.holdings.new_version`); then the catalogue is told, again in one
transaction, which opens the scan. Killed at any instant, the scan is shut or new, and `resume` goes on.

The list stays with the scan. A version that was replaced is known by the digest of its manifest, wherever it turns up
again: a restored one is made black before it can be opened.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archive.catalogue import LABORATORY, Catalogue, codes, redactions, slides
from archive.codes import Code, InternalKey, Kind
from archive.errors import InvalidValue, UnknownCode
from archive.geometry import Rectangle
from archive.holdings import redaction_witness
from archive.holdings.new_version import Moment
from archive.holdings.place import PIXELS, disk_errors
from archive.holdings.redaction_copies import holders_of, laboratory_code
from archive.holdings.redaction_work import Redacted, alone, carry_out
from archive.records import ScanRecord, ScanStatus

if TYPE_CHECKING:
    from archive.holdings.archive import Archive

MOST_RECTANGLES = 256
"""On one scan at a time: more are drawn by no hand."""

_MAY_BE = frozenset({ScanStatus.KEPT, ScanStatus.QUARANTINED, ScanStatus.REDACTING})


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a blacking out would do: of each level how many tiles it touches, and who has the scan as it is now."""

    scan: Code
    tiles: tuple[int, ...]
    holders: tuple[str, ...]


def foresee(archive: "Archive", scan: Code | str, rectangles: Sequence[Rectangle]) -> Foreseen:
    """Find out what a blacking out would do; nothing is changed.

    Raises
    ------
    UnknownCode
        If there is no such scan.
    InvalidValue
        If it cannot be blacked out, or there is nothing to black out.
    DamagedPyramid
        If its layout cannot be read.
    """
    from archive.pyramid.layout import read_layout
    from archive.pyramid.redaction import touched

    key = archive.key_of(scan, Kind.SCAN)
    with archive.catalogue.reading() as connection:
        record = _require(slides.find_scan(connection, key), rectangles)
        holders = holders_of(connection, archive.place, record)
        code = laboratory_code(connection, key)
    layout = read_layout(archive.place.of_scan(key) / PIXELS)
    found = zip(touched(layout, rectangles), layout.levels, strict=True)
    return Foreseen(code, tuple(len(tiles) * level.planes for tiles, level in found), holders)


def redact(archive: "Archive", scan: Code | str, rectangles: Sequence[Rectangle], *, reason: str) -> Redacted:
    """Make rectangles of a held scan black at every level, for good, on this copy and on every one to come.

    Parameters
    ----------
    archive
        Open for writing.
    scan
        The scan's code in the laboratory.
    rectangles
        In pixels of level 0.
    reason
        Why, without anything that could identify a patient.

    Raises
    ------
    UnknownCode
        If there is no such scan.
    InvalidValue
        If it cannot be blacked out, there is nothing to black out, or all of it is black already.
    FreeTextRefused
        If the reason looks as if it held an identifier.
    DamagedPyramid, HoldingsUnavailable, CatalogueUnavailable
        If it cannot be done now; the scan is shut then, and the order stands.
    """
    key = archive.key_of(scan, Kind.SCAN)
    if not reason.strip():
        raise InvalidValue("say why it is made black; no names of patients")
    _order(archive.catalogue, key, rectangles, reason)
    redaction_witness.catch_up(archive.second_place, archive.catalogue)
    archive.step(Moment.ORDERED)
    with disk_errors(), alone(archive.place):
        done = carry_out(archive.place, archive.catalogue, key, archive.step)
    return done


def _order(catalogue: Catalogue, key: InternalKey, rectangles: Sequence[Rectangle], reason: str) -> None:
    """Record what is to be black, and shut the scan, both or none; what was ordered before stays ordered."""
    with catalogue.writing() as writing:
        connection = writing.connection
        record = _require(slides.find_scan(connection, key), rectangles)
        new = set(rectangles) - set(redactions.of_scan(connection, key))
        if not new and redactions.waits(connection, key):
            return
        if not new:
            raise InvalidValue("all of this is black already; nothing was changed")
        project = codes.project_number(connection, LABORATORY)
        writing.tell(
            "redact",
            reason=reason,
            scan=str(laboratory_code(connection, key)),
            slide=str(codes.code_of(connection, project, Kind.SLIDE, record.slide)),
            black=[list(one.sides) for one in sorted(new)],
        )
        act = writing.head.number if writing.head else 0
        redactions.add(connection, key, new, act=act, replaced=record.manifest_sha256)
        slides.screen_again(connection, key)
        if record.status is ScanStatus.KEPT:
            slides.set_status(connection, key, ScanStatus.REDACTING)


def _require(record: ScanRecord | None, rectangles: Sequence[Rectangle]) -> ScanRecord:
    if record is None:
        raise UnknownCode(codes.NOT_HERE)
    if record.status not in _MAY_BE:
        raise InvalidValue(f"this scan is {record.status} and shown to nobody; it can be blacked out once it is kept")
    if not 1 <= len(rectangles) <= MOST_RECTANGLES:
        raise InvalidValue(f"name 1 to {MOST_RECTANGLES} rectangles to make black")
    for one in rectangles:
        if one.x >= record.size.width or one.y >= record.size.height:
            raise InvalidValue(f"the rectangle {one} lies beyond the scan, which is {record.size}")
    return record
