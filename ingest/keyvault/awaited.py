"""A row of a delivery list whose file has not come is remembered, so that somebody can ask where it is.

What tells a row from every other, such as its patient and case, is kept as a look-up only: it cannot be read back. The
row is told to people by its list and its number.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from archive.errors import InvalidValue
from ingest.keyvault.sealing import FieldKey
from ingest.keyvault.tables import awaited

_BY_LOOK_UP = select(awaited).where(awaited.c.look_up == bindparam("wanted"))
_BETWEEN = select(awaited).where(
    (awaited.c.arrived == 0) | (awaited.c.arrived >= bindparam("start")),
    awaited.c.since < bindparam("end"),
)


@dataclass(frozen=True, slots=True)
class Expected:
    """A row of a list: its number, what tells it from every other row, and whether its file is there."""

    row: int
    words: tuple[str, ...] = field(repr=False)
    has_arrived: bool

    def __post_init__(self) -> None:
        if not any(self.words):
            raise InvalidValue("an expected row needs words that tell it from other rows")


@dataclass(frozen=True, slots=True)
class Awaited:
    """A row as it was remembered: when its list came, when its file did, and when that was seen to be in the archive.

    The list's name may name a patient.
    """

    row: int
    list_name: str = field(repr=False)
    feed: str | None = field(repr=False)
    since: datetime
    arrived: datetime | None
    taken: datetime | None = None


def expect(
    connection: Connection, key: FieldKey, rows: Iterable[Expected], at: datetime, list_name: str, feed: str | None
) -> None:
    """Remember rows of a list; of those that are known, note which have arrived by now."""
    now = round(at.timestamp() * 1000)
    for expected in rows:
        look_up = key.look_up("awaited", *expected.words)
        known = connection.execute(_BY_LOOK_UP, {"wanted": look_up}).mappings().one_or_none()
        if known is None:
            arrived = now if expected.has_arrived else 0
            row = {"look_up": look_up, "since": now, "arrived": arrived}
            content = {"row": expected.row, "list": list_name, "feed": feed}
            connection.execute(insert(awaited).values(**row, content=_seal(key, row, content)))
        elif expected.has_arrived and not known["arrived"]:
            content = _content(key, known)
            row = {"look_up": look_up, "since": known["since"], "arrived": now}
            changed = update(awaited).where(awaited.c.look_up == look_up)
            connection.execute(changed.values(arrived=now, content=_seal(key, row, content)))


def take(connection: Connection, key: FieldKey, words: Iterable[tuple[str, ...]], at: datetime) -> None:
    """Remember of rows, by their words, that the archive has their files; what was remembered so before stays."""
    for one in words:
        look_up = key.look_up("awaited", *one)
        known = connection.execute(_BY_LOOK_UP, {"wanted": look_up}).mappings().one_or_none()
        if known is not None and not (content := _content(key, known)).get("taken"):
            content["taken"] = round(at.timestamp() * 1000)
            changed = update(awaited).where(awaited.c.look_up == look_up)
            connection.execute(changed.values(content=_seal(key, known, content)))


def remembered(connection: Connection, key: FieldKey, words: tuple[str, ...]) -> Awaited | None:
    """Give what is remembered of a row; raises VaultDamaged if any column was changed."""
    row = connection.execute(_BY_LOOK_UP, {"wanted": key.look_up("awaited", *words)}).mappings().one_or_none()
    return opened(key, row) if row else None


def between(connection: Connection, key: FieldKey, start: datetime, end: datetime) -> tuple[Awaited, ...]:
    """List the rows that were remembered before `end` and whose files had not arrived before `start`."""
    times = {"start": round(start.timestamp() * 1000), "end": round(end.timestamp() * 1000)}
    rows = (opened(key, row) for row in connection.execute(_BETWEEN, times).mappings())
    return tuple(sorted(rows, key=lambda row: (row.since, row.row)))


def opened(key: FieldKey, row: RowMapping) -> Awaited:
    """Open what was remembered of a row; raises VaultDamaged if any column was changed."""
    content = _content(key, row)
    since = datetime.fromtimestamp(row["since"] / 1000, UTC)
    arrived, taken = (
        datetime.fromtimestamp(at / 1000, UTC) if at else None for at in (row["arrived"], content.get("taken"))
    )
    return Awaited(content["row"], content["list"], content["feed"], since, arrived, taken)


def _seal(key: FieldKey, row: Mapping[str, Any] | RowMapping, content: Mapping[str, Any]) -> bytes:
    return key.seal(json.dumps(content).encode(), *_place(row))


def _content(key: FieldKey, row: RowMapping) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(key.unseal(row["content"], *_place(row)))
    return content


def _place(row: Mapping[str, Any] | RowMapping) -> tuple[str | bytes, ...]:
    return ("awaited", "content", row["look_up"], str(row["since"]), str(row["arrived"]))
