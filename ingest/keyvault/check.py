"""A vault that is never read may be damaged for years: the check opens every sealed field and tries every look-up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from archive.codes import InternalKey
from ingest.errors import VaultDamaged
from ingest.keyvault import (
    awaited,
    corrections,
    declarations,
    directory,
    entries,
    files,
    history,
    noted,
    requests,
    tables,
    trail,
)
from ingest.keyvault.entries import Owner
from ingest.keyvault.identity import Kind, compared
from ingest.keyvault.keystore import KeyStore
from ingest.keyvault.sealing import FieldKey
from ingest.keyvault.tables import about, declaration, entry, file

ABOUT = "this is the vault of its own key store"


class FaultCode(StrEnum):
    """What can be wrong with a vault. The values are stable: scripts may rely on them."""

    FIELD_DAMAGED = "field-damaged"
    KEY_MISSING = "key-missing"
    PARENT_MISSING = "parent-missing"
    PATIENT_NOT_FOUND = "patient-not-found"
    CASE_NOT_FOUND = "case-not-found"
    TRAIL = "trail"


@dataclass(frozen=True, slots=True)
class VaultFault:
    """One fault: its code, the table, and which row of it in the order of storage, counted from 1."""

    code: FaultCode
    table: str
    row: int

    def __str__(self) -> str:
        return f"{self.code}: {self.table}, row {self.row}"


def seal_about(key: FieldKey) -> bytes:
    """Make the field by which a database knows the key store that it belongs to."""
    return key.seal(ABOUT.encode(), "about", "seal")


def belongs_together(connection: Connection, key: FieldKey) -> None:
    """Raise VaultDamaged if the database and the key store are not of one vault."""
    sealed = connection.scalar(select(about.c.seal))
    key.unseal(sealed or b"", "about", "seal")


def faults(connection: Connection, store: KeyStore) -> Iterator[VaultFault]:
    """Find every fault of a vault, one by one."""
    yield from _in_table(connection, entry, lambda row: _entry_fault(connection, store, row))
    yield from _in_table(connection, file, lambda row: _file_fault(connection, store, row))
    yield from _in_table(connection, declaration, lambda row: _tried(declarations.opened, store.vault_key, row))
    yield from _in_table(connection, tables.directory, lambda row: _listing_fault(connection, row))
    yield from _in_table(connection, tables.correction, lambda row: _tried(corrections.opened, store.vault_key, row))
    yield from _in_table(connection, tables.lookup_request, lambda row: _tried(requests.opened, store.vault_key, row))
    yield from _in_register(connection, store)
    for number in store.damaged():
        yield VaultFault(FaultCode.FIELD_DAMAGED, "wrapped_key", number)
    for fault in trail.verify(connection, store.vault_key):
        yield VaultFault(FaultCode.TRAIL, "audit", fault.number)


def _in_register(connection: Connection, store: KeyStore) -> Iterator[VaultFault]:
    key = store.vault_key
    yield from _in_table(connection, tables.intake, lambda row: _tried(noted.opened, key, store.key_of, row))
    yield from _in_table(connection, tables.intake_event, lambda row: _tried(history.opened, key, row))
    yield from _in_table(connection, tables.awaited, lambda row: _tried(awaited.opened, key, row))


def _in_table(
    connection: Connection, table: Any, fault_of: Callable[[RowMapping], FaultCode | None]
) -> Iterator[VaultFault]:
    rows = connection.execute(select(table), execution_options={"yield_per": 1000}).mappings()  # memory stays flat
    for number, row in enumerate(rows, start=1):
        code = fault_of(row)
        if code:
            yield VaultFault(code, table.name, number)


def _entry_fault(connection: Connection, store: KeyStore, row: RowMapping) -> FaultCode | None:
    key = store.key_of(row["patient"])
    if key is None:
        return FaultCode.KEY_MISSING
    owner = Owner(row["patient"], key)
    damaged = _tried(entries.unsealed, owner, row)
    if damaged:
        return damaged
    if row["parent"] and entries.row_of(connection, row["parent"]) is None:
        return FaultCode.PARENT_MISSING
    if row["kind"] == Kind.CASE and directory.fault_of(connection, store.directory_key, owner, row):
        return FaultCode.CASE_NOT_FOUND
    if row["kind"] == Kind.PATIENT:
        number = compared(Kind.PATIENT, entries.unsealed(owner, row))
        return None if store.number_is(owner.patient, number) else FaultCode.PATIENT_NOT_FOUND
    return None


def _listing_fault(connection: Connection, row: RowMapping) -> FaultCode | None:
    case = entries.row_of(connection, row["case_key"])
    return None if case is not None and case["kind"] == Kind.CASE else FaultCode.PARENT_MISSING


def _file_fault(connection: Connection, store: KeyStore, row: RowMapping) -> FaultCode | None:
    key = store.key_of(row["patient"])
    if key is None:
        return FaultCode.KEY_MISSING
    if entries.row_of(connection, InternalKey(row["slide"])) is None:
        return FaultCode.PARENT_MISSING
    return _tried(files.unsealed_name, Owner(row["patient"], key), row)


def _tried(open_it: Callable[..., object], *arguments: object) -> FaultCode | None:
    try:
        open_it(*arguments)
    except (VaultDamaged, ValueError, TypeError):
        return FaultCode.FIELD_DAMAGED
    return None
