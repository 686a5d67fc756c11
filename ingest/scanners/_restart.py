"""Between two restart markers a JPEG stream can be decoded alone, so that its pieces can be put together anew.

An encoder that writes restart markers ends its bits at a whole byte every so many MCU, puts a marker there, RST0 to
RST7 in turn, and begins afresh behind it (ITU-T T.81 sections B.2.1, E.1.4 and F.1.1.5.1). A scanner's list of where
the pieces begin is believed only where the markers stand where it says; else the stream is searched for them.
"""

import re
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from archive.holdings.pixels import NotPlainJpeg

Starts = npt.NDArray[np.int64]

RESTART: Final = re.compile(rb"\xff[\xd0-\xd7]")
MARKER: Final = re.compile(rb"\xff[^\x00]")
"""Within entropy-coded data 0xFF is followed by 0x00; anything else ends a piece (T.81 B.1.1.5)."""

RST0, EOI = 0xD0, 0xD9
CHUNK_BYTES = 8 << 20
"""What is searched for markers in one go."""

MOST_INTERVALS = 1 << 24
"""A slide of 2^38 pixels in pieces of 2,048 x 8."""

MOST_BYTES_AT_ONCE = 1 << 28
"""Of a row of tiles: a row of 1,024 pixels across the widest slides has a tenth of it."""


class SeekableFile(Protocol):
    """A file that is open for reading bytes."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place."""

    def read(self, size: int = -1, /) -> bytes:
        """Read up to so many bytes."""


class RestartIntervals:
    """The restart intervals of one JPEG stream, numbered from 0.

    Parameters
    ----------
    file : SeekableFile
        The file that holds the stream.
    begin, end : int
        Where in the file the entropy-coded data begins, and where the stream ends with its EOI.
    count : int
        How many intervals there are.
    told : numpy.ndarray, optional
        ``(count,)`` int64, where in the file each begins, as the scanner lists it.
    """

    def __init__(self, file: SeekableFile, begin: int, end: int, count: int, told: Starts | None = None) -> None:
        if not 1 <= count <= MOST_INTERVALS or begin >= end:
            raise NotPlainJpeg("it has no restart intervals, or more than any slide")
        self._file, self._begin, self._end, self._count = file, begin, end, count
        self._starts = told if told is not None and self._could_be_true(told) else None
        self._searched = False

    def _could_be_true(self, told: Starts) -> bool:
        if told.shape != (self._count,) or told[0] != self._begin or told[-1] >= self._end:
            return False
        return bool((np.diff(told) > 0).all())

    def read(self, first: int, count: int) -> list[tuple[int, bytes]]:
        """Read intervals that follow one another: where each begins in the file, and its bytes without any marker.

        Raises
        ------
        NotPlainJpeg
            If the markers do not stand where they should, or there are others.
        """
        found = None if self._starts is None else self._read(self._starts, first, count)
        if found is None and not self._searched:
            self._starts, self._searched = self._search(), True
            found = self._read(self._starts, first, count)
        if found is None:
            raise NotPlainJpeg("its restart markers are not in order")
        return found

    def _read(self, starts: Starts, first: int, count: int) -> list[tuple[int, bytes]] | None:
        places = [*starts[first : first + count + 1].tolist(), self._end][: count + 1]
        if places[-1] - places[0] > MOST_BYTES_AT_ONCE:
            raise NotPlainJpeg("its restart intervals are too long")
        self._file.seek(places[0])
        data = self._file.read(places[-1] - places[0])
        found = []
        for number in range(count):
            piece = data[places[number] - places[0] : places[number + 1] - places[0]]
            marker = MARKER.search(piece)
            if marker is None or not self._ends_with(marker, len(piece), first + number):
                return None
            found.append((places[number], piece[: marker.start()]))
        return found

    def _ends_with(self, marker: re.Match[bytes], length: int, number: int) -> bool:
        """Whether an interval ends with its own marker; what stands behind the EOI is nobody's."""
        if number == self._count - 1:
            return marker[0][1] == EOI
        return marker[0][1] == RST0 + number % 8 and marker.end() == length

    def _search(self) -> Starts:
        """Find where each interval begins, in one pass over the stream."""
        starts, at = [self._begin], self._begin
        while len(starts) < self._count and self._end - at >= 2:
            self._file.seek(at)
            chunk = self._file.read(min(CHUNK_BYTES, self._end - at))
            if len(chunk) < 2:
                break
            starts += [at + found.end() for found in RESTART.finditer(chunk)]
            at += len(chunk) - 1 if chunk[-1] == 0xFF else len(chunk)
        if len(starts) != self._count:
            raise NotPlainJpeg("it has another number of restart markers than its size says")
        return np.array(starts, np.int64)
