"""OpenSlide opens the slides that are made here as Philips', and shows the pixels that are known."""

from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pytest

from tests.journeys.elsewhere import on_white
from tests.slides.philips import make_philips
from tests.slides.planted import Plant

KINDS: dict[str, dict[str, Any]] = {
    "everyday": {},
    "BigTIFF": {"big": True},
    "pictures in the XML": {"where": "xml"},
    "pictures in directories": {"where": "directories"},
    "glass left out": {"sparse": frozenset({(0, 1, 1), (0, 2, 1)})},
    "full of names": {"plant": Plant()},
}


@pytest.mark.parametrize("kind", KINDS)
def test_openslide_shows_the_known_pixels(tmp_path: Path, kind: str) -> None:
    made = make_philips(tmp_path / "slide.tiff", **KINDS[kind])
    with openslide.OpenSlide(made.path) as slide:
        assert slide.properties["openslide.vendor"] == "philips"
        assert slide.level_dimensions == tuple(level.size for level in made.levels)
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(made.mpp)
        assert slide.properties["openslide.objective-power"] == "40"
        for number, level in enumerate(made.levels):
            assert np.array_equal(on_white(slide.read_region((0, 0), number, level.size)), level.pixels)
        assert set(slide.associated_images) == {"label", "macro"}


def test_every_token_is_in_the_file(tmp_path: Path) -> None:
    plant = Plant()
    made = make_philips(tmp_path / "slide.tiff", plant=plant)
    found = {line.split(" (")[0] for line in plant.survivors(made.path.read_bytes())}
    assert found == set(plant.tokens)
    assert len(found) > 40
