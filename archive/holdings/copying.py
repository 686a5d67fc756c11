"""A scan is copied whole or not at all, and only as its manifest says: every byte is digested on its way.

The copy is made aside, flushed and renamed into place, as a scan is that is committed. So a folder in its place is a
copy that was right when it was made, and a killed copying goes on with the next scan.
"""

import hashlib
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archive import fixity
from archive.codes import InternalKey, new_handle
from archive.errors import InvalidValue
from archive.fixity import Manifest
from archive.holdings.commit import remove
from archive.holdings.place import Place

PART_BYTES = 2**20

Wrote = Callable[[int], None]
"""Called with the number of bytes that were copied since the last call."""


@dataclass(frozen=True, slots=True)
class CopyFault:
    """A scan that could not be copied as it was stored, or whose copy is not that any more."""

    scan: InternalKey
    place: str
    expected: str
    found: str


def copy_scan(source: Place, target: Place, scan: InternalKey, manifest_sha256: str, wrote: Wrote) -> CopyFault | None:
    """Copy the folder of a scan from one place to another; another version of it that is there is deleted.

    Parameters
    ----------
    source, target
        Both laid out as an archive is.
    scan
        Whose folder.
    manifest_sha256
        The digest of its manifest, as it was catalogued.
    wrote
        Told how far it is.

    Returns
    -------
    CopyFault or None
        What in the source is not as it was stored; nothing was copied then.
    """
    folder, final = source.of_scan(scan), target.of_scan(scan)
    outer, replaced = target.staging / new_handle(), target.staging / new_handle()
    outer.mkdir(mode=0o700)
    try:
        manifest, fault = read_manifest(folder, scan, manifest_sha256)
        if manifest is None:
            return fault
        for file in manifest.files:
            found = _copy(folder / file.path, outer / file.path, wrote)
            if found != (file.size_bytes, file.sha256):
                return CopyFault(scan, file.path, _said(file.size_bytes, file.sha256), _said(*found))
        (outer / fixity.MANIFEST).write_bytes(manifest.to_bytes())
        outer.chmod(0o750)
        fixity.flush(outer)
        if not final.parent.is_dir():
            final.parent.mkdir(mode=0o750, exist_ok=True)
            fixity.flush_one(target.scans)
        if final.exists():
            final.rename(replaced)
        outer.rename(final)
        fixity.flush_one(final.parent)
        return None
    finally:
        remove(outer)
        remove(replaced)


def verify_copy(target: Place, scan: InternalKey, manifest_sha256: str) -> CopyFault | None:
    """Read a copy again, from the disk where the system lets us ask for that, and give its first fault."""
    folder = target.of_scan(scan)
    manifest, fault = read_manifest(folder, scan, manifest_sha256)
    if manifest is None:
        return fault
    for file in manifest.files:
        _drop_from_memory(folder / file.path)
    faults = fixity.verify(folder, manifest)
    return CopyFault(scan, faults[0].place, faults[0].expected, faults[0].found) if faults else None


def set_aside(target: Place, scan: InternalKey) -> None:
    """Take a copy that is not right out of its place; it is not deleted, and its name tells of which scan it is."""
    target.aside.mkdir(mode=0o750, exist_ok=True)
    folder = target.of_scan(scan)
    if folder.exists():
        folder.rename(target.aside / f"{scan}-{new_handle()}")
        for parent in (folder.parent, target.aside):
            fixity.flush_one(parent)


def read_manifest(folder: Path, scan: InternalKey, sha256: str) -> tuple[Manifest | None, CopyFault | None]:
    """Read the manifest of a folder, which must be the one that was catalogued."""
    try:
        manifest = Manifest.from_bytes((folder / fixity.MANIFEST).read_bytes())
    except (OSError, InvalidValue):
        return None, CopyFault(scan, fixity.MANIFEST, "a manifest", "none")
    if manifest.sha256 != sha256:
        return None, CopyFault(scan, fixity.MANIFEST, f"SHA-256 {sha256[:8]}", f"SHA-256 {manifest.sha256[:8]}")
    return manifest, None


def copy_file(source: Path, target: Path) -> None:
    """Copy a file aside, flush it and rename it into place."""
    aside = target.with_name(target.name + ".new")
    aside.unlink(missing_ok=True)
    _copy(source, aside, lambda count: None)
    fixity.flush_one(aside)
    aside.replace(target)
    fixity.flush_one(target.parent)


def chosen(scans: list[InternalKey], least: int, share: float) -> list[InternalKey]:
    """Choose some of the scans at random: a share of them, and at least so many."""
    return random.sample(scans, min(len(scans), max(least, round(share * len(scans)))))


def _copy(source: Path, target: Path, wrote: Wrote) -> tuple[int, str]:
    """Copy a file and give the size and the SHA-256 of what was read; nothing was, where it is missing or no file."""
    digest, size = hashlib.sha256(), 0
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return 0, digest.hexdigest()
    with open(descriptor, "rb", buffering=0) as reading, target.open("xb", buffering=0) as writing:
        while part := reading.read(PART_BYTES):
            digest.update(part)
            left = memoryview(part)
            while left:
                left = left[writing.write(left) :]
            size += len(part)
            wrote(len(part))
    return size, digest.hexdigest()


def _drop_from_memory(path: Path) -> None:
    """Ask the system to forget what it keeps of a file, so that it is read from the disk."""
    if hasattr(os, "posix_fadvise"):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return  # told by whoever reads it
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def _said(size_bytes: int, sha256: str) -> str:
    return f"{size_bytes} bytes, SHA-256 {sha256[:8]}"
