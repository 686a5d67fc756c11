"""Real slides, where there are any; and the system's library that cuts JPEG streams, which a machine may lack."""

import os

import pytest

from ingest.scanners.cropping import can_cut
from tests.journeys.conftest import real_slides

__all__ = ["real_slides"]


@pytest.fixture
def cutting() -> None:
    """Skip what needs the library where it is missing."""
    if not can_cut():
        absent = pytest.fail if os.environ.get("COVERSLIP_TEST_REQUIRE") == "all" else pytest.skip
        absent("libturbojpeg is missing: apt-get install libturbojpeg0")
