"""A DICOM file says in its first few hundred bytes what it holds and how its pixels are written.

After 128 free bytes and the letters DICM comes the file meta information, always little-endian with explicit types:
the class of the object and its transfer syntax. A DICOMDIR, which lists other files by name, has led readers out of
its folder (CVE-2026-32711) and is no slide anyway.

A slide's levels are usually one file each, told to belong together by the number of their series; readers look
through the folder for it. A level that is too large for one file is a concatenation, each of whose files says how many
there are. Some senders say of the whole series how many instances it has.

Sources: DICOM PS3.10 section 7.1; PS3.5 section 7.1.2 and annex A; PS3.6 annex A; PS3.3 sections C.7.6.16.2.2.4 and
C.3.4 (attributes of a series).
"""

import os
import struct
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.errors import Reason, SlideRefused
from ingest.precheck.source import Source

WHOLE_SLIDE_MICROSCOPY: Final = "1.2.840.10008.5.1.4.1.1.77.1.6"

TRANSFER_SYNTAXES: Final = frozenset(
    {
        "1.2.840.10008.1.2",  # implicit little-endian, uncompressed
        "1.2.840.10008.1.2.1",  # explicit little-endian, uncompressed
        "1.2.840.10008.1.2.4.50",  # JPEG baseline
        "1.2.840.10008.1.2.4.51",  # JPEG extended, 12 bit
        "1.2.840.10008.1.2.4.57",  # JPEG lossless
        "1.2.840.10008.1.2.4.70",  # JPEG lossless, first-order prediction
        "1.2.840.10008.1.2.4.80",  # JPEG-LS lossless
        "1.2.840.10008.1.2.4.81",  # JPEG-LS near-lossless
        "1.2.840.10008.1.2.4.90",  # JPEG 2000 lossless
        "1.2.840.10008.1.2.4.91",  # JPEG 2000
        "1.2.840.10008.1.2.4.201",  # high-throughput JPEG 2000 lossless
        "1.2.840.10008.1.2.4.202",  # the same, resolution first
        "1.2.840.10008.1.2.4.203",  # high-throughput JPEG 2000
        "1.2.840.10008.1.2.5",  # run lengths
    }
)

_META_AT: Final = 132
_META_BYTES: Final = 1 << 16
"""Real file meta information is some 200 to 600 bytes long."""

_MAX_ELEMENTS: Final = 64
_LONG_TYPES: Final = frozenset(
    {b"OB", b"OW", b"UN", b"UT", b"SQ", b"OF", b"OD", b"OL", b"OV", b"UC", b"UR", b"SV", b"UV"}
)
_UNDEFINED: Final = 0xFFFFFFFF
_ITEM_GROUP: Final = 0xFFFE
_DELIMITERS: Final = frozenset({0xE00D, 0xE0DD})
_SERIES: Final = (0x0020, 0x000E)
_INSTANCES: Final = (0x0020, 0x1209)
_CONCATENATION: Final = (0x0020, 0x9161)
_IN_CONCATENATION: Final = (0x0020, 0x9162)
_CONCATENATED: Final = (0x0020, 0x9163)
_IMPLICIT: Final = "1.2.840.10008.1.2"

_SERIES_BYTES: Final = 1 << 20
"""The series stands in the first few kilobytes; optical paths with their colour profiles come later."""

MAX_SERIES_ELEMENTS: Final = 10_000
MAX_NEIGHBOURS: Final = 4096
"""Files in a folder that are looked at; a slide has some ten."""

_CLASS: Final = (0x0002, 0x0002)
_SYNTAX: Final = (0x0002, 0x0010)


@dataclass(frozen=True, slots=True)
class Instance:
    """What one file says of the others of its slide.

    Attributes
    ----------
    series : str
        The number of the series that the files of a slide have in common.
    instances : int
        How many files the series has; 0 where nobody says.
    concatenation : str
        The number of the picture that the file is a part of; empty for a picture of its own.
    part, parts : int
        Which part it is, and how many there are; 0 where that is not said.
    """

    series: str
    instances: int = 0
    concatenation: str = ""
    part: int = 0
    parts: int = 0


def instance_of(source: Source) -> Instance | None:
    """Read what a DICOM file says of the others of its slide; None if it does not say what series it belongs to."""
    found = _elements(source, {_SERIES, _INSTANCES, _CONCATENATION, _IN_CONCATENATION, _CONCATENATED})
    series = _text(found.get(_SERIES, b""))
    if not series:
        return None
    return Instance(
        series,
        _decimal(_text(found.get(_INSTANCES, b""))),
        _text(found.get(_CONCATENATION, b"")),
        _unsigned(found.get(_IN_CONCATENATION, b"")),
        _unsigned(found.get(_CONCATENATED, b"")),
    )


def is_whole(instances: Iterable[Instance]) -> bool:
    """Tell whether the files of one series are all there, as far as any of them says how many there are."""
    there = tuple(instances)
    parts: dict[str, set[int]] = defaultdict(set)
    wanted: dict[str, int] = defaultdict(int)
    for one in there:
        if one.concatenation:
            parts[one.concatenation].add(one.part)
            wanted[one.concatenation] = max(wanted[one.concatenation], one.parts)
    enough = len(there) >= max((one.instances for one in there), default=0)
    return enough and all(len(parts[number]) >= wanted[number] for number in parts)


def check_dicom(source: Source) -> None:
    """Check that a DICOM file is a whole-slide image in a transfer syntax that is safe to decode.

    Raises
    ------
    SlideRefused
        With the reason.
    """
    meta, _ = _meta_information(source.head(_META_BYTES, _META_AT))
    object_class, syntax = meta.get(_CLASS), meta.get(_SYNTAX)
    if object_class is None or syntax is None:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    if object_class != WHOLE_SLIDE_MICROSCOPY:
        raise SlideRefused(Reason.NOT_A_WHOLE_SLIDE)
    if syntax not in TRANSFER_SYNTAXES:
        raise SlideRefused(Reason.FORBIDDEN_COMPRESSION)


def files_of_series(source: Source) -> tuple[Path, ...]:
    """Name the other files in a slide's folder that belong to it: whole-slide images of the same series.

    Each of them has passed the same check, since a reader will open it, too.

    Raises
    ------
    SlideRefused
        If one of them does not pass it: without it the slide would be taken for a smaller one.
    """
    series = _series(source)
    if series is None:
        return ()
    try:
        names = sorted(os.listdir(source.path.parent))[:MAX_NEIGHBOURS]
    except OSError:
        raise SlideRefused(Reason.UNREADABLE_FILE) from None
    neighbours = (source.path.parent / name for name in names if name != source.path.name)
    return tuple(path for path in neighbours if _belongs(path, series))


def _belongs(path: Path, series: str) -> bool:
    """Tell whether a file is a whole-slide image of a series; one that says so must be sound."""
    try:
        other = Source.open(path)
    except SlideRefused:
        return False
    with other:
        return _is_of(other, series) and _is_slide(other)


def _is_of(other: Source, series: str) -> bool:
    try:
        return other.head(4, 128) == b"DICM" and _series(other) == series
    except SlideRefused:
        return False


def _is_slide(other: Source) -> bool:
    try:
        check_dicom(other)
    except SlideRefused as refused:
        if refused.reason is Reason.NOT_A_WHOLE_SLIDE:
            return False
        raise
    return True


def _series(source: Source) -> str | None:
    """Read the number of the series, if it stands where it should."""
    return _text(_elements(source, {_SERIES}).get(_SERIES, b"")) or None


def _elements(source: Source, wanted: set[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """Read the first bytes of the elements that are wanted, as far as they stand where they should."""
    meta, length = _meta_information(source.head(_META_BYTES, _META_AT))
    data, last = source.head(_SERIES_BYTES, _META_AT + length), max(wanted)
    explicit = meta.get(_SYNTAX) != _IMPLICIT
    found: dict[tuple[int, int], bytes] = {}
    place = depth = 0
    for _ in range(MAX_SERIES_ELEMENTS):
        if len(data) < place + 12:
            break
        group, element, size = struct.unpack_from("<HHI", data, place)
        tag, place = (group, element), place + 8
        if group == _ITEM_GROUP:
            depth -= element in _DELIMITERS
        elif explicit:
            size, place = _explicit(data, place - 8)
        if depth == 0 and last < tag < (_ITEM_GROUP, 0):
            break
        if depth == 0 and tag in wanted:
            found[tag] = data[place : place + min(size, 64)]
        if size == _UNDEFINED:  # a sequence or an item that ends with a delimiter: what is in it is gone through
            depth += 1
        else:
            place += size
    return found


def _text(value: bytes) -> str:
    return value.rstrip(b"\0 ").decode("ascii", "replace")


def _decimal(text: str) -> int:
    return int(text) if text.strip().isdecimal() else 0


def _unsigned(value: bytes) -> int:
    return int.from_bytes(value[:2], "little")


def _explicit(data: bytes, place: int) -> tuple[int, int]:
    """Read an element's length, and where its value begins."""
    kind, size = struct.unpack_from("<4x2sH", data, place)
    if kind in _LONG_TYPES:
        return struct.unpack_from("<8xI", data, place)[0], place + 12
    return size, place + 8


def _meta_information(data: bytes) -> tuple[dict[tuple[int, int], str], int]:
    """Read the two identifiers that matter from the elements of group 2, and how long the group is."""
    found: dict[tuple[int, int], str] = {}
    place = 0
    for _ in range(_MAX_ELEMENTS):
        if len(data) < place + 8:
            raise SlideRefused(Reason.TRUNCATED)
        group, element, kind, length = struct.unpack_from("<HH2sH", data, place)
        if group != 0x0002:
            return found, place
        place += 8
        if kind in _LONG_TYPES:
            if len(data) < place + 4:
                raise SlideRefused(Reason.TRUNCATED)
            (length,) = struct.unpack_from("<I", data, place)
            place += 4
        if place + length > len(data):
            raise SlideRefused(Reason.TRUNCATED if len(data) < _META_BYTES else Reason.DAMAGED_STRUCTURE)
        if (group, element) in found:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        if (group, element) in {_CLASS, _SYNTAX}:
            found[group, element] = data[place : place + length].rstrip(b"\0 ").decode("ascii", "replace")
        place += length
    raise SlideRefused(Reason.DAMAGED_STRUCTURE)
