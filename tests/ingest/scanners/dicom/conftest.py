"""A slide that was made is read whole, and compared with what other programs show of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pytest

from ingest.errors import Reason, SlideRefused
from ingest.scanners.dicom.reader import DicomReader
from tests.journeys.elsewhere import on_white
from tests.slides.dicom import make_dicom
from tests.slides.made import MadeSlide
from tests.slides.tissue import Picture

Make = Callable[..., MadeSlide]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(**options: Any) -> MadeSlide:
        return make_dicom(tmp_path / "slide", **{"width": 500, "height": 400, "tile": (128, 128), **options})

    return made


def levels_of(path: Path) -> list[Picture]:
    """Decode every level, tile by tile."""
    with DicomReader(path) as reader:
        return [level.whole().squeeze() for level in reader.scan().levels]  # type: ignore[attr-defined]


def shown_by_openslide(path: Path) -> list[Picture]:
    with openslide.OpenSlide(path) as slide:
        return [on_white(slide.read_region((0, 0), n, size)) for n, size in enumerate(slide.level_dimensions)]


def assert_known(made: MadeSlide) -> None:
    """See that every level is read as it was made."""
    found = levels_of(made.path)
    assert len(found) == len(made.levels)
    for mine, known in zip(found, made.levels, strict=True):
        assert np.array_equal(mine, known.pixels)


def reason_of(path: Path) -> Reason:
    """Tell why a slide is refused, at the latest when all its pixels are read."""
    with pytest.raises(SlideRefused) as refused:
        levels_of(path)
    return refused.value.reason
