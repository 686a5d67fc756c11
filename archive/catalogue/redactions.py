"""What is to be black on a scan stays recorded for as long as the scan is, and so does who had it before it was black.

Until the rectangles are black, the scan is shut: `archive.catalogue.slides.set_status` keeps nothing that waits for
them. Of a version that was replaced the manifest's digest is kept, so that it is known wherever it turns up again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, select, update

from archive.catalogue.schema import copies_owed, redactions
from archive.codes import InternalKey
from archive.geometry import Rectangle


@dataclass(frozen=True, slots=True)
class OwedCopy:
    """A copy that was made of a scan before it was blacked out, and who has it: ``backup 1f2e3d4c``, ``project colon``.

    ``act`` is the number of the entry in the audit trail that tells of the blacking out.
    """

    act: int
    holder: str
    scan: InternalKey


def add(
    connection: Connection,
    scan: InternalKey,
    rectangles: Iterable[Rectangle],
    *,
    act: int,
    replaced: str | None = None,
    done: bool = False,
) -> None:
    """Record rectangles of a scan; those that are recorded already stay as they are.

    Parameters
    ----------
    act
        The number of the entry in the audit trail; 0 where that is not known any more.
    replaced
        The digest of the manifest of the version that still shows them; None where none was ever kept.
    done
        Whether they are black already.
    """
    known = {(one.x, one.y, one.width, one.height) for one in _rows(connection, scan)}
    for one in sorted(set(rectangles)):
        if one.sides not in known:
            x, y, width, height = one.sides
            connection.execute(
                insert(redactions).values(
                    scan_key=scan, x=x, y=y, width=width, height=height, act=act, replaced=replaced, done=done
                )
            )


def of_scan(connection: Connection, scan: InternalKey) -> tuple[Rectangle, ...]:
    """Give the rectangles of a scan, whether they are black yet or not, in the order of their places."""
    return tuple(sorted(Rectangle(row.x, row.y, row.width, row.height) for row in _rows(connection, scan)))


def waits(connection: Connection, scan: InternalKey) -> bool:
    """Tell whether a scan has a rectangle that is not black yet."""
    return any(not row.done for row in _rows(connection, scan))


def settle(connection: Connection, scan: InternalKey, rectangles: Iterable[Rectangle]) -> None:
    """Record that these rectangles of a scan are black."""
    sides = (redactions.c.x, redactions.c.y, redactions.c.width, redactions.c.height)
    for one in rectangles:
        this = and_(*(column == side for column, side in zip(sides, one.sides, strict=True)))
        connection.execute(update(redactions).where(redactions.c.scan_key == scan, this).values(done=True))


def scans(connection: Connection) -> tuple[InternalKey, ...]:
    """Give the keys of the scans that have rectangles, in an order that tells nothing."""
    found = connection.scalars(select(redactions.c.scan_key).distinct().order_by(redactions.c.scan_key))
    return tuple(map(InternalKey, found))


def replaced(connection: Connection) -> dict[InternalKey, frozenset[str]]:
    """Give the digests of the manifests of those versions of each scan that are to be found nowhere any more."""
    found: dict[InternalKey, frozenset[str]] = {}
    query = select(redactions.c.scan_key, redactions.c.replaced).where(redactions.c.replaced.is_not(None))
    for key, digest in connection.execute(query):
        found[InternalKey(key)] = found.get(InternalKey(key), frozenset()) | {digest}
    return found


def by_version(connection: Connection) -> dict[tuple[InternalKey, str], set[Rectangle]]:
    """Give the rectangles by their scan and by the version of it that still shows them, if one was ever kept."""
    found: dict[tuple[InternalKey, str], set[Rectangle]] = {}
    for row in connection.execute(select(redactions).where(redactions.c.replaced.is_not(None))):
        black = found.setdefault((InternalKey(row.scan_key), row.replaced), set())
        black.add(Rectangle(row.x, row.y, row.width, row.height))
    return found


def newest_act(connection: Connection) -> int:
    """Give the number of the newest act by which something of a scan was to be made black; 0 before the first."""
    return connection.scalar(select(func.max(redactions.c.act))) or 0


def owe(connection: Connection, act: int, scan: InternalKey, holders: Sequence[str]) -> None:
    """Record who has a copy that still shows what is black now."""
    for holder in holders:
        connection.execute(insert(copies_owed).values(act=act, holder=holder, scan_key=scan, reason=None))


def owed(connection: Connection) -> tuple[OwedCopy, ...]:
    """Give the copies of which nobody has said yet that they were dealt with."""
    query = select(copies_owed).where(copies_owed.c.reason.is_(None)).order_by(copies_owed.c.act, copies_owed.c.holder)
    return tuple(OwedCopy(row.act, row.holder, InternalKey(row.scan_key)) for row in connection.execute(query))


def deal_with(connection: Connection, copy: OwedCopy, reason: str) -> None:
    """Record that a copy was dealt with, and how."""
    of_it = (copies_owed.c.act == copy.act) & (copies_owed.c.holder == copy.holder)
    connection.execute(update(copies_owed).where(of_it).values(reason=reason))


def _rows(connection: Connection, scan: InternalKey) -> Sequence[Row[Any]]:
    return connection.execute(select(redactions).where(redactions.c.scan_key == scan)).all()
