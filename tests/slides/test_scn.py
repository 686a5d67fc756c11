"""OpenSlide opens the slides that are made here as Leica's, and shows the pixels that are known, at their place."""

from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pytest

from tests.slides.planted import Plant
from tests.slides.scn import Tissue, make_scn

KINDS: dict[str, dict[str, Any]] = {
    "everyday": {},
    "the older namespace": {"namespace": "03/10"},
    "several regions": {"regions": (Tissue(), Tissue(top=40_000_000))},
    "several focal planes": {"regions": (Tissue(planes=2),)},
    "full of names": {"plant": Plant()},
}


@pytest.mark.parametrize("kind", KINDS)
def test_openslide_shows_the_known_pixels(tmp_path: Path, kind: str) -> None:
    made = make_scn(tmp_path / "slide.scn", **KINDS[kind])
    with openslide.OpenSlide(made.path) as slide:
        assert slide.properties["openslide.vendor"] == "leica"
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(made.mpp)
        assert slide.properties["openslide.objective-power"] == "20"
        for number, level in enumerate(made.levels):
            seen = np.asarray(slide.read_region((8000, 40_000), number, level.size))
            assert np.array_equal(seen[..., :3], level.pixels)
        assert set(slide.associated_images) == {"macro"}


def test_every_token_is_in_the_file(tmp_path: Path) -> None:
    plant = Plant()
    made = make_scn(tmp_path / "slide.scn", plant=plant)
    found = {line.split(" (")[0] for line in plant.survivors(made.path.read_bytes())}
    assert found == set(plant.tokens)
    assert len(found) > 30
