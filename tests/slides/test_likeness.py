"""A label is known again however small, and wherever it lies; tissue is not taken for one."""

import numpy as np
import pytest
from PIL import Image

from tests.slides import jpegs
from tests.slides.likeness import ALIKE, likeness
from tests.slides.svs import label_picture
from tests.slides.tissue import grey, reduced, tissue

LABEL = label_picture("DOE, JANE", "MRN 00123456", "S25-10432 A3", "H&E")


@pytest.mark.parametrize("width", [90, 130, 201, 260, 387])
@pytest.mark.parametrize("place", [(0, 0), (57, 31)])
def test_a_label_in_tissue_is_found(width: int, place: tuple[int, int]) -> None:
    left, top = place
    shown = tissue(700, 600, seed=3).copy()
    small = np.asarray(Image.fromarray(LABEL).resize((width, width * 463 // 387)))
    shown[top : top + small.shape[0], left : left + small.shape[1]] = small
    again = jpegs.decode(jpegs.encode(shown, quality=60), "ycbcr")
    assert likeness(LABEL, again) > ALIKE
    assert likeness(LABEL, grey(again)) > ALIKE


def test_a_label_that_is_all_there_is_is_found() -> None:
    assert likeness(LABEL, reduced(LABEL, 251, 300)) > ALIKE


@pytest.mark.parametrize("seed", range(7, 10))
def test_tissue_is_no_label(seed: int) -> None:
    whole = tissue(700, 530, seed)
    assert likeness(LABEL, whole) < ALIKE - 0.1
    assert likeness(LABEL, reduced(whole, 350, 265)) < ALIKE - 0.1


def test_glass_is_no_label() -> None:
    assert likeness(LABEL, np.full((300, 300, 3), 255, np.uint8)) == 0
