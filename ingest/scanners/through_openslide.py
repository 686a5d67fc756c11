"""Formats that are read through OpenSlide and stored without loss: MIRAX, Ventana, VMS, Trestle, Sakura and others.

OpenSlide gives premultiplied RGBA; what the scanner did not look at is transparent and becomes white glass. A region
of a smaller level can be addressed exactly only where its downsample is a whole number, so other levels are left to
be made anew.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import openslide
from PIL import ImageCms

from archive.geometry import Size
from ingest.errors import Reason, SlideRefused
from ingest.scanners.base import (
    MAX_PICTURE_PIXELS,
    AssociatedImage,
    AssociatedKind,
    Pixels,
    Scan,
    ScanReader,
    SourceLevel,
    bounded,
    fill_up,
)

TILE = Size(512, 512)

KINDS = {"label": AssociatedKind.LABEL, "macro": AssociatedKind.MACRO, "thumbnail": AssociatedKind.THUMBNAIL}


def composited(slide: openslide.AbstractSlide, level: int, x: int, y: int, width: int, height: int) -> Pixels:
    """Read a region on white: ``(height, width, 3)`` uint8 RGB.

    Parameters
    ----------
    slide : openslide.AbstractSlide
        The open slide.
    level : int
        Its level.
    x, y : int
        Top left pixel, in pixels of level 0.
    width, height : int
        Size in pixels of `level`.
    """
    return on_white(np.asarray(slide.read_region((x, y), level, (width, height))))


def is_empty(rgba: Pixels) -> bool:
    """Tell whether the scanner looked at nothing of this."""
    return int(rgba[..., 3].max()) == 0


def on_white(rgba: Pixels) -> Pixels:
    """Lay premultiplied RGBA on white: ``(height, width, 3)`` uint8 RGB."""
    alpha = rgba[..., 3:]
    if alpha.min() == 255:
        return np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), np.uint8)  # far faster than a copy by numpy
    blended = (rgba[..., :3].astype(np.uint16) * alpha + 255 * (255 - alpha.astype(np.uint16)) + 127) // 255
    return np.asarray(blended, np.uint8)


def whole_downsample(slide: openslide.OpenSlide, level: int) -> int | None:
    """Give a level's downsample if it is the same whole number both ways, else None."""
    (base_w, base_h), (width, height) = slide.dimensions, slide.level_dimensions[level]
    factor: int = round(base_w / width)
    return factor if (factor * width, factor * height) == (base_w, base_h) else None


class OpenSlideLevel(SourceLevel):
    """A level read through OpenSlide."""

    channels = 3

    def __init__(self, slide: openslide.OpenSlide, number: int, factor: int) -> None:
        self._slide, self._number, self._factor = slide, number, factor
        self.size = Size(*slide.level_dimensions[number])
        self.tile = TILE
        self.mean_tile_bytes = TILE.pixels * 3 // 2

    def decoded_tiles(self) -> Iterator[tuple[int, int, Pixels]]:
        """Decode tile by tile; most of a MIRAX slide's are empty, and those are left out.

        Raises
        ------
        SlideRefused
            If all are empty.
        """
        columns, rows = self.size.tiles(self.tile)
        found = False
        for row in range(rows):
            for column in range(columns):
                x, y = column * self.tile.width, row * self.tile.height
                width = min(self.tile.width, self.size.width - x)
                height = min(self.tile.height, self.size.height - y)
                at = x * self._factor, y * self._factor
                rgba = np.asarray(self._slide.read_region(at, self._number, (width, height)))
                if not is_empty(rgba):
                    found = True
                    yield column, row, fill_up(on_white(rgba), self.tile)
        if not found:  # OpenSlide shows what it does not find, such as a focal plane, as if nobody had looked there
            raise SlideRefused(Reason.UNREADABLE_PIXELS)


def _why(error: Exception) -> Reason:
    """Tell from OpenSlide's own words whether the slide is of a kind that it does not read, or damaged."""
    words = str(error).lower()
    unsupported = any(word in words for word in ("not supported", "unsupported", "unrecognized", "!="))
    return Reason.UNSUPPORTED_PIXELS if unsupported else Reason.UNREADABLE_PIXELS


def open_slide(path: Path) -> openslide.OpenSlide:
    """Open a slide with OpenSlide.

    Raises
    ------
    SlideRefused
        If it does not read it.
    """
    try:
        return openslide.OpenSlide(path)
    except (openslide.OpenSlideError, OSError) as error:
        raise SlideRefused(_why(error)) from error


class OpenSlideReader(ScanReader):
    """Reads whatever OpenSlide recognises."""

    maker = "openslide"

    def __init__(self, path: Path) -> None:
        try:
            self._slide = openslide.OpenSlide(path)
        except (openslide.OpenSlideError, OSError) as error:
            raise SlideRefused(_why(error)) from error
        self._closed = False

    @classmethod
    def recognise(cls, path: Path) -> str | None:
        """Say None if OpenSlide knows the format."""
        return None if cls.vendor(path) else "OpenSlide does not know it"

    @staticmethod
    def vendor(path: Path) -> str | None:
        """Give OpenSlide's name for the maker, or None."""
        found: str | None = openslide.OpenSlide.detect_format(path)
        return found

    def close(self) -> None:
        """Close the slide; OpenSlide itself does not take it well if that is done twice."""
        if not self._closed:
            self._closed = True
            self._slide.close()

    def pictures(self, kind: AssociatedKind) -> Iterator[Pixels]:
        """Decode the associated images of a kind."""
        for name in self._slide.associated_images:
            if KINDS.get(name, AssociatedKind.UNKNOWN) is kind and self._size(name).pixels <= MAX_PICTURE_PIXELS:
                yield on_white(np.asarray(self._slide.associated_images[name]))

    def _size(self, name: str) -> Size:
        """Give the size of an associated image without decoding it."""
        sides = (self._slide.properties[f"openslide.associated.{name}.{side}"] for side in ("width", "height"))
        return Size(*map(int, sides))

    def scan(self) -> Scan:
        """Tell levels, associated images and facts."""
        slide = self._slide
        levels = []
        for number in range(slide.level_count):
            factor = whole_downsample(slide, number)
            if factor is not None:
                levels.append(OpenSlideLevel(slide, number, factor))
        associated = tuple(
            AssociatedImage(KINDS.get(name, AssociatedKind.UNKNOWN), "OpenSlide's associated images", self._size(name))
            for name in slide.associated_images
        )
        maker, properties = slide.properties["openslide.vendor"], bounded(dict(slide.properties))
        return Scan(maker, tuple(levels), associated, properties, self._icc_profile())

    def _icc_profile(self) -> bytes | None:
        """Read the colour profile of the slide; one that no colour management reads is none."""
        try:
            profile = self._slide.color_profile
        except ImageCms.PyCMSError:
            return None
        return profile.tobytes() if profile is not None else None
