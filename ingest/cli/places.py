"""Where a laboratory's archive, key vault and key file lie, and how the three are opened together.

Unless told otherwise they lie side by side: ``coverslip-archive``, ``coverslip-archive-vault`` and
``coverslip-archive-key``. Three folders, so that each can be given a disk, a backup and an owner of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from archive.accounts import Actor
from archive.cli.proving import signed
from archive.errors import ArchiveError, InvalidValue
from archive.holdings import Archive
from archive.settings import ArchiveSettings
from ingest.errors import VaultUnavailable
from ingest.keyvault import KeyVault

VaultFolder = Annotated[
    Path | None,
    typer.Option("--vault", envvar="COVERSLIP_VAULT", help="Folder of the key vault; ARCHIVE-vault unless given."),
]

KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--vault-key", envvar="COVERSLIP_VAULT_KEY", help="Key file of the vault; ARCHIVE-key/vault.key unless given."
    ),
]

LimitsOnly = Annotated[
    bool,
    typer.Option(
        "--limits-only",
        help="Read slides although this system has no walls for their readers (see doctor); only slides you trust.",
    ),
]

BOUND_TO = "archive"
"""The vault's declaration of the archive that its keys are meant for."""


@dataclass(frozen=True)
class Places:
    """The three places of one laboratory."""

    archive: Path
    vault: Path
    key: Path

    @classmethod
    def of(cls, archive: Path, vault: Path | None = None, key: Path | None = None) -> "Places":
        """Fill in the places that were not named."""
        archive = archive.absolute()
        beside = archive.parent / f"{archive.name}-vault", archive.parent / f"{archive.name}-key" / "vault.key"
        return cls(archive, (vault or beside[0]).absolute(), (key or beside[1]).absolute())

    @property
    def secret(self) -> tuple[Path, ...]:
        """Folders that slide readers must have no way into."""
        return self.vault, self.key.parent

    @property
    def exist(self) -> bool:
        """Whether this laboratory has been set up."""
        return (self.archive / "archive.json").exists() and self.vault.is_dir()

    def create(self) -> None:
        """Make an empty archive, an empty vault and its key file.

        Raises
        ------
        ArchiveError
            If one of them is there already: a new vault would not know the codes of an old archive.
        """
        settings = ArchiveSettings(archive=self.archive)
        if not self.vault.exists():
            _require_empty(self.archive)
            self.key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            KeyVault.create(self.vault, self.key).close()
        if not (self.archive / "archive.json").exists():
            Archive.create(self.archive, settings, actor="laboratory").close()
        with self.opened():
            pass

    @contextmanager
    def opened(self, actor: Actor | None = None) -> Iterator[tuple[Archive, KeyVault]]:
        """Open both for writing.

        Parameters
        ----------
        actor
            Who acts, where the archive has accounts; its trail then names them.

        Raises
        ------
        ArchiveError
            If one of them cannot be opened, or the vault belongs to another archive.
        """
        settings = ArchiveSettings(archive=self.archive)
        with (
            Archive.open(self.archive, settings=settings, **signed(actor, "laboratory")) as archive,
            KeyVault.open(self.vault, self.key) as vault,
        ):
            require_pair(archive, vault)
            yield archive, vault


def _require_empty(archive: Path) -> None:
    """Refuse, before a vault is made for it, a folder in which no archive can be made."""
    if (archive / "archive.json").exists():
        raise VaultUnavailable(
            "there is an archive, but no key vault where it should be; name the vault's folder with --vault"
        )
    if archive.exists() and (not archive.is_dir() or any(archive.iterdir())):
        raise InvalidValue("an archive is made in an empty folder; name another one with --archive")


def require_pair(archive: Archive, vault: KeyVault) -> None:
    """Bind a new vault to its archive, and refuse any other from then on."""
    bound = vault.declared(BOUND_TO)
    if not bound:
        vault.declare(BOUND_TO, BOUND_TO, archive.catalogue.identity, who="laboratory")
    elif bound.get(BOUND_TO) != archive.catalogue.identity:
        raise ArchiveError("this key vault belongs to another archive; check --archive and --vault")
