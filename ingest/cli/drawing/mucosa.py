"""The colon's crypts stand side by side like test tubes, lined by columnar cells and drops of mucin.

Where the section runs askew they are cut across and look like daisies.
"""

from collections.abc import Iterator

import numpy as np

from ingest.cli.drawing.cells import Floats, discs
from ingest.cli.drawing.grower import MUSCULARIS, SURFACE, Grower
from ingest.cli.drawing.tissue import Ints, Stamps

RADII = np.arange(48, 72, 3)
"""Of a crypt."""
STEP = 3
"""Between the points of a crypt's middle line."""


def mucosa(grower: Grower) -> Iterator[Stamps]:
    """Grow crypts side by side, and the surface between their mouths."""
    crypts = [line for x in _mouths(grower) for line in _crypts_at(grower, x)]
    if not crypts:
        return
    radii = grower.rng.integers(len(RADII), size=len(crypts))
    yield from _bodies(grower, crypts, radii)
    yield from _lining(grower, crypts, radii)
    yield from _surface(grower, np.array([line[0, 0] for line in crypts if len(line) > 1], np.float32))


def _mouths(grower: Grower) -> Iterator[float]:
    x = grower.strip.left + 90.0
    while x < grower.strip.right - 60:
        yield x
        x += float(grower.rng.uniform(150, 196))


def _crypts_at(grower: Grower, x: float) -> list[Floats]:
    """Return the middle lines of the crypts at one place, (points, 2) each: one cut lengthwise, or several."""
    column = np.array([x], np.float32)
    top, bottom = float(grower.at(SURFACE, column)[0]), float(grower.at(MUSCULARIS, column)[0])
    part = (x - grower.strip.left) / (grower.strip.right - grower.strip.left)
    if 0.56 < part < 0.78:
        depths = np.arange(top + 110, bottom - 75, 158) + grower.rng.uniform(-26, 26)
        return [np.array([[x + grower.rng.normal(0, 16), y]], np.float32) for y in depths]
    length = max(40.0, (bottom - top) * grower.rng.uniform(0.86, 0.96) - 60)
    t = np.arange(0, length, STEP) / length
    sway = grower.rng.normal(0, 16) * np.sin(np.pi * t) + grower.rng.normal(0, 7) * np.sin(3 * np.pi * t)
    slant = grower.rng.normal(0, 0.03)
    return [np.stack([x + sway + slant * length * t, top + 4 + length * t], 1).astype(np.float32)]


def _bodies(grower: Grower, crypts: list[Floats], radii: Ints) -> Iterator[Stamps]:
    points = np.concatenate([line[::4] for line in crypts])
    which = np.repeat(radii, [len(line[::4]) for line in crypts])
    x, y = points[:, 0].round().astype(np.int64), points[:, 1].round().astype(np.int64)
    for grown, haematoxylin, eosin, lighten in ((4, 8, 78, False), (0, 30, 56, True), (0, 20, 42, False)):
        yield Stamps(discs(RADII + grown, haematoxylin, eosin, lighten=lighten), which, x, y, lighten)


def _lining(grower: Grower, crypts: list[Floats], radii: Ints) -> Iterator[Stamps]:
    for sprites, depth, spacing, share, lighten in (
        (grower.palette.mucin, 31.0, 17.0, 0.72, True),
        (None, 0.0, 6.0, 1.0, True),
        (grower.palette.columnar, 13.0, 9.5, 0.97, False),
    ):
        if sprites is None:
            yield from _lumens(grower, crypts)
            continue
        walls = [_wall(line, RADII[r] - depth, spacing) for line, r in zip(crypts, radii, strict=True)]
        x, y, angle = np.concatenate(walls, axis=1)
        kept = grower.rng.random(len(x)) < share
        jitter = grower.rng.normal(0, 2.2, (3, int(kept.sum())))
        placed = x[kept] + jitter[0], y[kept] + jitter[1], angle[kept] + jitter[2] / 14
        yield grower.stamps(sprites, *placed, lighten=lighten)


def _wall(line: Floats, away: float, spacing: float) -> Floats:
    """Return x, y and the direction across the wall, (3, cells), along both sides and round the blind end."""
    round_end = np.arange(0, 2 * np.pi if len(line) == 1 else np.pi, spacing / away)
    x, y = line[-1, 0] + away * np.cos(round_end), line[-1, 1] + away * np.sin(round_end)
    end = np.stack([x, y, round_end])
    if len(line) == 1:
        return np.asarray(end, np.float32)
    count = int(len(line) * STEP / spacing)
    step = line[np.linspace(2, len(line) - 1, count).astype(int)]
    sides = [np.stack([step[:, 0] + s * away, step[:, 1], np.zeros(count)]) for s in (-1, 1)]
    return np.asarray(np.concatenate([*sides, end], axis=1), np.float32)


def _lumens(grower: Grower, crypts: list[Floats]) -> Iterator[Stamps]:
    points = np.concatenate(crypts)
    wide = np.concatenate([np.full(len(line), 5 + np.abs(grower.rng.normal(0, 3.5))) for line in crypts])
    sway = 2 * np.sin(points[:, 1] / 31)
    which = np.clip(wide + sway - 3, 0, 15).astype(np.int64)
    x, y = points[:, 0].round().astype(np.int64), points[:, 1].round().astype(np.int64)
    sizes = np.arange(3, 19)
    yield Stamps(discs(sizes + 4, 14, 62, lighten=False), which, x, y)
    yield Stamps(discs(sizes, 6, 8, lighten=True), which, x, y, lighten=True)


def _surface(grower: Grower, mouths: Floats) -> Iterator[Stamps]:
    x = np.arange(grower.strip.left, grower.strip.right, 9.2, dtype=np.float32)
    if len(mouths):
        x = x[np.abs(x[:, None] - mouths).min(1) > 15]
    y = grower.at(SURFACE, x) + 27 + grower.rng.normal(0, 2, len(x))
    tilt = np.pi / 2 + grower.rng.normal(0, 0.1, len(x))
    yield grower.stamps(grower.palette.columnar, x, y, tilt)
