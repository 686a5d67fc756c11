"""Inside the jail: a smaller level shows what the larger one does; a label that passes for a level shows no such thing.

By structure alone a label is a level where it happens to have the slide's proportions, or a converter calls it one. So
some tiles of the larger level are laid beside the same places of the smaller one, both as a few grey blocks. What
two scanners' programs make of one place differs in a shade; two pictures have nothing to do with each other.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from archive.geometry import Rectangle
from archive.holdings.pixels import Level, Pixels, sample_tiles

TILES: Final = 16
"""Of the larger level that are looked at."""

BLOCKS: Final = 8
"""That a tile is reduced to, each way."""

LARGEST_PIXELS: Final = 1 << 25
"""Of a smaller level that is looked at: no picture of a label or a whole glass is larger."""

SOME_CONTRAST: Final = 2.0
"""Of 255, as the standard deviation of blocks: on what has less nothing can be read."""

ALIKE: Final = 0.5
"""Least correlation of the blocks: of levels of one slide it is nearly 1, of two pictures nearly 0."""

Blocks = npt.NDArray[np.float64]


def shows_another_picture(larger: Level, smaller: Level) -> bool:
    """Tell whether a smaller level shows anything else than the larger one.

    Parameters
    ----------
    larger, smaller : Level
        Two levels of one scan, of one colour a pixel, the smaller at most a few times smaller.
    """
    if smaller.size.pixels > LARGEST_PIXELS:
        return False
    found = [pair for place in sample_tiles(larger.layout, TILES) if (pair := _blocks(larger, smaller, *place))]
    if not found:
        return False
    mine, theirs = (np.concatenate(blocks) for blocks in zip(*found, strict=True))
    if theirs.std() < SOME_CONTRAST:
        return False
    return mine.std() == 0 or bool(np.corrcoef(mine, theirs)[0, 1] < ALIKE)


def _blocks(larger: Level, smaller: Level, column: int, row: int) -> tuple[Blocks, Blocks] | None:
    """Reduce one place of both levels to blocks; None where either has nothing, or too little to compare."""
    if larger.encoded_tile(column, row) is None:
        return None
    x, y = column * larger.tile.width, row * larger.tile.height
    right, bottom = min(x + larger.tile.width, larger.size.width), min(y + larger.tile.height, larger.size.height)
    across, down = smaller.size.width / larger.size.width, smaller.size.height / larger.size.height
    left, top = int(x * across), int(y * down)
    wide, high = round(right * across) - left, round(bottom * down) - top
    if min(right - x, bottom - y, wide, high) < BLOCKS or _has_gap(smaller, Rectangle(left, top, wide, high)):
        return None
    mine = larger.decoded_tile(column, row)[: bottom - y, : right - x]
    return _reduced(mine), _reduced(smaller.read_region(left, top, wide, high))


def _has_gap(level: Level, place: Rectangle) -> bool:
    """Tell whether a tile at a place was left out: a scanner may leave out other places of each level."""
    columns = range(place.x // level.tile.width, -(-place.right // level.tile.width))
    rows = range(place.y // level.tile.height, -(-place.bottom // level.tile.height))
    return any(level.encoded_tile(column, row) is None for row in rows for column in columns)


def _reduced(pixels: Pixels) -> Blocks:
    small = Image.fromarray(pixels).convert("L").resize((BLOCKS, BLOCKS), Image.Resampling.BOX)
    return np.asarray(small, np.float64).ravel()
