"""A version of a scan on which something is black takes the place of the one before, whole or not at all.

It is made aside, of hard links to the files that stay and of new files for the others, read again and forced to the
disk. Renamed into a place of its own it is complete; then the old version is taken away and deleted, and the new one
put there. A version is known by the digest of its manifest: only the catalogued one, or one that it replaced, is made
black.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection

from archive import fixity
from archive.catalogue import Catalogue, codes, redactions, slides
from archive.codes import InternalKey, new_handle
from archive.errors import ArchiveError, DamagedPyramid, HoldingsUnavailable, InvalidValue, UnknownCode
from archive.fixity import Manifest
from archive.geometry import Rectangle
from archive.holdings.commit import Chain, chain_from, record_text, remove, stage
from archive.holdings.place import PIXELS, RECORD, Place
from archive.records import ScanStatus

UNREADABLE = (OSError, ValueError, TypeError, KeyError, ArchiveError)
"""What reading a damaged folder raises."""


class Moment(StrEnum):
    """The named steps of a blacking out, in order; each is told right after it was done."""

    ORDERED = "redaction ordered"
    BLACK = "redaction made black"
    READY = "redaction ready"
    TAKEN_OUT = "old version taken out"
    PUT_IN = "new version put in"
    FORGOTTEN = "old version deleted"
    ENTERED = "new version entered"
    """In the transaction, which is not committed yet."""
    OPENED = "new version opened"


MOMENTS = tuple(map(str, Moment))


def is_black(folder: Path, key: InternalKey, wanted: Sequence[Rectangle]) -> bool:
    """Tell whether a folder has the new version already, whole; only then is all of it read."""
    from archive.pyramid.redaction import still_shown

    try:
        chain = chain_from((folder / RECORD).read_bytes())
        if chain.scan.key != key or not set(wanted) <= set(chain.redactions):
            return False
        manifest = Manifest.from_bytes((folder / fixity.MANIFEST).read_bytes())
        return not fixity.verify(folder, manifest) and not still_shown(folder / PIXELS, wanted)
    except UNREADABLE:
        return False


def make_black(
    place: Place,
    catalogue: Catalogue,
    key: InternalKey,
    wanted: Sequence[Rectangle],
    step: Callable[[str], None],
    copy: Path | None = None,
) -> tuple[int, ...]:
    """Make the new version aside and, when it is on the disk, ready; give of each level how many tiles changed.

    It is made of the scan's own folder, or of a copy of an older version, with which it shares no file then.
    """
    from archive.pyramid.redaction import blacken, still_shown

    old, put = (place.of_scan(key), _link) if copy is None else (copy, _copy)
    chain, manifest = _known(old, catalogue, key, wanted)
    with stage(place, lambda name: None) as staged:
        remove(staged.notes)
        for file in manifest.files:
            if file.path != RECORD:
                put(old / file.path, staged.outer / file.path)
        blackened = blacken(staged.folder, wanted)
        if still_shown(staged.folder, wanted):
            raise DamagedPyramid("the new version", "black where it is to be", "something else")
        step(Moment.BLACK)
        (staged.outer / RECORD).write_bytes(record_text(chain))
        changed = {RECORD, *(f"{PIXELS}/{path}" for path in blackened.files)}
        same = {file.path: file.sha256 for file in manifest.files if file.path not in changed}
        (staged.outer / fixity.MANIFEST).write_bytes(fixity.measure(staged.outer, same).to_bytes())
        for folder in (staged.outer, staged.folder):
            folder.chmod(0o750)
        fixity.flush(staged.outer)
        _rename(staged.outer, place.redacting / key)
        step(Moment.READY)
    return blackened.tiles


def _known(folder: Path, catalogue: Catalogue, key: InternalKey, wanted: Sequence[Rectangle]) -> tuple[Chain, Manifest]:
    """Read which files there are, which must be the catalogued version or one that it replaced, and its new record."""
    with catalogue.reading() as connection:
        chain = _chain(connection, key, wanted)
        versions = redactions.replaced(connection).get(key, frozenset()) | {chain.scan.manifest_sha256}
    try:
        manifest = Manifest.from_bytes((folder / fixity.MANIFEST).read_bytes())
    except (OSError, InvalidValue):
        raise HoldingsUnavailable("the scan's folder has no manifest; run: coverslip check --repair") from None
    if manifest.sha256 not in versions and not _is_on_the_way(folder, key, wanted):
        raise HoldingsUnavailable("the scan's folder is not what was catalogued; run: coverslip check --repair")
    return replace(chain, scan=replace(chain.scan, stored_bytes=0, manifest_sha256="")), manifest


def _is_on_the_way(folder: Path, key: InternalKey, wanted: Sequence[Rectangle]) -> bool:
    """Tell whether a folder has a new version that was never catalogued, because more was to be black meanwhile."""
    try:
        black = chain_from((folder / RECORD).read_bytes()).redactions
    except UNREADABLE:
        return False
    return bool(black) and set(black) <= set(wanted) and is_black(folder, key, black)


def _chain(connection: Connection, key: InternalKey, wanted: Sequence[Rectangle]) -> Chain:
    """Give what is to be written beside the new version's pixels."""
    scan = slides.find_scan(connection, key)
    slide = slides.find_slide(connection, scan.slide) if scan else None
    case = slides.find_case(connection, slide.case) if slide else None
    if scan is None or slide is None or case is None:
        raise UnknownCode(codes.NOT_HERE)
    return Chain(case, slide, replace(scan, status=ScanStatus.KEPT), tuple(wanted))


def move_in(place: Place, key: InternalKey, step: Callable[[str], None]) -> None:
    """Put the version that is ready in the place of the old one, which is left to be deleted."""
    ready, final = place.redacting / key, place.of_scan(key)
    if not ready.is_dir():
        return
    old = place.staging / new_handle()  # where it is deleted
    with suppress(FileNotFoundError):
        _rename(final, old)
    step(Moment.TAKEN_OUT)
    final.parent.mkdir(mode=0o750, exist_ok=True)
    fixity.flush_one(place.scans)
    _rename(ready, final)
    step(Moment.PUT_IN)


def remove_copies_aside(place: Place, key: InternalKey) -> None:
    """Delete what was set aside of a scan: a damaged copy of the old version still shows what is black now."""
    for folder in list(place.aside.iterdir()) if place.aside.is_dir() else []:
        if folder.name.startswith(f"{key}-") or _scan_of(folder) == key:
            remove(folder)


def _scan_of(folder: Path) -> InternalKey | None:
    """Tell of which scan a folder says that it is; None if that cannot be read."""
    try:
        return chain_from((folder / RECORD).read_bytes()).scan.key
    except UNREADABLE:
        return None


def is_whole(folder: Path) -> bool:
    """Tell whether every file of a folder is what its manifest says; all of it is read."""
    try:
        return not fixity.verify(folder, Manifest.from_bytes((folder / fixity.MANIFEST).read_bytes()))
    except UNREADABLE:
        return False


def version_of(folder: Path) -> str | None:
    """Give the digest of a folder's manifest; None if it has none that can be read."""
    try:
        return Manifest.from_bytes((folder / fixity.MANIFEST).read_bytes()).sha256
    except (OSError, InvalidValue):
        return None


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target, follow_symlinks=False)
    except FileNotFoundError:
        raise HoldingsUnavailable("a file of the scan is missing; run: coverslip check --repair") from None
    except OSError:  # a file system without hard links
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target, follow_symlinks=False)


def _rename(source: Path, target: Path) -> None:
    source.rename(target)
    for parent in {source.parent, target.parent}:
        fixity.flush_one(parent)
