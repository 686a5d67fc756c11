"""Sizes and places on a level, in pixels of that level; x runs right and y runs down from the top left corner."""

import math
from dataclasses import dataclass

from archive.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels, both at least 1."""

    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise InvalidValue(f"a size has at least one pixel each way, not {self.width} x {self.height}")

    def __str__(self) -> str:
        return f"{self.width:,} x {self.height:,} px"

    @property
    def pixels(self) -> int:
        """The number of pixels."""
        return self.width * self.height

    def tiles(self, tile: "Size") -> tuple[int, int]:
        """Columns and rows of tiles that cover this size."""
        return -(-self.width // tile.width), -(-self.height // tile.height)

    def reduced(self, factor: int) -> "Size":
        """Reduce by a whole factor; a partly filled pixel at the edge counts as one."""
        return Size(-(-self.width // factor), -(-self.height // factor))


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle: the place of its top left pixel and its size, in pixels of one level."""

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise InvalidValue(f"a region has at least one pixel each way, not {self.width} x {self.height}")


@dataclass(frozen=True, slots=True, order=True)
class TileAddress:
    """Level 0 is full resolution; columns and rows count from 0 at the top left."""

    level: int
    row: int
    column: int

    def __post_init__(self) -> None:
        if min(self.level, self.row, self.column) < 0:
            raise InvalidValue("a tile address counts from 0")


@dataclass(frozen=True, slots=True)
class MicronsPerPixel:
    """Length of one pixel's side at level 0, in micrometres."""

    x: float
    y: float

    def __post_init__(self) -> None:
        for side in (self.x, self.y):
            if not (math.isfinite(side) and 0.001 <= side <= 1000):
                raise InvalidValue(f"a pixel side is between 0.001 and 1000 micrometres, not {side}")
