"""Sizes and places on a level, in pixels of that level; x runs right and y runs down from the top left corner."""

import math
from dataclasses import dataclass

from archive.errors import InvalidValue

MAX_SIDE = 1 << 24
"""No slide is as wide: at 0.1 micrometres a pixel this is 1.6 m."""


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
class Rectangle:
    """A place in a picture, as a person draws or a screening tells it: in pixels of level 0, from the top left corner.

    It may reach beyond the picture, so that a hand that draws to the edge need not stop there.
    """

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if any(type(side) is not int for side in self.sides):
            raise InvalidValue("a rectangle has whole numbers of pixels")
        if min(self.x, self.y) < 0 or min(self.width, self.height) < 1 or max(self.sides) > MAX_SIDE:
            raise InvalidValue(
                f"a rectangle begins at 0 or after and has 1 to {MAX_SIDE:,} pixels each way, not {self}"
            )

    def __str__(self) -> str:
        return ",".join(map(str, self.sides))

    @property
    def sides(self) -> tuple[int, int, int, int]:
        """The four numbers: x, y, width, height."""
        return self.x, self.y, self.width, self.height

    @property
    def right(self) -> int:
        """The first column of pixels after it."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row of pixels after it."""
        return self.y + self.height

    @classmethod
    def parse(cls, text: str) -> "Rectangle":
        """Read ``X,Y,WIDTH,HEIGHT``.

        Raises
        ------
        InvalidValue
            If it is anything else.
        """
        try:
            x, y, width, height = (int(part) for part in text.split(",") if part.strip().isascii())
        except ValueError:
            raise InvalidValue("a rectangle is X,Y,WIDTH,HEIGHT, four whole numbers, as in 0,0,1200,800") from None
        return cls(x, y, width, height)


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
