"""Slides of real scanners, where there are any."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def slides() -> Path | None:
    """Name the folder of real slides, or None."""
    folder = Path(os.environ.get("COVERSLIP_TEST_SLIDES", REPOSITORY / "../shared/slides")).resolve()
    return folder if folder.is_dir() else None


@pytest.fixture
def real_slides(slides: Path | None) -> Path:
    if slides is None:
        pytest.skip("real slides are not here; name their folder in COVERSLIP_TEST_SLIDES")
    return slides
