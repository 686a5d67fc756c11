"""What a maker of test slides hands over: the file, and everything that is known about it."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.slides.planted import Plant
from tests.slides.tissue import Picture


@dataclass(frozen=True)
class MadeLevel:
    """One level as a faithful reader shows it: sparse tiles are white, edge tiles are cropped.

    ``tiles`` maps (column, row) to the complete JPEG as the scanner made it, before any tampering; a sparse tile is
    not in it, and it is empty where the level is not JPEG.
    """

    pixels: Picture
    tile: tuple[int, int]
    tiles: dict[tuple[int, int], bytes] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]


@dataclass(frozen=True)
class MadeSlide:
    """A slide file with its levels, its associated images as stored bytes, and the tokens planted in it."""

    path: Path
    levels: tuple[MadeLevel, ...]
    plant: Plant
    associated: dict[str, Picture] = field(default_factory=dict)
    associated_bytes: dict[str, list[bytes]] = field(default_factory=dict)
    mpp: float | None = None
    objective_power: float | None = None
    other_regions: tuple[tuple[MadeLevel, ...], ...] = ()
    """The levels of the other regions of the glass, where the file holds several."""


def cut(picture: Picture, tile: tuple[int, int], column: int, row: int) -> Picture:
    """Return one tile at its full size; beyond the right and bottom edge the last pixels are repeated."""
    width, height = tile
    part = picture[row * height : (row + 1) * height, column * width : (column + 1) * width]
    missing = (height - part.shape[0], width - part.shape[1])
    padding = ((0, missing[0]), (0, missing[1]), (0, 0))[: picture.ndim]
    return np.ascontiguousarray(np.pad(part, padding, mode="edge"))


def mend(width: int, height: int, tile: tuple[int, int], tiles: dict[tuple[int, int], Picture]) -> Picture:
    """Lay decoded tiles side by side and crop to the level's size; where none lies it is white."""
    columns, rows = -(-width // tile[0]), -(-height // tile[1])
    channels = next(iter(tiles.values())).shape[2:] if tiles else (3,)
    whole = np.full((rows * tile[1], columns * tile[0], *channels), 255, np.uint8)
    for (column, row), part in tiles.items():
        whole[row * tile[1] : (row + 1) * tile[1], column * tile[0] : (column + 1) * tile[0]] = part
    return np.ascontiguousarray(whole[:height, :width])
