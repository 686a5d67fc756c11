"""A program acts by a token: one role, perhaps only some of what it may do, for a number of days, shown once.

Of a role that may look codes up a program gets only what is done unattended, such as taking slides in at night.
"""

import json
from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import Connection, Row, delete, insert, select

from archive.accounts.authority import UNATTENDED, allowed, looks_codes_up
from archive.accounts.database import DAMAGED
from archive.accounts.limits import Limits
from archive.accounts.register import grants_of, stored_grant
from archive.accounts.roles import Action, Role
from archive.accounts.schema import accounts, tokens
from archive.accounts.sessions import digest_of, looks_codes_up_now, new_secret
from archive.accounts.values import AccountState, Actor, Grant, NewToken, Token
from archive.errors import AccountsUnavailable, InvalidValue, NotAllowed

PREFIX = "coverslip_"
"""Opens every secret, so that one that leaked into a repository is found by those who search for such."""

MOST_DAYS = 365

_DAY_SECONDS = 86_400.0


def make(
    connection: Connection,
    account: str,
    grant: Grant,
    actions: Collection[Action] | None,
    days: int,
    now_seconds: float,
) -> NewToken:
    """Make a token for a role that the account holds.

    Raises
    ------
    NotAllowed
        If it does not hold the role, the role may not do all that is asked for, or the role can look codes up and more
        is asked for than is done unattended: that a person does.
    InvalidValue
        If the token would last too long, or be good for nothing.
    """
    if not 1 <= days <= MOST_DAYS:
        raise InvalidValue(f"a token lasts 1 to {MOST_DAYS} days; ask for a new one when it ends")
    if actions is not None and not actions:
        raise InvalidValue("a token is made for something; name one action at least, or none to have all of the role's")
    if grant not in grants_of(connection, account):
        raise NotAllowed("the account does not hold this role, so no token can be made for it; grant the role first")
    if looks_codes_up(grant.role) and not is_unattended(actions):
        raise NotAllowed(_in_person(grant.role))
    beyond = sorted(action for action in actions or () if not allowed(grant.role, action))
    if beyond:
        raise NotAllowed(f"the role {grant.role} may not {beyond[0]}, so no token can be made for it")
    secret, expires = PREFIX + new_secret(), now_seconds + days * _DAY_SECONDS
    made = connection.execute(
        insert(tokens).values(
            digest=digest_of(secret),
            account=account,
            role=str(grant.role),
            project=grant.project or "",
            actions=None if actions is None else json.dumps(sorted(set(actions))),
            expires=expires,
        )
    )
    number = made.inserted_primary_key[0]  # type: ignore[index]
    return NewToken(number, secret, datetime.fromtimestamp(expires, UTC))


def actor_of(connection: Connection, secret: str, now_seconds: float, limits: Limits) -> Actor | None:
    """Tell who acts by a token; None if it is unknown, expired, or somebody looks codes up under its account now."""
    row = connection.execute(
        select(tokens)
        .join(accounts)
        .where(
            tokens.c.digest == digest_of(secret),
            tokens.c.expires > now_seconds,
            accounts.c.state == str(AccountState.ACTIVE),
        )
    ).one_or_none()
    if row is None:
        return None
    token = _told(row)
    if token.grant not in grants_of(connection, token.account):
        return None
    if not is_unattended(token.actions) and looks_codes_up_now(connection, token.account, now_seconds, limits):
        return None
    return Actor(token.account, token.grant.role, token.grant.project, token.actions)


def is_unattended(actions: Collection[Action] | None) -> bool:
    """Tell whether a token is for services only, which show nothing that somebody could have looked up."""
    return actions is not None and UNATTENDED.issuperset(actions)


def of_account(connection: Connection, account: str, now_seconds: float) -> tuple[Token, ...]:
    """Give the tokens of an account that are not expired, oldest first."""
    found = select(tokens).where(tokens.c.account == account, tokens.c.expires > now_seconds)
    return tuple(_told(row) for row in connection.execute(found.order_by(tokens.c.number)))


def end(connection: Connection, number: int) -> str | None:
    """End a token, and tell whose it was; None if there is none of that number."""
    whose = connection.scalar(select(tokens.c.account).where(tokens.c.number == number))
    connection.execute(delete(tokens).where(tokens.c.number == number))
    return whose


def end_all(connection: Connection, account: str) -> int:
    """End every token of an account, and tell how many there were."""
    return connection.execute(delete(tokens).where(tokens.c.account == account)).rowcount


def _in_person(role: Role) -> str:
    services = sorted(action for action in UNATTENDED if allowed(role, action))
    told = f"; a service's is for one or more of: {', '.join(services)} (--action)" if services else ""
    return f"no such token is made for the role {role}: whoever may look codes up acts in person{told}"


def _told(row: Row[tuple[object, ...]]) -> Token:
    return Token(
        row.number,
        row.account,
        stored_grant(row.role, row.project),
        None if row.actions is None else _stored_actions(row.actions),
        datetime.fromtimestamp(row.expires, UTC),
    )


def _stored_actions(text: str) -> frozenset[Action]:
    try:
        return frozenset(map(Action, json.loads(text)))
    except (ValueError, TypeError):
        raise AccountsUnavailable(DAMAGED) from None
