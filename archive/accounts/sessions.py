"""A session lasts while it is used, and not longer than a working day; whoever signs out, or is disabled, is out."""

import hashlib
import secrets
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, insert, or_, select, update

from archive.accounts.authority import looks_codes_up
from archive.accounts.limits import Limits
from archive.accounts.register import grants_of, stored_grant
from archive.accounts.roles import Role
from archive.accounts.schema import accounts, sessions
from archive.accounts.values import AccountState, Actor, Grant, Session

SECRET_BYTES = 32

TOUCH_SECONDS = 60.0
"""How stale the time of last use may be: a session that is busy writes once a minute, and not with every tile."""


def new_secret() -> str:
    """Make 256 random bits that fit into a cookie."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest_of(secret: str) -> str:
    """Give the SHA-256 of a secret: with 256 random bits nothing slower is needed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def begin(connection: Connection, account: str, now_seconds: float, limits: Limits) -> Session:
    """Begin a session. Somebody with one role acts in it; somebody with several has to choose."""
    connection.execute(delete(sessions).where(~_live(now_seconds, limits)))
    token, given = new_secret(), grants_of(connection, account)
    alone = given[0] if len(given) == 1 else None
    connection.execute(
        insert(sessions).values(
            digest=digest_of(token),
            account=account,
            role=str(alone.role) if alone else None,
            project=(alone.project or "") if alone else "",
            used=now_seconds,
            ends=now_seconds + limits.session_seconds,
        )
    )
    if alone is not None:
        end_other_roles(connection, account, alone)
    ends = datetime.fromtimestamp(now_seconds + limits.session_seconds, UTC)
    return Session(token, account, given, _actor(account, alone), ends)


def find(connection: Connection, token: str, now_seconds: float, limits: Limits) -> tuple[Session, bool] | None:
    """Find a live session of an active account, and tell whether its use should be written down; None if none is."""
    row = connection.execute(
        select(sessions)
        .join(accounts)
        .where(
            sessions.c.digest == digest_of(token),
            accounts.c.state == str(AccountState.ACTIVE),
            _live(now_seconds, limits),
        )
    ).one_or_none()
    if row is None:
        return None
    given = grants_of(connection, row.account)
    chosen = stored_grant(row.role, row.project) if row.role is not None else None
    actor = _actor(row.account, chosen if chosen in given else None)
    session = Session(token, row.account, given, actor, datetime.fromtimestamp(row.ends, UTC))
    return session, now_seconds - row.used > TOUCH_SECONDS


def touch(connection: Connection, token: str, now_seconds: float) -> None:
    """Write down that a session is used."""
    connection.execute(update(sessions).where(sessions.c.digest == digest_of(token)).values(used=now_seconds))


def choose(connection: Connection, session: Session, grant: Grant, now_seconds: float) -> None:
    """Act in a role from now on; the account's sessions in other roles end, because one acts in one at a time."""
    connection.execute(
        update(sessions)
        .where(sessions.c.digest == digest_of(session.token))
        .values(role=str(grant.role), project=grant.project or "", used=now_seconds)
    )
    end_other_roles(connection, session.account, grant)


def end(connection: Connection, token: str) -> str | None:
    """End a session, and tell whose it was; None if there was none."""
    whose = connection.scalar(select(sessions.c.account).where(sessions.c.digest == digest_of(token)))
    connection.execute(delete(sessions).where(sessions.c.digest == digest_of(token)))
    return whose


def end_all(connection: Connection, account: str) -> int:
    """End every session of an account, and tell how many there were."""
    return connection.execute(delete(sessions).where(sessions.c.account == account)).rowcount


def looks_codes_up_now(connection: Connection, account: str, now_seconds: float, limits: Limits) -> bool:
    """Tell whether somebody is in now, under this account, in a role that can learn whose slide a code stands for."""
    roles = [str(role) for role in Role if looks_codes_up(role)]
    found = select(
        exists().where(sessions.c.account == account, sessions.c.role.in_(roles), _live(now_seconds, limits))
    )
    return bool(connection.scalar(found))


def _live(now_seconds: float, limits: Limits) -> ColumnElement[bool]:
    """Say in SQL which sessions are live; a clock that was set back makes none live."""
    return and_(
        sessions.c.ends > now_seconds,
        sessions.c.used > now_seconds - limits.idle_seconds,
        sessions.c.used <= now_seconds + TOUCH_SECONDS,
    )


def end_other_roles(connection: Connection, account: str, kept: Grant) -> None:
    """End an account's sessions in every role but one."""
    connection.execute(
        delete(sessions).where(
            sessions.c.account == account,
            or_(sessions.c.role != str(kept.role), sessions.c.project != (kept.project or "")),
        )
    )


def _actor(account: str, grant: Grant | None) -> Actor | None:
    return Actor(account, grant.role, grant.project) if grant is not None else None
