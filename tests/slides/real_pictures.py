"""The pixels of real slides, as their readers give them."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from archive.geometry import Size
from ingest.errors import SlideRefused
from ingest.scanners.opening import open_scan
from tests.slides.tissue import Picture

LARGEST_PX = 60_000_000
LEAST_PX = 500
"""Sides of what counts as a slide here; test patterns of some pixels are none."""


def real_pictures(folder: Path) -> Iterator[tuple[Path, Picture]]:
    """Give the largest level of moderate size of each real slide, ``(height, width, 3)`` uint8 RGB."""
    for path in sorted(file for file in folder.rglob("*") if file.is_file() and "bad-input" not in file.parts):
        with suppress(SlideRefused, OSError, ValueError), open_scan(path) as reader:
            levels = [one for one in reader.scan().levels if one.size.pixels <= LARGEST_PX]
            if levels and min(levels[0].size.width, levels[0].size.height) >= LEAST_PX:
                yield path, _whole(levels[0])


def fields(pictures: Sequence[Picture], count: int, side_px: int) -> Iterator[Picture]:
    """Cut square fields from pictures in turn, anywhere and in any of eight orientations, the same every time."""
    rng = np.random.default_rng(500)
    large = [picture for picture in pictures if min(picture.shape[:2]) >= side_px]
    for number in range(count):
        picture = large[number % len(large)]
        y, x = (int(rng.integers(0, extent - side_px + 1)) for extent in picture.shape[:2])
        field = np.rot90(picture[y : y + side_px, x : x + side_px], int(rng.integers(4)))
        yield np.ascontiguousarray(field[:, ::-1] if rng.integers(2) else field)


class OneLevel:
    """A picture as a slide of one level."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self.size = Size(picture.shape[1], picture.shape[0])

    def read_region(self, x: int, y: int, width: int, height: int) -> Picture:
        """Give a rectangle of it."""
        return np.ascontiguousarray(self._picture[y : y + height, x : x + width])


def _whole(level: object) -> Picture:
    size, tile = level.size, level.tile  # type: ignore[attr-defined]
    whole = np.full((size.height, size.width, 3), 255, np.uint8)
    for column, row, pixels in level.decoded_tiles():  # type: ignore[attr-defined]
        left, top = column * tile.width, row * tile.height
        part = pixels if pixels.ndim == 3 else pixels[..., None]
        place = whole[top : top + tile.height, left : left + tile.width]
        place[...] = part[: place.shape[0], : place.shape[1]]
    return whole
