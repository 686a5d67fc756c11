"""Re-read a stored level and prove that it is what it should be.

Every shard's index and every tile's crc32c are checked, every JPEG header is parsed and must be exactly the plain
one that this archive writes, and where the source is at hand the entropy-coded bytes are compared with it.
"""

import mmap
import os
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import imagecodecs
import numpy as np
import numpy.typing as npt

from archive.errors import DamagedPyramid
from archive.pyramid.jpeg import RST_BYTES, HeaderReader, NotPlainJpeg, join_intervals, plain_header, scan_end
from archive.pyramid.layout import Coding, LevelLayout, shard_key
from archive.pyramid.shard import ABSENT, CRC_BYTES, is_whole, read_index

SourceTiles = npt.NDArray[np.int64]
"""``(rows, columns, runs, 2)``: offset and length in bytes of each tile's entropy-coded data in the source's files,
laid end to end; length 0 where the source has no tile, `MADE_HERE` where the archive made one in its place.

A tile that lies in one piece is one run. One that was put together of restart intervals is as many, and the markers
between them, which are counted anew in each tile, belong to none."""

MADE_HERE = -1
"""The length of a tile that is not the source's own, and is not compared with it."""


@dataclass(frozen=True, slots=True)
class LevelCheck:
    """What was looked at: tiles found whole, tiles that are white glass, tiles compared with the source."""

    tiles: int
    white: int
    compared: int


class SourceFile:
    """A source to compare with, its files laid end to end; a context manager.

    It is read piece by piece and not mapped: it is not ours, and cut short under a map it would kill the process. One
    file is open at a time, for a slide may be in thousands.
    """

    def __init__(self, *paths: Path) -> None:
        self._paths = paths
        self._ends = list(accumulate(path.stat().st_size for path in paths))
        self._number, self._descriptor = 0, os.open(paths[0], os.O_RDONLY)

    def __enter__(self) -> "SourceFile":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def read(self, offset: int, length: int) -> bytes:
        """Read these bytes; fewer, or none, where no file has such a place."""
        number = bisect_right(self._ends, offset)
        if number == len(self._ends):
            return b""
        try:
            if number != self._number:
                following = os.open(self._paths[number], os.O_RDONLY)
                os.close(self._descriptor)
                self._number, self._descriptor = number, following
            return os.pread(self._descriptor, length, offset - (self._ends[number - 1] if number else 0))
        except (OSError, OverflowError):
            return b""


class _LevelVerifier:
    def __init__(
        self, number: int, layout: LevelLayout, source: "SourceFile | None", origin: SourceTiles | None
    ) -> None:
        self.number, self.layout = number, layout
        self._source, self._origin = source, origin
        self._headers = HeaderReader()
        self._plain: set[bytes] = set()

    def check(self, column: int, row: int, stored: bytes) -> bool:
        """Check one tile; say whether it was compared with the source."""
        place = f"level {self.number}, tile {column}, {row}"
        if not is_whole(stored):
            raise DamagedPyramid(place, "bytes that match their crc32c", "others")
        tile = stored[:-CRC_BYTES]
        if self.layout.coding is Coding.LOSSLESS:
            self._check_lossless(tile, place)
            return False
        start = self._check_jpeg(tile, place)
        if self._source is None or self._origin is None:
            return False
        runs = self._origin[row, column].tolist()
        if runs[0][1] == MADE_HERE:
            return False
        if not self._is_the_sources(tile[start:-2], runs, self._source):
            raise DamagedPyramid(place, "the source's own entropy-coded bytes", "others")
        return True

    @staticmethod
    def _is_the_sources(coded: bytes, runs: list[list[int]], source: "SourceFile") -> bool:
        """Whether a tile's entropy-coded bytes are those of the source's runs; no more is read than the tile has."""
        lengths = [length for _, length in runs]
        if min(lengths) < 0 or sum(lengths) + RST_BYTES * (len(runs) - 1) != len(coded):
            return False
        return coded == join_intervals(source.read(offset, length) for offset, length in runs)

    def _check_jpeg(self, tile: bytes, place: str) -> int:
        """Check that the tile is a plain JPEG file of the level's shape; give where its scan begins."""
        try:
            header = self._headers.read(tile)
            end = scan_end(tile, header.length)
        except NotPlainJpeg as error:
            raise DamagedPyramid(place, "a plain JPEG file", "another stream") from error
        shape = (header.width, header.height, len(header.components))
        if shape != (self.layout.tile.width, self.layout.tile.height, self.layout.channels):
            raise DamagedPyramid(place, "a tile of the level's size", "another size")
        start = tile[: header.length]
        if start not in self._plain:
            if start not in (plain_header(header, ycbcr=True), plain_header(header, ycbcr=False)):
                raise DamagedPyramid(place, "a header written by the archive", "another one")
            self._plain.add(start)
        if end + 2 != len(tile):
            raise DamagedPyramid(place, "nothing after the end of the picture", "more bytes")
        return header.length

    def _check_lossless(self, tile: bytes, place: str) -> None:
        size = self.layout.tile_bytes
        try:
            whole = len(imagecodecs.zstd_decode(tile, out=size)) == size
        except RuntimeError:
            whole = False
        if not whole:
            raise DamagedPyramid(place, "a tile of the level's size", "another one")


def _stored_tiles(folder: Path, number: int, layout: LevelLayout) -> Iterator[tuple[int, int, bytes | None]]:
    """Walk over every shard of a level: column, row, and the tile with its crc32c, or None for white glass."""
    across, down = layout.shards
    for plane in range(layout.planes):
        for shard_row in range(down):
            for shard_column in range(across):
                key = shard_key(number, shard_column, shard_row, plane)
                yield from _shard_tiles(folder, key, layout, shard_column, shard_row)


def _shard_tiles(
    folder: Path, key: str, layout: LevelLayout, shard_column: int, shard_row: int
) -> Iterator[tuple[int, int, bytes | None]]:
    grid = layout.grid
    try:
        with (folder / key).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as shard:
            body = len(shard) - grid.index_bytes
            entries = read_index(shard[max(0, body) :], grid, key, body=body).reshape(-1, 2).tolist()
            _require_no_gaps(entries, body, key)
            for entry, (offset, length) in enumerate(entries):
                column = shard_column * grid.columns + entry % grid.columns
                row = shard_row * grid.rows + entry // grid.columns
                if column < layout.columns and row < layout.rows:
                    yield column, row, None if offset == ABSENT else shard[offset : offset + length]
                elif offset != ABSENT:
                    raise DamagedPyramid(key, "tiles inside the level", "one beyond its edge")
    except (OSError, ValueError) as error:  # an empty file cannot be mapped
        raise DamagedPyramid(key, "a shard", "none") from error


def _require_no_gaps(entries: list[list[int]], body: int, key: str) -> None:
    """Refuse a shard with bytes that belong to no tile: nobody would ever look at them."""
    end = 0
    for offset, length in sorted(entry for entry in entries if entry[0] != ABSENT):
        if offset != end:
            break
        end += length
    if end != body:
        raise DamagedPyramid(key, "tiles one after the other", "other bytes between them")


def verify_level(
    folder: Path,
    number: int,
    layout: LevelLayout,
    source: SourceFile | None = None,
    origin: SourceTiles | None = None,
) -> LevelCheck:
    """Re-read every tile of a level.

    Parameters
    ----------
    folder : Path
        The scan's folder.
    number : int
        The level's number.
    layout : LevelLayout
        What the level should be.
    source : SourceFile, optional
        The source file, to compare with.
    origin : numpy.ndarray, optional
        Where in the source the data of each tile lies; a tile of no length must be white glass.

    Raises
    ------
    DamagedPyramid
        At the first tile that is not as it should be.
    """
    verifier = _LevelVerifier(number, layout, source, origin)
    tiles = white = compared = 0
    for column, row, stored in _stored_tiles(folder, number, layout):
        if stored is None:
            if origin is not None and origin[row, column, 0, 1] > 0:
                raise DamagedPyramid(f"level {number}, tile {column}, {row}", "a tile", "none")
            white += 1
        else:
            tiles += 1
            compared += verifier.check(column, row, stored)
    return LevelCheck(tiles, white, compared)


def sample_tiles(layout: LevelLayout, count: int, seed: int = 0) -> list[tuple[int, int]]:
    """Choose up to `count` tiles of a level for a closer look: the corners, and others at random."""
    corners = {(c, r) for c in (0, layout.columns - 1) for r in (0, layout.rows - 1)}
    places = np.random.default_rng(seed).permutation(layout.columns * layout.rows)[:count]
    others = [(int(p) % layout.columns, int(p) // layout.columns) for p in places]
    return list(dict.fromkeys([*sorted(corners), *others]))[:count]
