"""A slide holds one or more sections of the same wall, and on the glass around them a little dust."""

from collections.abc import Iterator

import numpy as np

from ingest.cli.drawing.cells import ANGLES, LOOKS, Palette, disc
from ingest.cli.drawing.grower import BELOW, SURFACE, Grower
from ingest.cli.drawing.mucosa import mucosa
from ingest.cli.drawing.tissue import WALL, Section, Stamps
from ingest.cli.drawing.wall import wall


def draw_section(width: int, height: int, seed: int) -> Section:
    """Return a section of colon on glass, the same for the same seed."""
    rng = np.random.default_rng(seed)
    section, palette = Section(width, height, rng), Palette.drawn(rng)
    for strip in section.strips:
        room = float((strip.borders[BELOW] - strip.borders[SURFACE]).mean()) / WALL
        grower = Grower(strip, palette, rng, room)
        section.tissue += [*wall(grower), *mucosa(grower)]
    section.dust += _dust(rng, palette, width, height)
    return section


def _dust(rng: np.random.Generator, palette: Palette, width: int, height: int) -> Iterator[Stamps]:
    """Drop what lies on any glass: specks, and a fibre or two."""
    count = width * height // 900_000
    xs, ys = rng.integers(width, size=count), rng.integers(height, size=count)
    yield Stamps(palette.dust, rng.integers(ANGLES * LOOKS, size=count), xs, ys)
    for _ in range(3):
        t = np.linspace(0, 1, 160)
        bend = rng.uniform(-160, 160, 4)
        x = rng.integers(width) + 260 * t + bend[0] * np.sin(2.2 * t) + bend[1] * t**2
        y = rng.integers(height) + bend[2] * np.sin(3 * t) + bend[3] * t
        fibre = disc(2.6, 55, 12, lighten=False)
        yield Stamps(fibre, np.zeros(160, np.int64), x.astype(np.int64), y.astype(np.int64))
