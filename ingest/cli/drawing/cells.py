"""A cell is a nucleus that takes haematoxylin and a body that takes eosin; mucin, fat and lumen take next to nothing.

Everything here is a stamp: two amounts at each pixel, put onto the tissue by the larger amount, or, for pale things, by
the smaller. Lengths are in pixels of about half a micrometre.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Amounts = npt.NDArray[np.uint8]
"""(..., height, width, 2) uint8: haematoxylin, eosin."""
Floats = npt.NDArray[np.floating[Any]]

SPRITE = 48
"""Side of a cell's stamp."""
ANGLES = 16
"""Directions in which an elongated cell can lie, over half a turn."""
LOOKS = 4
"""How many different cells there are in each direction."""


def noise(rng: np.random.Generator, across: float, down: float, side: int) -> Floats:
    """Return periodic smooth noise of mean 0 and deviation 1, (side, side), with features of the given lengths."""
    columns, rows = np.fft.rfftfreq(side), np.fft.fftfreq(side)[:, None]
    keep = np.exp(-2 * (np.pi * columns * across) ** 2) * np.exp(-2 * (np.pi * rows * down) ** 2)
    smooth = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((side, side))) * keep, s=(side, side))
    return np.asarray((smooth - smooth.mean()) / smooth.std(), np.float32)


def cells(
    rng: np.random.Generator,
    length: float,
    breadth: float,
    dark: float,
    *,
    body: tuple[float, float, float] = (0, 0, 0),
) -> Amounts:
    """Draw cells in every direction, (ANGLES * LOOKS, SPRITE, SPRITE, 2).

    Parameters
    ----------
    length, breadth
        Of the nucleus.
    dark
        Haematoxylin in it, 0 to 255.
    body
        Radius, haematoxylin and eosin of the cytoplasm, whose middle is not the nucleus's.
    """
    angle = np.repeat(np.arange(ANGLES) * np.pi / ANGLES, LOOKS)[:, None, None]
    count = len(angle)
    spread = rng.uniform(0.85, 1.15, (3, count, 1, 1))
    y, x = np.indices((SPRITE, SPRITE)) - (SPRITE - 1) / 2
    along = (x * np.cos(angle) + y * np.sin(angle)) / (length / 2 * spread[0])
    aside = (y * np.cos(angle) - x * np.sin(angle)) / (breadth / 2 * spread[1])
    aside = aside + rng.uniform(-0.25, 0.25, (count, 1, 1)) * along**2
    out = np.hypot(along, aside)
    mottled = noise(rng, 1.6, 1.6, 256)[
        rng.integers(0, 200, (count, 1, 1)) + np.indices((SPRITE, SPRITE))[0], np.arange(SPRITE) + 60
    ]
    chromatin = dark * spread[2] * (0.82 + 0.2 * np.clip(out, 0, 1) ** 2 + 0.13 * mottled)
    inside = np.clip((1 - out) * breadth / 3, 0, 1)
    amounts = np.zeros((count, SPRITE, SPRITE, 2), np.float32)
    amounts[..., 0] = inside * chromatin
    radius, haematoxylin, eosin = body
    if radius:
        aim = rng.uniform(0, 2 * np.pi, (count, 1, 1))
        away = np.hypot(x - radius / 3 * np.cos(aim), y - radius / 3 * np.sin(aim))
        flesh = np.clip((radius - away) / 3, 0, 1)
        amounts[..., 0] = np.maximum(amounts[..., 0], flesh * haematoxylin)
        amounts[..., 1] = flesh * eosin * (1 + 0.15 * mottled)
    return np.clip(amounts, 0, 255).astype(np.uint8)


def drops(rng: np.random.Generator, length: float, breadth: float, haematoxylin: float, eosin: float) -> Amounts:
    """Draw pale drops of mucin in every direction, to be stamped lighter."""
    shape = cells(rng, length, breadth, 255)[..., 0].astype(np.float32) / 130
    return paler(np.clip(shape, 0, 1), haematoxylin, eosin)


def disc(radius: float, haematoxylin: float, eosin: float, *, lighten: bool) -> Amounts:
    """Draw one disc, (1, side, side, 2)."""
    return discs(np.array([radius]), haematoxylin, eosin, lighten=lighten)


def discs(radii: npt.NDArray[Any], haematoxylin: float, eosin: float, *, lighten: bool) -> Amounts:
    """Draw discs with soft rims, (count, side, side, 2), all with the side of the largest."""
    side = 2 * int(radii.max() + 2) + 2
    y, x = np.indices((side, side)) - (side - 1) / 2
    inside = np.clip((radii[:, None, None] - np.hypot(x, y)) / 2.5 + 0.5, 0, 1).astype(np.float32)
    if lighten:
        return paler(inside, haematoxylin, eosin)
    return np.stack([inside * haematoxylin, inside * eosin], -1).astype(np.uint8)


def paler(inside: Floats, haematoxylin: float, eosin: float) -> Amounts:
    """Return a stamp that lets no more than the given amounts stand where ``inside`` is 1."""
    reach = np.clip(1 - inside, 0, 1)[..., None] * 110
    limit = np.array([haematoxylin, eosin]) + reach
    return np.where(inside[..., None] > 0, np.clip(limit, 0, 255), 255).astype(np.uint8)


@dataclass(frozen=True)
class Palette:
    """The cells that a pathologist would name, drawn once."""

    columnar: Amounts
    lymphocyte: Amounts
    plasma: Amounts
    eosinophil: Amounts
    fibroblast: Amounts
    muscle: Amounts
    cut_muscle: Amounts
    blast: Amounts
    ganglion: Amounts
    erythrocyte: Amounts
    mucin: Amounts
    dust: Amounts

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Palette":
        """Draw them all."""
        return cls(
            columnar=cells(rng, 20, 9.5, 128),
            lymphocyte=cells(rng, 12, 11.5, 175),
            plasma=cells(rng, 12, 11.5, 160, body=(11, 48, 78)),
            eosinophil=cells(rng, 12, 7, 150, body=(10, 4, 150)),
            fibroblast=cells(rng, 32, 5.5, 128),
            muscle=cells(rng, 38, 6, 112),
            cut_muscle=cells(rng, 10, 8, 110),
            blast=cells(rng, 19, 17, 92),
            ganglion=cells(rng, 16, 15, 80, body=(21, 46, 92)),
            erythrocyte=cells(rng, 3, 3, 0, body=(7, 0, 165)),
            mucin=drops(rng, 26, 17, 15, 12),
            dust=cells(rng, 9, 7, 150, body=(6, 60, 60)),
        )
