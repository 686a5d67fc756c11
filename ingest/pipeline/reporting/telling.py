"""What a day's report says: numbers, codes, reasons and bytes. Paths and names are not in it at all."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from archive.codes import Code
from ingest.errors import Reason
from ingest.keyvault import State
from ingest.pipeline.reporting.releasing import Hold

FULL_SOON_DAYS = 30
"""A disk that is full within this many days is told of in red: to buy one takes weeks."""


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file of a day: what people call it by, how the day ended for it, its slide's code, and its bytes."""

    number: str
    state: State
    reason: Reason | None
    code: Code | None
    source_bytes: int
    stored_bytes: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class MissingRow:
    """A row whose file has not come, by its number in its list, and since when it is awaited."""

    row: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Disk:
    """The archive's disk: what is free, and what a day of intake takes; None where nothing was ever taken in."""

    free_bytes: int
    bytes_a_day: float | None

    @property
    def days_until_full(self) -> float | None:
        """How many days of intake still fit."""
        return self.free_bytes / self.bytes_a_day if self.bytes_a_day else None


@dataclass(frozen=True, slots=True)
class DayReport:
    """One day. `waiting` counts everything that waits now, since whatever day."""

    day: date
    lines: tuple[FileLine, ...]
    expected: int
    missing: tuple[MissingRow, ...]
    waiting: int
    disk: Disk
    sources: Mapping[Hold, int]
    """How many sources of the day's slides may be released, and how many are held back for what."""

    @property
    def arrived(self) -> int:
        """Files that were delivered for the first time."""
        return sum(line.is_new for line in self.lines)

    @property
    def quarantined(self) -> dict[Reason, int]:
        """Files that wait since this day, by reason, the commonest first."""
        reasons = Counter(line.reason for line in self.lines if line.state is State.WAITS and line.reason)
        return dict(reasons.most_common())

    @property
    def delivered_bytes(self) -> int:
        """Bytes of all files of the day."""
        return sum(line.source_bytes for line in self.lines)

    @property
    def stored_bytes(self) -> int:
        """Bytes that were stored of them."""
        return sum(line.stored_bytes for line in self.lines)

    @property
    def releasable(self) -> int:
        """How many sources of the day's slides may be deleted."""
        return self.sources.get(Hold.NOTHING, 0)

    def count(self, state: State) -> int:
        """How many files ended the day in a state."""
        return sum(line.state is state for line in self.lines)
