"""At the door everybody hears the same, after the same time: whether there is such an account is not told.

A wrong password is checked before the database is written to, because hashing takes a tenth of a second; whether it
counts is decided in the writing transaction, where tries take turns. So no number of tries at once gets past the
lock-out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection, select, update

from archive.accounts import addresses, passwords, register, trail
from archive.accounts.database import Database
from archive.accounts.limits import Limits
from archive.accounts.schema import accounts, store
from archive.accounts.values import AccountState
from archive.errors import SignInRefused

T = TypeVar("T")

STRANGERS_SECONDS = 60.0
"""How often the trail is told of tries that belong to no account that could be locked: else they could fill a disk."""


@dataclass(frozen=True, slots=True)
class Try:
    """What somebody typed, and the address that it came from; None where it came from this machine's own terminal."""

    name: str
    password: str = field(repr=False)
    address: str | None = None


def prove(database: Database, limits: Limits, now_seconds: float, tried: Try, then: Callable[[Connection], T]) -> T:
    """Let somebody in by password.

    Parameters
    ----------
    database, limits, now_seconds
        The store's.
    tried
        As it was typed.
    then
        What is done in the same transaction, if the password fits.

    Raises
    ------
    SignInRefused
        If there is no such account, it is disabled or locked, or the password does not fit; the same for all.
    TooManyTries
        If too many failures came from the address; then nothing is checked.
    """
    name = tried.name
    with database.reading() as connection:
        addresses.require_borne(connection, limits, now_seconds, tried.address)
        row = register.row_of(connection, name)
    kept = row.password if row is not None else None
    fit = passwords.fits(kept, tried.password)
    with database.writing() as connection:
        addresses.require_borne(connection, limits, now_seconds, tried.address)
        row = register.row_of(connection, name)
        if (
            row is None
            or row.password is None
            or row.password != kept
            or not _is_open(row.state, row.locked_until, now_seconds)
        ):
            count_stranger(connection, now_seconds)
        elif not fit:
            _count_failure(connection, limits, now_seconds, name, row.failures + 1)
        else:
            register.unlock(connection, name)
            if passwords.is_outdated(row.password):
                register.set_password(connection, name, passwords.rehashed(tried.password))
            return then(connection)
        addresses.count_failure(connection, limits, now_seconds, tried.address)
    raise SignInRefused


def _is_open(state: str, locked_until: float | None, now_seconds: float) -> bool:
    return state == AccountState.ACTIVE and (locked_until is None or locked_until <= now_seconds)


def _count_failure(connection: Connection, limits: Limits, now_seconds: float, name: str, failures: int) -> None:
    trail.append(connection, now_seconds, "sign in failed", name, {"failures": failures})
    locks = failures >= limits.failures
    connection.execute(
        update(accounts)
        .where(accounts.c.name == name)
        .values(failures=0 if locks else failures, locked_until=now_seconds + limits.lock_seconds if locks else None)
    )
    if locks:
        trail.append(connection, now_seconds, "lock account", name, {"minutes": round(limits.lock_seconds / 60)})


def count_stranger(connection: Connection, now_seconds: float) -> None:
    """Tell the trail of a try that belongs to no account that could be locked, once a minute at most."""
    row = connection.execute(select(store.c.strangers, store.c.strangers_told)).one()
    tries = row.strangers + 1
    # A clock that was set back must not silence the trail.
    tells = not 0 <= now_seconds - row.strangers_told < STRANGERS_SECONDS
    if tells:
        trail.append(connection, now_seconds, "sign in refused", trail.NOBODY, {"tries": tries})
        connection.execute(update(store).values(strangers=0, strangers_told=now_seconds))
    else:
        connection.execute(update(store).values(strangers=tries))
