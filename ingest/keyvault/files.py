"""Which scan a source file became. The file is known by an HMAC of its digest; its name lies sealed.

The vault's entry comes before the archive's: it is *pending* until the archive has the scan. A pending entry that was
left by a killed ingest does no harm, because the next ingest of the same file takes it up again.
"""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from archive.codes import InternalKey, new_key
from archive.errors import InvalidValue
from ingest.keyvault.entries import Owner
from ingest.keyvault.sealing import FieldKey
from ingest.keyvault.tables import file

DIGEST_BYTES = 32

_BY_LOOK_UP = select(file).where(file.c.look_up == bindparam("wanted"))
_BY_SCAN = select(file).where(file.c.scan == bindparam("wanted"))
_NEW = insert(file)


@dataclass(frozen=True, slots=True)
class PendingScan:
    """A scan that the vault has recorded and the archive had not confirmed: its internal key, and since when."""

    scan: InternalKey
    since: datetime


def look_up_of(vault_key: FieldKey, digest: bytes) -> bytes:
    """Make the blind index of a file's SHA-256 digest."""
    if len(digest) != DIGEST_BYTES:
        raise InvalidValue(f"a SHA-256 digest has {DIGEST_BYTES} bytes")
    return vault_key.look_up("file", digest)


def row_of(connection: Connection, look_up: bytes) -> RowMapping | None:
    """Read the row of a file."""
    return connection.execute(_BY_LOOK_UP, {"wanted": look_up}).mappings().one_or_none()


def row_of_scan(connection: Connection, scan: InternalKey) -> RowMapping | None:
    """Read the row of a scan."""
    return connection.execute(_BY_SCAN, {"wanted": scan}).mappings().one_or_none()


def record(connection: Connection, owner: Owner, slide: InternalKey, look_up: bytes, name: str) -> InternalKey:
    """Record a file for a slide; a file that is recorded already keeps its scan.

    An entry that is pending for another slide is replaced: the list was put right after a failed ingest.
    """
    row = row_of(connection, look_up)
    if row is not None and (row["committed"] or row["slide"] == slide):
        return InternalKey(row["scan"])
    if row is not None:
        forget(connection, InternalKey(row["scan"]))
    scan = new_key()
    new: dict[str, Any] = {"scan": scan, "slide": slide, "patient": owner.patient, "look_up": look_up}
    sealed = owner.key.seal(os.fsencode(name), *_place(new))
    connection.execute(_NEW, {**new, "name": sealed, "committed": False, "recorded": time.time()})
    return scan


def unsealed_name(owner: Owner, row: RowMapping) -> str:
    """Open a file's name, as the file system spells it; raises VaultDamaged if any column of the row was changed."""
    return os.fsdecode(owner.key.unseal(row["name"], *_place(row)))


def names(connection: Connection, owner: Owner, slides: list[InternalKey]) -> tuple[str, ...]:
    """Open the names of all files that were recorded for these slides."""
    rows = connection.execute(select(file).where(file.c.slide.in_(slides))).mappings()
    return tuple(sorted({unsealed_name(owner, row) for row in rows}))


def scans_of(connection: Connection, slides: Iterable[InternalKey]) -> list[InternalKey]:
    """Give the scans that are recorded for these slides, pending ones too."""
    return [InternalKey(scan) for scan in connection.scalars(select(file.c.scan).where(file.c.slide.in_(list(slides))))]


def hand_over(connection: Connection, old: Owner, new: Owner, scan: InternalKey) -> None:
    """Seal the row of a scan under the key of another patient, because its slide turned out to be theirs."""
    row = connection.execute(_BY_SCAN, {"wanted": scan}).mappings().one()
    name = os.fsencode(unsealed_name(old, row))
    sealed = new.key.seal(name, *_place({**row, "patient": new.patient}))
    connection.execute(update(file).where(file.c.scan == scan).values(patient=new.patient, name=sealed))


def pending(connection: Connection) -> tuple[PendingScan, ...]:
    """List what was recorded and not confirmed, oldest first."""
    query = select(file.c.scan, file.c.recorded).where(file.c.committed.is_(False)).order_by(file.c.recorded)
    return tuple(
        PendingScan(InternalKey(scan), datetime.fromtimestamp(recorded, UTC))
        for scan, recorded in connection.execute(query)
    )


def recorded(connection: Connection) -> Iterator[tuple[InternalKey, bool]]:
    """Give every scan in the order of the keys, and whether the archive has it."""
    query = select(file.c.scan, file.c.committed).order_by(file.c.scan)
    for scan, committed in connection.execute(query.execution_options(yield_per=1000)):
        yield InternalKey(scan), bool(committed)


def confirm(connection: Connection, scan: InternalKey) -> bool:
    """Note that the archive has the scan; false if the vault knows no such scan."""
    return connection.execute(update(file).where(file.c.scan == scan).values(committed=True)).rowcount == 1


def forget(connection: Connection, scan: InternalKey) -> None:
    """Delete an entry that is pending; one that the archive has stays."""
    connection.execute(delete(file).where(file.c.scan == scan, file.c.committed.is_(False)))


def _place(row: Mapping[str, Any] | RowMapping) -> tuple[str | bytes, ...]:
    return ("file", "name", row["scan"], row["slide"], row["patient"], row["look_up"])
