"""Where accounts are managed: who there is, what each may act as, and which tokens were made for programs."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from archive.accounts import passwords, persons, register, tokens
from archive.accounts.roles import Action, Role
from archive.accounts.room import Room
from archive.accounts.values import Account, AccountState, Actor, Grant, NewToken, Token
from archive.errors import InvalidValue, UnknownAccount

COMMAND_LINE = "command-line"
"""Stands in the trail for whoever can write the account database itself, and so needs no account."""


class Office(Room):
    """Manages accounts. Whether the one who acts may do so is for the caller to ask: `archive.accounts.Actor.may`."""

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

    def untie(self, name: str, *, by: Actor | str = COMMAND_LINE) -> None:
        """Let the hospital's sign-in vouch for another person under an account's name; sessions and tokens end.

        Raises
        ------
        UnknownAccount, InvalidValue
            If there is no such account, or it is nobody's yet.
        """
        with self._changing(name) as connection:
            if not persons.untie(connection, name):
                raise InvalidValue("the hospital's own sign-in has vouched for nobody under this account yet")
            self._end_all(connection, name)
            self._tell(connection, "untie account", by, account=name)

    def rescue(self, name: str, password: str) -> None:
        """Let a custodian in again when none can sign in: for whoever may write the account database itself.

        Raises
        ------
        UnknownAccount, InvalidValue
            If there is no such account, it is no custodian, or the password is too easy to guess.
        """
        kept = passwords.hashed(password, name)
        with self._changing(name) as connection:
            if Grant(Role.CUSTODIAN) not in register.grants_of(connection, name):
                raise InvalidValue("only a custodian is rescued; a custodian then sets the passwords of others")
            register.set_state(connection, name, AccountState.ACTIVE)
            register.set_password(connection, name, kept)
            self._end_all(connection, name)
            self._tell(connection, "rescue account", COMMAND_LINE, account=name)

    def set_password(self, name: str, password: str, *, by: Actor | str = COMMAND_LINE) -> None:
        """Set a password; the account's sessions and tokens end, in case the old one was known to somebody else."""
        kept = passwords.hashed(password, name)
        with self._changing(name) as connection:
            register.set_password(connection, name, kept)
            self._end_all(connection, name)
            self._tell(connection, "set password", by, account=name)

    def end_all(self, name: str, *, by: Actor | str = COMMAND_LINE) -> None:
        """End every session and every token of an account."""
        with self._changing(name) as connection:
            ended = self._end_all(connection, name)
            self._tell(connection, "end sessions", by, account=name, ended=ended)

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
                raise UnknownAccount(
                    "there is no token of this number; list them with: coverslip account token list NAME"
                )
            self._tell(connection, "end token", by, account=whose, token=number)

    @contextmanager
    def _changing(self, name: str) -> Iterator[Connection]:
        """Change something about an account that there is, and leave a custodian."""
        with self._database.writing() as connection:
            register.account_of(connection, name, self._now())
            yield connection
            register.require_custodian(connection)
