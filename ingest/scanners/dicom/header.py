"""A DICOM file begins with what it says of itself: meta information, the data set, and then, last, its pixels.

A header has some kilobytes; with the place of each frame, or a colour profile, some megabytes. It is read in growing
pieces until the pixels begin, and what is short in it is given to pydicom. Places of frames are picked out here.

Sources: DICOM PS3.10 section 7.1; PS3.3 sections C.7.6.16 and C.8.12.6.1 (plane position).
"""

import io
import struct
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pydicom

from ingest.errors import Reason, SlideRefused
from ingest.scanners.dicom.elements import Element, NotEnough, elements, items
from ingest.scanners.dicom.files import Files

FIRST_BYTES: Final = 1 << 20
MOST_BYTES: Final = 1 << 28
"""Of a header. The places of a million frames take some 200 MB in the longest way of writing them."""

MOST_PARSED_BYTES: Final = 1 << 26
"""Of a header without the places of frames: profiles of 13 MB are real, once for each optical path."""

META_AT: Final = 132
MARK: Final = b"DICM"
IMPLICIT: Final = "1.2.840.10008.1.2"

TRANSFER_SYNTAX: Final = 0x0002_0010
PER_FRAME: Final = 0x5200_9230
PLANE_POSITION: Final = 0x0048_021A
COLUMN_POSITION: Final = 0x0048_021E
ROW_POSITION: Final = 0x0048_021F
EXTENDED_OFFSETS: Final = 0x7FE0_0001
EXTENDED_LENGTHS: Final = 0x7FE0_0002
PIXEL_DATA: Final = 0x7FE0_0010

Positions = npt.NDArray[np.int64]
"""``(frames, 2)``: column and row of each frame's top left pixel in the whole picture, counted from 1."""


@dataclass(frozen=True)
class Header:
    """What a file says of itself.

    Attributes
    ----------
    dataset : pydicom.Dataset
        All of it but the pixels and the functional groups of each frame, of which the first is left.
    syntax : str
        The transfer syntax: how the pixels are written.
    positions : numpy.ndarray, optional
        Places of frames, where it tells the place of each.
    extended_offsets : tuple of int, optional
        The extended offset table, where there is one.
    pixels : tuple of int, optional
        Where the value of the pixel data begins in the file, and its length in bytes, which is None for fragments.
        None in a file without pixels.
    """

    path: Path = field(repr=False)
    dataset: pydicom.Dataset = field(repr=False)
    syntax: str
    positions: Positions | None = field(default=None, repr=False)
    extended_offsets: tuple[int, ...] | None = field(default=None, repr=False)
    pixels: tuple[int, int | None] | None = None

    def value(self, keyword: str, default: Any = None) -> Any:
        """Give what an element of the data set says, or `default` if it is not there, empty or malformed."""
        return value_of(self.dataset, keyword, default)


def value_of(dataset: pydicom.Dataset, keyword: str, default: Any = None) -> Any:
    """Give what an element says, or `default` if it is not there, empty or malformed."""
    try:
        with warnings.catch_warnings(action="ignore"):
            value = dataset.get(keyword)
    except (ValueError, TypeError, NotImplementedError, AttributeError, struct.error, OverflowError, KeyError):
        return default
    return default if value is None or value == "" else value


def read_header(files: Files, path: Path) -> Header:
    """Read the header of one file.

    Raises
    ------
    SlideRefused
        If it is no DICOM file, or damaged, or longer than a header may be.
    """
    size, length = files.size(path), FIRST_BYTES
    while True:
        data = files.head(path, 0, min(size, length))
        try:
            return _parse(path, data)
        except (NotEnough, struct.error) as error:
            if length >= size:
                raise SlideRefused(Reason.TRUNCATED) from error
            if length >= MOST_BYTES:
                raise SlideRefused(Reason.TOO_LARGE) from error
            length *= 8


def _parse(path: Path, data: bytes) -> Header:
    if data[128:META_AT] != MARK:
        raise SlideRefused(Reason.NOT_A_SLIDE)
    begins, syntax = _meta(data)
    explicit = syntax != IMPLICIT
    found = {e.tag: e for e in elements(data, begins, len(data), explicit=explicit, stop=PIXEL_DATA)}
    if any(element.after > len(data) for element in found.values()):
        raise NotEnough
    end = max((element.after for element in found.values()), default=begins)
    return Header(
        path,
        _dataset(data, begins, found, explicit),
        syntax,
        _positions(data, found.get(PER_FRAME), explicit),
        _offsets(data, found.get(EXTENDED_OFFSETS)),
        _pixels(data, end, explicit),
    )


def _meta(data: bytes) -> tuple[int, str]:
    """Find where the data set begins, and how it is written."""
    begins, syntax = META_AT, ""
    for element in elements(data, META_AT, len(data), explicit=True, stop=0x0003_0000):
        begins = element.after
        if element.tag == TRANSFER_SYNTAX:
            syntax = data[element.start : element.end].rstrip(b"\0 ").decode("ascii", "replace")
    return begins, syntax


def _pixels(data: bytes, at: int, explicit: bool) -> tuple[int, int | None] | None:
    """Tell where the value of the pixel data begins, and its length; the value itself need not be in `data`."""
    if len(data) == at:
        return None
    if len(data) < at + 12:
        raise NotEnough
    if struct.unpack_from("<HH", data, at) != (PIXEL_DATA >> 16, PIXEL_DATA & 0xFFFF):
        return None
    (length,) = struct.unpack_from("<I", data, at + (8 if explicit else 4))
    return at + (12 if explicit else 8), None if length == 0xFFFFFFFF else int(length)


def _dataset(data: bytes, begins: int, found: dict[int, Element], explicit: bool) -> pydicom.Dataset:
    """Have pydicom read what is short."""
    parts = [data[:begins]]
    for tag, element in found.items():
        if tag == PER_FRAME:
            parts.append(_first_of(data, element, explicit))
        elif tag not in (EXTENDED_OFFSETS, EXTENDED_LENGTHS):
            parts.append(data[element.first : element.after])
    if sum(map(len, parts)) > MOST_PARSED_BYTES:
        raise SlideRefused(Reason.TOO_LARGE)
    try:
        with warnings.catch_warnings(action="ignore"):
            return pydicom.dcmread(io.BytesIO(b"".join(parts)))
    except (pydicom.errors.InvalidDicomError, *MALFORMED) as error:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE) from error


MALFORMED: Final = (
    *(OSError, EOFError, ValueError, TypeError, KeyError, AttributeError, NotImplementedError, OverflowError),
    *(struct.error, pydicom.errors.BytesLengthException, RecursionError),
)
"""What pydicom raises at elements that are not as the standard says."""


def _first_of(data: bytes, sequence: Element, explicit: bool) -> bytes:
    """Write a sequence anew with its first item only."""
    inside = explicit and sequence.kind != b"UN"
    for start, end in items(data, sequence.start, sequence.end, explicit=inside):
        item = struct.pack("<HHI", 0xFFFE, 0xE000, end - start) + data[start:end]
        kind = struct.pack("<2s2xI", sequence.kind, len(item)) if explicit else struct.pack("<I", len(item))
        return data[sequence.first : sequence.first + 4] + kind + item
    return b""


def _positions(data: bytes, sequence: Element | None, explicit: bool) -> Positions | None:
    """Pick the place of each frame out of the functional groups; None if none is told.

    Raises
    ------
    SlideRefused
        If some frames have a place and others have none.
    """
    if sequence is None:
        return None
    inside = explicit and sequence.kind != b"UN"
    found = [
        _position(data, start, end, inside) for start, end in items(data, sequence.start, sequence.end, explicit=inside)
    ]
    told = [place for place in found if place is not None]
    if not told:
        return None
    if len(told) != len(found):
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    return np.array(told, np.int64)


def _position(data: bytes, start: int, end: int, explicit: bool) -> tuple[int, int] | None:
    """Pick one frame's column and row out of its functional groups."""
    for group in elements(data, start, end, explicit=explicit, stop=PLANE_POSITION + 1):
        if group.tag != PLANE_POSITION:
            continue
        within = explicit and group.kind != b"UN"
        for first, last in items(data, group.start, group.end, explicit=within):
            told = {
                e.tag: struct.unpack_from("<i", data, e.start)[0]
                for e in elements(data, first, last, explicit=within)
                if e.tag in (COLUMN_POSITION, ROW_POSITION) and e.end - e.start == 4
            }
            if len(told) == 2:
                return told[COLUMN_POSITION], told[ROW_POSITION]
    return None


def _offsets(data: bytes, table: Element | None) -> tuple[int, ...] | None:
    if table is None or table.end == table.start:
        return None
    if (table.end - table.start) % 8:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    return tuple(struct.unpack(f"<{(table.end - table.start) // 8}Q", data[table.start : table.end]))
