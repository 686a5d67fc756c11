"""A DICOM data set is a row of elements: tag, type, length, value; a sequence or item may end by a mark instead.

Only their places are found here; what they say, pydicom reads. Where a header is gone through that holds the place of
each of a hundred thousand frames, that is a hundred times less work than making objects of them.

Source: DICOM PS3.5 sections 7.1 to 7.5 (elements, nesting) and A.4 (fragments).
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from ingest.errors import Reason, SlideRefused

ITEM: Final = 0xFFFEE000
ITEM_END: Final = 0xFFFEE00D
SEQUENCE_END: Final = 0xFFFEE0DD
UNDEFINED: Final = 0xFFFFFFFF
"""The length of whatever ends by a mark."""

MAX_DEPTH: Final = 32
"""Sequences within sequences: honest ones are nested some six deep."""

_LONG: Final = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_FRAGMENTED: Final = frozenset({b"OB", b"OW"})


class NotEnough(Exception):
    """The data end before the structure does: there may be more of it in the file."""


class Element(NamedTuple):
    """Where one element lies in its data: its first byte, its value from `start` to `end`, and what comes `after`.

    ``kind`` is empty where the transfer syntax leaves types out.
    """

    tag: int
    kind: bytes
    first: int
    start: int
    end: int
    after: int


def elements(data: bytes, at: int, end: int, *, explicit: bool, stop: int = 0x1_0000_0000) -> Iterator[Element]:
    """Go through the elements of one data set, without those nested in them.

    Parameters
    ----------
    data : bytes
        The encoded data set, or its beginning.
    at, end : int
        Where it begins and ends in `data`.
    explicit : bool
        Whether each element tells its type.
    stop : int
        The first tag that is not gone through.

    Raises
    ------
    NotEnough
        If `data` ends within an element.
    SlideRefused
        If the structure contradicts itself.
    """
    while at < end and _tag(data, at) < stop:
        element = _element(data, at, explicit, 0)
        yield element
        at = element.after


def items(data: bytes, at: int, end: int, *, explicit: bool) -> Iterator[tuple[int, int]]:
    """Go through the items of a sequence: where the content of each begins and ends."""
    while at < end:
        if _tag(data, at) == SEQUENCE_END:
            return
        start, stop, at = _item(data, at, explicit, 1)
        yield start, stop


def _tag(data: bytes, at: int) -> int:
    if at + 8 > len(data):
        raise NotEnough
    group, number = struct.unpack_from("<HH", data, at)
    return int(group) << 16 | int(number)


def _element(data: bytes, at: int, explicit: bool, depth: int) -> Element:
    tag = _tag(data, at)
    kind, start, length = b"", at + 8, struct.unpack_from("<I", data, at + 4)[0]
    if explicit:
        kind, length = struct.unpack_from("<2sH", data, at + 4)
        if kind in _LONG:
            if at + 12 > len(data):
                raise NotEnough
            start, length = at + 12, struct.unpack_from("<I", data, at + 8)[0]
    if length != UNDEFINED:
        return Element(tag, kind, at, start, start + length, start + length)
    inside_explicit = explicit and kind != b"UN"  # of unknown type: its items tell no types (PS3.5 section 6.2.2)
    end = start
    while _tag(data, end) != SEQUENCE_END:
        end = _fragment(data, end) if kind in _FRAGMENTED else _item(data, end, inside_explicit, depth + 1)[2]
    return Element(tag, kind, at, start, end, end + 8)


def _fragment(data: bytes, at: int) -> int:
    """Find the end of a piece of pixel data, such as those of an icon."""
    length = struct.unpack_from("<I", data, at + 4)[0]
    if _tag(data, at) != ITEM or length == UNDEFINED:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    return at + 8 + int(length)


def _item(data: bytes, at: int, explicit: bool, depth: int) -> tuple[int, int, int]:
    """Find where the content of an item begins and ends, and what comes after it."""
    if _tag(data, at) != ITEM or depth > MAX_DEPTH:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    start, length = at + 8, struct.unpack_from("<I", data, at + 4)[0]
    if length != UNDEFINED:
        return start, start + length, start + length
    end = start
    while _tag(data, end) != ITEM_END:
        end = _element(data, end, explicit, depth).after
    return start, end, end + 8
