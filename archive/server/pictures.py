"""The bytes of a picture: a stored tile as it is stored, white glass, or one made on request and kept a while."""

from functools import lru_cache

import numpy as np

from archive.errors import TileOutsideLevel
from archive.geometry import Size
from archive.pyramid.between import BetweenLevel, ViewerLevel
from archive.pyramid.jpeg_pixels import encode_jpeg
from archive.pyramid.layout import WHITE
from archive.server.access import ShownSlide
from archive.server.cache import TileCache
from archive.server.deepzoom import QUALITY, agreeing, derive

THUMBNAIL_PX = 320
"""Longer side of a thumbnail: sharp on a card of 240 px on most screens."""


@lru_cache(maxsize=16)
def white_glass(tile: Size) -> bytes:
    """Make a white JPEG file: what a tile without tissue looks like."""
    return encode_jpeg(np.full((tile.height, tile.width, 3), WHITE, np.uint8), quality=QUALITY)


def level_of(slide: ShownSlide, level: int) -> ViewerLevel:
    """Give the level that viewers number `level`.

    Raises
    ------
    TileOutsideLevel
        If the slide has no such level.
    """
    if level >= len(slide.levels):
        raise TileOutsideLevel("the slide has no such level")
    return slide.levels[level]


class Pictures:
    """Gives the pictures of slides that `Access` has allowed; knows nothing of who asks."""

    def __init__(self, cache: TileCache) -> None:
        self.cache = cache

    def forget(self) -> None:
        """Forget every picture that was made."""
        self.cache.clear()

    def native(self, slide: ShownSlide, level: int, column: int, row: int) -> bytes:
        """Give a tile of the level that viewers number `level`: a JPEG file of the full tile size, edges padded.

        Raises
        ------
        TileOutsideLevel
            If the slide has no such tile.
        DamagedPyramid
            If stored bytes are not what was stored.
        """
        source = level_of(slide, level)
        if isinstance(source, BetweenLevel):
            key = (*slide.pixels, level, column, row)
            return self.cache.get_or_make(key, lambda: source.jpeg_tile(column, row))
        if source.is_jpeg:
            stored = source.encoded_tile(column, row)
            return white_glass(source.tile) if stored is None else stored
        key = (*slide.pixels, level, column, row)
        return self.cache.get_or_make(key, lambda: encode_jpeg(source.decoded_tile(column, row), quality=QUALITY))

    def deepzoom(self, slide: ShownSlide, level: int, column: int, row: int) -> bytes:
        """Give a tile of the Deep Zoom image: the stored one where the geometry agrees, else one that is made.

        Raises
        ------
        TileOutsideLevel, DamagedPyramid
            As `native`.
        """
        tile = slide.deepzoom.locate(level, column, row)
        same = agreeing(slide.deepzoom, tile, slide.levels)
        if same is not None:
            return self.native(slide, slide.levels.index(same), column, row)
        key = (*slide.pixels, "deepzoom", level, column, row)
        return self.cache.get_or_make(key, lambda: derive(slide.deepzoom, tile, slide.levels))

    def descriptor(self, slide: ShownSlide) -> bytes:
        """Give the ``.dzi`` file."""
        return slide.deepzoom.descriptor()

    def thumbnail(self, slide: ShownSlide) -> bytes:
        """Give a small picture of the whole slide, made from its levels.

        Raises
        ------
        DamagedPyramid
            As `native`.
        """
        key = (*slide.pixels, "thumbnail")
        return self.cache.get_or_make(key, lambda: encode_jpeg(slide.pyramid.thumbnail(THUMBNAIL_PX), quality=QUALITY))
