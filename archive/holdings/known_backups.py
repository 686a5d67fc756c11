"""Which backups were made of an archive, where, and up to which act: a file beside the catalogue says so.

The catalogue cannot: a backup is a copy of it as it was before. Where the file is lost, the next backup begins it anew.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from archive import fixity
from archive.errors import HoldingsUnavailable
from archive.holdings.place import Place, claimed


@dataclass(frozen=True, slots=True)
class KnownBackup:
    """A backup: a handle that tells nothing, the folder that it is made in, and the newest act that it has.

    The act is 0 where it is not known, or no backup in this folder was ever finished.
    """

    handle: str
    folder: Path
    acts: int

    @property
    def holder(self) -> str:
        """How the catalogue calls it."""
        return f"backup {self.handle}"


def known_backups(place: Place) -> dict[str, KnownBackup]:
    """Give the backups that were begun, by the name that the catalogue has for each.

    Raises
    ------
    HoldingsUnavailable
        If the file is damaged.
    """
    try:
        told = json.loads(place.backups.read_bytes())
        found = [KnownBackup(handle, Path(one["folder"]), int(one["acts"])) for handle, one in told.items()]
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise HoldingsUnavailable(
            f"the file {place.backups.name} is damaged; remove it, and back up into each backup once more"
        ) from None
    return {one.holder: one for one in found}


def note_backup(place: Place, folder: Path, acts: int) -> None:
    """Note that a backup is made in a folder, and up to which act it has everything; an act never goes back."""
    resolved = folder.resolve()
    handle = hashlib.blake2b(str(resolved).encode(), digest_size=4).hexdigest()
    with claimed(place.root):
        known = {one.handle: one for one in known_backups(place).values()}
        newest = max(acts, known[handle].acts if handle in known else 0)
        known[handle] = KnownBackup(handle, resolved, newest)
        told = {one.handle: {"folder": str(one.folder), "acts": one.acts} for one in known.values()}
        fixity.write(place.backups, json.dumps(told, sort_keys=True).encode())
