"""In fluorescence each channel is a page of its own, grey in 8 or 16 bits, and so is each of its smaller levels.

Of all channels the pages of one level have the same size, the same type and the same tiles; pages that have not are no
slide that can be kept value for value.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import tifffile

from archive.holdings.pixels import MAX_CHANNELS, PixelType, Plane
from ingest.errors import Reason, SlideRefused
from ingest.scanners._shapes import same_shape
from ingest.scanners._tiff import TiffLevel, is_plane, page_size
from ingest.scanners.base import Pixels, PlaneLevel, SourceLevel, fill_up


class _GreyPage(TiffLevel):
    """A page of one channel; what it leaves out is dark."""

    can_hold = staticmethod(is_plane)
    nothing = 0


class _TiffPlane(PlaneLevel):
    """One channel of a level."""

    def __init__(self, page: tifffile.TiffPage) -> None:
        self.page = _GreyPage(page)

    def values(self) -> Iterator[tuple[int, int, Plane]]:
        """Decode tile by tile, or strip by strip."""
        for column, row, pixels in self.page.decoded_tiles():
            yield column, row, pixels[..., 0]

    def values_at(self, column: int, row: int) -> Plane | None:
        """Decode one tile."""
        pixels = self.page.decoded_tile(column, row)
        return None if pixels is None else pixels[..., 0]


class FluorescenceLevel(SourceLevel):
    """A level whose channels lie in pages of their own."""

    def __init__(self, pages: Sequence[tifffile.TiffPage]) -> None:
        if len(pages) > MAX_CHANNELS or len({(page_size(page), page.dtype) for page in pages}) != 1:
            raise SlideRefused(Reason.UNSUPPORTED_PIXELS)
        planes = tuple(_TiffPlane(page) for page in pages)
        if len({plane.page.tile for plane in planes}) != 1:
            raise SlideRefused(Reason.UNSUPPORTED_PIXELS)
        first = planes[0].page
        self.planes = planes
        self.size, self.tile, self.channels = first.size, first.tile, len(planes)
        self.pixel_type = PixelType.UINT16 if pages[0].bitspersample == 16 else PixelType.UINT8
        self.mean_tile_bytes = first.mean_tile_bytes

    def decoded_tiles(self) -> Iterator[tuple[int, int, Pixels]]:
        """Decode the tiles: of all channels side by side, and of the level's type."""
        columns, rows = self.size.tiles(self.tile)
        for row in range(rows):
            for column in range(columns):
                tiles = [plane.values_at(column, row) for plane in self.planes]
                yield column, row, np.stack([self._filled(tile) for tile in tiles], axis=-1)

    def _filled(self, tile: Plane | None) -> Plane:
        if tile is None:
            return np.zeros((self.tile.height, self.tile.width), self.pixel_type.dtype)
        return fill_up(tile[..., None], self.tile)[..., 0]


def fluorescence_levels(levels: Sequence[Sequence[tifffile.TiffPage]]) -> tuple[FluorescenceLevel, ...]:
    """Make levels of the pages of each: as many as there are channels, smaller each time.

    Raises
    ------
    SlideRefused
        If the pages do not belong together.
    """
    if any(len(pages) != len(levels[0]) for pages in levels):
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    found = tuple(FluorescenceLevel(pages) for pages in levels)
    for larger, smaller in pairwise(found):
        is_smaller = smaller.size.width < larger.size.width and same_shape(smaller.size, larger.size)
        if not is_smaller or smaller.pixel_type is not larger.pixel_type:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    return found
