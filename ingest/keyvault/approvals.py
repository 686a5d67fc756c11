"""Nobody is told alone whose a code is: one person asks and gives the reason, another one approves.

RULES section 3: each reverse look-up has a purpose, an approver, a second person and a time; many at once are asked for
separately; a try that failed is an event like any other.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from archive.codes import InternalKey
from archive.errors import InvalidValue, UnknownCode
from archive.wordscreen import screen
from ingest.errors import LookUpRefused
from ingest.keyvault import declarations, requests, trail
from ingest.keyvault.database import reading, writing
from ingest.keyvault.identity import Identity
from ingest.keyvault.requests import Request, RequestState
from ingest.keyvault.room import Room

KEPT = timedelta(days=30)
"""How long a request is kept after it was made; the trail keeps its acts for ever."""

SINGLES_A_DAY = 20
"""Single requests of one account in 24 hours. Whoever needs more asks for a list, which a person looks at as a list."""

DECLARED = "identifying"
SECOND_PERSON = "second person"
NOT_REQUIRED = "not required"


class Approvals(Room):
    """The requests of an open key vault."""

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
            known = self._all(connection)
            same = [one for one in known if (one.who, one.keys, one.bulk) == (who, tuple(keys), bulk)]
            if live := [one for one in same if one.is_open(now) or one.may_be_answered(now)]:
                return live[-1]
            singles = [one for one in known if one.who == who and not one.bulk and now - one.at < timedelta(days=1)]
            too_many = not bulk and len(singles) >= SINGLES_A_DAY
            self._tell(connection, "too many to identify" if too_many else "asked to identify", who, keys, plain)
            made = Request(requests.new_number(), who, now, plain, tuple(keys), bulk)
            if not bulk and not self._second_person(connection):
                made = replace(made, state=RequestState.APPROVED, decided_at=now)
            if not too_many:
                requests.add(connection, self._store.vault_key, made)
                for old in known:
                    if now - old.at > KEPT:
                        requests.forget(connection, old.number)
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
                requests.change(connection, self._store.vault_key, request)
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
                requests.change(connection, self._store.vault_key, replace(request, state=RequestState.ANSWERED))
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
        found = self._identity(connection, key)
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

    def _all(self, connection: Connection) -> list[Request]:
        return requests.kept(connection, self._store.vault_key)

    def _of(self, connection: Connection, number: str) -> Request | None:
        wanted = number.strip().upper()
        return next((one for one in self._all(connection) if one.number == wanted), None)
