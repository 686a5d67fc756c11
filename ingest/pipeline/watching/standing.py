"""How everything in a watched folder stands: what waits, and what it waits for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ingest.delivery import Row
from ingest.pipeline.watching.lists import WatchedList


class Stand(StrEnum):
    """How a slide stands."""

    READY = "ready to be taken"
    DONE = "taken"
    ARRIVES = "still arriving"
    LACKS_PART = "waiting for its other files"
    LACKS_ROW = "waiting for a row"
    CONTESTED = "waiting for a list that says whose it is: rows contradict each other"
    STALE = "changed, or come for a row that had its file: waiting for a list that is written after that"
    QUARANTINED = "in quarantine"
    REFUSED = "refused by a person"


@dataclass(frozen=True, slots=True)
class Standing:
    """One slide: how it stands, and the row that was found for it, with the list of that row.

    ``entry`` is its number in the quarantine, where it is in there.
    """

    path: Path = field(repr=False)
    stand: Stand
    row: Row | None = field(default=None, repr=False)
    of: WatchedList | None = field(default=None, repr=False)
    entry: str = ""

    @property
    def called(self) -> str:
        """What to call it on the screen; empty where nothing is known of it but its file."""
        if self.entry:
            return f"entry {self.entry}"
        return f"row {self.row.number} of {self.of.called}" if self.row and self.of else ""


@dataclass(frozen=True, slots=True)
class View:
    """Everything at one moment. ``awaited`` are rows whose file is not there.

    ``others`` counts files that are no slide. ``arriving`` counts files, too: what is in them is not known yet.
    """

    slides: tuple[Standing, ...] = ()
    lists: tuple[WatchedList, ...] = ()
    awaited: tuple[tuple[WatchedList, Row], ...] = field(default=(), repr=False)
    faults: tuple[tuple[WatchedList, str], ...] = ()
    arriving: int = 0
    others: int = 0

    @property
    def ready(self) -> tuple[Standing, ...]:
        """What can be taken now."""
        return self.of(Stand.READY)

    def of(self, stand: Stand) -> tuple[Standing, ...]:
        """Give the slides that stand so."""
        return tuple(one for one in self.slides if one.stand is stand)

    @property
    def summary(self) -> str:
        """What waits for what, in a line."""
        slides = Counter(one.stand for one in self.slides)
        waiting = [
            _counted(slides[Stand.READY], "slide", "to be taken"),
            _counted(self.arriving, "file", "still arriving"),
            _counted(slides[Stand.ARRIVES], "slide", "waiting for files that are still arriving"),
            _counted(slides[Stand.LACKS_PART], "slide", "waiting for other files of it"),
            _counted(slides[Stand.LACKS_ROW], "slide", "waiting for a row"),
            _counted(slides[Stand.CONTESTED] + slides[Stand.STALE], "slide", "waiting for another list"),
            _counted(len(self.awaited), "row", "waiting for its file" if len(self.awaited) == 1 else "without a file"),
            _counted(slides[Stand.QUARANTINED] + slides[Stand.REFUSED], "slide", "in quarantine or refused"),
            _counted(sum(1 for one in self.lists if one.faults), "list", "with faults"),
        ]
        return ", ".join(part for part in waiting if part) or "nothing waits"


def rows_named(rows: Sequence[tuple[WatchedList, Row]], most: int) -> str:
    """Name rows by list and number, not too many of them."""
    named = [f"row {row.number} of {one.called}" for one, row in rows[:most]]
    more = len(rows) - len(named)
    return ", ".join(named) + (f" and {more:,} more" if more else "")


def _counted(count: int, what: str, how: str) -> str:
    return f"{count:,} {what}{'s' if count != 1 else ''} {how}" if count else ""
