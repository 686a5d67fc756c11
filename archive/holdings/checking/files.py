"""A file may be missing, empty, cut short, zeroed or changed, and who mends it wants to know which.

Every file of a scan is read once; only one that is not what was stored is looked at again, for what became of it.
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from archive.codes import Code
from archive.fixity import StoredFile
from archive.geometry import TileAddress
from archive.holdings.checking.faults import Fault, FaultCode
from archive.holdings.place import PIXELS
from archive.pyramid.layout import ScanLayout
from archive.pyramid.rereading import Reading, Told, reread, reread_shard, zeroed_bytes

MOST_TILES = 16
"""Damaged tiles of one shard that are told one by one; the rest is told as a number."""

_SHARD = re.compile(rf"{re.escape(PIXELS)}/(\d{{1,2}})/c/(\d{{1,2}})/(\d{{1,9}})/(\d{{1,9}})")


@dataclass(frozen=True, slots=True)
class _Shard:
    """A shard's place: its level, and its column and row among the level's shards."""

    level: int
    column: int
    row: int


def check_file(folder: Path, file: StoredFile, layout: ScanLayout | None, scan: Code | None, told: Told) -> list[Fault]:
    """Read one file of a scan and tell everything that is wrong with it.

    Parameters
    ----------
    folder : Path
        The scan's folder.
    file : StoredFile
        What the manifest says of the file.
    layout : ScanLayout, optional
        How the scan's tiles lie in its shards; without it damaged tiles are not named.
    scan : Code, optional
        The scan's code, to name it by.
    told : callable
        Told how many bytes were read; may raise, to stop.
    """
    path = folder / file.path
    try:
        status = path.lstat()
    except OSError:
        return [Fault(FaultCode.FILE_MISSING, file.path, _bytes(file.size_bytes), "nothing", scan)]
    if not stat.S_ISREG(status.st_mode):
        return [Fault(FaultCode.NOT_A_FILE, file.path, "a file", "a link, a folder or a device", scan)]
    shard = _shard_of(file.path, layout)
    try:
        if shard is None or layout is None:
            reading = reread(path, told)
        else:
            reading = reread_shard(path, layout.levels[shard.level], shard.column, shard.row, told)
        return _faults(path, file, reading, shard, layout, scan)
    except OSError as error:
        found = os.strerror(error.errno or 0).lower()
        return [Fault(FaultCode.FILE_UNREADABLE, file.path, _bytes(file.size_bytes), found, scan)]


def _faults(
    path: Path, file: StoredFile, reading: Reading, shard: _Shard | None, layout: ScanLayout | None, scan: Code | None
) -> list[Fault]:
    within = [] if shard is None or layout is None else list(_within(file, reading, shard, layout, scan))
    if reading.sha256 == file.sha256 and reading.size_bytes == file.size_bytes:
        return within
    whole = difference(path, file, reading, scan)
    if whole.code is FaultCode.FILE_CHANGED and within:
        return within  # they say where
    return [whole] if whole.code in (FaultCode.FILE_EMPTY, FaultCode.FILE_TRUNCATED) else [whole, *within]


def difference(path: Path, file: StoredFile, reading: Reading, scan: Code | None) -> Fault:
    """Tell which of the ways to be another file this is."""
    expected, found = _bytes(file.size_bytes), _bytes(reading.size_bytes)
    if reading.size_bytes == 0:
        return Fault(FaultCode.FILE_EMPTY, file.path, expected, found, scan)
    if reading.size_bytes != file.size_bytes:
        shorter = reading.size_bytes < file.size_bytes
        return Fault(FaultCode.FILE_TRUNCATED if shorter else FaultCode.FILE_GROWN, file.path, expected, found, scan)
    if zeroed := zeroed_bytes(path):
        return Fault(FaultCode.FILE_ZEROED, file.path, expected, f"{zeroed} of them zeroed", scan)
    return Fault(FaultCode.FILE_CHANGED, file.path, f"SHA-256 {file.sha256[:8]}", f"SHA-256 {reading.sha256[:8]}", scan)


def _within(file: StoredFile, reading: Reading, shard: _Shard, layout: ScanLayout, scan: Code | None) -> list[Fault]:
    """Tell what is wrong inside a shard."""
    if (index := reading.index_fault) is not None:
        return [Fault(FaultCode.INDEX_DAMAGED, file.path, index.expected, index.found, scan)]
    grid = layout.levels[shard.level].grid
    right = "bytes that match their crc32c"
    faults = []
    for column, row in reading.damaged[:MOST_TILES]:
        tile = TileAddress(shard.level, shard.row * grid.rows + row, shard.column * grid.columns + column)
        faults.append(Fault(FaultCode.TILE_DAMAGED, file.path, right, "others", scan, tile))
    if (more := len(reading.damaged) - MOST_TILES) > 0:
        faults.append(Fault(FaultCode.TILE_DAMAGED, file.path, right, f"others, in {more} more tiles", scan))
    return faults


def _shard_of(path: str, layout: ScanLayout | None) -> _Shard | None:
    match = _SHARD.fullmatch(path)
    if match is None or layout is None:
        return None
    shard = _Shard(int(match[1]), int(match[4]), int(match[3]))
    if shard.level >= len(layout.levels):
        return None
    level = layout.levels[shard.level]
    across, down = level.shards
    return shard if int(match[2]) < level.planes and shard.column < across and shard.row < down else None


def _bytes(count: int) -> str:
    return f"{count} byte{'s' if count != 1 else ''}"
