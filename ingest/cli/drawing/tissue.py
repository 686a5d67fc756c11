"""A colon's wall under the microscope has layers: crypts that open at the surface, muscle, loose tissue with vessels.

Stain is drawn before colour. A picture is two amounts at each pixel, haematoxylin (nuclei) and eosin (the rest), kept
as uint8 and turned into RGB by absorption, so that what overlaps darkens as it does on glass. Layers come from periodic
textures that follow the wall; everything else is stamped: darker things by the larger amount, paler by the smaller.
Lengths are in pixels of about half a micrometre.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.cli.drawing.cells import Amounts, Floats, noise

Ints = npt.NDArray[np.int64]

WHITE = np.array([245, 244, 246], np.float32)
"""Light that comes through clean glass."""
PERIOD = 1024
"""Side of a texture; large enough that its repetition is hidden by what lies on it."""
MARGIN = 300
"""Room around a block for stamps that touch its edge; no stamp is larger."""
FRAY = 56
"""How far a border between layers strays, at most."""
WALL = 3700
"""Thickness of the wall; a lower picture gets a thinner one."""
DEPTHS = (0.0, 0.012, 0.27, 0.3, 0.58, 0.8, 1.0)
"""Where each layer but the first begins, as a part of the wall's thickness."""


@dataclass(frozen=True)
class Stamps:
    """Places and what is stamped there: ``sprites[which]`` is centred on (x, y)."""

    sprites: Amounts
    which: Ints
    x: Ints
    y: Ints
    lighten: bool = False

    def near(self, left: int, top: int, side: int) -> Ints:
        """Return which of them touch a square."""
        half = self.sprites.shape[1] // 2
        inside = (self.x > left - half) & (self.x < left + side + half)
        inside &= (self.y > top - half) & (self.y < top + side + half)
        return np.flatnonzero(inside)


@dataclass(frozen=True)
class Strip:
    """One section of the wall: where its surface and layers run, one value a column, and its ragged ends."""

    borders: npt.NDArray[np.int16]
    left: int
    right: int


def absorbed() -> npt.NDArray[np.uint8]:
    """Return the colour of each pair of amounts, (65536, 3) uint8, indexed by haematoxylin + 256 * eosin."""
    eosin, haematoxylin = np.meshgrid(np.linspace(0, 1, 256), np.linspace(0, 1, 256), indexing="ij")
    density = haematoxylin[..., None] * np.array([0.92, 1.05, 0.47]) + eosin[..., None] * np.array([0.11, 0.72, 0.32])
    density += (eosin**2)[..., None] * np.array([0.02, 0.1, 0.45])
    return np.asarray((WHITE * 10**-density).round().reshape(-1, 3), np.uint8)


def textures(rng: np.random.Generator) -> npt.NDArray[np.uint16]:
    """Return what each layer is made of, (8, PERIOD, PERIOD) uint16: haematoxylin + 256 * eosin."""
    grain, fine = noise(rng, 1.2, 1.2, PERIOD), noise(rng, 3, 3, PERIOD)
    warp = np.indices((PERIOD, PERIOD)) + (
        18 * np.stack([noise(rng, 40, 40, PERIOD), noise(rng, 40, 40, PERIOD)])
    ).astype(int)
    fibres = (1.3 - np.abs(noise(rng, 45, 4, PERIOD)))[warp[0] % PERIOD, warp[1] % PERIOD]
    sheets = (1.2 - np.abs(noise(rng, 90, 14, PERIOD)))[warp[1] % PERIOD, warp[0] % PERIOD].T
    bundles = noise(rng, 70, 3, PERIOD)[warp[0] % PERIOD, warp[1] % PERIOD] + 0.6 * noise(rng, 160, 18, PERIOD)
    septa = np.exp(-((noise(rng, 70, 45, PERIOD) / 0.1) ** 2))
    cut_across = -np.abs(noise(rng, 5, 5, PERIOD)) + 0.25 * noise(rng, 50, 30, PERIOD) - 2.2 * septa
    layers: list[tuple[Floats, Floats]] = [
        (1.2 + 0.4 * grain, 1.2 + 0.4 * grain),
        (26 + 3 * fine, 58 + 5 * fine + 2 * grain),
        (10 + 3 * fine + 2 * grain, 46 + 9 * fibres + 6 * fine + 3 * grain),
        (11 + 2 * grain, 86 + 12 * bundles + 3 * grain),
        (5 + 2 * grain, 14 + 30 * np.clip(fibres, 0, 2) * np.clip(sheets, 0.15, 1.4) + 3 * grain),
        (10 + 2 * grain, 84 + 9 * bundles + 3 * grain),
        (10 + 2 * grain, 90 + 15 * cut_across + 3 * grain),
        (1.2 + 0.4 * grain, 1.2 + 0.4 * grain),
    ]
    amounts = [np.clip(np.round(part), 0, 255).astype(np.uint16) for pair in layers for part in pair]
    return np.stack([amounts[k] + 256 * amounts[k + 1] for k in range(0, len(amounts), 2)])


def wavy(rng: np.random.Generator, count: int, *waves: tuple[float, float]) -> Floats:
    """Return a line of ``count`` values that sways by the given (length, height) of waves."""
    along = np.arange(count)
    sway = [height * np.sin(2 * np.pi * (along / length + rng.random())) for length, height in waves]
    return np.asarray(np.sum(sway, 0), np.float32)


def strips(width: int, height: int, rng: np.random.Generator) -> list[Strip]:
    """Lay sections of the wall one below the other on the glass."""
    count = max(1, round(height / 4400))
    share = height / count
    thickness = min(WALL, 0.84 * share)
    made = []
    for k in range(count):
        surface = share * k + (share - thickness) / 2
        scale = thickness / WALL
        line = surface + wavy(rng, width, (9000, 130 * scale), (3100, 60 * scale), (900, 22 * scale), (350, 8 * scale))
        borders = [
            line + depth * thickness + wavy(rng, width, (2600, 110 * scale * depth), (700, 30 * scale * depth))
            for depth in DEPTHS
        ]
        left, right = rng.uniform(0.04, 0.08) * width, rng.uniform(0.92, 0.96) * width
        made.append(Strip(np.asarray(borders, np.int16), int(left), int(right)))
    return made


class Section:
    """A section on glass, drawn block by block; what is stamped on it is put in from outside, dust last."""

    def __init__(self, width: int, height: int, rng: np.random.Generator) -> None:
        self.width, self.height = width, height
        self.strips = strips(width, height, rng)
        self.tissue: list[Stamps] = []
        self.dust: list[Stamps] = []
        self._textures = textures(rng)
        self._colours = absorbed()
        frayed = 16 * noise(rng, 25, 25, PERIOD) + 5 * noise(rng, 5, 5, PERIOD)
        self._ragged = np.clip(frayed, -FRAY, FRAY).astype(np.int16)
        self._stained = (7 * noise(rng, 120, 120, PERIOD)).astype(np.int16)

    def block(self, left: int, top: int, side: int) -> npt.NDArray[np.uint8]:
        """Draw a square, (side, side, 3) uint8 RGB; beyond the section's size there is glass."""
        canvas = np.zeros((side + 2 * MARGIN, side + 2 * MARGIN, 2), np.uint8)
        inner = canvas[MARGIN : MARGIN + side, MARGIN : MARGIN + side]
        inner[:], edge = self._base(left, top, side)
        for stamps in self.tissue:
            _stamp(canvas, stamps, left, top, side)
        if edge.min() < 1:
            np.maximum(inner * edge[..., None], 1, out=inner, casting="unsafe")
        for stamps in self.dust:
            _stamp(canvas, stamps, left, top, side)
        return np.take(self._colours, inner[..., 0] + np.uint16(256) * inner[..., 1], axis=0)

    def _base(self, left: int, top: int, side: int) -> tuple[Amounts, Floats]:
        """Paint the layers, and tell how far inside the tissue each pixel is (0 to 1 at its edge)."""
        x = np.minimum(np.arange(left, left + side), self.width - 1)
        texel = np.ix_(np.arange(top, top + side) % PERIOD, x % PERIOD)
        layer, depth = np.zeros((side, side), np.uint8), np.zeros((side, side), np.int16)
        edge, ragged = np.zeros((side, side), np.float32), self._ragged[texel]
        bottoms = [round(self.height * (k + 1) / len(self.strips)) for k in range(len(self.strips) - 1)]
        for strip, first, last in zip(self.strips, [0, *bottoms], [*bottoms, top + side], strict=True):
            mine = slice(max(first - top, 0), max(last - top, 0))
            if mine.start < min(mine.stop, side):
                y = np.arange(top + mine.start, min(top + mine.stop, top + side), dtype=np.int16)[:, None]
                depth[mine] = y - strip.borders[0, x]
                _lay(strip, x, depth[mine], ragged[mine], layer[mine], edge[mine])
        place = layer * np.int32(PERIOD * PERIOD)
        place += depth % np.int16(PERIOD) * np.int32(PERIOD)
        place += (x % PERIOD).astype(np.int32)
        taken = np.take(self._textures, place)
        eosin = (taken >> 8).astype(np.int16)
        eosin += self._stained[texel] * (eosin > 8)
        return np.stack([taken & 255, np.clip(eosin, 1, 255)], -1).astype(np.uint8), edge


def _lay(
    strip: Strip,
    x: Ints,
    depth: npt.NDArray[np.int16],
    ragged: npt.NDArray[np.int16],
    layer: npt.NDArray[np.uint8],
    edge: Floats,
) -> None:
    """Count the layers below a strip's surface and mark what lies inside it; all borders fray but the surface."""
    lines = strip.borders[:, x] - strip.borders[0, x]
    shallow, deep = depth.min(), depth.max()
    for number, line in enumerate(lines):
        if shallow > line.max() + FRAY:
            layer += 1
        elif deep > line.min() - FRAY:
            layer += depth > (line if number < 2 else line + ragged // 2)
    ends = np.minimum(x - strip.left, strip.right - x)
    if shallow > 3 and deep < lines[-1].min() - 2 * FRAY and ends.min() > 3 * FRAY:
        edge[:] = 1
    elif deep > 0 and shallow < lines[-1].max() + 2 * FRAY:
        inside = np.minimum(depth, lines[-1] + ragged + ragged // 2 - depth)
        np.clip(np.minimum(ends + 3 * ragged, inside) / 3, 0, 1, out=edge, casting="unsafe")


def _stamp(canvas: Amounts, stamps: Stamps, left: int, top: int, side: int) -> None:
    put: Callable[..., object] = np.minimum if stamps.lighten else np.maximum
    size = stamps.sprites.shape[1]
    shift = MARGIN - size // 2
    for k in stamps.near(left, top, side):
        x, y = stamps.x[k] - left + shift, stamps.y[k] - top + shift
        place = canvas[y : y + size, x : x + size]
        put(place, stamps.sprites[stamps.which[k]], out=place)
