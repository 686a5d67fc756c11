"""One door to everything about accounts: who there is, who is in, by which token, and what the access trail says.

Every change is in the trail, in the transaction that makes it. A worker asks `change_count` to know whether what it
remembers still holds.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from sqlalchemy import Connection

from archive.accounts import door, openings, passwords, register, sessions, tokens, trail
from archive.accounts.authority import allowed
from archive.accounts.database import FILE, Database
from archive.accounts.limits import Limits
from archive.accounts.roles import Action, Role
from archive.accounts.values import Account, AccountState, Actor, Grant, NewToken, Session, Token
from archive.auditchain import Entry, Fault, Head, Trail, Value
from archive.errors import AccountsUnavailable, NotAllowed, SignInRefused, UnknownAccount

COMMAND_LINE = "command-line"
"""Stands in the trail for whoever can write the account database itself, and so needs no account."""


class AccountStore:
    """The accounts of one archive. Safe to use from several threads; a forked process opens its own."""

    def __init__(self, database: Database, limits: Limits, clock: Callable[[], float]) -> None:
        self._database = database
        self._limits = limits
        self._now = clock

    @staticmethod
    def exists(folder: Path) -> bool:
        """Tell whether an archive has accounts; without any it is shown on its own machine only."""
        return (folder / FILE).exists()

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        create: bool = False,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> "AccountStore":
        """Open the accounts of the archive in a folder.

        Parameters
        ----------
        folder
            The archive's folder.
        create
            Make an empty store first.
        limits
            How long somebody is let in, and how often a wrong password is borne.
        clock
            Gives the time in seconds since 1970, UTC.

        Raises
        ------
        AccountsUnavailable, CatalogueUnavailable
            If there are none, there are some already that were to be made, or the disk cannot be used.
        """
        if create:
            Database.make(folder / FILE)
        elif not cls.exists(folder):
            raise AccountsUnavailable(
                "this archive has no accounts yet; make the first one with: coverslip account add NAME --role custodian"
            )
        database = Database(folder / FILE)
        try:
            database.require_usable()
        except BaseException:
            database.close()
            raise
        return cls(database, limits or Limits(), clock)

    def close(self) -> None:
        """Close the database; closing twice is harmless."""
        self._database.close()

    def __enter__(self) -> "AccountStore":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # Who there is

    def accounts(self) -> tuple[Account, ...]:
        """Tell what is known of every account, in the order of names."""
        with self._database.reading() as connection:
            return register.all_accounts(connection, self._now())

    def account(self, name: str) -> Account:
        """Tell what is known of an account; raises UnknownAccount if there is none of that name."""
        with self._database.reading() as connection:
            return register.account_of(connection, name, self._now())

    def add(
        self,
        name: str,
        password: str | None = None,
        grants: Iterable[Grant] = (),
        *,
        by: Actor | str = COMMAND_LINE,
    ) -> Account:
        """Add an account. Without a password it signs in through the hospital's own sign-in only.

        Raises
        ------
        InvalidValue
            If the name cannot be one or is taken, the password is too easy to guess, or nobody would be custodian.
        """
        kept, given = passwords.hashed(password, name) if password is not None else None, tuple(grants)
        with self._database.writing() as connection:
            register.add(connection, name, kept, given)
            register.require_custodian(connection)
            self._tell(connection, "add account", by, account=name, grants=[str(grant) for grant in given])
            return register.account_of(connection, name, self._now())

    def grant(self, name: str, role: Role, project: str | None = None, *, by: Actor | str = COMMAND_LINE) -> None:
        """Give an account a role; one that it has stays as it is."""
        grant = Grant(role, project)
        with self._changing(name) as connection:
            if register.give(connection, name, grant):
                self._tell(connection, "grant role", by, account=name, grant=str(grant))

    def revoke(self, name: str, role: Role, project: str | None = None, *, by: Actor | str = COMMAND_LINE) -> None:
        """Take a role away; sessions and tokens in it end at once."""
        grant = Grant(role, project)
        with self._changing(name) as connection:
            if register.take(connection, name, grant):
                self._tell(connection, "revoke role", by, account=name, grant=str(grant))

    def disable(self, name: str, *, by: Actor | str = COMMAND_LINE) -> None:
        """Let an account in no more; its sessions and tokens end at once. It stays, because trails name it."""
        with self._changing(name) as connection:
            register.set_state(connection, name, AccountState.DISABLED)
            self._end_all(connection, name)
            self._tell(connection, "disable account", by, account=name)

    def enable(self, name: str, *, by: Actor | str = COMMAND_LINE) -> None:
        """Let a disabled account in again."""
        with self._changing(name) as connection:
            register.set_state(connection, name, AccountState.ACTIVE)
            self._tell(connection, "enable account", by, account=name)

    def unlock(self, name: str, *, by: Actor | str = COMMAND_LINE) -> None:
        """Let an account be tried again before its lock-out ends."""
        with self._changing(name) as connection:
            register.unlock(connection, name)
            self._tell(connection, "unlock account", by, account=name)

    def set_password(self, name: str, password: str, *, by: Actor | str = COMMAND_LINE) -> None:
        """Set a password; the account's sessions and tokens end, in case the old one was known to somebody else."""
        kept = passwords.hashed(password, name)
        with self._changing(name) as connection:
            register.set_password(connection, name, kept)
            self._end_all(connection, name)
            self._tell(connection, "set password", by, account=name)

    # Who is in

    def sign_in(self, name: str, password: str) -> Session:
        """Let a person in by password. It takes a tenth of a second of a core: call it from a thread.

        Raises
        ------
        SignInRefused
            If there is no such account, it is disabled or locked, or the password does not fit; the same for all, and
            after the same time.
        """

        def begin(connection: Connection) -> Session:
            return self._begin(connection, name, "password")

        return door.prove(self._database, self._limits, self._now(), name, password, begin)

    def sign_in_vouched(self, name: str, voucher: str) -> Session:
        """Let a person in whom another system vouches for, such as the hospital's own sign-in.

        Raises
        ------
        SignInRefused
            If there is no such account, or it is disabled.
        """
        with self._database.writing() as connection:
            row = register.row_of(connection, name)
            if row is not None and row.state == AccountState.ACTIVE:
                return self._begin(connection, name, voucher)
        raise SignInRefused

    def act_as(self, name: str, password: str, action: Action, project: str | None = None) -> Actor:
        """Let a person do one thing by password, in a role that they hold and that may do it; no session begins.

        Raises
        ------
        SignInRefused
            As for `sign_in`.
        NotAllowed
            If the password fits and no role of theirs may do it.
        """

        def choose(connection: Connection) -> Actor | None:
            fitting = (g for g in register.grants_of(connection, name) if allowed(g.role, action))
            grant = next((g for g in fitting if project is None or g.project in (None, project)), None)
            return Actor(name, grant.role, grant.project) if grant is not None else None

        actor = door.prove(self._database, self._limits, self._now(), name, password, choose)
        if actor is None:
            raise NotAllowed(f"no role of this account may do this: {action}; a custodian can grant one")
        return actor

    def session(self, token: str, *, uses: bool = True) -> Session | None:
        """Find a live session by its cookie; a person's use keeps it alive. None if it ended, or never was."""
        now = self._now()
        with self._database.reading() as connection:
            found = sessions.find(connection, token, now, self._limits)
        if found is None:
            return None
        session, is_stale = found
        if is_stale and uses:
            with self._database.writing() as connection:
                sessions.touch(connection, token, now)
        return session

    def choose_role(self, token: str, role: Role, project: str | None = None) -> Session:
        """Act in one of one's roles from now on. Sessions of the same account in another role end.

        Raises
        ------
        SignInRefused
            If the session ended.
        NotAllowed
            If the account does not hold the role.
        """
        now, grant = self._now(), Grant(role, project)
        with self._database.writing() as connection:
            found = sessions.find(connection, token, now, self._limits)
            if found is None:
                raise SignInRefused
            if grant not in found[0].grants:
                raise NotAllowed("this account does not hold this role; choose one that it holds")
            sessions.choose(connection, found[0], grant, now)
            self._tell(connection, "choose role", Actor(found[0].account, grant.role, grant.project))
            chosen = sessions.find(connection, token, now, self._limits)
        if chosen is None:
            raise SignInRefused
        return chosen[0]

    def sign_out(self, token: str) -> None:
        """End a session; ending one that ended is harmless."""
        with self._database.writing() as connection:
            whose = sessions.end(connection, token)
            if whose is not None:
                self._tell(connection, "sign out", whose)

    def end_all(self, name: str, *, by: Actor | str = COMMAND_LINE) -> None:
        """End every session and every token of an account."""
        with self._changing(name) as connection:
            ended = self._end_all(connection, name)
            self._tell(connection, "end sessions", by, account=name, ended=ended)

    # By which token

    def new_token(
        self,
        name: str,
        role: Role,
        project: str | None = None,
        actions: Collection[Action] | None = None,
        *,
        days: int = 30,
        by: Actor | str = COMMAND_LINE,
    ) -> NewToken:
        """Make a token for a program, in one role; its secret is shown this once.

        Raises
        ------
        NotAllowed
            If the account does not hold the role, the role may not do all that is asked for, or may look codes up.
        InvalidValue
            If the token would last too long.
        """
        grant = Grant(role, project)
        with self._changing(name) as connection:
            made = tokens.make(connection, name, grant, actions, days, self._now())
            self._tell(connection, "make token", by, account=name, grant=str(grant), token=made.number, days=days)
            return made

    def tokens(self, name: str) -> tuple[Token, ...]:
        """Give the tokens of an account that are not expired, oldest first."""
        with self._database.reading() as connection:
            return tokens.of_account(connection, name, self._now())

    def end_token(self, number: int, *, by: Actor | str = COMMAND_LINE) -> None:
        """End a token; raises UnknownAccount if there is none of that number."""
        with self._database.writing() as connection:
            whose = tokens.end(connection, number)
            if whose is None:
                raise UnknownAccount("there is no token of this number; list them with: coverslip account show NAME")
            self._tell(connection, "end token", by, account=whose, token=number)

    def actor_of_token(self, secret: str) -> Actor | None:
        """Tell who acts by a token; None if it is unknown, expired, or somebody looks codes up under its account."""
        with self._database.reading() as connection:
            return tokens.actor_of(connection, secret, self._now(), self._limits)

    # What happened

    def note(self, act: str, actor: Actor | str, **details: Value) -> Head:
        """Append an entry to the access trail.

        Raises
        ------
        FreeTextRefused
            If a ``reason`` looks as if it held an identifier.
        """
        with self._database.writing() as connection:
            return trail.append(connection, self._now(), act, actor, details)

    def note_opening(self, actor: Actor, slide: str, **details: Value) -> bool:
        """Tell the trail that somebody looks at a slide, unless it was told within the hour; tell whether it was new.

        Parameters
        ----------
        actor
            Who looks.
        slide
            The handle or code that the slide was asked for by, at most 64 characters.
        details
            What else the entry says, such as the collection.
        """
        now, within = self._now(), self._limits.opening_seconds
        with self._database.reading() as connection:
            if openings.is_told(connection, actor, slide, now, within):
                return False
        with self._database.writing() as connection:
            if openings.is_told(connection, actor, slide, now, within):
                return False
            openings.remember(connection, actor, slide, now, within)
            trail.append(connection, now, "open slide", actor, {"slide": slide, **details})
        return True

    def change_count(self) -> int:
        """Give a number that differs after any change of accounts, roles, sessions, tokens or trail; microseconds.

        Only equality means anything, and only within one store object.
        """
        return self._database.change_count()

    @contextmanager
    def entries(self) -> Iterator[Iterator[Entry]]:
        """Give all entries of the access trail in their order, of one state of the store."""
        with self._database.reading() as connection:
            yield trail.entries(connection)

    def head(self) -> Head:
        """Give the access trail's newest state."""
        with self._database.reading() as connection:
            return trail.head(connection)

    def sealed_trail(self) -> Trail:
        """Give the access trail as it is verified and signed together with the others."""

        def entries() -> Iterator[Entry]:
            with self.entries() as found:
                yield from found

        with self._database.reading() as connection:
            return Trail("access", trail.first(connection), entries, lambda: (self.head(),))

    def faults(self, heads: Iterable[Head] = ()) -> tuple[Fault, ...]:
        """List every fault of the access trail; heads from a second place show a cut end and a chain made anew."""
        with self._database.reading() as connection:
            return trail.verify(connection, heads)

    @contextmanager
    def _changing(self, name: str) -> Iterator[Connection]:
        """Change something about an account that there is, and leave a custodian."""
        with self._database.writing() as connection:
            register.account_of(connection, name, self._now())
            yield connection
            register.require_custodian(connection)

    def _begin(self, connection: Connection, name: str, means: str) -> Session:
        session = sessions.begin(connection, name, self._now(), self._limits)
        self._tell(connection, "sign in", session.actor or name, means=means)
        return session

    def _end_all(self, connection: Connection, name: str) -> int:
        return sessions.end_all(connection, name) + tokens.end_all(connection, name)

    def _tell(self, connection: Connection, act: str, actor: Actor | str, **details: Value) -> None:
        trail.append(connection, self._now(), act, actor, details)
