"""A laboratory's day: what was expected, what came, what became of it, and what may be deleted. It names nobody."""

from ingest.pipeline.reporting.gathering import gather
from ingest.pipeline.reporting.page import page_of
from ingest.pipeline.reporting.releasing import Hold, Releasing, Source
from ingest.pipeline.reporting.telling import DayReport, Disk, FileLine, MissingRow

__all__ = [
    "DayReport",
    "Disk",
    "FileLine",
    "Hold",
    "MissingRow",
    "Releasing",
    "Source",
    "gather",
    "page_of",
]
