"""What the desk works with: one archive, its key vault, and the account in whose name things are done."""

from dataclasses import dataclass
from pathlib import Path

from archive.accounts import AccountStore
from archive.holdings import Archive
from archive.settings import ArchiveSettings
from ingest.keyvault import KeyVault


@dataclass(frozen=True)
class Room:
    """The laboratory that the desk belongs to, opened.

    ``secret`` are the folders that slide readers must have no way into; ``limits_only`` says that slides are trusted
    enough to be read where the system has no walls for their readers. ``accounts`` is None where the archive has none:
    then whoever opened the desk, ``who``, does everything.
    """

    archive: Archive
    vault: KeyVault
    settings: ArchiveSettings
    who: str
    secret: tuple[Path, ...]
    limits_only: bool = False
    accounts: AccountStore | None = None
