"""What the desk works with: one archive, its key vault, and the account in whose name things are done."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from archive.holdings import Archive
from archive.settings import ArchiveSettings
from ingest.keyvault import KeyVault

_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
"""What the vault's trail takes for an account."""


@dataclass(frozen=True)
class Room:
    """The laboratory that the desk belongs to, opened.

    ``secret`` are the folders that slide readers must have no way into; ``limits_only`` says that slides are trusted
    enough to be read where the system has no walls for their readers.
    """

    archive: Archive
    vault: KeyVault
    settings: ArchiveSettings
    who: str
    secret: tuple[Path, ...]
    limits_only: bool = False


def account() -> str:
    """Name the system's account that this process runs as; its number, where the name would not do in the trail.

    The environment is not asked, since anybody may write any name into it.
    """
    import pwd

    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = ""
    return name if _ACCOUNT.fullmatch(name) else f"account-{number}"
