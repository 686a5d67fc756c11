"""The same pictures with their colours managed to sRGB, made on request from what is stored and kept a while.

A tile of a slide whose scanner gave no profile, or a broken one, is not to be had here; its thumbnail is, as scanned,
because a list shows slides of both kinds side by side.
"""

import numpy as np

from archive.errors import ColoursUnknown
from archive.pyramid.between import ViewerLevel, padded
from archive.pyramid.colours import Profile
from archive.pyramid.jpeg_pixels import Pixels, encode_jpeg
from archive.pyramid.layout import WHITE
from archive.pyramid.level import Level
from archive.server.access import ShownSlide
from archive.server.deepzoom import agreeing, averaged
from archive.server.pictures import THUMBNAIL_PX, Pictures, level_of

QUALITY, SUBSAMPLING = 95, "444"
"""Whoever asks for true colours gets them at the edge of a nucleus too: encoding leaves each pixel of real tissue 1.1
(CIEDE2000) from its colour, and as other tiles are made, with a colour for four pixels, 3.1."""

SRGB = "srgb"


class ManagedPictures:
    """Gives pictures in sRGB, and keeps them beside those that `Pictures` made.

    Parameters
    ----------
    scanned : Pictures
        Gives them as they were scanned.
    """

    def __init__(self, scanned: Pictures) -> None:
        self._scanned = scanned
        self._cache = scanned.cache

    def native(self, slide: ShownSlide, level: int, column: int, row: int) -> bytes:
        """Give a tile of the level that viewers number `level`.

        Raises
        ------
        ColoursUnknown
            If the slide's colours cannot be managed.
        TileOutsideLevel, DamagedPyramid
            As `Pictures.native`.
        """
        _require_usable(slide)
        source = level_of(slide, level)
        key = (*slide.pixels, SRGB, level, column, row)
        return self._cache.get_or_make(key, lambda: self._tile(slide, source, column, row))

    def _tile(self, slide: ShownSlide, source: ViewerLevel, column: int, row: int) -> bytes:
        if isinstance(source, Level) and source.encoded_tile(column, row) is None:
            key = (*slide.pixels, SRGB, "glass", source.tile)
            glass = np.full((source.tile.height, source.tile.width, 3), WHITE, np.uint8)
            return self._cache.get_or_make(key, lambda: _encoded(slide, glass))
        return _encoded(slide, padded(source.decoded_tile(column, row), source.tile))

    def deepzoom(self, slide: ShownSlide, level: int, column: int, row: int) -> bytes:
        """Give a tile of the Deep Zoom image.

        Raises
        ------
        ColoursUnknown, TileOutsideLevel, DamagedPyramid
            As `native`.
        """
        _require_usable(slide)
        tile = slide.deepzoom.locate(level, column, row)
        same = agreeing(slide.deepzoom, tile, slide.levels)
        if same is not None:
            return self.native(slide, slide.levels.index(same), column, row)
        key = (*slide.pixels, SRGB, "deepzoom", level, column, row)
        return self._cache.get_or_make(key, lambda: _encoded(slide, averaged(slide.deepzoom, tile, slide.levels)))

    def descriptor(self, slide: ShownSlide) -> bytes:
        """Give the ``.dzi`` file of the managed image.

        Raises
        ------
        ColoursUnknown
            If the slide's colours cannot be managed.
        """
        _require_usable(slide)
        return self._scanned.descriptor(slide)

    def thumbnail(self, slide: ShownSlide) -> bytes:
        """Give a small picture of the whole slide: in sRGB where that can be, else as scanned.

        Raises
        ------
        DamagedPyramid
            As `Pictures.thumbnail`.
        """
        if slide.pyramid.colours.profile is not Profile.USABLE:
            return self._scanned.thumbnail(slide)
        key = (*slide.pixels, SRGB, "thumbnail")
        return self._cache.get_or_make(key, lambda: _encoded(slide, slide.pyramid.thumbnail(THUMBNAIL_PX)))


def _require_usable(slide: ShownSlide) -> None:
    if slide.pyramid.colours.profile is not Profile.USABLE:
        raise ColoursUnknown("this slide's colours cannot be managed; they are shown as scanned")


def _encoded(slide: ShownSlide, pixels: Pixels) -> bytes:
    """Turn pixels of a slide into a JPEG file in sRGB, which browsers take a picture without a profile to be."""
    return encode_jpeg(slide.pyramid.to_srgb(pixels), quality=QUALITY, subsampling=SUBSAMPLING)
