"""Lists are dropped into the folder like slides, and may come before them, after them, or again with corrections."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ingest.delivery import ColumnMapping, Fault, Feed, Row, read_delivery
from ingest.errors import DeliveryListInvalid
from ingest.pipeline.watching.settling import Settling
from ingest.quarantine.moment import Moment


@dataclass(frozen=True, slots=True)
class WatchedList:
    """A list: what people call it by, where it lies, as of when, and its rows; none if it has faults."""

    number: int
    path: Path = field(repr=False)
    moment: Moment
    rows: tuple[Row, ...] = field(default=(), repr=False)
    faults: tuple[str, ...] = ()

    @property
    def called(self) -> str:
        """What to call it on the screen, never its name."""
        return f"list {self.number}"


class Lists:
    """The lists of a folder; one that has not changed is not read again.

    Parameters
    ----------
    mapping
        What the laboratory's own export calls columns and words.
    feed
        The feed that they are of.
    named
        A list that lies elsewhere.
    may_attest
        Whether a row may say what somebody attests; not where nobody is there to prove who answers for it.
    """

    def __init__(
        self, mapping: ColumnMapping | None, feed: Feed | None, named: Path | None, *, may_attest: bool = True
    ) -> None:
        self._may_attest = may_attest
        self._mapping, self._feed, self._named = mapping, feed, named.absolute() if named else None
        self._numbers: dict[Path, int] = {}
        self._read: dict[Path, WatchedList] = {}

    def is_list(self, path: Path) -> bool:
        """Tell whether a file is taken for a list, and not for a slide."""
        return path == self._named or path.suffix.lower() == ".csv"

    def read(self, settling: Settling) -> tuple[WatchedList, ...]:
        """Give the lists that have settled, as they are now; one that is being written says nothing."""
        there = [path for path in settling.files if self.is_list(path) and settling.is_settled(path)]
        self._read = {path: self._one(path, settling.moment(path) or (0, 0)) for path in there}
        return tuple(sorted(self._read.values(), key=lambda one: one.number))

    def _one(self, path: Path, moment: Moment) -> WatchedList:
        known = self._read.get(path)
        if known is not None and known.moment == moment:
            return known
        number = self._numbers.setdefault(path, len(self._numbers) + 1)
        try:
            rows = read_delivery(path, self._mapping, self._feed)
            faults = () if self._may_attest else tuple(str(_attested(row)) for row in rows if row.evidence)
            return WatchedList(number, path, moment, rows=() if faults else rows, faults=faults)
        except DeliveryListInvalid as error:
            return WatchedList(number, path, moment, faults=tuple(map(str, error.faults)))


def _attested(row: Row) -> Fault:
    expected = "nobody's, because nobody answers for it here; take the list in with: coverslip ingest"
    return Fault(row.number, "", "somebody's attestation", expected)


def names(lists: Iterable[WatchedList]) -> frozenset[str]:
    """Give the names of files that lists speak of."""
    return frozenset(row.file.name for one in lists for row in one.rows if row.file)
