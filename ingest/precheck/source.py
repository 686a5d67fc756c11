"""A delivered path may be a link, a pipe, a device or a folder; only an ordinary file is read, and only piece by piece.

A link could lead to another patient's slide, a pipe or a device could keep its reader waiting for ever. So a path is
looked at before it is opened, opened without following a link and without waiting, and looked at again.
"""

import errno
import os
import stat
from pathlib import Path
from types import TracebackType

from ingest.errors import Reason, SlideRefused

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class Source:
    """An ordinary file, open for reading at given places; a context manager.

    Attributes
    ----------
    path : Path
        Where it lies.
    size : int
        Its length in bytes when it was opened, at least 1.
    """

    def __init__(self, path: Path, descriptor: int, size: int) -> None:
        self.path = path
        self.size = size
        self._descriptor = descriptor

    @classmethod
    def open(cls, path: Path) -> "Source":
        """Open an ordinary file.

        Raises
        ------
        SlideRefused
            If there is none, or it is empty, or it is something else.
        """
        descriptor = -1
        try:
            _must_be_ordinary(os.lstat(path))
            descriptor = os.open(path, _FLAGS)
            size = _must_be_ordinary(os.fstat(descriptor))
        except SlideRefused:
            _close(descriptor)
            raise
        except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
            _close(descriptor)
            is_link = isinstance(error, OSError) and error.errno == errno.ELOOP
            raise SlideRefused(Reason.OUTSIDE_REFERENCE if is_link else Reason.UNREADABLE_FILE) from None
        return cls(path, descriptor, size)

    def __enter__(self) -> "Source":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        _close(self._descriptor)
        self._descriptor = -1

    def holds(self, offset: int, length: int) -> bool:
        """Tell whether these bytes lie inside the file."""
        return offset >= 0 and length >= 0 and offset + length <= self.size

    def read(self, offset: int, length: int) -> bytes:
        """Read exactly these bytes.

        Raises
        ------
        SlideRefused
            ``TRUNCATED`` if they do not all lie inside the file.
        """
        if not self.holds(offset, length):
            raise SlideRefused(Reason.TRUNCATED)
        found = self.head(length, offset)
        if len(found) != length:  # shorter now than when it was opened
            raise SlideRefused(Reason.CHANGED_WHILE_READ)
        return found

    def head(self, length: int, offset: int = 0) -> bytes:
        """Read up to ``length`` bytes, fewer where the file ends."""
        pieces = []
        try:
            while length > 0:
                piece = os.pread(self._descriptor, length, offset)
                if not piece:
                    break
                pieces.append(piece)
                offset += len(piece)
                length -= len(piece)
        except OSError:
            raise SlideRefused(Reason.UNREADABLE_FILE) from None
        return b"".join(pieces)


def _must_be_ordinary(status: os.stat_result) -> int:
    """Return the size of an ordinary file; refuse everything else."""
    if stat.S_ISLNK(status.st_mode):
        raise SlideRefused(Reason.OUTSIDE_REFERENCE)
    if not stat.S_ISREG(status.st_mode):
        raise SlideRefused(Reason.NOT_A_SLIDE)
    if status.st_size == 0:
        raise SlideRefused(Reason.EMPTY_FILE)
    return status.st_size


def _close(descriptor: int) -> None:
    if descriptor >= 0:
        os.close(descriptor)
