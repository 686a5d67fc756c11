"""Deep Zoom counts levels upwards from one pixel and cuts its edge tiles; we count down from full size and pad ours.

This is the only place where one is turned into the other.

Deep Zoom level ``n`` of ``N`` is the image reduced by ``2 ** (N - n)``, partly filled pixels at the edge included. A
scanner's own level often lies on the same pixel grid but leaves the partly filled pixels out: its tiles agree
wherever they are whole.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from archive.errors import TileOutsideLevel
from archive.geometry import Region, Size
from archive.pyramid.between import BetweenLevel, ViewerLevel
from archive.pyramid.jpeg_pixels import Pixels, encode_jpeg
from archive.pyramid.level import Level

QUALITY = 90
"""JPEG quality of tiles that are made: nobody sees the difference from the scanner's own."""

TILE = 256
"""Pixels a side of a Deep Zoom tile where the stored tiles are not square or too large to be made quickly."""

LARGEST_TILE = 512
"""Stored tiles up to this size set the tile size of the whole Deep Zoom image."""

DESCRIPTOR = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Image xmlns="http://schemas.microsoft.com/deepzoom/2008" TileSize="{tile}" Overlap="0" Format="jpeg">'
    '<Size Width="{width}" Height="{height}"/></Image>\n'
)


@dataclass(frozen=True, slots=True)
class DeepZoomTile:
    """One tile of a Deep Zoom image: the reduction of its level, its place in it and its size at the edge."""

    reduction: int
    column: int
    row: int
    region: Region


@dataclass(frozen=True, slots=True)
class DeepZoom:
    """A slide as a Deep Zoom image: its size and the side of its square tiles, in pixels."""

    size: Size
    tile: int

    @classmethod
    def of(cls, levels: tuple[ViewerLevel, ...]) -> "DeepZoom":
        """Choose the tile size that most stored tiles have, so that they can be sent as they are."""
        stored = levels[0].tile
        plain = stored.width == stored.height and stored.width <= LARGEST_TILE
        return cls(levels[0].size, stored.width if plain else TILE)

    @property
    def highest(self) -> int:
        """The level of full resolution."""
        return (max(self.size.width, self.size.height) - 1).bit_length()

    def descriptor(self) -> bytes:
        """Write the ``.dzi`` file."""
        text = DESCRIPTOR.format(tile=self.tile, width=self.size.width, height=self.size.height)
        return text.encode()

    def level_size(self, level: int) -> Size:
        """Size of a level in pixels.

        Raises
        ------
        TileOutsideLevel
            If there is no such level.
        """
        if not 0 <= level <= self.highest:
            raise TileOutsideLevel(f"this image has Deep Zoom levels 0 to {self.highest}")
        return self.size.reduced(1 << (self.highest - level))

    def locate(self, level: int, column: int, row: int) -> DeepZoomTile:
        """Say where a tile lies.

        Raises
        ------
        TileOutsideLevel
            If there is no such tile.
        """
        size = self.level_size(level)
        x, y = column * self.tile, row * self.tile
        if not (0 <= x < size.width and 0 <= y < size.height):
            raise TileOutsideLevel("this Deep Zoom level has no such tile")
        region = Region(x, y, min(self.tile, size.width - x), min(self.tile, size.height - y))
        return DeepZoomTile(1 << (self.highest - level), column, row, region)


def agreeing(image: DeepZoom, tile: DeepZoomTile, levels: tuple[ViewerLevel, ...]) -> ViewerLevel | None:
    """Find the level whose tile is, pixel by pixel, the Deep Zoom tile: same grid, same tile size, nothing cut."""
    if tile.region.width < image.tile or tile.region.height < image.tile:
        return None
    for level in levels:
        if level.tile == Size(image.tile, image.tile) and _same_grid(image, level, tile.reduction):
            right, bottom = tile.region.x + image.tile, tile.region.y + image.tile
            return level if right <= level.size.width and bottom <= level.size.height else None
    return None


def _same_grid(image: DeepZoom, level: ViewerLevel, reduction: int) -> bool:
    """Whether one pixel of `level` is a block of `reduction` x `reduction` pixels of full resolution."""
    exact = (image.size.width / reduction, image.size.height / reduction)
    return abs(level.size.width - exact[0]) < 1 and abs(level.size.height - exact[1]) < 1


def _scale(image: DeepZoom, level: Level) -> tuple[float, float]:
    """Give the full-size pixels under one of `level`, along x and y: a whole number where the grid is the same."""
    whole = round(level.downsample)
    if _same_grid(image, level, whole):
        return whole, whole
    return image.size.width / level.size.width, image.size.height / level.size.height


def derive(image: DeepZoom, tile: DeepZoomTile, levels: tuple[ViewerLevel, ...]) -> bytes:
    """Make a tile by area-averaging the next larger stored level.

    Raises
    ------
    DamagedPyramid
        If a stored tile is not what was stored.
    """
    return encode_jpeg(averaged(image, tile, levels), quality=QUALITY)


def _next_larger(image: DeepZoom, reduction: int, levels: tuple[ViewerLevel, ...]) -> Level:
    stored = [level for level in levels if not isinstance(level, BetweenLevel)]
    fitting = [level for level in stored if level.downsample <= reduction or _same_grid(image, level, reduction)]
    return fitting[-1] if fitting else stored[0]


def averaged(image: DeepZoom, tile: DeepZoomTile, levels: tuple[ViewerLevel, ...]) -> Pixels:
    """Average the next larger stored level under `tile`: ``(tile height, tile width, 3)`` uint8 RGB.

    Raises
    ------
    DamagedPyramid
        If a stored tile is not what was stored.
    """
    source = _next_larger(image, tile.reduction, levels)
    across, down = _scale(image, source)
    region = tile.region
    left, top = region.x * tile.reduction / across, region.y * tile.reduction / down
    right = min((region.x + region.width) * tile.reduction / across, source.size.width)
    bottom = min((region.y + region.height) * tile.reduction / down, source.size.height)
    x, y = int(left), int(top)
    width, height = int(np.ceil(right)) - x, int(np.ceil(bottom)) - y
    picture = Image.fromarray(source.read_region(x, y, width, height))
    box = (left - x, top - y, right - x, bottom - y)
    made = picture.resize((region.width, region.height), Image.Resampling.BOX, box=box)
    return np.asarray(made)
