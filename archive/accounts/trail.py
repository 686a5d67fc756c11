"""Who came in, who failed to, what was opened and who was given which role: the access trail, sealed entry by entry.

It is a hash chain in the format of `archive.auditchain`. An act of this store and its entry are one transaction.
Entries name accounts, roles, codes and handles. A name that was typed and is no account's is never kept: people type
passwords into the wrong field.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select, update

from archive import auditchain
from archive.accounts.database import DAMAGED, chain_name
from archive.accounts.schema import store, trail
from archive.accounts.values import Actor
from archive.auditchain import Entry, Head, Value
from archive.errors import AccountsUnavailable, InvalidValue
from archive.wordscreen import screen

_log = logging.getLogger(__name__)

NOBODY = "nobody"
"""Stands for whoever is not signed in."""


def append(
    connection: Connection, at_seconds: float, act: str, actor: Actor | str, details: Mapping[str, Value]
) -> Head:
    """Seal an entry onto the trail, inside a writing transaction.

    Parameters
    ----------
    connection
        The act's own transaction.
    at_seconds
        When, in seconds since 1970.
    act
        What was done, in a few words, such as ``sign in``.
    actor
        Who did it: an actor, or the name of an account that acts in no role.
    details
        Codes, handles, counts; a reason is screened.

    Raises
    ------
    FreeTextRefused
        If the reason looks as if it held an identifier.
    """
    content = dict(details)
    if "reason" in content:
        content["reason"] = screen(str(content["reason"]), "a reason")
    if isinstance(actor, Actor):
        content["role"] = str(actor.role)
        if actor.project is not None:
            content["project"] = actor.project
    who = actor.account if isinstance(actor, Actor) else actor
    entry = auditchain.seal(head(connection), act, who, datetime.fromtimestamp(at_seconds, UTC), content)
    connection.execute(insert(trail).values(number=entry.number, text=entry.text, digest=entry.digest))
    connection.execute(update(store).values(head_number=entry.number, head_digest=entry.digest))
    _log.info("Access trail: %s, by %s.", act, who)
    return entry.head


def head(connection: Connection) -> Head:
    """Give the trail's newest state."""
    row = connection.execute(select(store.c.head_number, store.c.head_digest)).one()
    try:
        return Head(row.head_number, row.head_digest)
    except InvalidValue:
        raise AccountsUnavailable(DAMAGED) from None


def entries(connection: Connection) -> Iterator[Entry]:
    """Give all entries in their order, a thousand in memory at a time."""
    for row in connection.execution_options(yield_per=1_000).execute(select(trail).order_by(trail.c.number)):
        yield Entry.stored(row.number, row.text, row.digest)


def first(connection: Connection) -> Head:
    """Give the head of this store's chain before its first entry."""
    return auditchain.start(chain_name(connection.execute(select(store.c.id)).scalar_one()))
