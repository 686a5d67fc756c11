"""OpenSlide, an independent reader, agrees with what the maker of Aperio slides says about them."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pytest
import tifffile

from tests.slides import jpegs
from tests.slides.made import MadeSlide
from tests.slides.planted import Plant
from tests.slides.svs import Address, make_svs
from tests.slides.tissue import Picture


def shown(slide: openslide.OpenSlide, level: int) -> Picture:
    """Return a level as OpenSlide shows it, composited on white."""
    rgba = np.asarray(slide.read_region((0, 0), level, slide.level_dimensions[level])).astype(np.uint16)
    alpha = rgba[..., 3:]
    return np.asarray((rgba[..., :3] * alpha + 255 * (255 - alpha)) // 255, np.uint8)


def assert_openslide_agrees(made: MadeSlide, associated: set[str]) -> None:
    with openslide.OpenSlide(made.path) as slide:
        assert slide.properties["openslide.vendor"] == "aperio"
        assert float(slide.properties["openslide.mpp-x"]) == made.mpp
        assert slide.level_dimensions == tuple(level.size for level in made.levels)
        for k, level in enumerate(made.levels):
            truth = level.pixels if level.pixels.ndim == 3 else np.repeat(level.pixels[..., None], 3, 2)
            assert np.array_equal(shown(slide, k), truth), f"level {k}"
        assert set(slide.associated_images) == associated
        for name, image in slide.associated_images.items():
            mode = "RGB" if made.associated[name].ndim == 3 else "L"
            assert np.array_equal(np.asarray(image.convert(mode)), made.associated[name]), name


ALL = {"label", "macro", "thumbnail"}


@pytest.mark.parametrize(
    ("options", "associated"),
    [
        pytest.param({}, ALL, id="everyday"),
        pytest.param({"plant": Plant()}, ALL, id="planted"),
        pytest.param({"tile": (240, 240), "sampling": "422"}, ALL, id="240 px, 4:2:2"),
        pytest.param({"tile": (512, 512), "sampling": "444", "abbreviated": False}, ALL, id="512 px, 4:4:4"),
        pytest.param({"colours": "rgb", "component_ids": (0, 1, 2), "tag_subsampling": (2, 2)}, ALL, id="RGB as CMU-1"),
        pytest.param({"colours": "grey"}, ALL, id="grey"),
        pytest.param({"width": 1101, "height": 811, "factors": (1, 2, 4.5)}, ALL, id="odd sizes"),
        pytest.param({"restart_every": 4, "big": True}, ALL, id="restarts, BigTIFF"),
        pytest.param({"described": False, "label": "jpeg"}, ALL, id="label and macro without description"),
        pytest.param({"label": None, "factors": (1,), "big": True, "order": ">"}, ALL - {"label"}, id="one level"),
        pytest.param({"sparse": frozenset({(0, 1, 1)}), "factors": (1,)}, ALL, id="sparse"),
    ],
)
def test_openslide_shows_the_known_pixels(tmp_path: Path, options: dict[str, Any], associated: set[str]) -> None:
    assert_openslide_agrees(make_svs(tmp_path / "made.svs", **options), associated)


def test_the_byte_order_that_openslide_refuses_is_read_by_tifffile(tmp_path: Path) -> None:
    made = make_svs(tmp_path / "made.svs", order=">", colours="rgb")
    with tifffile.TiffFile(made.path) as file:
        assert np.array_equal(file.pages[0].asarray(), made.levels[0].pixels)


def test_a_lying_tag_misleads_openslide_and_not_the_known_pixels(tmp_path: Path) -> None:
    honest = make_svs(tmp_path / "honest.svs", factors=(1,))
    lying = make_svs(tmp_path / "lying.svs", factors=(1,), tag_photometric=2)
    assert np.array_equal(honest.levels[0].pixels, lying.levels[0].pixels)
    with openslide.OpenSlide(lying.path) as slide:
        assert not np.array_equal(shown(slide, 0), lying.levels[0].pixels)


def test_every_planted_token_is_in_the_file_and_is_found(tmp_path: Path) -> None:
    plant = Plant()
    data = make_svs(tmp_path / "made.svs", plant=plant).path.read_bytes()
    found = {line.rsplit(" (", 1)[0] for line in plant.survivors(data)}
    assert found == set(plant.tokens)
    assert len(plant.tokens) > 90
    assert len(set(plant.tokens.values())) == len(plant.tokens)


@pytest.mark.parametrize("lead", ["", "x", "xy"])
def test_a_token_is_found_in_base64_wherever_it_begins(lead: str) -> None:
    plant = Plant()
    text = base64.b64encode(f"{lead}{plant('somewhere')} and more".encode())
    assert len(plant.survivors(b"<x>" + text + b"</x>")) == 1


def test_a_progressive_tile_shows_the_same_pixels_as_the_plain_one(tmp_path: Path) -> None:
    def progressive(at: Address, part: Picture, stream: bytes) -> bytes:
        return jpegs.encode(part, progressive=True) if at == (0, 1, 1) else stream

    made = make_svs(tmp_path / "made.svs", factors=(1,), change=progressive)
    assert b"\xff\xc2" in made.path.read_bytes()
    assert_openslide_agrees(made, ALL)


def test_no_tile_tells_its_colours_unless_asked_to(tmp_path: Path) -> None:
    silent = make_svs(tmp_path / "silent.svs", factors=(1,), colours="rgb").levels[0].tiles[0, 0]
    telling = make_svs(tmp_path / "telling.svs", factors=(1,), colours="rgb", transform=0).levels[0].tiles[0, 0]
    assert [code for code, _ in jpegs.segments(silent)] == [0xDB, 0xC0, 0xC4, 0xC4, 0xDA]
    assert next(code for code, _ in jpegs.segments(telling)) == jpegs.APP14
    assert jpegs.scan_data(silent) == jpegs.scan_data(telling)
