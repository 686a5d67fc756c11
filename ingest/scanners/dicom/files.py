"""A slide may be in more files than a process may have open, so a few are kept open and the others opened again.

They are read at given places, never mapped: a file that is cut short under a map ends the process that reads it.
"""

import os
from collections import OrderedDict
from pathlib import Path
from typing import Final

from ingest.errors import Reason, SlideRefused

MAX_OPEN: Final = 8


class Files:
    """Reads files at given places."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, int] = OrderedDict()

    def size(self, path: Path) -> int:
        """Length of a file in bytes."""
        return os.fstat(self._descriptor(path)).st_size

    def head(self, path: Path, offset: int, length: int) -> bytes:
        """Read up to so many bytes, fewer where the file ends."""
        pieces, descriptor = [], self._descriptor(path)
        while length > 0 and (piece := self._pread(descriptor, length, offset)):
            pieces.append(piece)
            offset, length = offset + len(piece), length - len(piece)
        return b"".join(pieces)

    def read(self, path: Path, offset: int, length: int) -> bytes:
        """Read exactly these bytes.

        Raises
        ------
        SlideRefused
            If the file ends before them.
        """
        found = self.head(path, offset, length)
        if len(found) != length:
            raise SlideRefused(Reason.TRUNCATED)
        return found

    def close(self) -> None:
        """Close all; a second time is harmless."""
        while self._open:
            os.close(self._open.popitem()[1])

    @staticmethod
    def _pread(descriptor: int, length: int, offset: int) -> bytes:
        try:
            return os.pread(descriptor, length, offset)
        except (OSError, OverflowError) as error:
            raise SlideRefused(Reason.UNREADABLE_FILE) from error

    def _descriptor(self, path: Path) -> int:
        if path not in self._open:
            if len(self._open) >= MAX_OPEN:
                os.close(self._open.popitem(last=False)[1])
            try:
                self._open[path] = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                raise SlideRefused(Reason.UNREADABLE_FILE) from error
        self._open.move_to_end(path)
        return self._open[path]
