"""What OpenSlide shows is kept on white, and only levels that it can address exactly."""

from pathlib import Path

import numpy as np
import openslide
import pytest
from PIL import Image

from ingest.errors import Reason, SlideRefused
from ingest.scanners.opening import open_scan
from ingest.scanners.through_openslide import OpenSlideReader, composited, whole_downsample
from tests.slides.svs import make_svs


def test_what_the_scanner_left_out_is_white(tmp_path: Path) -> None:
    made = make_svs(tmp_path / "a.svs", factors=(1,), sparse=frozenset({(0, 0, 0)}))
    with openslide.OpenSlide(made.path) as slide:
        assert np.asarray(slide.read_region((0, 0), 0, (256, 256)))[..., 3].max() == 0
        assert composited(slide, 0, 0, 0, 256, 256).min() == 255
        assert np.array_equal(composited(slide, 0, 0, 0, 1100, 810), made.levels[0].pixels)


def test_half_transparent_pixels_are_laid_on_white() -> None:
    pixels = np.array([[[100, 0, 255, 128], [10, 20, 30, 0], [10, 20, 30, 255]]], np.uint8)
    shown = composited(openslide.ImageSlide(Image.fromarray(pixels)), 0, 0, 0, 3, 1)
    assert shown.tolist() == [[[177, 127, 255], [255, 255, 255], [10, 20, 30]]]


def test_a_level_whose_downsample_is_no_whole_number_is_left_to_be_made_anew(tmp_path: Path) -> None:
    made = make_svs(tmp_path / "a.svs", width=1103, height=811, factors=(1, 2, 4))
    with openslide.OpenSlide(made.path) as slide:
        assert [whole_downsample(slide, level) for level in range(3)] == [1, None, None]
    with OpenSlideReader(made.path) as reader:
        assert [level.size.width for level in reader.scan().levels] == [1103]


def test_associated_images_are_told_without_being_read(tmp_path: Path) -> None:
    with OpenSlideReader(make_svs(tmp_path / "a.svs").path) as reader:
        assert {str(image.kind) for image in reader.scan().associated} == {"label", "macro", "thumbnail"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("vms-stub/CMU-1-40x - 2010-01-12 13.24.05.vms", Reason.UNREADABLE_PIXELS),
        ("zeiss-unsupported/S3_1Pos_2Mosaic_T1_Z1_CH1.czi", Reason.UNSUPPORTED_PIXELS),
    ],
)
def test_why_openslide_refuses_a_file_is_told(real_slides: Path, name: str, reason: Reason) -> None:
    with pytest.raises(SlideRefused) as refused:
        open_scan(real_slides / name)
    assert refused.value.reason is reason
