"""A request to be told whose some codes are: who asks, why, and how far it is. It lies sealed as a whole.

Nobody can approve one with an SQL statement: a row that was changed is no request any more.
"""

import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from archive.codes import ALPHABET, InternalKey
from ingest.keyvault.sealing import FieldKey
from ingest.keyvault.tables import lookup_request

WAITS = timedelta(days=7)
"""How long a request can be approved."""

HOLDS = timedelta(hours=24)
"""How long an approval can be used, once."""

SKEW = timedelta(minutes=1)
"""By how much a clock is put right in passing."""

_NUMBER_CHARACTERS = 8


class RequestState(StrEnum):
    """How far a request is; the value is stored."""

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Request:
    """A request to be told whose some codes are."""

    number: str
    who: str
    at: datetime
    reason: str = field(repr=False)
    keys: tuple[InternalKey, ...] = field(repr=False)
    bulk: bool = False
    state: RequestState = RequestState.ASKED
    decided_by: str = ""
    decided_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether it waits for a second person."""
        return self.state is RequestState.ASKED and _lasts(self.at, WAITS, now)

    def may_be_answered(self, now: datetime) -> bool:
        """Whether it is approved, and not used."""
        if self.state is not RequestState.APPROVED or self.decided_at is None:
            return False
        return _lasts(self.decided_at, HOLDS, now)


def _lasts(since: datetime, span: timedelta, now: datetime) -> bool:
    """Whether a time has not ended; a clock that was set back to before it does not begin it again."""
    return -SKEW <= now - since < span


def new_number() -> str:
    """Make the number of a new request, which people type."""
    return "".join(secrets.choice(ALPHABET) for _ in range(_NUMBER_CHARACTERS))


def kept(connection: Connection, key: FieldKey) -> list[Request]:
    """Open all requests that are kept; raises VaultDamaged if one was changed."""
    return [opened(key, row) for row in connection.execute(select(lookup_request)).mappings()]


def add(connection: Connection, key: FieldKey, request: Request) -> None:
    """Keep a new request."""
    connection.execute(insert(lookup_request).values(number=request.number, content=_sealed(key, request)))


def change(connection: Connection, key: FieldKey, request: Request) -> None:
    """Keep a request as it is now, in the place of what it was."""
    changed = update(lookup_request).where(lookup_request.c.number == request.number)
    connection.execute(changed.values(content=_sealed(key, request)))


def forget(connection: Connection, number: str) -> None:
    """Delete a request."""
    connection.execute(delete(lookup_request).where(lookup_request.c.number == number))


def opened(key: FieldKey, row: RowMapping) -> Request:
    """Open a request; raises VaultDamaged if it was changed."""
    content = json.loads(key.unseal(row["content"], *_place(row["number"])))
    decided = content["decided_at"]
    return Request(
        row["number"],
        content["who"],
        datetime.fromisoformat(content["at"]),
        content["reason"],
        tuple(map(InternalKey, content["keys"])),
        content["bulk"],
        RequestState(content["state"]),
        content["decided_by"],
        datetime.fromisoformat(decided) if decided else None,
    )


def _sealed(key: FieldKey, request: Request) -> bytes:
    content = {
        "who": request.who,
        "at": request.at.isoformat(),
        "reason": request.reason,
        "keys": list(request.keys),
        "bulk": request.bulk,
        "state": request.state.value,
        "decided_by": request.decided_by,
        "decided_at": request.decided_at.isoformat() if request.decided_at else None,
    }
    return key.seal(json.dumps(content).encode(), *_place(request.number))


def _place(number: str) -> tuple[str, ...]:
    return ("lookup_request", "content", number)
