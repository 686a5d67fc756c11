"""Independent readers agree with what the makers of plain TIFF, OME-TIFF and spoilt files say about them."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pytest
import tifffile

from tests.slides.generic import APERIO_JPEG2000, Coding, make_libvips_tiff, make_tiff, make_unstorable_tiff
from tests.slides.made import MadeSlide
from tests.slides.malformed import MALFORMED, bomb, mutants, sound
from tests.slides.ome import make_fluorescence_ome_tiff, make_ome_tiff
from tests.slides.planted import Plant


def assert_tifffile_agrees(made: MadeSlide) -> None:
    with tifffile.TiffFile(made.path) as file:
        levels = file.series[0].levels
        assert len(levels) == len(made.levels)
        for shown, level in zip(levels, made.levels, strict=True):
            assert np.array_equal(shown.asarray(), level.pixels)


@pytest.mark.parametrize("coding", ["none", "lzw", "deflate", "zstd", "jpeg", "jpeg-rgb", "jpeg2000", "webp"])
def test_tifffile_shows_the_known_pixels(tmp_path: Path, coding: Coding) -> None:
    assert_tifffile_agrees(make_tiff(tmp_path / "made.tif", coding))


def test_strips_big_endian_and_levels_below_are_read(tmp_path: Path) -> None:
    assert_tifffile_agrees(make_tiff(tmp_path / "strips.tif", "lzw", tile=None, factors=(1,)))
    assert_tifffile_agrees(make_tiff(tmp_path / "below.tif", levels_below=True, big=True, order=">"))


def test_libvips_writes_a_pyramid_that_openslide_reads(tmp_path: Path) -> None:
    made = make_libvips_tiff(tmp_path / "made.tif")
    with openslide.OpenSlide(made.path) as slide:
        assert slide.level_dimensions == tuple(level.size for level in made.levels)
        shown = np.asarray(slide.read_region((0, 0), 0, slide.dimensions))[..., :3]
    assert np.array_equal(shown, made.levels[0].pixels)


def test_an_aperio_slide_in_jpeg_2000_is_read_by_openslide(tmp_path: Path) -> None:
    made = make_tiff(tmp_path / "made.svs", "jpeg2000", description=APERIO_JPEG2000)
    with openslide.OpenSlide(made.path) as slide:
        assert slide.properties["openslide.vendor"] == "aperio"
        shown = np.asarray(slide.read_region((0, 0), 0, slide.dimensions))[..., :3]
    assert np.array_equal(shown, made.levels[0].pixels)


def test_names_are_planted_in_plain_and_ome_tiff(tmp_path: Path) -> None:
    for made in (make_tiff(tmp_path / "plain.tif", plant=Plant()), make_ome_tiff(tmp_path / "made.ome.tif")):
        found = {line.rsplit(" (", 1)[0] for line in made.plant.survivors(made.path.read_bytes())}
        assert len(found) > 12
        assert found == set(made.plant.tokens)


def test_other_pixels_than_8_bit_rgb_are_sound_files(tmp_path: Path) -> None:
    for kind, shape in {"16-bit RGB": (512, 512, 3), "five channels": (512, 512, 5), "planar": (3, 512, 512)}.items():
        with tifffile.TiffFile(make_unstorable_tiff(tmp_path / "made.tif", kind)) as file:
            assert file.pages[0].asarray().shape == shape


@pytest.mark.parametrize("options", [{}, {"order": (2, 0, 3, 1), "factors": (1,)}], ids=["in order", "in another"])
def test_tifffile_reads_the_channels_that_the_xml_tells(tmp_path: Path, options: dict[str, Any]) -> None:
    made = make_fluorescence_ome_tiff(tmp_path / "made.ome.tif", **options)
    with tifffile.TiffFile(made.path) as file:
        levels = file.series[0].levels
        assert len(levels) == len(made.levels)
        for level, known in zip(levels, made.levels, strict=True):
            assert np.array_equal(level.asarray(), np.moveaxis(known.pixels, -1, 0))


@pytest.mark.parametrize("fault", MALFORMED, ids=lambda fault: fault.name)
def test_a_spoilt_file_is_made_and_is_not_the_sound_one(tmp_path: Path, fault: object) -> None:
    whole = sound(tmp_path / "sound.svs")
    fault.make(tmp_path / "spoilt.svs")
    assert (tmp_path / "spoilt.svs").read_bytes() != whole


def test_the_bomb_goes_off(tmp_path: Path) -> None:
    bomb.make(tmp_path / "bomb.tif")
    with tifffile.TiffFile(tmp_path / "bomb.tif") as file:
        page = file.pages[0]
        raw = (tmp_path / "bomb.tif").read_bytes()[page.dataoffsets[0] :][: page.databytecounts[0]]
    assert len(raw) < 1_200_000
    assert len(zlib.decompressobj().decompress(raw, 1 << 26)) == 1 << 26


def test_mutants_differ_and_repeat(tmp_path: Path) -> None:
    whole = sound(tmp_path / "sound.svs")
    first = mutants(whole, 50)
    assert first == mutants(whole, 50)
    assert all(mutant != whole for mutant in first)
