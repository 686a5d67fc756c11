"""A stored scan, opened for reading: its levels, its thumbnail, and its colours as a screen shows them."""

from pathlib import Path
from typing import Self

import numpy as np
from PIL import Image

from archive.errors import TileOutsideLevel
from archive.geometry import MicronsPerPixel, Size
from archive.pyramid.colours import Colours, StoredProfile
from archive.pyramid.jpeg_pixels import Pixels
from archive.pyramid.layout import ScanLayout, read_layout
from archive.pyramid.level import Level


class Pyramid:
    """A stored scan, opened for reading: `levels` from full resolution (0) to the smallest.

    Pixels are those that were scanned; `to_srgb` turns them into what a screen shows, where the scanner said how.
    """

    def __init__(self, folder: Path, layout: ScanLayout, profile: StoredProfile | None = None) -> None:
        self.layout = layout
        self.colours = Colours(None if layout.is_apart else profile, grey=layout.levels[0].channels == 1)
        self.levels = tuple(
            Level(folder, number, level, sum(layout.downsample(number)) / 2, layout.channels)
            for number, level in enumerate(layout.levels)
        )

    @classmethod
    def open(cls, folder: Path, profile: StoredProfile | None = None) -> Self:
        """Open the scan in `folder`, with the colour profile that is stored beside it.

        Raises
        ------
        DamagedPyramid
            If its metadata is missing or malformed.
        """
        return cls(folder, read_layout(folder), profile)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all files; reading opens them again."""
        for level in self.levels:
            level.close()

    @property
    def size(self) -> Size:
        """Size of level 0 in pixels."""
        return self.levels[0].size

    @property
    def mpp(self) -> MicronsPerPixel | None:
        """Length of a pixel's sides at level 0 in micrometres, where it is known."""
        return self.layout.mpp

    @property
    def objective_power(self) -> float | None:
        """Magnification of the scanner's objective, where it is known."""
        return self.layout.objective_power

    def level(self, number: int) -> Level:
        """Give level `number`, 0 being full resolution.

        Raises
        ------
        TileOutsideLevel
            If there is no such level.
        """
        if not 0 <= number < len(self.levels):
            raise TileOutsideLevel(f"the scan has {len(self.levels)} levels, counted from 0")
        return self.levels[number]

    def to_srgb(self, pixels: Pixels) -> Pixels:
        """Turn pixels of this scan, of any level, into sRGB; those of fluorescence have no colours to be turned.

        Parameters
        ----------
        pixels : numpy.ndarray
            ``(height, width, 3)`` uint8 RGB, as `Level.read_region` gives them.

        Returns
        -------
        numpy.ndarray
            Of the same shape, in sRGB: relative colorimetric, without black point compensation.

        Raises
        ------
        ColoursUnknown
            If the scanner gave no colour profile, or none that is understood.
        DamagedPyramid
            If the profile is not what was stored.
        """
        return self.colours.to_srgb(pixels)

    def thumbnail(self, max_px: int) -> Pixels:
        """Make a small picture of the whole scan, at most `max_px` a side: ``(height, width, 3)`` uint8 RGB.

        Raises
        ------
        DamagedPyramid
            If a stored tile is not what was stored.
        """
        fitting = [level for level in self.levels if max(level.size.width, level.size.height) >= max_px]
        level = fitting[-1] if fitting else self.levels[0]
        picture = Image.fromarray(level.read_region(0, 0, level.size.width, level.size.height))
        picture.thumbnail((max_px, max_px), Image.Resampling.LANCZOS)
        return np.asarray(picture)
