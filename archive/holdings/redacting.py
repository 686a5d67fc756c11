"""What identifies somebody in a picture is made black on the scan that is held, and nobody is shown the old one again.

The order is what makes it so. In one transaction the rectangles are recorded and the scan is shut; then its new version
is made and put in the place of the old one (`archive.holdings.new_version`); then the catalogue is told, again in one
transaction, which opens the scan. Killed at any instant, the scan is shut or new, and `resume` goes on.

The list stays with the scan. A version that was replaced is known by the digest of its manifest, wherever it turns up
again: a restored one is made black before it can be opened.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from archive import fixity
from archive.catalogue import LABORATORY, Catalogue, codes, redactions, slides, tombstones
from archive.codes import Code, InternalKey, Kind
from archive.consent import MightIdentify
from archive.consent.terms import Grade
from archive.errors import (
    ArchiveError,
    CatalogueUnavailable,
    InvalidValue,
    UnknownCode,
)
from archive.fixity import Manifest
from archive.geometry import Rectangle
from archive.holdings import redaction_witness
from archive.holdings.deciding import status_after
from archive.holdings.known_backups import known_backups
from archive.holdings.new_version import Moment, is_black, is_whole, make_black, move_in, version_of
from archive.holdings.place import PIXELS, Place, claimed, disk_errors
from archive.holdings.redaction_witness import Ordered
from archive.records import ScanRecord, ScanStatus

if TYPE_CHECKING:
    from archive.holdings.archive import Archive

_log = logging.getLogger(__name__)

MOST_RECTANGLES = 256
"""On one scan at a time: more are drawn by no hand."""

_MAY_BE = frozenset({ScanStatus.KEPT, ScanStatus.QUARANTINED, ScanStatus.REDACTING})


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a blacking out would do: of each level how many tiles it touches, and who has the scan as it is now."""

    scan: Code
    tiles: tuple[int, ...]
    holders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Redacted:
    """What a blacking out did: of each level how many tiles are other ones now, and who has the scan as it was."""

    scan: Code
    tiles: tuple[int, ...]
    holders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resumed:
    """What became of the scans that waited: those that are black now, and those that stay shut, with the reason."""

    done: tuple[Redacted, ...] = ()
    shut: tuple[tuple[Code, str], ...] = ()


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
        holders = _holders(connection, archive.place, record)
        code = _code(connection, key)
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
    ordered = _order(archive.catalogue, key, rectangles, reason)
    if ordered is not None:
        redaction_witness.add(archive.second_place, ordered)
    archive.step(Moment.ORDERED)
    with disk_errors(), _alone(archive.place):
        done = _carry_out(archive.place, archive.catalogue, key, archive.step)
    return done


def resume(place: Place, catalogue: Catalogue, step: Callable[[str], None]) -> Resumed:
    """Make black what is to be and is not: what was interrupted, and old versions that were put back.

    Raises
    ------
    CatalogueUnavailable, HoldingsUnavailable
        If the catalogue or the disk cannot be used. A scan that cannot be made black stays shut and is told.
    """
    with catalogue.reading() as connection:
        known = redactions.scans(connection)
    if not known:
        return Resumed()
    done, shut = [], []
    with disk_errors(), _alone(place):
        for key in known:
            with catalogue.reading() as connection:
                code = _code(connection, key)
            try:
                if _is_unfinished(place, catalogue, key):
                    done.append(_carry_out(place, catalogue, key, step))
            except CatalogueUnavailable:
                raise
            except (ArchiveError, OSError) as error:
                _log.warning("scan %s stays shut: what is to be black on it is not yet", code)
                shut.append((code, str(error) if isinstance(error, ArchiveError) else "its files cannot be read"))
    return Resumed(tuple(done), tuple(shut))


def renew(archive: "Archive", key: InternalKey, copy: Path) -> bool:
    """Make a scan anew of a whole copy of the version from before it was blacked out; false if the copy is none.

    Raises
    ------
    DamagedPyramid, HoldingsUnavailable, CatalogueUnavailable
        If it cannot be done now; nothing was changed then, or `resume` goes on.
    """
    with archive.catalogue.reading() as connection:
        wanted = redactions.of_scan(connection, key)
        replaced = redactions.replaced(connection).get(key, frozenset())
    if version_of(copy) not in replaced or not is_whole(copy):
        return False
    with disk_errors(), _alone(archive.place):
        tiles = make_black(archive.place, archive.catalogue, key, wanted, archive.step, copy)
        move_in(archive.place, key, archive.step)
        _enter(archive.place, archive.catalogue, key, wanted, tiles, archive.step)
    return True


def _alone(place: Place) -> AbstractContextManager[None]:
    """See that no other process makes anything black meanwhile."""
    place.redacting.mkdir(mode=0o750, exist_ok=True)
    return claimed(place.redacting)


def _order(catalogue: Catalogue, key: InternalKey, rectangles: Sequence[Rectangle], reason: str) -> Ordered | None:
    """Record what is to be black, and shut the scan, both or none; None where it was ordered before."""
    with catalogue.writing() as writing:
        connection = writing.connection
        record = _require(slides.find_scan(connection, key), rectangles)
        new = set(rectangles) - set(redactions.of_scan(connection, key))
        if not new and redactions.waits(connection, key):
            return None
        if not new:
            raise InvalidValue("all of this is black already; nothing was changed")
        project = codes.project_number(connection, LABORATORY)
        writing.tell(
            "redact",
            reason=reason,
            scan=str(_code(connection, key)),
            slide=str(codes.code_of(connection, project, Kind.SLIDE, record.slide)),
            black=[list(one.sides) for one in sorted(new)],
        )
        act = writing.head.number if writing.head else 0
        redactions.add(connection, key, new, act=act, replaced=record.manifest_sha256)
        slides.set_grade(connection, key, MightIdentify(Grade.UNASSESSED), rescreen=True)
        if record.status is ScanStatus.KEPT:
            slides.set_status(connection, key, ScanStatus.REDACTING)
        return Ordered(key, tuple(sorted(new)), record.manifest_sha256)


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


def _is_unfinished(place: Place, catalogue: Catalogue, key: InternalKey) -> bool:
    with catalogue.reading() as connection:
        record, waits = slides.find_scan(connection, key), redactions.waits(connection, key)
        replaced = redactions.replaced(connection).get(key, frozenset())
    if waits or (place.redacting / key).exists():
        return True
    found = version_of(place.of_scan(key))
    return record is not None and found != record.manifest_sha256 and found in replaced


def _carry_out(place: Place, catalogue: Catalogue, key: InternalKey, step: Callable[[str], None]) -> Redacted:
    """Do what is left to do."""
    move_in(place, key, step)  # what a process that was killed had ready
    with catalogue.reading() as connection:
        wanted = redactions.of_scan(connection, key)
    tiles: tuple[int, ...] = ()
    if not is_black(place.of_scan(key), key, wanted):
        tiles = make_black(place, catalogue, key, wanted, step)
        move_in(place, key, step)
    return _enter(place, catalogue, key, wanted, tiles, step)


def _enter(
    place: Place,
    catalogue: Catalogue,
    key: InternalKey,
    wanted: Sequence[Rectangle],
    tiles: tuple[int, ...],
    step: Callable[[str], None],
) -> Redacted:
    """Tell the catalogue of the new version, which opens the scan."""
    manifest = Manifest.from_bytes((place.of_scan(key) / fixity.MANIFEST).read_bytes())
    with catalogue.writing() as writing:
        connection = writing.connection
        record = slides.find_scan(connection, key)
        case = slides.case_of(connection, record.slide) if record else None
        if record is None or case is None:
            raise UnknownCode(codes.NOT_HERE)
        code = _code(connection, key)
        is_new = redactions.waits(connection, key)
        redactions.settle(connection, key, wanted)
        slides.set_version(connection, key, manifest.sha256, manifest.stored_bytes)
        if record.status is ScanStatus.REDACTING:
            slides.set_status(connection, key, status_after(case, replace(record, status=ScanStatus.KEPT)))
        holders = _holders(connection, place, record) if is_new else ()
        writing.tell(
            "redacted",
            scan=str(code),
            manifest=manifest.sha256,
            stored_bytes=manifest.stored_bytes,
            tiles=list(tiles),
            copies=list(holders),
        )
        redactions.owe(connection, writing.head.number if writing.head else 0, key, holders)
        step(Moment.ENTERED)
    step(Moment.OPENED)
    return Redacted(code, tiles, holders)


def _holders(connection: Connection, place: Place, record: ScanRecord) -> tuple[str, ...]:
    """Tell who has the scan as it is: projects that were given its slide, and backups."""
    given = [name for name in codes.projects_of(connection, record.slide) if name != LABORATORY]
    projects = [f"project {name}" for name in given if tombstones.cohorts_given(connection, name)]
    return (*projects, *sorted(known_backups(place)))


def _code(connection: Connection, key: InternalKey) -> Code:
    code = codes.code_of(connection, codes.project_number(connection, LABORATORY), Kind.SCAN, key)
    if code is None:
        raise UnknownCode(codes.NOT_HERE)
    return code
