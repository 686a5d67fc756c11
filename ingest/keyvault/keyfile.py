"""The laboratory's key lies in a small file of its own, which opens the key store and nothing else does.

It names its vault, is readable by its owner only and lies in another folder than the vault, so that no copy of one
folder gives names. With a passphrase its keys are wrapped once more (argon2id, 64 MiB). While a key is being replaced
the file holds two, the old and the new, so that the key store opens whichever of the two it was left with.
"""

import base64
import contextlib
import json
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from ingest.errors import VaultDamaged, VaultUnavailable
from ingest.keyvault.sealing import KEY_BYTES, FieldKey

FORMAT = 1
_SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class _Passphrase:
    """What a passphrase became: the key that wraps the file's keys, and the salt that it was mixed with."""

    salt: bytes
    wrapping: FieldKey

    @classmethod
    def stretched(cls, passphrase: str, salt: bytes) -> "_Passphrase":
        # argon2id, three passes over 64 MiB: about a quarter of a second here, and as much for every wrong guess.
        kdf = Argon2id(salt=salt, length=KEY_BYTES, iterations=3, lanes=4, memory_cost=64 * 1024)
        return cls(salt, FieldKey(kdf.derive(passphrase.encode())))


class KeyFile:
    """The keys in one key file: one, or two while one is being replaced, the newest last.

    Made by ``prepare``, ``read`` and ``reread``.
    """

    def __init__(self, path: Path, vault: str, keys: tuple[FieldKey, ...], passphrase: _Passphrase | None) -> None:
        self.path = path
        self.vault = vault
        self.keys = keys
        self._passphrase = passphrase

    @classmethod
    def prepare(cls, path: Path, vault: str, passphrase: str | None = None) -> "KeyFile":
        """Make a new key for the vault of that name; ``write_first`` writes it.

        Raises
        ------
        VaultUnavailable
            If there is a file of that name.
        """
        if path.exists():
            raise VaultUnavailable("there is a key file of that name already; name a new one, or open its own vault")
        stretched = _Passphrase.stretched(passphrase, secrets.token_bytes(_SALT_BYTES)) if passphrase else None
        return cls(path, vault, (FieldKey.random(),), stretched)

    def write_first(self) -> None:
        """Write a key file that was prepared, readable by its owner only, in a folder that is made if need be.

        Raises
        ------
        VaultUnavailable
            If the folder cannot be written.
        """
        with _written():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.replace(self.keys)

    @classmethod
    def read(cls, path: Path, passphrase: str | None = None) -> "KeyFile":
        """Read the keys.

        Raises
        ------
        VaultUnavailable
            If the file is missing, readable by others, no key file, or the passphrase is wrong or missing.
        """
        content = _content(path)
        if not content["salt"]:
            return cls(path, content["vault"], _keys(content, None), None)
        if not passphrase:
            raise VaultUnavailable("the key file is protected by a passphrase; give it")
        stretched = _Passphrase.stretched(passphrase, base64.b64decode(content["salt"]))
        return cls(path, content["vault"], _keys(content, stretched), stretched)

    def is_as_written(self) -> bool:
        """Whether the file's text is, but for what is wrapped, exactly what `replace` writes."""
        content = _content(self.path)
        stored = [base64.b64encode(base64.b64decode(key)).decode() for key in content["keys"]]
        salt = base64.b64encode(base64.b64decode(content["salt"])).decode()
        known = {"coverslip_vault_key": FORMAT, "vault": content["vault"], "salt": salt, "keys": stored}
        return self.path.read_bytes() == json.dumps(known, indent=1).encode()

    def reread(self) -> "KeyFile":
        """Read the file again, after another process has replaced a key; the passphrase is not needed."""
        return KeyFile(self.path, self.vault, _keys(_content(self.path), self._passphrase), self._passphrase)

    def key(self, name: str) -> FieldKey | None:
        """Return the key of that name, if it is here."""
        return next((key for key in self.keys if key.name == name), None)

    def replace(self, keys: tuple[FieldKey, ...]) -> None:
        """Put these keys in place of those in the file, and overwrite the old content.

        Written aside, flushed and renamed: killed at any instant, the file holds the old keys or the new ones.
        On flash and copy-on-write disks overwriting does not reach every old copy; full-disk encryption does.
        """
        aside = self.path.with_name(self.path.name + ".new")
        with _written(), contextlib.ExitStack() as stack:
            if aside.exists():
                _wipe(aside)
            _write_flushed(aside, self._text(keys))
            old = stack.enter_context(self.path.open("r+b")) if self.path.exists() else None
            aside.replace(self.path)
            flush_folder(self.path.parent)
            if old:
                _overwrite(old.fileno())
        self.keys = keys

    def _text(self, keys: tuple[FieldKey, ...]) -> bytes:
        content = {
            "coverslip_vault_key": FORMAT,
            "vault": self.vault,
            "salt": base64.b64encode(self._passphrase.salt).decode() if self._passphrase else "",
            "keys": [base64.b64encode(self._wrapped(key)).decode() for key in keys],
        }
        return json.dumps(content, indent=1).encode()

    def _wrapped(self, key: FieldKey) -> bytes:
        return self._passphrase.wrapping.seal(key.material, "key file") if self._passphrase else key.material


def flush_folder(folder: Path) -> None:
    """Make a rename in this folder last through a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _content(path: Path) -> Mapping[str, Any]:
    try:
        mode = path.stat().st_mode
        text = path.read_bytes()
    except OSError:
        raise VaultUnavailable("the key file is missing or cannot be read; put it back from its safe copy") from None
    if not stat.S_ISREG(mode) or mode & 0o077:
        raise VaultUnavailable("the key file can be read by other accounts; run chmod 600 on it and try again")
    try:
        content: dict[str, Any] = json.loads(text)
        known = content["coverslip_vault_key"] == FORMAT and {"vault", "salt", "keys"} <= content.keys()
    except (ValueError, TypeError, KeyError):
        known = False
    if not known:
        raise _no_key_file()
    return content


def _keys(content: Mapping[str, Any], passphrase: _Passphrase | None) -> tuple[FieldKey, ...]:
    try:
        stored = [base64.b64decode(text) for text in content["keys"]]
        return tuple(FieldKey(_unwrapped(data, passphrase)) for data in stored)
    except (TypeError, ValueError):
        raise _no_key_file() from None


def _unwrapped(data: bytes, passphrase: _Passphrase | None) -> bytes:
    try:
        return passphrase.wrapping.unseal(data, "key file") if passphrase else data
    except VaultDamaged:
        raise VaultUnavailable("the passphrase does not open the key file; try it again") from None


def _no_key_file() -> VaultUnavailable:
    return VaultUnavailable("this is no key file of a key vault; name the file that was made with the vault")


@contextlib.contextmanager
def _written() -> Iterator[None]:
    try:
        yield
    except OSError:
        raise VaultUnavailable("the key file's folder cannot be written; make it writable and try again") from None


def _write_flushed(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _wipe(path: Path) -> None:
    with path.open("r+b") as file:
        _overwrite(file.fileno())
    path.unlink()


def _overwrite(descriptor: int) -> None:
    os.pwrite(descriptor, bytes(os.fstat(descriptor).st_size), 0)
    os.fsync(descriptor)
