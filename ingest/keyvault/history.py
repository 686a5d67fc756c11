"""Every change of what became of a delivered file is kept, so that any day can be reported again. It names nobody."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, func, insert, select

from ingest.errors import Reason
from ingest.keyvault.noted import State
from ingest.keyvault.sealing import FieldKey
from ingest.keyvault.tables import intake_event

_NEWEST = select(func.max(intake_event.c.number))
_NEW = insert(intake_event)
_BETWEEN = (
    select(intake_event)
    .where(intake_event.c.at >= bindparam("start"), intake_event.c.at < bindparam("end"))
    .order_by(intake_event.c.number)
)
_STORED = (
    select(intake_event.c.at, intake_event.c.stored_bytes)
    .where(intake_event.c.stored_bytes > 0, intake_event.c.at < bindparam("end"))
    .order_by(intake_event.c.at.desc())
)
_CLEAR = ("number", "at", "entry", "state", "reason", "source_bytes", "stored_bytes")


@dataclass(frozen=True, slots=True)
class Event:
    """One change: when, of which entry, into which state and why, and the bytes that were delivered and stored.

    ``is_first`` says that the file was never seen before.
    """

    at: datetime
    number: str
    state: State
    reason: Reason | None
    source_bytes: int
    stored_bytes: int
    feed: str | None
    is_first: bool
    who: str

    @property
    def is_duplicate(self) -> bool:
        """Whether the file holds what another file held."""
        return self.state is State.KNOWN


def append(connection: Connection, key: FieldKey, event: Event) -> None:
    """Append an event, in the transaction of the change."""
    row = {
        "number": (connection.scalar(_NEWEST) or 0) + 1,
        "at": round(event.at.timestamp() * 1000),
        "entry": event.number,
        "state": event.state.value,
        "reason": event.reason.value if event.reason else "",
        "source_bytes": event.source_bytes,
        "stored_bytes": event.stored_bytes,
    }
    content = json.dumps({"feed": event.feed, "first": event.is_first, "who": event.who})
    connection.execute(_NEW, {**row, "content": key.seal(content.encode(), *_place(row))})


def between(connection: Connection, key: FieldKey, start: datetime, end: datetime) -> Iterator[Event]:
    """Give the events from a time up to and without another, in their order."""
    times = {"start": round(start.timestamp() * 1000), "end": round(end.timestamp() * 1000)}
    for row in connection.execute(_BETWEEN, times).mappings():
        yield opened(key, row)


def stored_by_day(connection: Connection, end: datetime, days: int) -> dict[date, int]:
    """Add up the bytes stored on each of the last days, by the machine's clock, on which anything was stored."""
    found: dict[date, int] = {}
    for at, stored_bytes in connection.execute(_STORED, {"end": round(end.timestamp() * 1000)}):
        day = datetime.fromtimestamp(at / 1000).date()
        if day not in found and len(found) == days:
            break
        found[day] = found.get(day, 0) + stored_bytes
    return found


def opened(key: FieldKey, row: RowMapping) -> Event:
    """Open an event; raises VaultDamaged if any column of its row was changed."""
    content = json.loads(key.unseal(row["content"], *_place(row)))
    return Event(
        datetime.fromtimestamp(row["at"] / 1000, UTC),
        row["entry"],
        State(row["state"]),
        Reason(row["reason"]) if row["reason"] else None,
        row["source_bytes"],
        row["stored_bytes"],
        content["feed"],
        content["first"],
        content["who"],
    )


def _place(row: Mapping[str, Any] | RowMapping) -> tuple[str | bytes, ...]:
    return ("intake_event", "content", *(str(row[name]) for name in _CLEAR))
