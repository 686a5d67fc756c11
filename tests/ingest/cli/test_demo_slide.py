"""The slide that the demonstration draws is a slide like a scanner's, and is full of names."""

from pathlib import Path

import numpy as np
import openslide
import pytest
import tifffile

from ingest.cli.demo_slide import BLOCK, CASE, PATIENT, PLANTED, draw_demo_slide


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "demo.svs"
    draw_demo_slide(path, width=2500, height=2100)
    return path


def test_a_slide_reader_knows_it_as_an_aperio_slide(drawn: Path) -> None:
    with openslide.OpenSlide(drawn) as slide:
        assert slide.properties["openslide.vendor"] == "aperio"
        assert slide.level_dimensions == ((2500, 2100), (625, 525), (156, 131))
        assert set(slide.associated_images) == {"label", "macro", "thumbnail"}
        assert float(slide.properties["openslide.mpp-x"]) == 0.499
        assert slide.properties["aperio.AppMag"] == "20"


def test_it_shows_stained_tissue_on_clear_glass(drawn: Path) -> None:
    with openslide.OpenSlide(drawn) as slide:
        picture = np.asarray(slide.read_region((0, 0), 1, slide.level_dimensions[1]))[..., :3].astype(int)
    red, green, blue = picture[..., 0], picture[..., 1], picture[..., 2]
    stained = (red - green > 20) & (blue - green > 10)
    clear = picture.min(2) > 235
    assert 0.4 < stained.mean() < 0.95
    assert 0.05 < clear.mean() < 0.5


def test_the_smaller_levels_are_the_largest_one_reduced(drawn: Path) -> None:
    with openslide.OpenSlide(drawn) as slide:
        large = np.asarray(slide.read_region((1024, 256), 0, (512, 512)).convert("L").reduce(4), int)
        small = np.asarray(slide.read_region((1024, 256), 1, (128, 128)).convert("L"), int)
    in_place, one_aside = np.abs(large - small), np.abs(large[:, 1:] - small[:, :-1])
    assert one_aside.mean() > 2 * in_place.mean()


def test_every_name_that_bytes_can_hold_is_in_the_file_and_the_others_are_on_the_label(drawn: Path) -> None:
    data = drawn.read_bytes()
    missing = {place for place, name in PLANTED.items() if name.encode() not in data}
    assert missing == {"label: name", "label: hospital"}
    assert min(len(name.encode()) for name in PLANTED.values()) >= 10
    assert PATIENT in PLANTED.values()
    assert f"{CASE}-{BLOCK}" in PLANTED.values()
    with tifffile.TiffFile(drawn) as file:
        label = next(page for page in file.pages if page.subfiletype == 1).asarray()
    assert (label.min(2) < 90).mean() > 0.1


def test_the_same_seed_draws_the_same_slide_and_another_seed_another(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one.svs", "two.svs", "three.svs")]
    for path, seed in zip(paths, (3, 3, 4), strict=True):
        draw_demo_slide(path, width=700, height=600, seed=seed)
    one, two, three = (path.read_bytes() for path in paths)
    assert one == two
    assert one != three


def test_progress_rises_to_the_end(tmp_path: Path) -> None:
    told: list[float] = []
    draw_demo_slide(tmp_path / "demo.svs", width=600, height=2100, tell=told.append)
    assert told == sorted(told)
    assert told[-1] == 1
