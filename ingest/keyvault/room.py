"""Every part of an open vault works on the same rows, with the same keys."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, RowMapping

from archive.codes import InternalKey
from archive.errors import InvalidValue, UnknownCode
from ingest.errors import VaultDamaged
from ingest.keyvault import entries, files, trail
from ingest.keyvault.database import writing
from ingest.keyvault.entries import Owner
from ingest.keyvault.identity import Identity, Kind
from ingest.keyvault.keystore import KeyStore


class Room:
    """What the parts of an open vault share. Every public method of theirs is one transaction."""

    def __init__(self, engine: Engine, store: KeyStore) -> None:
        self._engine = engine
        self._store = store

    @contextmanager
    def _turn(self) -> Iterator[Connection]:
        """Write while nobody else does, so that what is read still holds when it is changed."""
        with writing(self._engine) as connection:
            trail.newest(connection, lock=True)
            yield connection

    def _owner(self, patient: str) -> Owner:
        """Give the owner of rows; raises VaultDamaged if there are rows and no key."""
        key = self._store.key_of(InternalKey(patient))
        if key is None:
            raise VaultDamaged()
        return Owner(InternalKey(patient), key)

    def _entry(self, connection: Connection, key: InternalKey, *kinds: Kind) -> tuple[RowMapping, Owner]:
        """Read the entry of an internal key, of one of these kinds (any, if none is named), and whose it is."""
        row = entries.row_of(connection, key)
        if row is None or (kinds and row["kind"] not in kinds):
            what = f"such {' or '.join(kinds)}" if kinds else "entry for this"
            raise UnknownCode(f"the key vault has no {what}; check the code or the number")
        return row, self._owner(row["patient"])

    def _identity(self, connection: Connection, key: InternalKey) -> tuple[Owner, Identity] | None:
        """Tell whom an internal key belongs to; None if the vault has no such key."""
        of_file = files.row_of_scan(connection, key)
        row = entries.row_of(connection, InternalKey(of_file["slide"]) if of_file else key)
        if row is None:
            return None
        owner = self._owner(row["patient"])
        name = files.unsealed_name(owner, of_file) if of_file else None
        return owner, entries.identity(connection, owner, row, name)


def require_reason(reason: str) -> None:
    """Refuse to act for no reason; raises InvalidValue."""
    if not reason.strip():
        raise InvalidValue("give the reason, such as the request's number")
