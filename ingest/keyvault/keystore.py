"""One small file holds every patient's key; what is gone from it can be read nowhere, not even in old copies.

Each key is wrapped under the key file's key, together with the inner look-up by which its patient is found again, so
that this file alone can be wrapped anew under another key without knowing any patient. To erase is just that: the entry
is left out, the rest is wrapped anew, the old key is destroyed. An old copy of this file then opens with nothing, and
an old copy of the vault's rows lacks the erased patient's key. (Look-ups of the patient are made under the key that
is destroyed, too: nobody can try identifiers on an old copy.)
"""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from archive.codes import InternalKey, new_key
from ingest.errors import VaultDamaged, VaultUnavailable
from ingest.keyvault.database import (
    connect,
    copy_sqlite,
    empty_log,
    make_sqlite,
    reading,
    sqlite_url,
    writing,
)
from ingest.keyvault.keyfile import KeyFile
from ingest.keyvault.sealing import KEY_BYTES, FieldKey
from ingest.keyvault.tables import key_tables, wrapped_key, wrapped_under

T = TypeVar("T")

_VAULT = InternalKey("")
"""The owner of the vault's own key, which seals what belongs to no patient."""

DIRECTORY = InternalKey("directory")
"""The owner of the key that the directory of cases is made with. It changes with every erasure, because case numbers
can be guessed: an old copy of the rows must not tell whether a number is in it."""

_LOOKS = 10
"""How often the key file is read again before it is taken to be the wrong one."""

_BY_OWNER = select(wrapped_key).where(wrapped_key.c.owner == bindparam("wanted"))
_BY_LOOK_UP = select(wrapped_key).where(wrapped_key.c.look_up == bindparam("wanted"))
_KEY_NAME = select(wrapped_under.c.key_name)


class KeyStore:
    """The wrapped keys, and the key file that opens them."""

    def __init__(self, path: Path, key_file: KeyFile) -> None:
        if not path.is_file():
            raise VaultUnavailable("the key store is missing; restore it from the vault's last backup")
        self.key_file = key_file
        self._engine = connect(sqlite_url(path))
        try:
            vault_key = self.key_of(_VAULT)
            if vault_key is None:
                raise _not_its_key()
        except VaultUnavailable:
            self.close()
            raise
        self.vault_key = vault_key

    @classmethod
    def create(cls, path: Path, key_file: KeyFile, vault_key: FieldKey) -> "KeyStore":
        """Make a key store that holds the vault's own key and no patient's."""
        make_sqlite(path)
        engine = connect(sqlite_url(path))
        key = key_file.keys[-1]
        with writing(engine) as connection:
            key_tables.create_all(connection)
            connection.execute(insert(wrapped_under).values(key_name=key.name))
            connection.execute(insert(wrapped_key), _wrap(key, _VAULT, vault_key, b""))
            connection.execute(insert(wrapped_key), _wrap(key, DIRECTORY, FieldKey.random(), DIRECTORY.encode()))
        empty_log(engine)
        engine.dispose()
        return cls(path, key_file)

    def copy_to(self, file: Path) -> None:
        """Write a copy of the store, as it is at one instant."""
        copy_sqlite(self._engine, file)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def patient(self, number: str) -> tuple[InternalKey, FieldKey]:
        """Find the patient of a (normalised) number; a patient not met before gets an internal key and a key."""
        found = self.find(number)
        if found:
            return found
        inner = self.vault_key.look_up("patient", number)
        with writing(self._engine) as connection:
            wrapping = self._wrapping(connection)
            return _find(connection, wrapping, inner) or _add(connection, wrapping, inner)

    def find(self, number: str) -> tuple[InternalKey, FieldKey] | None:
        """Find the patient of a (normalised) number; None if there is no such patient, and none is made."""
        inner = self.vault_key.look_up("patient", number)
        return self._read(lambda connection, wrapping: _find(connection, wrapping, inner))

    def key_of(self, patient: InternalKey) -> FieldKey | None:
        """Return a patient's key; None if there is no such patient, or no longer."""
        return self._read(lambda connection, wrapping: _key_of(connection, wrapping, patient))

    def keys_of(self, patients: Collection[InternalKey]) -> dict[InternalKey, FieldKey]:
        """Return the keys of up to a few hundred patients at once; who is not there is left out."""
        return self._read(lambda connection, wrapping: _keys_of(connection, wrapping, patients))

    @property
    def directory_key(self) -> FieldKey:
        """The key that the directory of cases is made with now; read anew each time, because erasures change it."""
        key = self.key_of(DIRECTORY)
        if key is None:
            raise VaultDamaged()
        return key

    def number_is(self, patient: InternalKey, number: str) -> bool:
        """Tell whether a patient is found by this (normalised) number."""
        found = self.find(number)
        return found is not None and found[0] == patient

    def damaged(self) -> list[int]:
        """Return the numbers, counted from 1, of the rows whose key does not open or is not found by its look-up."""
        return self._read(_damaged)

    def wrapping_key(self) -> FieldKey:
        """Return the key that the store is wrapped under now."""
        return self._read(lambda _, wrapping: wrapping)

    def rewrap(
        self, new: FieldKey, without: Collection[InternalKey] = (), renewed: Collection[InternalKey] = ()
    ) -> None:
        """Wrap all keys under a new key in one transaction, leaving some out and replacing others for good.

        The caller has written the new key to the key file before and destroys the old one after.
        """
        with writing(self._engine) as connection:
            old = self._wrapping(connection)
            connection.execute(delete(wrapped_key).where(wrapped_key.c.owner.in_(without)))
            rows = connection.execute(select(wrapped_key)).mappings().all()
            opened = {InternalKey(row["owner"]): _unwrap(old, row) for row in rows}
            opened |= {owner: (FieldKey.random(), opened[owner][1]) for owner in renewed}
            anew = [_wrap(new, owner, *key_and_look_up) for owner, key_and_look_up in opened.items()]
            # All rows are written anew, because a new look-up might be what another row's old one was.
            connection.execute(delete(wrapped_key))
            connection.execute(insert(wrapped_key), anew)
            connection.execute(update(wrapped_under).values(key_name=new.name))
        empty_log(self._engine)

    def _read(self, work: Callable[[Connection, FieldKey], T]) -> T:
        # Between a look at the store and a look at the key file, another process may replace the key in both.
        for _ in range(_LOOKS):
            with reading(self._engine) as connection:
                wrapping = self.key_file.key(_name_in(connection))
                if wrapping:
                    return work(connection, wrapping)
            self.key_file = self.key_file.reread()
        raise _not_its_key()

    def _wrapping(self, connection: Connection) -> FieldKey:
        # In a transaction that writes, no other process can replace the key that the store is wrapped under.
        name = _name_in(connection)
        if not self.key_file.key(name):
            self.key_file = self.key_file.reread()
        wrapping = self.key_file.key(name)
        if wrapping is None:
            raise _not_its_key()
        return wrapping


def _name_in(connection: Connection) -> str:
    return connection.scalar(_KEY_NAME) or ""


def _key_of(connection: Connection, wrapping: FieldKey, owner: str) -> FieldKey | None:
    row = connection.execute(_BY_OWNER, {"wanted": owner}).mappings().one_or_none()
    return _unwrap(wrapping, row)[0] if row else None


def _keys_of(
    connection: Connection, wrapping: FieldKey, owners: Collection[InternalKey]
) -> dict[InternalKey, FieldKey]:
    rows = connection.execute(select(wrapped_key).where(wrapped_key.c.owner.in_(owners))).mappings()
    return {InternalKey(row["owner"]): _unwrap(wrapping, row)[0] for row in rows}


def _find(connection: Connection, wrapping: FieldKey, inner: bytes) -> tuple[InternalKey, FieldKey] | None:
    row = connection.execute(_BY_LOOK_UP, {"wanted": _outer(wrapping, inner)}).mappings().one_or_none()
    return (InternalKey(row["owner"]), _unwrap(wrapping, row)[0]) if row else None


def _add(connection: Connection, wrapping: FieldKey, inner: bytes) -> tuple[InternalKey, FieldKey]:
    patient, key = new_key(), FieldKey.random()
    connection.execute(insert(wrapped_key), _wrap(wrapping, patient, key, inner))
    return patient, key


def _damaged(connection: Connection, wrapping: FieldKey) -> list[int]:
    numbers = []
    for number, row in enumerate(connection.execute(select(wrapped_key)).mappings(), start=1):
        try:
            _unwrap(wrapping, row)
        except VaultDamaged:
            numbers.append(number)
    return numbers


def _outer(key: FieldKey, inner: bytes) -> bytes:
    return key.look_up("wrapped key", inner)


def _wrap(wrapping: FieldKey, owner: str, key: FieldKey, inner: bytes) -> dict[str, object]:
    look_up = _outer(wrapping, inner)
    wrapped = wrapping.seal(key.material + inner, "wrapped_key", "wrapped", owner, look_up)
    return {"owner": owner, "look_up": look_up, "wrapped": wrapped}


def _unwrap(wrapping: FieldKey, row: RowMapping) -> tuple[FieldKey, bytes]:
    plain = wrapping.unseal(row["wrapped"], "wrapped_key", "wrapped", row["owner"], row["look_up"])
    if row["look_up"] != _outer(wrapping, plain[KEY_BYTES:]):
        raise VaultDamaged()
    return FieldKey(plain[:KEY_BYTES]), plain[KEY_BYTES:]


def _not_its_key() -> VaultUnavailable:
    return VaultUnavailable("the key file does not belong to this key vault; name the file that was made with it")
