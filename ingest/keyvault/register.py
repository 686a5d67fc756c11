"""What became of every file that was ever delivered: kept, known already, waiting for somebody, or refused for good.

A file is found by its path without opening any other entry, so that a delivery of thousands is compared with a
register of a million in seconds. Every change is kept as an event, of which any day's report can be made.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import Connection

from archive.codes import InternalKey
from archive.errors import InvalidValue, UnknownCode
from archive.geometry import Rectangle
from archive.wordscreen import screen
from ingest.errors import Reason
from ingest.keyvault import files, history, noted, trail
from ingest.keyvault.awaited import Awaited, Expected
from ingest.keyvault.database import reading, writing
from ingest.keyvault.days import Days, now
from ingest.keyvault.entries import Owner
from ingest.keyvault.history import Event
from ingest.keyvault.noted import Entry, Moment, State

__all__ = ["Awaited", "Entry", "Event", "Expected", "Moment", "Register", "State"]

NUMBER_BYTES = 4
"""An entry's number tells nothing of its file; it is typed by people, so it is short."""

_BY_HAND = {State.RELEASED: "released file", State.REFUSED: "refused file"}
_BLACK = "ordered black"
_NOTHING: Mapping[str, str] = MappingProxyType({})


class Register(Days):
    """The register of delivered files in an open key vault. Every method is one transaction."""

    def find(self, path: Path) -> Entry | None:
        """Find what became of the file at a path; None if no file was ever delivered under it."""
        with reading(self._engine) as connection:
            return self._find(connection, path)

    def entry(self, number: str) -> Entry:
        """Give the entry of a number.

        Raises
        ------
        UnknownCode
            If there is none.
        """
        with reading(self._engine) as connection:
            return self._noted(connection, number)

    def waiting(self) -> tuple[Entry, ...]:
        """List the files that wait in quarantine, the longest-waiting first."""
        return self.in_state(State.WAITS)

    def in_state(self, *states: str) -> tuple[Entry, ...]:
        """List the files that are in one of these states, the oldest first."""
        with reading(self._engine) as connection:
            return noted.in_states(connection, self._store.vault_key, self._store.key_of, *map(State, states))

    def entries(self, numbers: Iterable[str]) -> dict[str, Entry]:
        """Give the entries of these numbers; one that is no more, because its patient was erased, is left out."""
        with reading(self._engine) as connection:
            key, key_of = self._store.vault_key, self._store.key_of
            found = (noted.numbered(connection, key, key_of, number) for number in numbers)
            return {entry.number: entry for entry in found if entry is not None}

    def each(self, *states: str) -> Iterator[Entry]:
        """Give all entries in these states one by one, in no order that means anything; memory stays flat."""
        wanted, last = [State(state) for state in states], ""
        while True:
            with reading(self._engine) as connection:
                page = noted.after(connection, self._store.vault_key, self._store.key_of, last, wanted)
            yield from page
            if not page:
                return
            last = page[-1].number

    def count(self, state: str) -> int:
        """Tell how many files are in a state."""
        with reading(self._engine) as connection:
            return noted.count(connection, State(state))

    def note(
        self,
        path: Path,
        state: str,
        *,
        moment: Moment,
        reason: str | None = None,
        scan: InternalKey | None = None,
        others: Iterable[InternalKey] = (),
        source_bytes: int = 0,
        stored_bytes: int = 0,
        feed: str | None = None,
        told: Mapping[str, str] = _NOTHING,
        who: str = "ingest",
    ) -> Entry:
        """Note what became of a file. What is noted already is no second event.

        A file that a person refused for good stays refused until it changes or a person takes that back, and what a
        person overruled about it, or ordered to be made black in it, stays so as long. A file that is *known*, whose
        scan is not noted as made of any other file, is the scan's own source: the ingest that made it was killed before
        it could write that down.

        Parameters
        ----------
        path
            The file; for a multi-file slide its main file.
        state
            A `State`.
        moment
            Its size and time of last change when it was looked at.
        reason
            Why it waits; the code of a `Reason`.
        scan
            The scan that it became or that holds the same; needed for what is kept or known.
        others
            The scans of its other regions of the glass, where it holds several.
        source_bytes, stored_bytes
            Bytes of all its parts as delivered, and of the scan as stored; only what is kept is counted as stored.
        feed
            The name of its feed.
        told
            What else is needed to show why, such as ``{"list case": ..., "file case": ...}``. It lies sealed.
        who
            The account.

        Raises
        ------
        UnknownCode
            If the vault has no such scan.
        """
        wanted = Entry(
            "",
            path.absolute(),
            moment,
            State(state),
            now(),
            Reason(reason) if reason else None,
            scan,
            source_bytes,
            feed,
            told,
            others=tuple(others),
        )
        with self._turn() as connection:
            before = self._find(connection, path)
            entry = self._following(connection, before, wanted)
            self._write(connection, before, entry, stored_bytes, who)
            return entry

    def judge(
        self,
        number: str,
        state: str,
        who: str,
        why: str,
        overruled: Iterable[tuple[int, Reason]] = (),
        black_out: Sequence[tuple[int, Rectangle]] = (),
    ) -> Entry:
        """Note that a person released or refused a file; who and why go into the vault's trail.

        Parameters
        ----------
        number, state
            Which file, and what becomes of it.
        who, why
            The account, and what that person said.
        overruled
            Reasons that are none any more for exactly this file, each with the number of the region on which it was
            seen; what is of the whole file, with the first.
        black_out
            Places that are made black in exactly this file before it is kept, besides those ordered before; each with
            the number of its region.

        Raises
        ------
        UnknownCode
            If there is no such entry.
        InvalidValue
            If no account or no reason is given, or a person cannot put a file into this state.
        FreeTextRefused
            If the reason looks as if it held an identifier.
        """
        if state not in _BY_HAND:
            raise InvalidValue("a person can release a file or refuse it, nothing else")
        decided = State(state)
        if not why.strip():
            raise InvalidValue("say why, such as who was asked and what the label says")
        why = screen(why, "a reason")
        with writing(self._engine) as connection:
            act = _BLACK if black_out else _BY_HAND[decided]
            trail.append(connection, self._store.vault_key, act, who, number, why)
            before = self._noted(connection, number)
            reason = Reason.REFUSED_BY_HAND if decided is State.REFUSED else before.reason
            set_aside = frozenset(overruled) | before.overruled
            black = tuple(dict.fromkeys((*before.black_out, *black_out)))
            judged = replace(before, state=decided, since=now(), reason=reason, because=why)
            entry = replace(judged, overruled=set_aside, black_out=black)
            self._write(connection, before, entry, 0, who)
            return entry

    def looked_at(self, number: str, who: str) -> None:
        """Write down that a person looked at what may name a patient: a file's picture, or the words of its row."""
        with writing(self._engine) as connection:
            self._noted(connection, number)
            trail.append(connection, self._store.vault_key, "looked at file", who, number)

    def _find(self, connection: Connection, path: Path) -> Entry | None:
        return noted.find(connection, self._store.vault_key, self._store.key_of, path)

    def _noted(self, connection: Connection, number: str) -> Entry:
        found = noted.numbered(connection, self._store.vault_key, self._store.key_of, number)
        if found is None:
            raise UnknownCode("there is no file of this number; see: coverslip quarantine list")
        return found

    def _following(self, connection: Connection, before: Entry | None, wanted: Entry) -> Entry:
        """Work out what is noted of a file after what was noted before."""
        if wanted.state is State.KNOWN and wanted.scan is not None:
            look_up = noted.look_up_of(self._store.vault_key, wanted.path)
            if not noted.is_source_elsewhere(connection, wanted.scan, look_up):
                wanted = replace(wanted, state=State.KEPT)
        if before is None:
            return replace(wanted, number=_new_number(connection))
        if before.moment == wanted.moment:
            if before.state is State.REFUSED and wanted.state is State.WAITS:
                return before
            wanted = replace(wanted, overruled=before.overruled, because=before.because)
            wanted = replace(wanted, black_out=before.black_out)
        since = before.since if _is_same(before, wanted) else wanted.since
        return replace(wanted, number=before.number, since=since)

    def _write(self, connection: Connection, before: Entry | None, entry: Entry, stored_bytes: int, who: str) -> None:
        if entry == before:
            return
        noted.write(connection, self._store.vault_key, entry, self._owner_of(connection, entry.scan))
        if before is None or not _is_same(before, entry):
            event = Event(
                entry.since,
                entry.number,
                entry.state,
                entry.reason,
                entry.source_bytes,
                stored_bytes if entry.state is State.KEPT else 0,
                entry.feed,
                before is None,
                who,
            )
            history.append(connection, self._store.vault_key, event)

    def _owner_of(self, connection: Connection, scan: InternalKey | None) -> Owner | None:
        if scan is None:
            return None
        row = files.row_of_scan(connection, scan)
        if row is None:
            raise UnknownCode("the key vault has no such scan")
        return self._owner(row["patient"])


def _is_same(before: Entry, after: Entry) -> bool:
    return (before.state, before.reason, before.scans) == (after.state, after.reason, after.scans)


def _new_number(connection: Connection) -> str:
    while True:
        number = secrets.token_hex(NUMBER_BYTES)
        if not noted.is_taken(connection, number):
            return number
