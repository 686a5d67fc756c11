"""OpenSlide opens the slides that are made here as Hamamatsu's, and shows the pixels that are known."""

from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pytest

from tests.slides.ndpi import make_ndpi
from tests.slides.planted import Plant

KINDS: dict[str, dict[str, Any]] = {
    "everyday": {},
    "above 4 GB": {"gap": 5 << 30},
    "4:2:2": {"sampling": "422"},
    "no list of intervals": {"listed": False},
    "several focal planes": {"planes": 2},
    "full of names": {"plant": Plant()},
    "too wide for its frame to tell": {"width": 66_048, "height": 24, "factors": (1,), "intervals": (512,)},
    "wide intervals": {"width": 4096, "height": 256, "factors": (1, 2), "intervals": (4096, 1024)},
}


@pytest.mark.parametrize("kind", KINDS)
def test_openslide_shows_the_known_pixels(tmp_path: Path, kind: str) -> None:
    made = make_ndpi(tmp_path / "slide", **KINDS[kind])
    with openslide.OpenSlide(made.path) as slide:
        assert slide.properties["openslide.vendor"] == "hamamatsu"
        assert slide.level_dimensions[: len(made.levels)] == tuple(level.size for level in made.levels)
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(made.mpp, rel=1e-4)
        for number, level in enumerate(made.levels):
            seen = np.asarray(slide.read_region((0, 0), number, level.size))
            assert np.array_equal(seen[..., :3], level.pixels)
        assert set(slide.associated_images) == {"macro"}


def test_every_token_is_in_the_file(tmp_path: Path) -> None:
    plant = Plant()
    made = make_ndpi(tmp_path / "slide", plant=plant)
    found = {line.split(" (")[0] for line in plant.survivors(made.path.read_bytes())}
    assert found == set(plant.tokens)
    assert len(found) > 80


def test_a_file_above_four_gigabytes_takes_no_room(tmp_path: Path) -> None:
    status = make_ndpi(tmp_path / "slide", gap=5 << 30).path.stat()
    assert status.st_size > 5 << 30
    assert status.st_blocks * 512 < 4 << 20
