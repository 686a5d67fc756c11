"""A database file at rest is held against what was last seen of it, before any program may write to it again."""

from collections.abc import Iterator
from pathlib import Path

from archive.catalogue import resting
from archive.catalogue.resting import Counts, NotAtRest, Seal
from archive.errors import InvalidValue
from archive.holdings.checking.faults import Fault, FaultCode
from archive.holdings.checking.rounds import Rounds

_TOLD_ONCE = (FaultCode.DATABASE_BYTES, FaultCode.DATABASE_COUNT)
"""What takes nothing from what the file says: it is told, and the file is sealed as it is now."""


class DatabaseFile:
    """One SQLite file, what is remembered of it, and what is to be remembered if it is found well.

    Parameters
    ----------
    path
        The file.
    rounds
        The record that its seal is kept in, under the file's name.
    """

    def __init__(self, path: Path, rounds: Rounds) -> None:
        self.path = path
        self.name = path.name
        self._rounds = rounds
        self._known = self._remembered()
        self.unchanged = False
        """Whether every byte is as it was when the file was last found well."""
        self.trusted = True
        """Whether nothing was found that should be found again, until the file is restored."""

    def faults(self) -> Iterator[Fault]:
        """Hold the file against its seal: with nothing written since, every byte must be the same."""
        found: list[Fault] = []
        try:
            with resting.held_still(self.path):
                found += self._compared()
        except NotAtRest:
            return  # it is being written to; its rows are checked all the same
        except resting.UNREADABLE as error:
            found.append(Fault(FaultCode.DATABASE_UNOPENED, self.name, "a database", _kind(error)))
        self.trusted = all(fault.code in _TOLD_ONCE for fault in found)
        yield from found

    def structure_faults(self) -> Iterator[Fault]:
        """Have SQLite check the structure of the file."""
        try:
            for line in resting.structure(self.path):
                yield Fault(FaultCode.DATABASE_STRUCTURE, self.name, "a sound structure", line)
        except NotAtRest:
            return
        except resting.UNREADABLE as error:
            yield Fault(FaultCode.DATABASE_STRUCTURE, self.name, "a sound structure", _kind(error))

    def seal(self) -> None:
        """Remember what the file is now; called when everything that it says was found well."""
        if self.unchanged or not self.trusted:
            return
        try:
            self._rounds.seal(self.name, resting.seal(self.path).to_json())
        except (NotAtRest, *resting.UNREADABLE):
            return  # somebody writes; it is sealed another time

    def _compared(self) -> Iterator[Fault]:
        if self._known is None:
            return
        counts = resting.counts_of(self.path)
        if self._known.counts.grew_to(counts):
            return
        if counts != self._known.counts:
            yield self._fault(FaultCode.DATABASE_COUNT, _told(self._known.counts), _told(counts))
        elif resting.sha256_of(self.path) == self._known.sha256:
            self.unchanged = True
        else:
            yield from self._changes(self._known)

    def _changes(self, known: Seal) -> Iterator[Fault]:
        """Tell in which tables something else is said; or that bytes changed which say nothing."""
        now = resting.seal(self.path).tables
        changed = sorted(name for name in {*known.tables, *now} if known.tables.get(name) != now.get(name))
        for table in changed:
            place = f"{self.name}, table {table}"
            yield Fault(FaultCode.DATABASE_CHANGED, place, "the rows that were last seen", "others")
        if not changed:
            yield self._fault(FaultCode.DATABASE_BYTES, "the bytes that were last seen", "others, in no row")

    def _fault(self, code: FaultCode, expected: str, found: str) -> Fault:
        return Fault(code, self.name, expected, found)

    def _remembered(self) -> Seal | None:
        kept = self._rounds.sealed(self.name)
        try:
            return None if kept is None else Seal.from_json(kept)
        except InvalidValue:
            return None


def _told(counts: Counts) -> str:
    return f"{counts.acts} acts, {counts.changes} changes"


def _kind(error: Exception) -> str:
    """Name an error without its text, which may hold what it could not read."""
    if isinstance(error, FileNotFoundError):
        return "no file"
    return str(getattr(error, "sqlite_errorname", "something else"))
