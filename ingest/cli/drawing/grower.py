"""What grows in a layer lies between two of its borders, scattered or packed, along the layer or anyhow."""

from dataclasses import dataclass

import numpy as np

from ingest.cli.drawing.cells import ANGLES, LOOKS, Amounts, Floats, Palette
from ingest.cli.drawing.tissue import Stamps, Strip

SURFACE, LAMINA, MUSCULARIS, SUBMUCOSA, INNER, OUTER, BELOW = range(7)
"""Which line of a strip's borders each layer begins at."""


@dataclass
class Grower:
    """Places cells in one strip; ``room`` is how thick it is, as a part of the full wall."""

    strip: Strip
    palette: Palette
    rng: np.random.Generator
    room: float

    def some(self, count: int) -> int:
        """Return about how many of a structure there are room for, of so many on a full strip."""
        share = (self.strip.right - self.strip.left) / 10_500 * self.room
        return int(self.rng.poisson(count * share))

    def at(self, line: int, x: Floats) -> Floats:
        """Return the height of a border at some columns."""
        columns = np.clip(x, 0, self.strip.borders.shape[1] - 1).astype(int)
        return np.asarray(self.strip.borders[line, columns], np.float32)

    def place(self, upper: int, lower: int, count: int) -> tuple[Floats, Floats]:
        """Choose places between two borders."""
        x = self.rng.uniform(self.strip.left, self.strip.right, count)
        depth = self.rng.random(count)
        y = self.at(upper, x) * (1 - depth) + self.at(lower, x) * depth
        return np.asarray(x, np.float32), np.asarray(y, np.float32)

    def scattered(self, sprites: Amounts, upper: int, lower: int, each: float, *, level: bool = False) -> Stamps:
        """Scatter cells between two borders, one in so many square pixels, lying with the layer or anyhow."""
        area = float((self.strip.borders[lower] - self.strip.borders[upper]).mean())
        x, y = self.place(upper, lower, int(area * (self.strip.right - self.strip.left) / each))
        angle = self.rng.normal(0, 0.12, len(x)) if level else self.rng.uniform(0, np.pi, len(x))
        return self.stamps(sprites, x, y, np.asarray(angle, np.float32))

    def stamps(self, sprites: Amounts, x: Floats, y: Floats, angle: Floats, *, lighten: bool = False) -> Stamps:
        """Stamp cells that lie at an angle to the horizontal (radians, downwards)."""
        turn = np.round(angle / np.pi * ANGLES).astype(np.int64) % ANGLES
        which = turn * LOOKS + self.rng.integers(LOOKS, size=len(turn))
        return Stamps(sprites, which, np.round(x).astype(np.int64), np.round(y).astype(np.int64), lighten)

    def spots(self, sprite: Amounts, x: Floats, y: Floats, *, lighten: bool) -> Stamps:
        """Stamp one disc at many places."""
        which = np.zeros(len(x), np.int64)
        return Stamps(sprite, which, np.round(x).astype(np.int64), np.round(y).astype(np.int64), lighten)

    def packed(self, x: float, y: float, radius: float, spacing: float, uneven: float = 0.14) -> tuple[Floats, Floats]:
        """Pack places into a circle, in uneven rows."""
        reach = int(radius / spacing / 0.87) + 1
        rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1).astype(np.float32)
        across = (columns + rows % 2 / 2) * spacing + self.rng.normal(0, spacing * uneven, len(rows))
        down = rows * spacing * 0.87 + self.rng.normal(0, spacing * uneven, len(rows))
        kept = np.hypot(across, down) < radius
        return np.asarray(x + across[kept], np.float32), np.asarray(y + down[kept], np.float32)
