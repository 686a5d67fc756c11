"""A scan is as it was stored: the manifest is the catalogued one, the files are the manifest's, and no other is there.

And then what lies there must say of itself what the catalogue says of it: how large it is, how many levels it has.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from archive import fixity
from archive.catalogue.rows import scan_row
from archive.codes import Code
from archive.errors import DamagedPyramid, InvalidValue
from archive.fixity import Manifest, StoredFile
from archive.holdings.checking.faults import Fault, FaultCode
from archive.holdings.checking.files import check_file, difference
from archive.holdings.place import PIXELS, RECORD
from archive.pyramid.layout import ScanLayout, read_layout, shard_keys
from archive.pyramid.rereading import Reading, Told
from archive.records import ScanRecord

CHANGES_LATER = frozenset({"slide_key", "might_identify", "rescreen", "status", "stored_bytes", "manifest_sha256"})
"""What the catalogue may say otherwise than the record beside the pixels, which is never written again."""

Started = Callable[[], list[Fault]]
"""Gives the faults of a file, waiting until it has been read."""

Start = Callable[[Callable[[], list[Fault]]], Started]
"""Begins to read a file, in another thread, and gives the way to ask for its faults."""


@dataclass(frozen=True, slots=True)
class KeptScan:
    """A scan that is to be checked: its folder, its code and its row."""

    folder: Path
    code: Code | None
    row: ScanRecord

    def fault(self, code: FaultCode, place: str, expected: str, found: str) -> Fault:
        """Make a fault of this scan."""
        return Fault(code, place, expected, found, self.code)


def begin(scan: KeptScan, start: Start, told: Told) -> Started:
    """Begin to check a scan; what this gives waits for all of its files and tells every fault."""
    if not scan.folder.is_dir():
        missing = scan.fault(FaultCode.FOLDER_MISSING, "the scan's folder", "a folder", "nothing")
        return lambda: [missing]
    manifest, faults = _manifest(scan)
    if manifest is None:
        return lambda: faults
    layout, wrong = _layout(scan.folder)
    reading = [start(_later(scan, file, layout, told)) for file in manifest.files]
    faults += _unlisted(scan, manifest)

    def finish() -> list[Fault]:
        found = [fault for wait in reading for fault in wait()]
        whole = not found
        if whole:  # what is damaged in its bytes need not make sense
            found += _sense(scan, manifest, layout, wrong)
        return sorted(faults + found, key=lambda fault: (fault.place, fault.tile is None, str(fault.tile)))

    return finish


def _later(scan: KeptScan, file: StoredFile, layout: ScanLayout | None, told: Told) -> Started:
    return lambda: check_file(scan.folder, file, layout, scan.code, told)


def _manifest(scan: KeptScan) -> tuple[Manifest | None, list[Fault]]:
    """Read the manifest, which must be the very one that was catalogued."""
    path = scan.folder / fixity.MANIFEST
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None, [scan.fault(FaultCode.FILE_MISSING, fixity.MANIFEST, "the manifest", "nothing")]
    except OSError as error:
        found = os.strerror(error.errno or 0).lower()
        return None, [scan.fault(FaultCode.FILE_UNREADABLE, fixity.MANIFEST, "the manifest", found)]
    digest = hashlib.sha256(text).hexdigest()
    if digest != scan.row.manifest_sha256:
        # Its length is told nowhere else.
        size_bytes = max(len(text), 1) + (any(text) and _is_cut(text))
        expected = StoredFile(fixity.MANIFEST, size_bytes, scan.row.manifest_sha256)
        return None, [
            replace(difference(path, expected, Reading(len(text), digest), scan.code), expected="the manifest")
        ]
    try:
        return Manifest.from_bytes(text), []
    except InvalidValue:
        return None, [scan.fault(FaultCode.LAYOUT_WRONG, fixity.MANIFEST, "a manifest", "something else")]


def _is_cut(text: bytes) -> bool:
    """Whether a manifest lacks its end; one changed byte there is no lack."""
    end = Manifest(()).to_bytes()[-len(b'],"format":1}') :]
    return len(text) < len(end) or sum(a != b for a, b in zip(text[-len(end) :], end, strict=True)) > 1


def _layout(folder: Path) -> tuple[ScanLayout | None, DamagedPyramid | None]:
    try:
        return read_layout(folder / PIXELS), None
    except DamagedPyramid as error:
        return None, error


def _unlisted(scan: KeptScan, manifest: Manifest) -> Iterator[Fault]:
    """Tell every file in the folder that the manifest does not list."""
    listed = {file.path for file in manifest.files}
    for place in sorted(fixity.files_in(scan.folder)):
        if place not in listed:
            yield scan.fault(FaultCode.FILE_UNLISTED, place, "no such file", "a file")


def _sense(
    scan: KeptScan, manifest: Manifest, layout: ScanLayout | None, wrong: DamagedPyramid | None
) -> Iterator[Fault]:
    """Tell where what lies there does not say of itself what it should; every byte is what was stored."""
    if layout is None:
        found = wrong.found if wrong else "none"
        yield scan.fault(FaultCode.LAYOUT_WRONG, f"{PIXELS}/zarr.json", "the layout of a stored scan", found)
        return
    listed = {file.path for file in manifest.files}
    for key in _shards(layout):
        if f"{PIXELS}/{key}" not in listed:
            yield scan.fault(FaultCode.LAYOUT_WRONG, f"{PIXELS}/{key}", "a shard in the manifest", "none")
    yield from _differences(scan, _told_by(layout), f"{PIXELS}/zarr.json")
    try:
        rows: Any = json.loads((scan.folder / RECORD).read_bytes())
        record = {name: value for name, value in rows["scan"].items() if name not in CHANGES_LATER}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        yield scan.fault(FaultCode.LAYOUT_WRONG, RECORD, "the record of a scan", "something else")
        return
    yield from _differences(scan, record, RECORD)
    if scan.row.stored_bytes != manifest.stored_bytes:
        told = f"{manifest.stored_bytes} bytes stored"
        yield scan.fault(FaultCode.ROW_DIFFERS, fixity.MANIFEST, told, f"{scan.row.stored_bytes} in the catalogue")


def _shards(layout: ScanLayout) -> Iterator[str]:
    for number, level in enumerate(layout.levels):
        yield from shard_keys(number, level)


def _told_by(layout: ScanLayout) -> dict[str, Any]:
    """Give what the pyramid's metadata say, in the catalogue's words."""
    base, mpp = layout.levels[0].size, layout.mpp
    return {
        "width": base.width,
        "height": base.height,
        "level_count": len(layout.levels),
        "mpp_x": mpp and mpp.x,
        "mpp_y": mpp and mpp.y,
        "objective_power": layout.objective_power,
    }


def _differences(scan: KeptScan, told: dict[str, Any], place: str) -> Iterable[Fault]:
    catalogued = scan_row(replace(scan.row))
    for name, value in sorted(told.items()):
        if catalogued.get(name) != value:
            expected, found = f"{name} {value}", f"{catalogued.get(name)} in the catalogue"
            yield scan.fault(FaultCode.ROW_DIFFERS, place, expected, found)
