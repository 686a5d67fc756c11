"""A vault is made aside and renamed into place: killed at any instant, there is a whole vault or none.

What a killed attempt left is taken up if the key file fits it, and thrown away otherwise: nobody is in it yet.
"""

import shutil
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy import Engine, insert, inspect

from ingest.errors import VaultUnavailable
from ingest.keyvault import check, trail
from ingest.keyvault.database import (
    connect,
    empty_log,
    make_sqlite,
    sqlite_url,
    writing,
)
from ingest.keyvault.keyfile import KeyFile, flush_folder
from ingest.keyvault.keystore import KeyStore
from ingest.keyvault.sealing import FieldKey
from ingest.keyvault.tables import SCHEMA_VERSION, about, vault_tables

ROWS = "vault.sqlite"
KEYS = "patient-keys.sqlite"


def make(folder: Path, key_file: Path, passphrase: str | None, database: str | None) -> None:
    """Make an empty vault in a folder that is not there yet, and its key file.

    Raises
    ------
    VaultUnavailable
        If the folder, the key file or a vault in the database is there already, or something cannot be written.
    """
    if folder.exists():
        raise VaultUnavailable("there is something in the place of the key vault already; open it, or name another")
    refuse_key_inside(folder, key_file)
    aside = folder.with_name(folder.name + ".being-made")
    try:
        store = _left_over(aside, key_file, passphrase) or _make_keys(aside, key_file, passphrase)
        with closing(store):
            _make_rows(aside, store, database)
        aside.rename(folder)
        flush_folder(folder.parent)
    except OSError:
        raise VaultUnavailable("the key vault's folder cannot be written; make it writable or name another") from None


def refuse_key_inside(folder: Path, key_file: Path) -> None:
    """Raise VaultUnavailable if the key lies where the vault lies: one copied folder would give all names."""
    if key_file.resolve().is_relative_to(folder.resolve()):
        raise VaultUnavailable("the key file may not lie in the key vault's folder; name a place elsewhere")


def _left_over(aside: Path, key_file: Path, passphrase: str | None) -> KeyStore | None:
    if not aside.exists():
        return None
    with suppress(VaultUnavailable):
        return KeyStore(aside / KEYS, KeyFile.read(key_file, passphrase))
    shutil.rmtree(aside)
    return None


def _make_keys(aside: Path, key_file: Path, passphrase: str | None) -> KeyStore:
    vault_key = FieldKey.random()
    made = KeyFile.prepare(key_file, vault_key.name, passphrase)
    aside.mkdir(mode=0o700, parents=True)
    store = KeyStore.create(aside / KEYS, made, vault_key)
    made.write_first()
    return store


def _make_rows(aside: Path, store: KeyStore, database: str | None) -> None:
    rows = aside / ROWS
    if not database and not rows.exists():
        make_sqlite(rows)
    engine = connect(database or sqlite_url(rows))
    try:
        _fill(engine, store)
        empty_log(engine)
    finally:
        engine.dispose()


def _fill(engine: Engine, store: KeyStore) -> None:
    with writing(engine) as connection:
        if inspect(connection).has_table(about.name):
            check.belongs_together(connection, store.vault_key)
        else:
            vault_tables.create_all(connection)
            connection.execute(
                insert(about).values(schema_version=SCHEMA_VERSION, seal=check.seal_about(store.vault_key))
            )
            trail.begin(connection, store.vault_key)
