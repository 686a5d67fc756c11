"""Real DICOM slides are read as OpenSlide shows them, or refused for what is in them."""

from pathlib import Path

import numpy as np
import pytest

from ingest.errors import Reason
from ingest.scanners.base import AssociatedKind
from ingest.scanners.dicom.reader import DicomReader
from tests.ingest.scanners.conftest import real_slides
from tests.ingest.scanners.dicom.conftest import levels_of, reason_of, shown_by_openslide

__all__ = ["real_slides"]

READ = (
    *(f"dicom/gcp-wsi2dcm/{name}.dicom" for name in ("jpeg", "jpeg2000", "raw")),
    *(f"dicom/panimg/{name}/{name}.dcm" for name in ("full_no_bot", "full_with_bot")),
    *(f"dicom/panimg/{name}/{name}.dcm" for name in ("sparse_no_bot", "sparse_with_bot")),
    *("dicom/highdicom/sm_image.dcm", "openslide-fixtures/boxes_0.dcm"),
)


@pytest.mark.parametrize("name", READ)
def test_a_real_slide_is_read_as_openslide_shows_it(real_slides: Path, name: str) -> None:
    mine, shown = levels_of(real_slides / name), shown_by_openslide(real_slides / name)
    assert len(mine) == len(shown)
    for one, other in zip(mine, shown, strict=True):
        assert np.array_equal(one, other)


def test_a_slide_of_jpeg_ls_is_read_as_the_same_slide_uncompressed(real_slides: Path) -> None:
    """These two were written from the same frames."""
    folder = real_slides / "dicom/highdicom"
    pixels = [levels_of(folder / f"sm_image_{name}.dcm")[0] for name in ("jpegls", "jpegls_nobot")]
    assert pixels[0].std() > 0
    assert np.array_equal(*pixels)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("dicom/highdicom/sm_image_grayscale.dcm", Reason.UNSUPPORTED_PIXELS),
        ("dicom/ez-wsi/test_wsi.dcm", Reason.NOT_A_WHOLE_SLIDE),
    ],
)
def test_what_is_no_slide_that_can_be_stored_is_refused(real_slides: Path, name: str, reason: Reason) -> None:
    assert reason_of(real_slides / name) is reason


def test_half_of_a_file_is_called_cut_short(real_slides: Path, tmp_path: Path) -> None:
    whole = (real_slides / "dicom/highdicom/sm_image.dcm").read_bytes()
    path = tmp_path / "slide.dcm"
    path.write_bytes(whole[: len(whole) // 2])
    assert reason_of(path) is Reason.TRUNCATED


def test_the_label_of_a_real_slide_is_given_as_a_picture(real_slides: Path) -> None:
    with DicomReader(real_slides / "dicom/ez-wsi/test_wsi.dcm") as reader:
        (picture,) = reader.pictures(AssociatedKind.LABEL)
    assert picture.shape == (117, 234, 3)
