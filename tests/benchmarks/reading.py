"""How fast the Python API reads 256 px patches at level 0, beside openslide-python, on one core."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import openslide

from archive.pyramid.reader import Pyramid
from tests.benchmarks.report import Row

PATCH_PX = 256
PATCHES = 2000
ROUNDS = 5


def measure(slide: Path, scan: Path) -> list[Row]:
    """Read the same places from the source with OpenSlide and from the archive, in turns."""
    os.sched_setaffinity(0, {0})
    source = openslide.OpenSlide(slide)
    with Pyramid.open(scan) as pyramid:
        level = pyramid.level(0)
        rng = np.random.default_rng(7)
        xs = rng.integers(0, level.size.width - PATCH_PX, PATCHES)
        ys = rng.integers(0, level.size.height - PATCH_PX, PATCHES)
        anywhere = list(zip(xs.tolist(), ys.tolist(), strict=True))
        tile_w, tile_h = level.tile.width, level.tile.height
        on_grid = [(x // tile_w * tile_w, y // tile_h * tile_h) for x, y in anywhere]

        def ours(x: int, y: int) -> None:
            level.read_region(x, y, PATCH_PX, PATCH_PX)

        def theirs(x: int, y: int) -> None:
            source.read_region((x, y), 0, (PATCH_PX, PATCH_PX))

        found = []
        for name, places, goal in (("random places", anywhere, 1.8), ("on the tile grid", on_grid, 4.5)):
            rates = [(rate(ours, places), rate(theirs, places)) for _ in range(ROUNDS)]
            mine, peer = median(r[0] for r in rates), median(r[1] for r in rates)
            found.append(Row(f"patches/s, {name}", mine, "openslide-python", peer, mine / peer, f"at least {goal}"))
        return found


def rate(read: Callable[[int, int], None], places: list[tuple[int, int]]) -> float:
    """Measure patches a second."""
    start = time.perf_counter()
    for x, y in places:
        read(x, y)
    return len(places) / (time.perf_counter() - start)
