"""What became of a delivered file, by the path it was delivered under. A path may name a patient, so it lies sealed.

It is sealed under the key of the patient whose slide the file turned out to be, so that it goes with the patient; under
the vault's own as long as nobody knows whose it is.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, func, insert, or_, select, update

from archive.codes import InternalKey
from archive.geometry import Rectangle
from ingest.errors import Reason, VaultDamaged
from ingest.keyvault.entries import Owner
from ingest.keyvault.identity import Kind, compared
from ingest.keyvault.sealing import FieldKey
from ingest.keyvault.tables import file, intake

Moment = tuple[int, int]
"""Size in bytes and time of the last change in nanoseconds: what tells a file from another under the same path."""

KeyOf = Callable[[InternalKey], FieldKey | None]
"""Gives a patient's key, or None if there is none any longer."""

PAGE = 1000
"""Entries that are opened at a time."""

_BY_LOOK_UP = select(intake).where(intake.c.look_up == bindparam("wanted"))
_BY_NUMBER = select(intake).where(intake.c.number == bindparam("wanted"))
_IN_STATES = select(intake).where(intake.c.state.in_(bindparam("wanted", expanding=True))).order_by(intake.c.since)
_AFTER = (
    select(intake)
    .where(intake.c.number > bindparam("last"), intake.c.state.in_(bindparam("wanted", expanding=True)))
    .order_by(intake.c.number)
    .limit(PAGE)
)
_NEW = insert(intake)
_CLEAR = ("number", "look_up", "state", "reason", "since", "scan", "patient", "source_bytes")


class State(StrEnum):
    """What became of a delivered file; the value is stored."""

    KEPT = "kept"
    """A scan was made of it."""
    KNOWN = "known"
    """It holds what another file held, so nothing was written."""
    WAITS = "waits"
    """It could not be taken, and waits in quarantine."""
    RELEASED = "released"
    """A person released it from quarantine; the next ingest takes it."""
    REFUSED = "refused"
    """A person refused it for good."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One delivered file: what people call it by, what became of it, and since when.

    Path, feed, ``told`` (what is needed to show why, such as the cells of a row) and ``because`` (a person's own
    words) are for the laboratory only. ``overruled`` are the reasons that a person looked at and set aside, and
    ``black_out`` the places that a person ordered to be made black before the slide is kept; each with the number of
    its region of the file, and what is of the whole file with the first.
    """

    number: str
    path: Path = field(repr=False)
    moment: Moment = field(repr=False)
    state: State
    since: datetime
    reason: Reason | None = None
    scan: InternalKey | None = field(default=None, repr=False)
    source_bytes: int = 0
    feed: str | None = field(default=None, repr=False)
    told: Mapping[str, str] = field(default_factory=dict, repr=False)
    overruled: frozenset[tuple[int, Reason]] = frozenset()
    because: str | None = field(default=None, repr=False)
    black_out: tuple[tuple[int, Rectangle], ...] = ()
    others: tuple[InternalKey, ...] = field(default=(), repr=False)
    """The scans of the other regions of the glass that the file holds."""

    @property
    def scans(self) -> tuple[InternalKey, ...]:
        """Every scan that it became."""
        return (self.scan, *self.others) if self.scan else ()


def look_up_of(vault_key: FieldKey, path: Path) -> bytes:
    """Make the blind index of a path."""
    return vault_key.look_up("intake", str(path.absolute()).encode(errors="surrogateescape"))


def find(connection: Connection, vault_key: FieldKey, key_of: KeyOf, path: Path) -> Entry | None:
    """Find what became of the file at a path."""
    row = connection.execute(_BY_LOOK_UP, {"wanted": look_up_of(vault_key, path)}).mappings().one_or_none()
    return opened(vault_key, key_of, row) if row else None


def numbered(connection: Connection, vault_key: FieldKey, key_of: KeyOf, number: str) -> Entry | None:
    """Find the entry of a number."""
    row = connection.execute(_BY_NUMBER, {"wanted": number}).mappings().one_or_none()
    return opened(vault_key, key_of, row) if row else None


def in_states(connection: Connection, vault_key: FieldKey, key_of: KeyOf, *states: State) -> tuple[Entry, ...]:
    """List the entries that are in one of these states, the oldest first."""
    rows = connection.execute(_IN_STATES, {"wanted": [state.value for state in states]}).mappings()
    return tuple(opened(vault_key, key_of, row) for row in rows)


def after(
    connection: Connection, vault_key: FieldKey, key_of: KeyOf, last: str, states: Collection[State]
) -> tuple[Entry, ...]:
    """List the next entries in these states after one, in the order of their numbers; empty at the end."""
    wanted = {"last": last, "wanted": [state.value for state in states]}
    return tuple(opened(vault_key, key_of, row) for row in connection.execute(_AFTER, wanted).mappings())


def count(connection: Connection, state: State) -> int:
    """Tell how many entries are in a state."""
    query = select(func.count()).select_from(intake).where(intake.c.state == state.value)
    return connection.scalar(query) or 0


def is_taken(connection: Connection, number: str) -> bool:
    """Tell whether a number belongs to an entry."""
    return connection.execute(_BY_NUMBER, {"wanted": number}).first() is not None


def is_source_elsewhere(connection: Connection, scan: InternalKey, look_up: bytes) -> bool:
    """Tell whether a file under another path is noted as the one that a scan was made of."""
    query = select(intake.c.number).where(
        intake.c.scan == scan, intake.c.state == State.KEPT.value, intake.c.look_up != look_up
    )
    return connection.execute(query.limit(1)).first() is not None


def write(connection: Connection, vault_key: FieldKey, entry: Entry, owner: Owner | None) -> None:
    """Write an entry, in place of what was noted under its number; its owner is the patient, where that is known."""
    row = _sealed(vault_key, entry, owner)
    changed = connection.execute(update(intake).where(intake.c.number == entry.number).values(row)).rowcount
    if not changed:
        connection.execute(_NEW, row)


def forget_patient(connection: Connection, patient: InternalKey) -> None:
    """Delete the entries of all files that turned out to be of a patient's slides."""
    scans = select(file.c.scan).where(file.c.patient == patient)
    connection.execute(delete(intake).where(or_(intake.c.patient == patient, intake.c.scan.in_(scans))))


def forget_named(connection: Connection, vault_key: FieldKey, numbers: Collection[str]) -> None:
    """Delete the entries that are nobody's yet and tell one of these numbers, by what the list said or by their path.

    The next ingest looks at these files as if for the first time. So a number counts only where it stands by itself:
    what was refused of somebody else must stay refused. An entry that cannot be read is left to the check.
    """
    wanted = {compared(Kind.CASE, number) for number in numbers}
    by_itself = [re.compile(rf"(?<![\w-]){re.escape(number)}(?![^\W_])") for number in wanted]
    for row in connection.execute(select(intake).where(intake.c.patient == "")).mappings().all():
        with suppress(VaultDamaged):
            entry = opened(vault_key, lambda _: None, row)
            told = {compared(Kind.CASE, said) for said in entry.told.values()}
            path = compared(Kind.CASE, str(entry.path))
            if wanted & told or any(number.search(path) for number in by_itself):
                connection.execute(delete(intake).where(intake.c.look_up == row["look_up"]))


def hand_over(connection: Connection, vault_key: FieldKey, key_of: KeyOf, scan: InternalKey, owner: Owner) -> None:
    """Seal the entries of a scan's files under the key of the patient whose it turned out to be.

    What a list said of them was wrong, so it is forgotten: the next ingest looks at these files as if for the first
    time, and refuses a list that still says so.
    """
    rows = connection.execute(select(intake).where(intake.c.scan == scan)).mappings().all()
    for row in rows:
        write(connection, vault_key, replace(opened(vault_key, key_of, row), told={}), owner)


def opened(vault_key: FieldKey, key_of: KeyOf, row: RowMapping) -> Entry:
    """Open an entry.

    Raises
    ------
    VaultDamaged
        If any column of its row was changed, or its look-up is not that of its path.
    """
    key = key_of(InternalKey(row["patient"])) if row["patient"] else vault_key
    if key is None:
        raise VaultDamaged()
    content = json.loads(key.unseal(row["content"], *_place(row)))
    path = Path(content["path"])
    if row["look_up"] != look_up_of(vault_key, path):
        raise VaultDamaged()
    size_bytes, mtime_ns = content["moment"]
    return Entry(
        row["number"],
        path,
        (size_bytes, mtime_ns),
        State(row["state"]),
        datetime.fromtimestamp(row["since"] / 1000, UTC),
        Reason(row["reason"]) if row["reason"] else None,
        InternalKey(row["scan"]) if row["scan"] else None,
        row["source_bytes"],
        content["feed"],
        content["told"],
        _overruled(content["overruled"]),
        content["because"],
        tuple((region, Rectangle(*sides)) for region, *sides in content.get("black_out", ())),  # older vaults have none
        others=tuple(map(InternalKey, content.get("others", ()))),  # vaults older than this have one scan of a file
    )


def _overruled(content: Sequence[Any]) -> frozenset[tuple[int, Reason]]:
    """Read which reasons were set aside where; older vaults name no region, and none that was seen in a picture."""
    pairs = [(0, one) if isinstance(one, str) else (int(one[0]), one[1]) for one in content]
    return frozenset((region, Reason(reason)) for region, reason in pairs)


def _sealed(vault_key: FieldKey, entry: Entry, owner: Owner | None) -> dict[str, Any]:
    row = {
        "number": entry.number,
        "look_up": look_up_of(vault_key, entry.path),
        "state": entry.state.value,
        "reason": entry.reason.value if entry.reason else "",
        "since": round(entry.since.timestamp() * 1000),
        "scan": entry.scan or "",
        "patient": owner.patient if owner else "",
        "source_bytes": entry.source_bytes,
    }
    content = {
        "path": str(entry.path.absolute()),
        "moment": entry.moment,
        "feed": entry.feed,
        "told": dict(entry.told),
        "overruled": sorted((region, reason.value) for region, reason in entry.overruled),
        "because": entry.because,
        "others": entry.others,
        "black_out": [(region, *place.sides) for region, place in entry.black_out],
    }
    key = owner.key if owner else vault_key
    return {**row, "content": key.seal(json.dumps(content).encode(), *_place(row))}


def _place(row: Mapping[str, Any] | RowMapping) -> tuple[str | bytes, ...]:
    clear = (row[name] for name in _CLEAR)
    return ("intake", "content", *(value if isinstance(value, str | bytes) else str(value) for value in clear))
