"""A vault is two folders: one with the vault, one with its key."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from archive.codes import InternalKey
from ingest.keyvault import Keys, KeyVault, PersonalIdentity

JANE = PersonalIdentity("943 476 5919", "Planted^Jane-Melisande", date(1948, 7, 5))
JOHN = PersonalIdentity("HOSP-0099887766", "Planted^Johannes", date(1951, 12, 30))


@dataclass
class Place:
    """Where a test's vault and its key are."""

    folder: Path
    key_file: Path

    def open(self) -> KeyVault:
        return KeyVault.open(self.folder, self.key_file)

    def create(self) -> KeyVault:
        return KeyVault.create(self.folder, self.key_file)

    def change(self, statement: str, *values: object, file: str = "vault.sqlite") -> list[tuple[object, ...]]:
        """Run a statement behind the vault's back."""
        with closing(sqlite3.connect(self.folder / file)) as connection, connection:
            return connection.execute(statement, values).fetchall()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "safe" / "vault", tmp_path / "elsewhere" / "vault.key")


@pytest.fixture
def vault(place: Place) -> Iterator[KeyVault]:
    with place.create() as made:
        yield made


@pytest.fixture
def scanned(vault: KeyVault) -> Callable[..., tuple[Keys, InternalKey]]:
    """Record a slide and a file of it, as ingest does."""

    def record(
        person: PersonalIdentity = JANE,
        case: str = "S26-0012345",
        block: str = "A1",
        slide: str = "HE 1",
        file_name: str = "planted-file-name-0001.svs",
    ) -> tuple[Keys, InternalKey]:
        keys = vault.keys_for(person, case, block, slide)
        scan = vault.record_file(digest(file_name), keys.slide, file_name)
        vault.confirm(scan)
        return keys, scan

    return record


def digest(content: str) -> bytes:
    return sha256(content.encode()).digest()
