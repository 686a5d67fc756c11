"""Slides of the tests are kept without a look at their pixels, which takes seconds each.

What is done while a slide is taken in is asked for where it is tested: with ``--screen now``, or ``screen=True``.
"""

import os
from pathlib import Path

import pytest

os.environ["COVERSLIP_SCREEN"] = "later"

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_slides() -> Path:
    """Name the folder of real slides, which hardly any machine has."""
    folder = Path(os.environ.get("COVERSLIP_TEST_SLIDES", REPOSITORY / "../shared/slides")).resolve()
    if not folder.is_dir():
        pytest.skip("real slides are not here; name their folder in COVERSLIP_TEST_SLIDES")
    return folder
