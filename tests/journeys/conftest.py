"""Where real slides lie, if there are any on this machine."""

import os
from pathlib import Path

import pytest

from tests.journeys.laboratory import ROOT


@pytest.fixture(scope="session")
def real_slides() -> Path:
    """Give the folder of real slides. Hardly any machine has it, so it may be absent even where no other thing may."""
    folder = Path(os.environ.get("COVERSLIP_TEST_SLIDES", ROOT / "../shared/slides")).resolve()
    if not folder.is_dir():
        pytest.skip("real slides are not on this machine; name their folder in COVERSLIP_TEST_SLIDES")
    return folder
