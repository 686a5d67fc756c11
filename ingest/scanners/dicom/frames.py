"""Frames of a DICOM file lie one after the other, or in fragments of which nobody needs to say where they begin.

Uncompressed frames have one length. Compressed ones are items behind a first item, the basic offset table, which may
be empty; its offsets have 32 bits and wrap round in files over 4 GB. The extended offset table has 64 bits. Neither is
needed: every item tells its length, so all are gone through, and a table only tells which of them begin a frame. A
table that contradicts the items is a sign of damage, and then nothing of the file is believed.

Sources: DICOM PS3.5 section A.4 and table A.4-1; PS3.3 section C.7.6.3.1.8 (extended offset table).
"""

import struct
from typing import Final

import numpy as np
import numpy.typing as npt

from ingest.errors import Reason, SlideRefused
from ingest.scanners.dicom.elements import ITEM, SEQUENCE_END, UNDEFINED
from ingest.scanners.dicom.files import Files
from ingest.scanners.dicom.header import Header

Spans = npt.NDArray[np.int64]
"""``(n, 2)``: where each of n pieces begins in its file, and its length in bytes."""

MAX_FRAMES: Final = 1 << 24
FRAGMENTS_A_FRAME: Final = 64
"""Fragments that one frame may be in: encoders with small buffers write some ten."""

WRAP: Final = 1 << 32
STARTS: Final = (b"\xff\xd8", b"\xff\x4f\xff\x51")
"""What a JPEG, JPEG-LS or JPEG 2000 stream begins with."""


class Frames:
    """Where the frames of one file lie.

    Parameters
    ----------
    files : Files
        To read the file with.
    header : Header
        What the file says of itself.
    count : int
        How many frames it says it has.
    frame_bytes : int
        Length of an uncompressed frame.

    Raises
    ------
    SlideRefused
        If the frames are not all there, or are not where a table says.
    """

    def __init__(self, files: Files, header: Header, count: int, frame_bytes: int) -> None:
        self._files, self.path = files, header.path
        if header.pixels is None:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        if count > MAX_FRAMES:
            raise SlideRefused(Reason.TOO_LARGE)
        at, length = header.pixels
        if length is None:
            self._pieces, self._firsts = _encapsulated(files, header, at, count)
        else:
            self._pieces, self._firsts = _native(files, header, (at, length), count, frame_bytes), None

    @property
    def mean_bytes(self) -> int:
        """Mean length of a frame."""
        frames = len(self._pieces) if self._firsts is None else len(self._firsts) - 1
        return int(max(1, self._pieces[:, 1].sum() // max(1, frames)))

    @property
    def are_whole(self) -> bool:
        """Whether each frame lies in the file in one piece."""
        return self._firsts is None

    def offset(self, number: int) -> int:
        """Where a frame begins in its file; for one in pieces, where its first piece does."""
        return int(self._pieces[self._piece(number), 0])

    def read(self, number: int) -> bytes:
        """Read one frame, counted from 0."""
        first = self._piece(number)
        last = first + 1 if self._firsts is None else int(self._firsts[number + 1])
        pieces = self._pieces[first:last].tolist()
        return b"".join(self._files.read(self.path, offset, length) for offset, length in pieces)

    def _piece(self, number: int) -> int:
        return number if self._firsts is None else int(self._firsts[number])


def _native(files: Files, header: Header, place: tuple[int, int], count: int, frame_bytes: int) -> Spans:
    """Cut the value of uncompressed pixel data into frames of one length; padding may follow them."""
    at, length = place
    if count * frame_bytes > length:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    if at + count * frame_bytes > files.size(header.path):
        raise SlideRefused(Reason.TRUNCATED)
    starts = at + np.arange(count, dtype=np.int64) * frame_bytes
    return np.stack([starts, np.full(count, frame_bytes, np.int64)], axis=1)


def _encapsulated(files: Files, header: Header, at: int, count: int) -> tuple[Spans, npt.NDArray[np.int64] | None]:
    """Find all fragments, and which of them begin a frame; None for those where each is a frame."""
    table, fragments = _items(files, header, at, count)
    starts = fragments[:, 0] - 8  # of the item, as offsets count
    base = int(starts[0]) if len(starts) else 0
    offsets = _basic(files, header, table) if header.extended_offsets is None else header.extended_offsets
    if offsets:
        firsts = _firsts(starts - base, np.array(offsets, np.uint64), count)
    elif len(fragments) == count:
        return fragments, None
    else:
        firsts = _begun(files, header, fragments, count)
    if len(fragments) == count and np.array_equal(firsts, np.arange(count)):
        return fragments, None
    return fragments, np.append(firsts, len(fragments))


def _items(files: Files, header: Header, at: int, count: int) -> tuple[tuple[int, int], Spans]:
    """Go through the items: the place of the basic offset table, and those of the fragments."""
    found: list[tuple[int, int]] = []
    size = files.size(header.path)
    while True:
        group, number, length = struct.unpack("<HHI", files.read(header.path, at, 8))
        tag = group << 16 | number
        if tag == SEQUENCE_END:
            break
        if tag != ITEM or length == UNDEFINED or len(found) > FRAGMENTS_A_FRAME * count:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        if at + 8 + length > size:
            raise SlideRefused(Reason.TRUNCATED)
        found.append((at + 8, length))
        at += 8 + length
    if len(found) < 1 + count:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    return found[0], np.array(found[1:], np.int64).reshape(-1, 2)


def _basic(files: Files, header: Header, table: tuple[int, int]) -> tuple[int, ...]:
    offset, length = table
    if length % 4 or length > 4 * MAX_FRAMES:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    return struct.unpack(f"<{length // 4}I", files.read(header.path, offset, length))


def _firsts(starts: npt.NDArray[np.int64], offsets: npt.NDArray[np.uint64], count: int) -> npt.NDArray[np.int64]:
    """Tell which fragments begin a frame, by a table; its offsets may have wrapped round.

    Every offset must be that of a fragment, and come later than the one before.
    """
    if len(offsets) != count:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    if np.array_equal(starts[:count], offsets.astype(np.int64)) and len(starts) == count:
        return np.arange(count)
    firsts: list[int] = []
    following = 0
    wrapped = (starts % WRAP).tolist()
    for offset in (offsets % WRAP).tolist():
        while following < len(wrapped) and wrapped[following] != offset:
            following += 1
        if following == len(wrapped) or (not firsts and following):
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        firsts.append(following)
        following += 1
    return np.array(firsts, np.int64)


def _begun(files: Files, header: Header, fragments: Spans, count: int) -> npt.NDArray[np.int64]:
    """Tell which fragments begin a frame where no table does: those that begin as a stream does."""
    if count == 1:
        return np.zeros(1, np.int64)
    firsts = [
        number
        for number, (offset, length) in enumerate(fragments.tolist())
        if files.head(header.path, offset, min(4, length)).startswith(STARTS)
    ]
    if len(firsts) != count or firsts[0] != 0:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    return np.array(firsts, np.int64)
