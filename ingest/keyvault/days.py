"""What a day brought is asked of the register: what happened on it, and which rows still wait for their files."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from ingest.keyvault import awaited, history
from ingest.keyvault.awaited import Awaited, Expected
from ingest.keyvault.database import reading
from ingest.keyvault.history import Event
from ingest.keyvault.room import Room


class Days(Room):
    """The part of the register that is asked by days."""

    def expect(self, rows: Iterable[Expected], *, list_name: str = "", feed: str | None = None) -> None:
        """Remember the rows of a list that came in, and which of their files are there; once more changes nothing."""
        with self._turn() as connection:
            awaited.expect(connection, self._store.vault_key, rows, now(), list_name, feed)

    def expected(self, words: tuple[str, ...]) -> Awaited | None:
        """Give what is remembered of a row; None if it was never expected."""
        with reading(self._engine) as connection:
            return awaited.remembered(connection, self._store.vault_key, words)

    def take(self, words: Iterable[tuple[str, ...]]) -> None:
        """Remember of expected rows that the archive has their files, so that none of them is taken for another's."""
        with self._turn() as connection:
            awaited.take(connection, self._store.vault_key, words, now())

    def awaited(self, day: date) -> tuple[Awaited, ...]:
        """List the rows whose lists came on this day, or earlier and whose files had not come before it."""
        with reading(self._engine) as connection:
            return awaited.between(connection, self._store.vault_key, *_bounds(day))

    def day(self, day: date) -> Iterator[Event]:
        """Give everything that happened on a day, by the machine's clock, in its order."""
        with reading(self._engine) as connection:
            events = tuple(history.between(connection, self._store.vault_key, *_bounds(day)))
        return iter(events)

    def stored_by_day(self, until: date, days: int) -> dict[date, int]:
        """Give the bytes stored on each of the last days, up to and with one, on which anything was stored."""
        with reading(self._engine) as connection:
            return history.stored_by_day(connection, _bounds(until)[1], days)


def now() -> datetime:
    """Give the time as it is stored: UTC, to the millisecond."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _bounds(day: date) -> tuple[datetime, datetime]:
    """When a day begins and ends where the machine is."""
    begins = datetime.combine(day, time.min).astimezone()
    return begins, datetime.combine(day + timedelta(1), time.min).astimezone()
