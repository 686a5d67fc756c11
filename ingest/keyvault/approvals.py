"""Nobody is told alone whose a code is: one person asks and gives the reason, another one approves.

RULES section 3: each reverse look-up has a purpose, an approver, a second person and a time; many at once are asked for
separately; a try that failed is an event like any other. A request is sealed as a whole, so that nobody approves one
with an SQL statement.
"""

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Engine, RowMapping, delete, insert, select, update

from archive.codes import ALPHABET, InternalKey
from archive.errors import InvalidValue, UnknownCode
from archive.wordscreen import screen
from ingest.errors import LookUpRefused
from ingest.keyvault import declarations, trail
from ingest.keyvault.database import reading, writing
from ingest.keyvault.entries import Owner
from ingest.keyvault.identity import Identity
from ingest.keyvault.keystore import KeyStore
from ingest.keyvault.sealing import FieldKey
from ingest.keyvault.tables import lookup_request

WAITS = timedelta(days=7)
"""How long a request can be approved."""

HOLDS = timedelta(hours=24)
"""How long an approval can be used, once."""

KEPT = timedelta(days=30)
"""How long a request is kept after it was made; the trail keeps its acts for ever."""

SINGLES_A_DAY = 20
"""Single requests of one account in 24 hours. Whoever needs more asks for a list, which a person looks at as a list."""

DECLARED = "identifying"
SECOND_PERSON = "second person"
NOT_REQUIRED = "not required"

_NUMBER_CHARACTERS = 8

Resolve = Callable[[Connection, InternalKey], tuple[Owner, Identity] | None]


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
        return self.state is RequestState.ASKED and now - self.at < WAITS

    def may_be_answered(self, now: datetime) -> bool:
        """Whether it is approved, and not used."""
        return self.state is RequestState.APPROVED and self.decided_at is not None and now - self.decided_at < HOLDS


class Approvals:
    """The requests of an open key vault."""

    def __init__(self, engine: Engine, store: KeyStore, resolve: Resolve) -> None:
        self._engine = engine
        self._store = store
        self._resolve = resolve

    @property
    def second_person(self) -> bool:
        """Whether a single request needs a second person; a list always does."""
        with reading(self._engine) as connection:
            return self._second_person(connection)

    def ask(self, keys: Sequence[InternalKey], who: str, reason: str, *, bulk: bool = False) -> Request:
        """Ask to be told whose keys these are; the same question, asked again, is the same request.

        Raises
        ------
        LookUpRefused
            If this account has asked for too many one by one; that it tried is written down.
        FreeTextRefused
            If the reason looks as if it held an identifier.
        """
        plain, now = screen(reason, "a reason"), datetime.now(UTC)
        if not keys or (len(keys) > 1 and not bulk):
            raise InvalidValue("ask for one code, or for a list")
        with self._turn() as connection:
            requests = self._all(connection)
            same = [one for one in requests if (one.who, one.keys, one.bulk) == (who, tuple(keys), bulk)]
            if live := [one for one in same if one.is_open(now) or one.may_be_answered(now)]:
                return live[-1]
            singles = [one for one in requests if one.who == who and not one.bulk and now - one.at < timedelta(days=1)]
            too_many = not bulk and len(singles) >= SINGLES_A_DAY
            self._tell(connection, "too many to identify" if too_many else "asked to identify", who, keys, plain)
            made = Request(_new_number(), who, now, plain, tuple(keys), bulk)
            if not bulk and not self._second_person(connection):
                made = replace(made, state=RequestState.APPROVED, decided_at=now)
            if not too_many:
                connection.execute(insert(lookup_request).values(number=made.number, content=self._sealed(made)))
                for old in requests:
                    if now - old.at > KEPT:
                        connection.execute(delete(lookup_request).where(lookup_request.c.number == old.number))
        if too_many:
            raise LookUpRefused(
                f"this account has asked for {SINGLES_A_DAY} codes in 24 hours; ask for the others as a list, with: "
                "coverslip identify-list"
            )
        return made

    def missed(self, who: str, reason: str) -> None:
        """Write down that somebody asked for a code that there is not."""
        with writing(self._engine) as connection:
            self._tell(connection, "not identified", who, [InternalKey("")], screen(reason, "a reason"))

    def waiting(self) -> tuple[Request, ...]:
        """List the requests that wait for a second person, oldest first."""
        now = datetime.now(UTC)
        with reading(self._engine) as connection:
            return tuple(sorted((r for r in self._all(connection) if r.is_open(now)), key=lambda request: request.at))

    def of(self, who: str) -> tuple[Request, ...]:
        """List the requests of an account that are kept, newest first."""
        with reading(self._engine) as connection:
            own = [request for request in self._all(connection) if request.who == who]
        return tuple(sorted(own, key=lambda request: request.at, reverse=True))

    def decide(self, number: str, who: str, reason: str, *, approve: bool) -> Request:
        """Approve a request of somebody else, or refuse it.

        Raises
        ------
        UnknownCode
            If no request of this number waits.
        LookUpRefused
            If it is the account's own; that it tried is written down.
        """
        plain, now = screen(reason, "a reason"), datetime.now(UTC)
        with self._turn() as connection:
            request = self._of(connection, number)
            if request is None or not request.is_open(now):
                raise UnknownCode("no request of this number waits; list them with: coverslip approve")
            own = request.who == who
            state = RequestState.APPROVED if approve else RequestState.REFUSED
            act = "tried to approve own" if own else f"{state} to identify"
            self._tell(connection, act, who, request.keys, plain)
            if not own:
                request = replace(request, state=state, decided_by=who, decided_at=now)
                self._keep(connection, request)
        if own:
            raise LookUpRefused("a request is approved by another person than the one who asks")
        return request

    def answer(self, number: str, who: str) -> tuple[Identity | None, ...]:
        """Tell whose keys they are, once, to the account that asked; None for one that the vault does not have.

        Raises
        ------
        LookUpRefused
            If nobody approved it, or not in time, or it was answered before; that it was tried is written down.
        """
        now = datetime.now(UTC)
        with self._turn() as connection:
            request = self._of(connection, number)
            fits = request is not None and request.who == who and request.may_be_answered(now)
            if request is None or not fits:
                keys = request.keys if request else (InternalKey(""),)
                self._tell(connection, "not answered", who, keys, "not approved, or not to this account")
                found = None
            else:
                found = tuple(self._told(connection, key, request) for key in request.keys)
                self._keep(connection, replace(request, state=RequestState.ANSWERED))
        if found is None:
            raise LookUpRefused("this request is not approved, or was answered before; ask again")
        return found

    def require_second_person(self, required: bool, who: str, reason: str) -> None:
        """Declare whether single requests need a second person; who said so and why is in the trail."""
        plain = screen(reason, "a reason")
        text = "required" if required else NOT_REQUIRED
        with writing(self._engine) as connection:
            declarations.add(connection, self._store.vault_key, DECLARED, SECOND_PERSON, text)
            trail.append(connection, self._store.vault_key, f"second person {text}", who, "", plain)

    def _told(self, connection: Connection, key: InternalKey, request: Request) -> Identity | None:
        found = self._resolve(connection, key)
        approver = f"approved by {request.decided_by}" if request.decided_by else "no second person required"
        why = f"{request.reason}; request {request.number}, {approver}"
        if found is None:
            trail.append(connection, self._store.vault_key, "not identified", request.who, key, why)
            return None
        owner, identity = found
        trail.append(connection, owner.key, "identified", request.who, key, why, patient=owner.patient)
        return identity

    def _tell(self, connection: Connection, act: str, who: str, keys: Sequence[InternalKey], reason: str) -> None:
        for key in keys:
            trail.append(connection, self._store.vault_key, act, who, key, reason)

    def _second_person(self, connection: Connection) -> bool:
        said = declarations.in_force(connection, self._store.vault_key, DECLARED)
        return said.get(SECOND_PERSON) != NOT_REQUIRED

    @contextmanager
    def _turn(self) -> Iterator[Connection]:
        """Write while nobody else does, so that what was read still holds when it is changed."""
        with writing(self._engine) as connection:
            trail.newest(connection, lock=True)
            yield connection

    def _all(self, connection: Connection) -> list[Request]:
        rows = connection.execute(select(lookup_request)).mappings()
        return [opened(self._store.vault_key, row) for row in rows]

    def _of(self, connection: Connection, number: str) -> Request | None:
        wanted = number.strip().upper()
        return next((one for one in self._all(connection) if one.number == wanted), None)

    def _keep(self, connection: Connection, request: Request) -> None:
        changed = update(lookup_request).where(lookup_request.c.number == request.number)
        connection.execute(changed.values(content=self._sealed(request)))

    def _sealed(self, request: Request) -> bytes:
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
        return self._store.vault_key.seal(json.dumps(content).encode(), *_place(request.number))


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


def _place(number: str) -> tuple[str, ...]:
    return ("lookup_request", "content", number)


def _new_number() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(_NUMBER_CHARACTERS))
