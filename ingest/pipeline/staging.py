"""Inside the jail: levels are written into a staged folder as shards, one after the other, the largest first.

Each is encoded as its layout says. Tiles that are made here get the same plain header as those that are copied.
"""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from archive.holdings.pixels import Coding, HeaderReader, Level, LevelLayout, Pixels, Plane, encode_jpeg, plain_header
from archive.holdings.writing import LevelWriter, LocalStore, encode_lossless
from ingest.sandbox import Tell

T = TypeVar("T", np.uint8, np.uint16)

ADDED_QUALITY = 90
"""JPEG quality of added levels of a JPEG scan; a lossless scan gets lossless ones."""

TOLD_EVERY = 256
"""Progress is told after so many tiles: often enough for a smooth bar."""


class StagedLevels:
    """The levels that are written, and the one that is being written.

    Parameters
    ----------
    folder
        The staged folder.
    expected
        Tiles that all levels will have, about.
    tell
        Told ``{"tiles": 512, "of": 18432}`` from time to time.
    """

    def __init__(self, folder: Path, expected: int, tell: Tell) -> None:
        self._folder, self._expected, self._tell = folder, expected, tell
        self._tiles = self._tiles_before = 0
        self.layouts: list[LevelLayout] = []

    @property
    def number(self) -> int:
        """The number of the level that is being written."""
        return len(self.layouts)

    def last(self) -> Level:
        """Open the last level that is written: the one above the one that is being written."""
        return Level(self._folder, self.number - 1, self.layouts[-1])

    def writer(self, layout: LevelLayout, plane: int = 0) -> LevelWriter:
        """Begin to write a level, or one channel of it."""
        return LevelWriter(LocalStore(self._folder), self.number, layout, plane)

    def count(self) -> None:
        """Count a tile that was written."""
        self._tiles += 1
        if self._tiles % TOLD_EVERY == 0:
            self._tell({"tiles": self._tiles, "of": self._expected})

    def finish(self, layout: LevelLayout) -> None:
        """Note that a level is written."""
        self.layouts.append(layout)
        self._tiles_before = self._tiles

    def start_over(self) -> None:
        """Delete what there is of the level that is being written."""
        shutil.rmtree(self._folder / str(self.number), ignore_errors=True)
        self._tiles = self._tiles_before

    def write_pixels(self, layout: LevelLayout, tiles: Iterable[tuple[int, int, Pixels]]) -> None:
        """Write a level of bright field: column, row and pixels of each tile, from top to bottom."""
        with self.writer(layout) as writer:
            for column, row, pixels in tiles:
                inside = _filled_anew(layout, column, row, pixels)
                one = inside[..., 0] if layout.channels == 1 else inside
                writer.add(column, row, jpeg_tile(one) if layout.coding is Coding.JPEG else encode_lossless(one))
                self.count()
        self.finish(layout)

    def write_planes(self, layout: LevelLayout, planes: Sequence[Iterable[tuple[int, int, Plane]]]) -> None:
        """Write a level of fluorescence, one channel after the other: column, row and values of each tile."""
        for plane, tiles in enumerate(planes):
            with self.writer(layout, plane) as writer:
                for column, row, values in tiles:
                    writer.add(column, row, encode_lossless(_filled_anew(layout, column, row, values)))
                    self.count()
        self.finish(layout)


def _filled_anew(layout: LevelLayout, column: int, row: int, tile: npt.NDArray[T]) -> npt.NDArray[T]:
    """Repeat the last row and column of a tile cut by the level's edge; what the file has there nobody looks at."""
    width, height = layout.size.width - column * layout.tile.width, layout.size.height - row * layout.tile.height
    inside = tile[:height, :width]
    missing = (tile.shape[0] - inside.shape[0], tile.shape[1] - inside.shape[1])
    if not any(missing):
        return tile
    return np.pad(inside, [(0, missing[0]), (0, missing[1]), (0, 0)][: tile.ndim], mode="edge")


def jpeg_tile(pixels: Pixels) -> bytes:
    """Encode a tile that is made here, ``(height, width, 3)`` RGB or ``(height, width)`` grey uint8."""
    stream = encode_jpeg(np.ascontiguousarray(pixels), quality=ADDED_QUALITY)
    header = HeaderReader().read(stream)
    return plain_header(header, ycbcr=True) + stream[header.length :]
