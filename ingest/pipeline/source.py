"""A delivered file: what it is made of, its digest, and whether it stayed the same while it was read."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from ingest.errors import Reason, SlideRefused
from ingest.precheck import Family, parts, precheck
from ingest.sandbox import Jail, Limits

Moment = tuple[int, int, int]
"""Inode, size in bytes and time of the last change of a file, in nanoseconds."""


@dataclass(frozen=True)
class Source:
    """A slide as it was delivered, checked for its structure. Its paths are identifiers and are never shown."""

    family: Family
    files: tuple[Path, ...] = field(repr=False)
    sha256: bytes = field(repr=False)
    size_bytes: int
    moments: tuple[Moment, ...] = field(repr=False)
    limits_only: bool = False
    """Whether it is trusted enough to be read where the system has limits for a process, but no walls around it."""
    region: int = 0
    """Which region of the glass is meant, in the file's own order; each becomes a scan by itself."""

    @classmethod
    def receive(cls, path: Path, *, limits_only: bool = False) -> Self:
        """Check a file's structure, name its parts, and digest them.

        Raises
        ------
        SlideRefused
            If it is not a slide that a reader may be given.
        """
        family = precheck(path)
        files = tuple(file.absolute() for file in parts(path))  # the jail works in another folder
        moments = tuple(_moment(file) for file in files)
        size_bytes = sum(size for _, size, _ in moments)
        return cls(family, files, _digest(files), size_bytes, moments, limits_only)

    @property
    def path(self) -> Path:
        """The slide's main file."""
        return self.files[0]

    @property
    def digest(self) -> bytes:
        """What the key vault knows the region by: its file's digest, of a further region one of that and its number."""
        number = self.region.to_bytes(4, "big")
        return hashlib.sha256(number + self.sha256).digest() if self.region else self.sha256

    def jail(self, *, read: Sequence[Path] = (), write: Sequence[Path] = (), keep_out: Sequence[Path] = ()) -> Jail:
        """Make a jail that reaches this slide, and the folders named; it fails if it would reach `keep_out`."""
        return Jail(
            read=[*self.files, *read],
            write=write,
            list_names=listed(self.family, self.path),
            limits=Limits.for_source(self.size_bytes),
            keep_out=keep_out,
            allow_limits_only=self.limits_only,
        )

    def require_unchanged(self) -> None:
        """Refuse a file that somebody wrote to while it was read.

        Raises
        ------
        SlideRefused
            If size, time or identity of any part changed.
        """
        if tuple(_moment(file) for file in self.files) != self.moments:
            raise SlideRefused(Reason.CHANGED_WHILE_READ)

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Work on the file as it was when it was digested.

        If it changed since then or meanwhile, that is the reason of any refusal: somebody is still writing it.

        Raises
        ------
        SlideRefused
            If it has changed before the work began; or with the reason for which the work was broken off.
        """
        self.require_unchanged()
        try:
            yield
        except SlideRefused:
            self.require_unchanged()
            raise


def listed(family: Family, path: Path) -> list[Path]:
    """Name the folders that a reader must look through: OpenSlide looks for the rest of a DICOM file's series."""
    return [path.parent] if family is Family.DICOM else []


def _moment(file: Path) -> Moment:
    try:
        status = file.stat()
    except OSError as error:
        raise SlideRefused(Reason.CHANGED_WHILE_READ) from error
    return status.st_ino, status.st_size, status.st_mtime_ns


def _digest(files: tuple[Path, ...]) -> bytes:
    """SHA-256 of a file; of several parts, SHA-256 over their digests, whichever of them the slide was named by."""
    digests = []
    try:
        for file in files:
            with file.open("rb") as opened:
                digests.append(hashlib.file_digest(opened, "sha256").digest())
    except OSError as error:
        raise SlideRefused(Reason.UNREADABLE_FILE) from error
    return digests[0] if len(digests) == 1 else hashlib.sha256(b"".join(sorted(digests))).digest()
