"""To erase a patient is to destroy a key: rows can be copied and restored, a key that is nowhere cannot.

In this order, so that a kill at any instant leaves something that the next opening of the vault finishes:

1. the key file gets a new key beside the old one;
2. the patient's rows go, and a note says that the erasure is not finished (one transaction, with the audit entry);
3. the key store is wrapped under the new key, without the patient's key and with a new key for the directory of cases
   (one transaction);
4. the old key goes from the key file and is overwritten;
5. the directory is made anew under its new key, and the note goes (one transaction).

To rotate is the same without a patient: the keys are wrapped under the key of another key file.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, insert, select

from archive.codes import InternalKey
from ingest.errors import VaultDamaged, VaultUnavailable
from ingest.keyvault import directory, entries, noted, trail
from ingest.keyvault.database import empty_log, reading, writing
from ingest.keyvault.entries import Owner
from ingest.keyvault.identity import Kind
from ingest.keyvault.keyfile import KeyFile
from ingest.keyvault.keystore import DIRECTORY, KeyStore
from ingest.keyvault.sealing import FieldKey
from ingest.keyvault.tables import erasure


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Let one process at a time replace a key; the system lets go of the lock when that process ends."""
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def refuse_if_begun(connection: Connection, patient: InternalKey) -> None:
    """Raise VaultUnavailable if this patient is being erased."""
    if connection.scalar(select(erasure.c.patient).where(erasure.c.patient == patient)):
        raise VaultUnavailable("this patient is being erased; try again when that is finished")


def erase(folder: Path, engine: Engine, store: KeyStore, patient: InternalKey, who: str, reason: str) -> None:
    """Erase one patient, and whatever an earlier erasure left unfinished."""
    with one_at_a_time(folder):
        new = _add_key(store)
        with writing(engine) as connection:
            trail.append(connection, store.vault_key, "erased", who, patient, reason)
            noted.forget_named(connection, store.vault_key, _numbers(connection, store, patient))
            noted.forget_patient(connection, patient)
            directory.forget_patient(connection, patient)
            entries.forget_patient(connection, patient)
            connection.execute(insert(erasure).values(patient=patient))
        _destroy_old_key(engine, store, new)


def _numbers(connection: Connection, store: KeyStore, patient: InternalKey) -> frozenset[str]:
    """Give the patient's own numbers and those of their cases; what cannot be read is left to the check."""
    found: set[str] = set()
    for key in store.keys_of({patient}).values():
        owner = Owner(patient, key)
        with suppress(VaultDamaged):
            found.update(entries.labels(connection, owner, Kind.PATIENT))
        for case in directory.cases_of(connection, patient):
            with suppress(VaultDamaged):
                row = entries.row_of(connection, case)
                found.update([entries.unsealed(owner, row)] if row else [])
    return frozenset(found)


def finish(folder: Path, engine: Engine, store: KeyStore) -> None:
    """Finish what was begun and killed; nothing happens if there is nothing."""
    if _begun(engine):
        with one_at_a_time(folder):
            if _begun(engine):  # and not finished while this process waited for another
                _destroy_old_key(engine, store, _add_key(store))


def rotate(folder: Path, store: KeyStore, new_file: Path, passphrase: str | None) -> None:
    """Wrap all keys under the key of a new key file; the old file is left to its owner, and opens no later copy.

    A new file that an unfinished rotation left is used.
    """
    with one_at_a_time(folder):
        name = store.vault_key.name
        if new_file.exists():
            to = KeyFile.read(new_file, passphrase)
        else:
            to = KeyFile.prepare(new_file, name, passphrase)
            to.write_first()
        if to.vault != name:
            raise VaultUnavailable("the new key file belongs to another key vault; name a file that does not exist yet")
        store.rewrap(to.keys[-1])
        store.key_file = to


def _begun(engine: Engine) -> list[InternalKey]:
    with reading(engine) as connection:
        return [InternalKey(patient) for patient in connection.scalars(select(erasure.c.patient))]


def _add_key(store: KeyStore) -> FieldKey:
    new = FieldKey.random()
    store.key_file = store.key_file.reread()
    store.key_file.replace((store.wrapping_key(), new))
    return new


def _destroy_old_key(engine: Engine, store: KeyStore, new: FieldKey) -> None:
    patients = _begun(engine)
    store.rewrap(new, without=patients, renewed=(DIRECTORY,))
    store.key_file.replace((new,))
    with writing(engine) as connection:
        directory.make_anew(connection, store)
        connection.execute(delete(erasure).where(erasure.c.patient.in_(patients)))
    empty_log(engine)
