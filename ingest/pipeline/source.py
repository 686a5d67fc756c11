"""A delivered file: what it is made of, its digest, and whether it stayed the same while it was read."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from ingest.errors import Reason, SlideRefused
from ingest.precheck import parts, precheck

Moment = tuple[int, int, int]
"""Inode, size in bytes and time of the last change of a file, in nanoseconds."""


@dataclass(frozen=True)
class Source:
    """A slide as it was delivered, checked for its structure. Its paths are identifiers and are never shown."""

    files: tuple[Path, ...] = field(repr=False)
    sha256: bytes = field(repr=False)
    size_bytes: int
    moments: tuple[Moment, ...] = field(repr=False)

    @classmethod
    def receive(cls, path: Path) -> Self:
        """Check a file's structure, name its parts, and digest them.

        Raises
        ------
        SlideRefused
            If it is not a slide that a reader may be given.
        """
        precheck(path)
        files = tuple(file.absolute() for file in parts(path))  # the jail works in another folder
        moments = tuple(_moment(file) for file in files)
        return cls(files, _digest(files), sum(size for _, size, _ in moments), moments)

    @property
    def path(self) -> Path:
        """The slide's main file."""
        return self.files[0]

    def require_unchanged(self) -> None:
        """Refuse a file that somebody wrote to while it was read.

        Raises
        ------
        SlideRefused
            If size, time or identity of any part changed.
        """
        if tuple(_moment(file) for file in self.files) != self.moments:
            raise SlideRefused(Reason.CHANGED_WHILE_READ)


def _moment(file: Path) -> Moment:
    try:
        status = file.stat()
    except OSError as error:
        raise SlideRefused(Reason.CHANGED_WHILE_READ) from error
    return status.st_ino, status.st_size, status.st_mtime_ns


def _digest(files: tuple[Path, ...]) -> bytes:
    """SHA-256 of a file; of several parts, SHA-256 over the parts' digests in order."""
    digests = []
    for file in files:
        with file.open("rb") as opened:
            digests.append(hashlib.file_digest(opened, "sha256").digest())
    return digests[0] if len(digests) == 1 else hashlib.sha256(b"".join(digests)).digest()
