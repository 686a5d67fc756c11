"""Levels that are not stored: made on request from the next larger one.

Storing every power of two costs 27 to 40 % more space; making one tile costs about a millisecond.
"""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from archive.errors import InvalidValue, TileOutsideLevel
from archive.geometry import Size
from archive.pyramid.jpeg_pixels import Pixels, encode_jpeg
from archive.pyramid.level import Level
from archive.pyramid.reader import Pyramid

QUALITY = 87
"""JPEG quality of made tiles: beyond it files grow and a viewer shows no difference."""


def area_average(pixels: Pixels, factor: int) -> Pixels:
    """Average blocks of `factor` x `factor` pixels; a block cut by the edge averages the pixels that it has.

    ``(height, width, 3)`` uint8 becomes ``(ceil(height / factor), ceil(width / factor), 3)`` uint8.
    """
    height, width = pixels.shape[:2]
    if height % factor or width % factor:
        return np.asarray(Image.fromarray(pixels).reduce(factor))
    import cv2  # takes a tenth of a second, which those who only read or write need not wait for

    averaged = cv2.resize(pixels, (width // factor, height // factor), interpolation=cv2.INTER_AREA)
    return np.asarray(averaged, np.uint8)


def padded(pixels: Pixels, tile: Size) -> Pixels:
    """Fill a tile cut by the level's edge to its full size by repeating its last row and column."""
    height, width = pixels.shape[:2]
    if (width, height) == (tile.width, tile.height):
        return pixels
    return np.pad(pixels, ((0, tile.height - height), (0, tile.width - width), (0, 0)), mode="edge")


class BetweenLevel:
    """The level that is `factor` times smaller than a stored one, with tiles of the same size."""

    is_jpeg = True

    def __init__(self, larger: Level, factor: int) -> None:
        if factor < 2:
            raise InvalidValue("a level in between is at least two times smaller")
        self.larger, self.factor = larger, factor
        self.size, self.tile = larger.size.reduced(factor), larger.tile
        self.columns, self.rows = self.size.tiles(self.tile)
        self.downsample = larger.downsample * factor

    def decoded_tile(self, column: int, row: int) -> Pixels:
        """Make one tile, ``(height, width, 3)`` uint8 RGB, cut at the right and bottom edge of the level.

        Raises
        ------
        TileOutsideLevel
            If the level has no such tile.
        DamagedPyramid
            If a stored tile is not what was stored.
        """
        if not (0 <= column < self.columns and 0 <= row < self.rows):
            raise TileOutsideLevel(f"this level has {self.columns} x {self.rows} tiles, counted from 0")
        if self.tile.width % self.factor or self.tile.height % self.factor:
            return self._from_region(column, row)
        return self._from_tiles(column, row)

    def _from_region(self, column: int, row: int) -> Pixels:
        """Make a tile from a region of the larger level."""
        width, height = self.tile.width * self.factor, self.tile.height * self.factor
        x, y = column * width, row * height
        width, height = min(width, self.larger.size.width - x), min(height, self.larger.size.height - y)
        return area_average(self.larger.read_region(x, y, width, height), self.factor)

    def _from_tiles(self, column: int, row: int) -> Pixels:
        """Make a tile from whole tiles of the larger level, one after the other, so that all stays in the cache."""
        larger, factor, tile = self.larger, self.factor, self.tile
        x, y = column * tile.width, row * tile.height
        made = np.empty((min(tile.height, self.size.height - y), min(tile.width, self.size.width - x), 3), np.uint8)
        source = np.empty((tile.height, tile.width, 3), np.uint8)
        for r in range(row * factor, min((row + 1) * factor, larger.rows)):
            for c in range(column * factor, min((column + 1) * factor, larger.columns)):
                larger.read_tile(c, r, source)
                inside = source[: larger.size.height - r * tile.height, : larger.size.width - c * tile.width]
                small = area_average(inside, factor)
                top, left = r * tile.height // factor - y, c * tile.width // factor - x
                made[top : top + small.shape[0], left : left + small.shape[1]] = small
        return made

    def jpeg_tile(self, column: int, row: int) -> bytes:
        """Make one tile as a JPEG file of the full tile size.

        Raises
        ------
        TileOutsideLevel, DamagedPyramid
            As `decoded_tile`.
        """
        return encode_jpeg(padded(self.decoded_tile(column, row), self.tile), quality=QUALITY)

    def tiles(self) -> Iterator[tuple[int, int, Pixels]]:
        """Make all tiles from top to bottom: column, row and pixels, padded to the full tile size."""
        for row in range(self.rows):
            for column in range(self.columns):
                yield column, row, padded(self.decoded_tile(column, row), self.tile)


ViewerLevel = Level | BetweenLevel


def viewer_levels(pyramid: Pyramid) -> tuple[ViewerLevel, ...]:
    """All levels that a viewer wants, each about half the one before: the stored ones and those in between."""
    found: list[ViewerLevel] = []
    for level, smaller in zip(pyramid.levels, (*pyramid.levels[1:], None), strict=True):
        found.append(level)
        factor = 2
        while smaller is not None and factor * 1.5 < smaller.downsample / level.downsample:
            found.append(BetweenLevel(level, factor))
            factor *= 2
    return tuple(found)
