"""A DICOM file says in its first few hundred bytes what it holds and how its pixels are written.

After 128 free bytes and the letters DICM comes the file meta information, always little-endian with explicit types:
the class of the object and its transfer syntax. A DICOMDIR, which lists other files by name, has led readers out of
its folder (CVE-2026-32711) and is no slide anyway.

Sources: DICOM PS3.10 section 7.1; PS3.5 section 7.1.2 and annex A; PS3.6 annex A.
"""

import struct
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

_META_BYTES: Final = 1 << 16
"""Real file meta information is some 200 to 600 bytes long."""

_MAX_ELEMENTS: Final = 64
_LONG_TYPES: Final = frozenset(
    {b"OB", b"OW", b"UN", b"UT", b"SQ", b"OF", b"OD", b"OL", b"OV", b"UC", b"UR", b"SV", b"UV"}
)
_CLASS: Final = (0x0002, 0x0002)
_SYNTAX: Final = (0x0002, 0x0010)


def check_dicom(source: Source) -> None:
    """Check that a DICOM file is a whole-slide image in a transfer syntax that is safe to decode.

    Raises
    ------
    SlideRefused
        With the reason.
    """
    meta = _meta_information(source.head(_META_BYTES, 132))
    object_class, syntax = meta.get(_CLASS), meta.get(_SYNTAX)
    if object_class is None or syntax is None:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    if object_class != WHOLE_SLIDE_MICROSCOPY:
        raise SlideRefused(Reason.NOT_A_WHOLE_SLIDE)
    if syntax not in TRANSFER_SYNTAXES:
        raise SlideRefused(Reason.FORBIDDEN_COMPRESSION)


def _meta_information(data: bytes) -> dict[tuple[int, int], str]:
    """Read the two identifiers that matter from the elements of group 2."""
    found: dict[tuple[int, int], str] = {}
    place = 0
    for _ in range(_MAX_ELEMENTS):
        if len(data) < place + 8:
            raise SlideRefused(Reason.TRUNCATED)
        group, element, kind, length = struct.unpack_from("<HH2sH", data, place)
        if group != 0x0002:
            return found
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
