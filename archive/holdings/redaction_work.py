"""What was ordered to be black is made so, and gone on with where a process was killed.

The new version of the scan is made and put in the place of the old one (`archive.holdings.new_version`); then the
catalogue is told, in one transaction, which opens the scan. A version that was replaced is known by the digest of its
manifest: one that was put back is made black again before it can be opened.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from archive import fixity
from archive.catalogue import Catalogue, codes, redactions, slides
from archive.codes import Code, InternalKey
from archive.errors import ArchiveError, CatalogueUnavailable, UnknownCode
from archive.fixity import Manifest
from archive.geometry import Rectangle
from archive.holdings.deciding import status_after
from archive.holdings.new_version import (
    Moment,
    is_black,
    is_whole,
    make_black,
    move_in,
    remove_copies_aside,
    version_of,
)
from archive.holdings.place import Place, claimed, disk_errors
from archive.holdings.recovery import sweep
from archive.holdings.redaction_copies import holders_of, laboratory_code
from archive.records import ScanStatus

if TYPE_CHECKING:
    from archive.holdings.archive import Archive

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Redacted:
    """What a blacking out did: of each level how many tiles are other ones now, and who has the scan as it was."""

    scan: Code
    tiles: tuple[int, ...]
    holders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resumed:
    """What became of the scans that waited: those that are black now, and those that stay shut, with the reason.

    ``removed`` counts staged folders that nobody worked on any more: one may be an old version, deleted by halves.
    """

    done: tuple[Redacted, ...] = ()
    shut: tuple[tuple[Code, str], ...] = ()
    removed: int = 0


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
    with disk_errors(), alone(place):
        removed = sweep(place)
        for key in known:
            with catalogue.reading() as connection:
                code = laboratory_code(connection, key)
            try:
                if _is_unfinished(place, catalogue, key):
                    done.append(carry_out(place, catalogue, key, step))
                else:
                    remove_copies_aside(place, key)
            except CatalogueUnavailable:
                raise
            except (ArchiveError, OSError) as error:
                _log.warning("scan %s stays shut: what is to be black on it is not yet", code)
                shut.append((code, str(error) if isinstance(error, ArchiveError) else "its files cannot be read"))
    return Resumed(tuple(done), tuple(shut), removed)


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
    with disk_errors(), alone(archive.place):
        tiles = make_black(archive.place, archive.catalogue, key, wanted, archive.step, copy)
        move_in(archive.place, key, archive.step)
        _forget_old(archive.place, key, archive.step)
        _enter(archive.place, archive.catalogue, key, wanted, tiles, archive.step)
    return True


def alone(place: Place) -> AbstractContextManager[None]:
    """See that no other process makes anything black meanwhile."""
    place.redacting.mkdir(mode=0o750, exist_ok=True)
    return claimed(place.redacting)


def _is_unfinished(place: Place, catalogue: Catalogue, key: InternalKey) -> bool:
    with catalogue.reading() as connection:
        record, waits = slides.find_scan(connection, key), redactions.waits(connection, key)
        replaced = redactions.replaced(connection).get(key, frozenset())
    if waits or (place.redacting / key).exists():
        return True
    found = version_of(place.of_scan(key))
    return record is not None and found != record.manifest_sha256 and found in replaced


def carry_out(place: Place, catalogue: Catalogue, key: InternalKey, step: Callable[[str], None]) -> Redacted:
    """Do what is left to do."""
    move_in(place, key, step)  # what a process that was killed had ready
    with catalogue.reading() as connection:
        wanted = redactions.of_scan(connection, key)
    tiles: tuple[int, ...] = ()
    if not is_black(place.of_scan(key), key, wanted):
        tiles = make_black(place, catalogue, key, wanted, step)
        move_in(place, key, step)
    _forget_old(place, key, step)
    return _enter(place, catalogue, key, wanted, tiles, step)


def _forget_old(place: Place, key: InternalKey, step: Callable[[str], None]) -> None:
    """Delete the old version, also what processes left of it that were killed, and copies that were set aside."""
    sweep(place)
    remove_copies_aside(place, key)
    step(Moment.FORGOTTEN)


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
        code = laboratory_code(connection, key)
        is_new = redactions.waits(connection, key)
        redactions.settle(connection, key, wanted)
        slides.set_version(connection, key, manifest.sha256, manifest.stored_bytes)
        if record.status is ScanStatus.REDACTING:
            slides.set_status(connection, key, status_after(case, replace(record, status=ScanStatus.KEPT)))
        holders = holders_of(connection, place, record) if is_new else ()
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
