"""Disks lose bits without saying so, and a file that was written is not on the disk until it was flushed.

So every folder of the holdings carries a *manifest*: path, size and SHA-256 of each of its files. The manifest is
written once, when the folder is complete, and everything later is checked against it. The digests are those of the
stored files; the digest of a scanner's source file is in no manifest, because it would find the source again.

The form is canonical JSON (keys sorted, no spaces, UTF-8), so that equal folders have equal manifests.
"""

import fcntl
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from archive.errors import InvalidValue

MANIFEST = "manifest.json"
"""The manifest's own name; the one file of a folder that the manifest does not list."""

READERS = min(4, os.cpu_count() or 1)
"""Files digested at once: SHA-256 releases the interpreter lock, and more readers than this only make a disk seek."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, order=True)
class StoredFile:
    """One file of a folder: its path relative to the folder (with ``/``), its size in bytes and its SHA-256."""

    path: str
    size_bytes: int
    sha256: str

    def __post_init__(self) -> None:
        parts = PurePosixPath(self.path).parts
        if not parts or "\0" in self.path or self.path != "/".join(parts) or {"..", "/"} & set(parts):
            raise InvalidValue("a manifest lists paths inside its own folder only")
        if self.size_bytes < 0 or not _SHA256.fullmatch(self.sha256):
            raise InvalidValue("a manifest gives each file's size in bytes and its SHA-256 as 64 hexadecimal digits")


@dataclass(frozen=True)
class Manifest:
    """What a folder holds: its files in the order of their paths."""

    files: tuple[StoredFile, ...]

    def __post_init__(self) -> None:
        paths = [file.path for file in self.files]
        if paths != sorted(set(paths)):
            raise InvalidValue("a manifest lists each file once, in the order of the paths")

    @property
    def stored_bytes(self) -> int:
        """The size of all files together, the manifest not counted."""
        return sum(file.size_bytes for file in self.files)

    @cached_property
    def sha256(self) -> str:
        """The digest of the manifest, which stands for the whole folder."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def to_bytes(self) -> bytes:
        """Give the canonical JSON."""
        content = {"format": 1, "files": [asdict(file) for file in self.files]}
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, text: bytes) -> "Manifest":
        """Read a manifest.

        Raises
        ------
        InvalidValue
            If it is not exactly what ``to_bytes`` writes.
        """
        try:
            content = json.loads(text)
            manifest = cls(tuple(StoredFile(**file) for file in content["files"]))
            canonical = manifest.to_bytes() == text
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise InvalidValue("this is not a manifest, or it is damaged; restore the folder from a copy") from error
        if not canonical:
            raise InvalidValue("this manifest is not in the form it was written in; restore the folder from a copy")
        return manifest


class FaultCode(StrEnum):
    """What can be wrong with a stored file. The values are stable: scripts may rely on them."""

    MISSING = "missing"
    WRONG_SIZE = "wrong-size"
    WRONG_DIGEST = "wrong-digest"
    UNEXPECTED = "unexpected"
    NOT_A_FILE = "not-a-file"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault of a folder: where, what was expected and what was found."""

    place: str
    code: FaultCode
    expected: str
    found: str


def measure(folder: Path, known: Mapping[str, str] | None = None) -> Manifest:
    """Make the manifest of a folder, reading each file once.

    Parameters
    ----------
    folder
        A folder that nobody writes to any more.
    known
        SHA-256 by path, for files whose writer has digested them already; these are not read again.

    Raises
    ------
    InvalidValue
        If the folder holds a link or anything else that is neither file nor folder: a manifest vouches for content.
    """
    known = known or {}
    sizes = {}
    for path, status in _files(folder):
        if not stat.S_ISREG(status.st_mode):
            raise InvalidValue("a folder of the holdings may hold files and folders only, no links or devices")
        sizes[path] = status.st_size

    def digested(path: str) -> StoredFile:
        return StoredFile(path, sizes[path], known.get(path) or _sha256(folder / path))

    with ThreadPoolExecutor(READERS) as readers:
        return Manifest(tuple(readers.map(digested, sorted(sizes))))


def verify(folder: Path, manifest: Manifest) -> tuple[Fault, ...]:
    """Read everything in a folder and list every difference from its manifest, in the order of the places."""
    found = dict(_files(folder)) if folder.is_dir() else {}
    listed = {file.path for file in manifest.files}
    faults = [Fault(path, FaultCode.UNEXPECTED, "no such file", "a file") for path in found.keys() - listed]

    def checked(file: StoredFile) -> Fault | None:
        return _check(folder, file, found.get(file.path))

    with ThreadPoolExecutor(READERS) as readers:
        faults += filter(None, readers.map(checked, manifest.files))
    return tuple(sorted(faults))


def check(folder: Path, file: StoredFile) -> Fault | None:
    """Read one file of a folder and tell its difference from the manifest, if there is one."""
    try:
        status = (folder / file.path).lstat()
    except OSError:
        status = None
    return _check(folder, file, status)


def _check(folder: Path, file: StoredFile, status: os.stat_result | None) -> Fault | None:
    if status is None:
        return Fault(file.path, FaultCode.MISSING, f"{file.size_bytes} bytes", "nothing")
    if not stat.S_ISREG(status.st_mode):
        return Fault(file.path, FaultCode.NOT_A_FILE, "a file", "a link or a device")
    if status.st_size != file.size_bytes:
        return Fault(file.path, FaultCode.WRONG_SIZE, f"{file.size_bytes} bytes", f"{status.st_size} bytes")
    try:
        digest = _sha256(folder / file.path)
    except OSError as error:
        return Fault(file.path, FaultCode.UNREADABLE, f"{file.size_bytes} bytes", os.strerror(error.errno or 0))
    if digest != file.sha256:
        return Fault(file.path, FaultCode.WRONG_DIGEST, f"SHA-256 {file.sha256[:8]}", f"SHA-256 {digest[:8]}")
    return None


def files_in(folder: Path) -> Iterator[str]:
    """Give the path of everything in a folder that is no folder, but its own manifest; links are not followed."""
    return (place for place, _ in _files(folder))


def flush(folder: Path) -> None:
    """Force a folder to the disk: every file first, then every folder, the innermost first.

    A failed flush is not tried again: the system may have dropped the data and would answer "done" the second time.

    Raises
    ------
    OSError
        If the disk is full or failing; nothing in the folder may then be taken as stored.
    """
    for parent, _, names in os.walk(folder, topdown=False, onerror=_give_up):
        for name in names:
            flush_one(Path(parent, name))
        flush_one(Path(parent))


def flush_one(path: Path) -> None:
    """Force one file to the disk, or the names in one folder."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        _fsync(descriptor)
    finally:
        os.close(descriptor)


def write(path: Path, content: bytes) -> None:
    """Write a file aside, flush it and rename it into place: a crash leaves the old content, the new, or none."""
    aside = path.with_name(path.name + ".new")
    aside.write_bytes(content)
    flush_one(aside)
    aside.replace(path)
    flush_one(path.parent)


def _full_fsync(descriptor: int) -> None:
    # On macOS fsync leaves data in the drive's own cache; only this command empties it.
    fcntl.fcntl(descriptor, getattr(fcntl, "F_FULLFSYNC"))  # noqa: B009


_fsync: Callable[[int], None] = _full_fsync if hasattr(fcntl, "F_FULLFSYNC") else os.fsync


def _files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Everything in a folder that is no folder, but its own manifest, by relative path; links are not followed."""
    for parent, folders, names in os.walk(folder, onerror=_give_up):
        for name in (*folders, *names):
            path = Path(parent, name)
            status = path.lstat()
            place = path.relative_to(folder).as_posix()
            if not stat.S_ISDIR(status.st_mode) and place != MANIFEST:
                yield place, status


def _give_up(error: OSError) -> Any:
    raise error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
