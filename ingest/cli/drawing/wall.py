"""Below the crypts of the colon lie vessels, fat and lymph follicles, and two coats of muscle with nerves between."""

from collections.abc import Iterator

import numpy as np

from ingest.cli.drawing.cells import disc, discs
from ingest.cli.drawing.grower import BELOW, INNER, LAMINA, MUSCULARIS, OUTER, SUBMUCOSA, Grower
from ingest.cli.drawing.tissue import Stamps


def wall(grower: Grower) -> Iterator[Stamps]:
    """Grow all of the wall but its crypts, in the order of stamping."""
    pal = grower.palette
    yield grower.scattered(pal.lymphocyte, LAMINA, MUSCULARIS, 900)
    yield grower.scattered(pal.plasma, LAMINA, MUSCULARIS, 1100)
    yield grower.scattered(pal.eosinophil, LAMINA, MUSCULARIS, 6000)
    yield grower.scattered(pal.fibroblast, LAMINA, MUSCULARIS, 2200)
    yield grower.scattered(pal.muscle, MUSCULARIS, SUBMUCOSA, 1000, level=True)
    yield grower.scattered(pal.fibroblast, SUBMUCOSA, INNER, 5200)
    yield grower.scattered(pal.lymphocyte, SUBMUCOSA, INNER, 26000)
    yield grower.scattered(pal.muscle, INNER, OUTER, 2300, level=True)
    yield grower.scattered(pal.cut_muscle, OUTER, BELOW, 1500)
    yield from fat(grower)
    yield from follicles(grower)
    yield from ganglia(grower)
    for _ in range(grower.some(26)):
        yield from vessel(grower, SUBMUCOSA, INNER, (14, 95))
    for _ in range(grower.some(10)):
        yield from vessel(grower, INNER, OUTER, (10, 26))


def fat(grower: Grower) -> Iterator[Stamps]:
    """Grow fat lobules in the submucosa: large empty cells with thin walls."""
    for _ in range(grower.some(5)):
        (x,), (y,) = grower.place(SUBMUCOSA, INNER, 1)
        for k in range(3):
            away = grower.rng.normal(0, 150 * grower.room, 2)
            radius = grower.rng.uniform(90, 230) * grower.room
            xs, ys = grower.packed(x + 2 * away[0], y + away[1] * (k > 0), radius, 104, 0.05)
            inside = (ys > grower.at(SUBMUCOSA, xs) + 70) & (ys < grower.at(INNER, xs) - 70)
            which = grower.rng.integers(4, size=int(inside.sum()))
            places = xs[inside].astype(np.int64), ys[inside].astype(np.int64)
            yield Stamps(discs(np.arange(48, 56, 2), 1, 2, lighten=True), which, *places, lighten=True)


def follicles(grower: Grower) -> Iterator[Stamps]:
    """Grow lymphoid follicles astride the muscularis mucosae, with a paler centre."""
    for _ in range(max(1, grower.some(2))):
        inset = (grower.strip.right - grower.strip.left) / 12
        x = float(grower.rng.uniform(grower.strip.left + inset, grower.strip.right - inset))
        y = float(grower.at(SUBMUCOSA, np.array([x]))[0]) + 60 * grower.room
        radius = grower.rng.uniform(260, 380) * grower.room
        yield grower.spots(
            disc(min(radius, 130), 22, 40, lighten=True), *grower.packed(x, y, radius * 0.6, 60), lighten=True
        )
        for each, reach, spacing in (("lymphocyte", radius, 12.5), ("blast", radius * 0.5, 21)):
            xs, ys = grower.packed(x, y, reach, spacing)
            away = np.hypot(xs - x, ys - y) / radius
            kept = (away < 0.5) if each == "blast" else (away > 0.47) | (grower.rng.random(len(xs)) < 0.12)
            xs, ys = xs[kept], ys[kept]
            yield grower.stamps(getattr(grower.palette, each), xs, ys, np.zeros(len(xs), np.float32))


def ganglia(grower: Grower) -> Iterator[Stamps]:
    """Grow ganglion cells of the plexus between the two coats of muscle."""
    for _ in range(grower.some(9)):
        x = float(grower.rng.uniform(grower.strip.left, grower.strip.right))
        y = float(grower.at(OUTER, np.array([x]))[0])
        places = np.arange(-2, 3) * 44 + int(x)
        ys = np.full(5, y).astype(np.int64)
        yield Stamps(discs(np.array([20, 34, 40]), 10, 40, lighten=True), np.array([0, 1, 2, 1, 0]), places, ys, True)
        xs = x + grower.rng.uniform(-130, 130, 5)
        yield grower.stamps(grower.palette.ganglion, xs, y + grower.rng.normal(0, 12, 5), np.zeros(5, np.float32))
        xs = x + grower.rng.uniform(-140, 140, 26)
        yield grower.stamps(
            grower.palette.fibroblast, xs, y + grower.rng.normal(0, 16, 26), grower.rng.normal(0, 0.2, 26)
        )


def vessel(grower: Grower, upper: int, lower: int, radii: tuple[int, int]) -> Iterator[Stamps]:
    """Grow a vessel cut across: muscular wall, pale lumen, red cells."""
    (x,), (y,) = grower.place(upper, lower, 1)
    radius = float(np.exp(grower.rng.uniform(np.log(radii[0]), np.log(radii[1]))))
    thick = radius * grower.rng.uniform(0.16, 0.42) + 5
    lobes = grower.rng.normal(0, radius / 3.2, (3, 2)) + np.array([x, y])
    xs, ys = lobes[:, 0].astype(np.float32), lobes[:, 1].astype(np.float32)
    if not ((ys > grower.at(upper, xs) + radius) & (ys < grower.at(lower, xs) - radius)).all():
        return
    yield grower.spots(disc(radius + thick, 14, 84, lighten=False), xs, ys, lighten=False)
    around = grower.rng.uniform(0, 2 * np.pi, int(radius * thick / 32))
    away = radius + grower.rng.uniform(2, thick, len(around))
    pick = grower.rng.integers(3, size=len(around))
    rim = xs[pick] + away * np.cos(around), ys[pick] + away * np.sin(around)
    yield grower.stamps(grower.palette.muscle, *rim, around + np.pi / 2)
    yield grower.spots(disc(radius, 4, 7, lighten=True), xs, ys, lighten=True)
    if grower.rng.random() < 0.75:
        middle, filled = lobes.mean(0), grower.rng.uniform(0.55, 0.95)
        xs, ys = grower.packed(middle[0], middle[1], radius * filled, 13.5)
        yield grower.stamps(grower.palette.erythrocyte, xs, ys, np.zeros(len(xs), np.float32))
