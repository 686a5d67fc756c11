"""A folder that scanners and people copy into: what in it is whole, whose it is, and what waits for what.

Nothing here is remembered that matters. What became of a file stands in the key vault's register; whatever else is
known of a folder is found again by looking at it.
"""

from ingest.pipeline.watching.lists import WatchedList
from ingest.pipeline.watching.settling import Settling
from ingest.pipeline.watching.standing import Stand, Standing, View
from ingest.pipeline.watching.watcher import Watched, Watcher

__all__ = ["Settling", "Stand", "Standing", "View", "Watched", "WatchedList", "Watcher"]
