"""Real slides, where there are any."""

from tests.journeys.conftest import real_slides

__all__ = ["real_slides"]
