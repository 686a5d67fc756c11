"""An archive's folder, and how several processes work in it without touching each other's slides.

::

    archive.json          says that this is an archive, and which
    catalogue.sqlite      the catalogue, unless it is in PostgreSQL
    journal/              what every act changed in the catalogue, so that it can be made again
    checks.log            when each scan was last read again, and what was then seen of the catalogue's file
    staging/<random>/     a scan on its way in, not yet part of the archive
    scans/<xx>/<key>/     a scan: manifest.json, record.json, pyramid.ome.zarr/, and its colour profile if it has one
    aside/<random>/       a folder that no row speaks of and that could not be taken up
    redacting/<key>/      a new version of a scan, on which something is black, complete and on its way in
    backups.json          where backups were made, and of which act each has

Whoever works on a folder holds a lock on it. The lock goes with the folder when it is renamed and ends with the
process, however that ends: a staged folder that nobody has locked belongs to nobody.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from archive import fixity
from archive.codes import InternalKey
from archive.errors import HoldingsUnavailable

PIXELS = "pyramid.ome.zarr"
"""The folder inside a scan's folder that the pyramid is in, named so that any OME-Zarr program recognises it."""

COLOUR_PROFILE = "colour-profile.icc"
"""The scanner's colour profile, written anew, beside the pyramid, which holds nothing that OME-Zarr does not know."""

RECORD = "record.json"
"""What the catalogue tells of the scan, beside the pixels, so that a scan can be taken up without its row."""


@dataclass(frozen=True, slots=True)
class Place:
    """The folders of one archive."""

    root: Path

    @property
    def mark(self) -> Path:
        """The file that makes a folder an archive."""
        return self.root / "archive.json"

    @property
    def catalogue(self) -> Path:
        """The file of an SQLite catalogue."""
        return self.root / "catalogue.sqlite"

    @property
    def journal(self) -> Path:
        """Where every act of the catalogue is told once more."""
        return self.root / "journal"

    @property
    def checks(self) -> Path:
        """The record of when each scan was last checked."""
        return self.root / "checks.log"

    @property
    def staging(self) -> Path:
        """Where scans are made."""
        return self.root / "staging"

    @property
    def scans(self) -> Path:
        """Where scans are kept."""
        return self.root / "scans"

    @property
    def aside(self) -> Path:
        """Where folders lie that a person must look at."""
        return self.root / "aside"

    @property
    def redacting(self) -> Path:
        """Where new versions of scans lie until they take the place of the old ones."""
        return self.root / "redacting"

    @property
    def backups(self) -> Path:
        """The record of the backups that were made."""
        return self.root / "backups.json"

    def of_scan(self, key: InternalKey) -> Path:
        """Give the folder of a scan; two letters of the key in between keep each folder short."""
        return self.scans / key[:2] / key

    def kept_keys(self) -> Iterator[InternalKey]:
        """Give the keys of all scans that have a folder, whether or not they have a row."""
        for folder in sorted(self.scans.glob("??/*")):
            yield InternalKey(folder.name)

    def identity(self) -> InternalKey:
        """Tell which archive this is.

        Raises
        ------
        HoldingsUnavailable
            If the folder is no archive, or its mark is damaged.
        """
        try:
            return InternalKey(json.loads(self.mark.read_bytes())["archive"])
        except OSError:
            raise HoldingsUnavailable(
                "there is no archive in this folder; check the path, or that its disk is mounted"
            ) from None
        except (ValueError, TypeError, KeyError):
            raise HoldingsUnavailable("the file archive.json is damaged; restore it from a backup") from None

    def write_mark(self, identity: InternalKey) -> None:
        """Make this folder that archive; the last step of creating one."""
        fixity.write(self.mark, mark_text(identity))


def mark_text(identity: InternalKey) -> bytes:
    """Give what the mark of an archive says, byte for byte."""
    return json.dumps({"archive": identity, "format": 1}).encode()


class Claim:
    """A lock on a folder, held until it is released or the process ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, folder: Path, *, wait: bool = False, shared: bool = False) -> "Claim | None":
        """Lock a folder; None if it is gone, or if another has locked it and we are not to wait."""
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except (FileNotFoundError, NotADirectoryError):
            return None
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(descriptor, mode if wait else mode | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        return cls(descriptor)

    def release(self) -> None:
        """Give the folder free; releasing twice is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@contextmanager
def claimed(folder: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold a lock on a folder that exists, waiting for it if need be."""
    claim = Claim.take(folder, wait=True, shared=shared)
    if claim is None:
        raise HoldingsUnavailable("a folder of the archive is missing; check that its disk is mounted")
    try:
        yield
    finally:
        claim.release()


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn the system's errors into one sentence, without its own words, which hold paths and so keys."""
    try:
        yield
    except OSError as error:
        cause = os.strerror(error.errno) if error.errno else "unknown cause"
        raise HoldingsUnavailable(
            f"the archive's folder cannot be used now ({cause}) and nothing was added; check its disk"
        ) from None
