"""Read a stored file once and learn all that its bytes can tell: their digest and, of a shard, which tiles are damaged.

SHA-256 proves that a file is what was stored, and cannot say where it is not; the crc32c behind each tile can. Both
are computed in one pass over blocks that are small beside a shard, so that a check needs no more memory for the largest
slide than for the smallest.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import google_crc32c

from archive.errors import DamagedPyramid
from archive.pyramid.layout import LevelLayout
from archive.pyramid.shard import ABSENT, ShardGrid, read_index

BLOCK_BYTES = 1 << 20
"""Read at once: large enough that SHA-256 works without the interpreter's lock, small enough to stay in the cache."""

PAGE_BYTES = 4096
"""What file systems and disks lose at a time; a page of zeros where other bytes were was never written, or lost."""

RESIDUE = 0x48674BC7
"""The crc32c of anything that is followed by its own crc32c (little-endian), whatever it is."""

Told = Callable[[int], None]
"""Told how many bytes were read; may raise, to stop the reading."""


def untold(count: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the bytes of a file told: how many there are, their SHA-256, and of a shard what is wrong within.

    ``index_fault`` says what is wrong with a shard's index, which then tells of no tile; ``damaged`` are the column and
    row within the shard of every tile that does not match its crc32c.
    """

    size_bytes: int
    sha256: str
    index_fault: DamagedPyramid | None = None
    damaged: tuple[tuple[int, int], ...] = ()


class _Tiles:
    """Is fed the bytes of a shard in their order, and remembers the tiles that do not match their crc32c."""

    def __init__(self, entries: list[tuple[int, int, int]]) -> None:
        self._entries = entries
        self._next = self._crc = self._position = 0
        self.damaged: list[int] = []

    def feed(self, block: bytes) -> None:
        # There are a hundred tiles in a block: each line here is as long as a tenth of their digest.
        begin, end = self._position, self._position + len(block)
        entries, count, extend = self._entries, len(self._entries), google_crc32c.extend
        following, crc = self._next, self._crc
        while following < count:
            offset, length, entry = entries[following]
            if offset >= end:
                break
            crc = extend(crc, block[offset - begin if offset > begin else 0 : offset + length - begin])
            if offset + length > end:
                break
            if crc != RESIDUE:
                self.damaged.append(entry)
            crc, following = 0, following + 1
        self._next, self._crc, self._position = following, crc, end


def reread(path: Path, told: Told = untold) -> Reading:
    """Read a file for its digest.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    descriptor = _opened(path)
    try:
        return _digested(descriptor, None, told)
    finally:
        os.close(descriptor)


def reread_shard(path: Path, layout: LevelLayout, shard_column: int, shard_row: int, told: Told = untold) -> Reading:
    """Read a shard for its digest, its index and the crc32c of each tile.

    Parameters
    ----------
    path : Path
        The shard's file.
    layout : LevelLayout
        The level that it belongs to.
    shard_column, shard_row : int
        Its place among the level's shards: at the right and lower edges some places hold no tile.
    told : callable
        Told how many bytes were read.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    grid = layout.grid
    inside = layout.columns - shard_column * grid.columns, layout.rows - shard_row * grid.rows
    descriptor = _opened(path)
    try:
        try:
            tiles = _Tiles(_entries(descriptor, grid, inside))
        except DamagedPyramid as error:
            reading = _digested(descriptor, None, told)
            return Reading(reading.size_bytes, reading.sha256, index_fault=error)
        reading = _digested(descriptor, tiles, told)
        places = sorted(divmod(entry, grid.columns) for entry in tiles.damaged)
        return Reading(reading.size_bytes, reading.sha256, damaged=tuple((column, row) for row, column in places))
    finally:
        os.close(descriptor)


def zeroed_bytes(path: Path, told: Told = untold) -> int:
    """Count the bytes of a file that lie in whole pages of zeros; a last page that is only begun counts as a whole one.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    descriptor = _opened(path)
    count = 0
    try:
        for block in _blocks(descriptor, told):
            pages = (block[start : start + PAGE_BYTES] for start in range(0, len(block), PAGE_BYTES))
            count += sum(len(page) for page in pages if not any(page))
        return count
    finally:
        os.close(descriptor)


def _blocks(descriptor: int, told: Told) -> Iterator[bytes]:
    while block := os.read(descriptor, BLOCK_BYTES):
        told(len(block))
        yield block


def _digested(descriptor: int, tiles: _Tiles | None, told: Told) -> Reading:
    digest, size = hashlib.sha256(), 0
    for block in _blocks(descriptor, told):
        digest.update(block)
        size += len(block)
        if tiles is not None:
            tiles.feed(block)
    return Reading(size, digest.hexdigest())


def _entries(descriptor: int, grid: ShardGrid, inside: tuple[int, int]) -> list[tuple[int, int, int]]:
    """Read the index: offset, length and number of each tile in the order of their places in the file."""
    size = os.fstat(descriptor).st_size
    body = size - grid.index_bytes
    index = read_index(os.pread(descriptor, grid.index_bytes, max(0, body)), grid, "the index", body=body)
    places = index.reshape(-1, 2).tolist()
    entries = sorted((offset, length, entry) for entry, (offset, length) in enumerate(places) if offset != ABSENT)
    end = 0
    for offset, length, entry in entries:
        if offset != end:
            raise DamagedPyramid("the index", "tiles one after the other", "other bytes between them")
        if entry % grid.columns >= inside[0] or entry // grid.columns >= inside[1]:
            raise DamagedPyramid("the index", "tiles inside the level", "one beyond its edge")
        end += length
    if end != body:
        raise DamagedPyramid("the index", "tiles one after the other", "other bytes behind them")
    return entries


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
