"""The catalogue's audit trail: one sealed entry for each act, in the act's own transaction, and never changed."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from archive import auditchain
from archive.auditchain import Entry, Head, Value
from archive.catalogue.schema import archive, audit
from archive.errors import CatalogueUnavailable


def first_head(connection: Connection) -> Head:
    """Give the head of this archive's chain before its first entry."""
    identity = connection.scalar(select(archive.c.id))
    if identity is None:
        raise CatalogueUnavailable("the catalogue does not say which archive it belongs to; restore it from a backup")
    return auditchain.start(identity)


def head(connection: Connection) -> Head:
    """Give the chain's newest state."""
    newest = connection.execute(select(audit).order_by(audit.c.number.desc()).limit(1)).one_or_none()
    return Head(newest.number, newest.digest) if newest is not None else first_head(connection)


def append(connection: Connection, act: str, actor: str, details: Mapping[str, Value]) -> Head:
    """Seal one entry onto the chain; only inside a writing transaction, where writers take turns."""
    entry = auditchain.seal(head(connection), act, actor, datetime.now(UTC), details)
    connection.execute(insert(audit).values(number=entry.number, text=entry.text, digest=entry.digest))
    return entry.head


def entries(connection: Connection, *, after: int = 0) -> Iterator[Entry]:
    """Give all entries in their order, or those after a number, a thousand in memory at a time."""
    query = select(audit).order_by(audit.c.number).execution_options(yield_per=1_000)
    for row in connection.execute(query.where(audit.c.number > after) if after else query):
        yield Entry.stored(row.number, row.text, row.digest)


def newest_text(connection: Connection) -> str | None:
    """Give what the newest entry says, as it was sealed; None before the first."""
    return connection.scalar(select(audit.c.text).order_by(audit.c.number.desc()).limit(1))
