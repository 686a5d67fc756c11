"""How a refusal is expected, and where real slides lie."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.errors import Reason, SlideRefused
from ingest.precheck import Family, precheck

REPOSITORY = Path(__file__).parents[3]


def outcome_of(path: Path) -> Family | Reason:
    """Return what a file is, or why it is refused; anything else than these two fails the test."""
    try:
        return precheck(path)
    except SlideRefused as refused:
        return refused.reason


@pytest.fixture
def outcome() -> Callable[[Path], Family | Reason]:
    return outcome_of


@pytest.fixture
def real_slides() -> Path:
    folder = Path(os.environ.get("COVERSLIP_TEST_SLIDES", REPOSITORY / "../shared/slides")).resolve()
    if not folder.is_dir():
        pytest.skip("real slides are not here; name their folder in COVERSLIP_TEST_SLIDES")
    return folder
