"""A vault is copied at one instant and without its key: whoever has the copy alone has no name.

A folder of copies holds the newest one, ``vault-000007``. Older ones go when it is in place, because a patient who was
erased since is still in them.
"""

import re
import shutil
from pathlib import Path

from sqlalchemy import Engine, select

from archive import fixity
from ingest.errors import VaultUnavailable
from ingest.keyvault.database import copy_sqlite, reading
from ingest.keyvault.erasure import one_at_a_time
from ingest.keyvault.keystore import KeyStore
from ingest.keyvault.making import KEYS, ROWS
from ingest.keyvault.tables import erasure

_NAME = re.compile(r"vault-(\d{6})")


def copy_vault(vault: Path, engine: Engine, store: KeyStore, folder: Path) -> None:
    """Put a new copy of a vault into a folder of copies, and take the older ones out.

    Raises
    ------
    VaultUnavailable
        If it cannot be written, or the rows are in a server.
    """
    if engine.dialect.name != "sqlite":
        raise VaultUnavailable("the key vault's rows are in a database server; copy them with the server's own tools")
    if folder.resolve().is_relative_to(vault.resolve()):
        raise VaultUnavailable("a copy of the key vault lies outside the vault; name another folder")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        older = _copies(folder)
        aside = folder / "vault.being-copied"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        with one_at_a_time(vault):  # while no key is being replaced
            _refuse_unfinished(engine)
            copy_sqlite(engine, aside / ROWS)
            store.copy_to(aside / KEYS)  # after the rows, so that no patient's key is missing
        fixity.flush(aside)
        number = int(_NAME.fullmatch(older[-1].name)[1]) + 1 if older else 1  # type: ignore[index]
        aside.rename(folder / f"vault-{number:06}")
        fixity.flush_one(folder)
        for copy in older:
            shutil.rmtree(copy)
    except OSError:
        raise VaultUnavailable("the copy of the key vault cannot be written; check its folder and disk") from None


def newest_copy(folder: Path) -> Path:
    """Give the newest copy in a folder of copies, which can be opened as a vault.

    Raises
    ------
    VaultUnavailable
        If there is none.
    """
    found = _copies(folder)
    if not found:
        raise VaultUnavailable("there is no copy of a key vault in this folder; check the path")
    return found[-1]


def put_back(copy: Path, vault: Path) -> None:
    """Make a vault from a copy, in a place where there is none.

    Raises
    ------
    VaultUnavailable
        If there is something in its place, or it cannot be written.
    """
    if vault.exists():
        raise VaultUnavailable("there is something in the place of the key vault already; name another place")
    aside = vault.with_name(vault.name + ".being-restored")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700, parents=True)
        for name in (ROWS, KEYS):
            shutil.copyfile(copy / name, aside / name)
            (aside / name).chmod(0o600)
        fixity.flush(aside)
        aside.rename(vault)
        fixity.flush_one(vault.parent)
    except OSError:
        raise VaultUnavailable(
            "the key vault cannot be restored there; check the copy, the place and the disk"
        ) from None


def _copies(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name)) if folder.is_dir() else []


def _refuse_unfinished(engine: Engine) -> None:
    with reading(engine) as connection:
        if connection.scalar(select(erasure.c.patient).limit(1)) is not None:
            raise VaultUnavailable("an erasure was interrupted; open the vault once more, which finishes it")
