"""The one door to what is kept; whoever is outside the archive comes in here.

Names are fetched when they are first used: what writes pixels does so without loading a database, and an archive can
be listed without loading what reads pixels. The pyramid's own names are in `archive.holdings.pixels`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archive.holdings.archive import Archive
    from archive.holdings.commit import Committed, StagedScan, Step
    from archive.holdings.place import PIXELS
    from archive.holdings.recovery import Recovered

_HOME = {
    "Archive": "archive.holdings.archive",
    "Committed": "archive.holdings.commit",
    "PIXELS": "archive.holdings.place",
    "Recovered": "archive.holdings.recovery",
    "StagedScan": "archive.holdings.commit",
    "Step": "archive.holdings.commit",
}

__all__ = ["PIXELS", "Archive", "Committed", "Recovered", "StagedScan", "Step"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"{__name__} has no {name}")
    return getattr(import_module(_HOME[name]), name)
