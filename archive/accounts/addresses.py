"""Failed tries are counted for the address they come from, too: nobody locks everybody out from one chair.

They are counted in the database, so that all workers know of them and starting the server anew forgives nothing.
"""

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from archive.accounts import trail
from archive.accounts.limits import Limits
from archive.accounts.schema import addresses
from archive.errors import TooManyTries


def require_borne(connection: Connection, limits: Limits, now_seconds: float, address: str | None) -> None:
    """Turn away whoever comes from an address with too many failures, whatever they bring.

    Raises
    ------
    TooManyTries
        If it is so; it tells when to come again.
    """
    failures, first = _known(connection, limits, now_seconds, address)
    if failures >= limits.address_failures:
        raise TooManyTries(first + limits.address_seconds - now_seconds)


def count_failure(connection: Connection, limits: Limits, now_seconds: float, address: str | None) -> None:
    """Count a failure, forget those that ended, and tell the trail of an address that is turned away from now on."""
    if address is None:
        return
    failures, first = _known(connection, limits, now_seconds, address)
    connection.execute(delete(addresses).where(~_counts(limits, now_seconds)))
    if failures:
        connection.execute(update(addresses).where(addresses.c.address == address).values(failures=failures + 1))
    else:
        connection.execute(insert(addresses).values(address=address, failures=1, first=first))
    if failures + 1 == limits.address_failures:
        minutes = round(limits.address_seconds / 60)
        trail.append(connection, now_seconds, "turn away", trail.NOBODY, {"address": address, "minutes": minutes})


def _known(connection: Connection, limits: Limits, now_seconds: float, address: str | None) -> tuple[int, float]:
    """Give how many failures count, and when the first was."""
    row = connection.execute(
        select(addresses.c.failures, addresses.c.first).where(
            addresses.c.address == address, _counts(limits, now_seconds)
        )
    ).one_or_none()
    return (row.failures, row.first) if row is not None else (0, now_seconds)


def _counts(limits: Limits, now_seconds: float) -> ColumnElement[bool]:
    """Say in SQL which counts have not ended; a clock that was set back ends them."""
    return and_(addresses.c.first > now_seconds - limits.address_seconds, addresses.c.first <= now_seconds)
