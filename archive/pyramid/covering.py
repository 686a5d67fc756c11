"""A region is put together from the tiles that cover it."""

from collections.abc import Iterator
from typing import NamedTuple

from archive.geometry import Region, Size


class Piece(NamedTuple):
    """What one tile gives to a region: the rows and columns of pixels `inside` the tile, and their `place` in it."""

    column: int
    row: int
    inside: tuple[slice, slice]
    place: tuple[slice, slice]


def pieces(region: Region, level: Size, tile: Size) -> Iterator[Piece]:
    """Walk over the tiles that cover a region, from top to bottom.

    Parameters
    ----------
    region
        In pixels of the level; what of it lies outside the level gets no piece.
    level, tile
        The sizes of the level and of its tiles.
    """
    left, top = max(region.x, 0), max(region.y, 0)
    right, bottom = min(region.x + region.width, level.width), min(region.y + region.height, level.height)
    for row in range(top // tile.height, -(-bottom // tile.height)):
        y0, y1 = max(top, row * tile.height), min(bottom, (row + 1) * tile.height)
        for column in range(left // tile.width, -(-right // tile.width)):
            x0, x1 = max(left, column * tile.width), min(right, (column + 1) * tile.width)
            yield Piece(
                column,
                row,
                (
                    slice(y0 - row * tile.height, y1 - row * tile.height),
                    slice(x0 - column * tile.width, x1 - column * tile.width),
                ),
                (slice(y0 - region.y, y1 - region.y), slice(x0 - region.x, x1 - region.x)),
            )
