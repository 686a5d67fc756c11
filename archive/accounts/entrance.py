"""Who is let in, and who they are from then on: by password, by another system's word, by cookie or by token."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from archive.accounts import door, passwords, persons, register, sessions, tokens
from archive.accounts.authority import allowed, looks_codes_up
from archive.accounts.roles import Action, Role
from archive.accounts.room import Room
from archive.accounts.values import AccountState, Actor, Grant, Session
from archive.errors import NotAllowed, SignInRefused, TokenRefused

T = TypeVar("T")


class Entrance(Room):
    """Lets people and programs in."""

    def sign_in(self, name: str, password: str, address: str | None = None) -> Session:
        """Let a person in by password. It takes a tenth of a second of a core: call it from a thread.

        Parameters
        ----------
        name, password
            As they were typed.
        address
            Where they were sent from, in one spelling; None where that is this machine or not known.

        Raises
        ------
        SignInRefused
            If there is no such account, it is disabled or locked, or the password does not fit; the same for all, and
            after the same time.
        TooManyTries
            If too many failures came from that address.
        """

        def begin(connection: Connection) -> Session:
            return self._begin(connection, name, "password")

        return self._prove(door.Try(name, password, address), begin)

    def sign_in_vouched(self, name: str, voucher: str, person: str) -> Session:
        """Let a person in whom another system vouches for, such as the hospital's own sign-in.

        Parameters
        ----------
        name
            The account that they are vouched for under.
        voucher
            What the trail calls the other system.
        person
            What tells them from everybody else there, such as `Vouched.person`. The account is theirs from now on.

        Raises
        ------
        SignInRefused
            If there is no such account, it is disabled or another person's, or another account is theirs.
        """
        with self._database.writing() as connection:
            row = register.row_of(connection, name)
            if row is None or row.state != AccountState.ACTIVE:
                door.count_stranger(connection, self._now())
            elif not persons.is_free_or_theirs(connection, name, person):
                self._tell(connection, "another person", name, means=voucher)
            else:
                if persons.tie(connection, name, person):
                    self._tell(connection, "tie to person", name, means=voucher)
                return self._begin(connection, name, voucher)
        raise SignInRefused

    def act_as(self, name: str, password: str, action: Action, project: str | None = None) -> Actor:
        """Let a person do one thing by password, in a role that they hold and that may do it; no session begins.

        In a role that may look codes up it is done only if no other fits, and it ends their sessions in others: one
        person works in one role at a time, and no slide is coded for whoever has just looked up whose it is (row Z2).

        Raises
        ------
        SignInRefused
            As for `sign_in`.
        NotAllowed
            If the password fits and no role of theirs may do it.
        """

        def choose(connection: Connection) -> Actor | None:
            given = sorted(register.grants_of(connection, name), key=lambda one: looks_codes_up(one.role))
            fitting = (g for g in given if allowed(g.role, action))
            grant = next((g for g in fitting if project is None or g.project in (None, project)), None)
            actor = Actor(name, grant.role, grant.project) if grant is not None else None
            if grant is not None and looks_codes_up(grant.role):
                sessions.end_other_roles(connection, name, grant)
            self._tell(connection, "act once" if actor else "not allowed", actor or name, action=str(action))
            return actor

        actor = self._prove(door.Try(name, password), choose)
        if actor is None:
            raise NotAllowed(f"no role of this account may do this: {action}; a custodian can grant one")
        return actor

    def act_by_token(self, secret: str, action: Action, project: str | None = None) -> Actor:
        """Let a program do one thing by its token.

        Raises
        ------
        TokenRefused
            If the token is unknown or has ended, or waits because somebody looks codes up under its account now.
        NotAllowed
            If it was made for something else, or for another project.
        """
        with self._database.writing() as connection:
            actor = tokens.actor_of(connection, secret, self._now(), self._limits)
            if actor is None:
                door.count_stranger(connection, self._now())
            else:
                may = actor.may(action) and (project is None or actor.project in (None, project))
                self._tell(connection, "act once" if may else "not allowed", actor, action=str(action), means="token")
        if actor is None:
            raise TokenRefused
        if not may:
            raise NotAllowed(
                f"this token was not made for this: {action}; make one that is: coverslip account token make"
            )
        return actor

    def change_password(self, name: str, old: str, new: str) -> None:
        """Let a person change their own password; their sessions and tokens end, this one too.

        Raises
        ------
        SignInRefused
            As for `sign_in`, by the old password.
        InvalidValue
            If the new one is too easy to guess.
        """
        kept = passwords.hashed(new, name)

        def change(connection: Connection) -> None:
            register.set_password(connection, name, kept)
            self._end_all(connection, name)
            self._tell(connection, "change password", name)

        self._prove(door.Try(name, old), change)

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

    def actor_of_token(self, secret: str) -> Actor | None:
        """Tell who acts by a token; None if it is unknown, expired, or somebody looks codes up under its account."""
        with self._database.reading() as connection:
            return tokens.actor_of(connection, secret, self._now(), self._limits)

    def _prove(self, tried: door.Try, then: Callable[[Connection], T]) -> T:
        return door.prove(self._database, self._limits, self._now(), tried, then)

    def _begin(self, connection: Connection, name: str, means: str) -> Session:
        session = sessions.begin(connection, name, self._now(), self._limits)
        self._tell(connection, "sign in", session.actor or name, means=means)
        return session
