"""A colour profile (ICC.1) says in numbers what a scanner's colours are, and has room for names beside them.

Its description, copyright, maker and model texts, creation date, identifier and private tags tell who scanned where
and when; so does any gap between its tags. So the tags that bear colour are parsed to their last number and written
into a new profile, under a header without date or names; the two texts that the standard asks for are fixed. What is
not understood to the last byte is not kept: a slide without a profile is shown in its scanner's own colours.

ICC.1:2022 (version 4) and ICC.1:2001-04 (version 2), sections 7 (header) and 10 (tag types).
"""

import struct
from collections.abc import Callable, Iterator
from itertools import pairwise
from math import prod

NOT_UNDERSTOOD = (
    "the colour profile was not understood and is left behind; colours are shown as the scanner stored them"
)
"""What a receipt says when `rebuild_icc` gives None."""

LARGEST_BYTES = 16 << 20
"""Scanners' profiles have 0.5 KB to 13 MB."""

MOST_TAGS = 100

LONGEST_CURVE = 1 << 16
"""Points. A 16-bit value cannot tell more of them apart."""

HEADER_BYTES = 128
MATRIX_TAGS = ("rXYZ", "gXYZ", "bXYZ", "rTRC", "gTRC", "bTRC", "wtpt")
GRAY_TAGS = ("kTRC", "wtpt")
TABLE_TAGS = ("A2B0", "A2B1", "A2B2")

UNUSED_TAGS = {b"RGB ": {"kTRC"}, b"GRAY": set(MATRIX_TAGS) - set(GRAY_TAGS)}
"""Tags that bear colour in profiles of the other kind only; here their numbers could be any text."""

_CHANNELS = {b"RGB ": 3, b"GRAY": 1}
_CONNECTION_SPACES = (b"XYZ ", b"Lab ")
_SCANNERS = (b"scnr", b"mntr", b"spac")
_D50 = struct.pack(">3i", 63190, 65536, 54061)
_PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}
"""Numbers in a parametric curve, by its function."""


class _NotUnderstood(ValueError):
    """The profile is not of the kind that is rebuilt."""


def rebuild_icc(profile: bytes) -> bytes | None:
    """Write a profile anew from its colour-bearing numbers; the transform to other colour spaces stays the same.

    Parameters
    ----------
    profile
        An ICC profile of version 2 or 4 for RGB or grey, by matrix and curves, by tables, or both. Untrusted.

    Returns
    -------
    bytes or None
        The new profile, as an input profile, or None if this one is damaged or of another kind.
    """
    try:
        return _rebuild(profile)
    except (_NotUnderstood, struct.error):
        return None


def _rebuild(profile: bytes) -> bytes:
    (size,) = struct.unpack_from(">I", profile)
    version, kind, space, connection, magic = struct.unpack_from(">B3x4s4s4s12x4s", profile, 8)
    (intent,) = struct.unpack_from(">I", profile, 64)
    _require(HEADER_BYTES < size <= min(len(profile), LARGEST_BYTES) and magic == b"acsp")
    _require(version in (2, 4) and kind in _SCANNERS and space in _CHANNELS and connection in _CONNECTION_SPACES)
    found = {name: data for name, data in _colour_tags(profile[:size]) if name not in UNUSED_TAGS[space]}
    tags = {name: _TAGS[name](data, _CHANNELS[space]) for name, data in found.items()}
    shaped = MATRIX_TAGS if space == b"RGB " else GRAY_TAGS
    _require("A2B0" in tags or (all(name in tags for name in shaped) and connection == b"XYZ "))
    tags["desc"] = _description(version, space.decode().strip())
    tags["cprt"] = _text(version, "CC0")
    header = struct.pack(
        ">8xB3x4s4s4s12x4s24xI12s48x", version, b"scnr", space, connection, b"acsp", intent if intent < 4 else 0, _D50
    )
    return _assemble(bytearray(header), tags)


def _require(understood: object) -> None:
    if not understood:
        raise _NotUnderstood


def _colour_tags(profile: bytes) -> Iterator[tuple[str, bytes]]:
    """Give name and bytes of each tag that bears colour."""
    (count,) = struct.unpack_from(">I", profile, HEADER_BYTES)
    _require(count <= MOST_TAGS)
    seen = set()
    for number in range(count):
        raw_name, at, length = struct.unpack_from(">4sII", profile, HEADER_BYTES + 4 + 12 * number)
        name = raw_name.decode("latin-1")
        if name in _TAGS:
            _require(name not in seen and at >= HEADER_BYTES and at + length <= len(profile))
            seen.add(name)
            yield name, profile[at : at + length]


def _assemble(header: bytearray, tags: dict[str, bytes]) -> bytes:
    """Lay the tags behind each other, equal ones once, each at a multiple of four bytes."""
    places: dict[bytes, int] = {}
    at = HEADER_BYTES + 4 + 12 * len(tags)
    for data in tags.values():
        if data not in places:
            places[data] = at
            at += len(data) + -len(data) % 4
    table = b"".join(struct.pack(">4sII", name.encode(), places[data], len(data)) for name, data in tags.items())
    body = b"".join(data + bytes(-len(data) % 4) for data in places)
    struct.pack_into(">I", header, 0, at)
    return bytes(header) + struct.pack(">I", len(tags)) + table + body


def _numbers(data: bytes, at: int, form: str) -> bytes:
    """Read numbers of a form such as ``>9i`` at a place and write them anew."""
    return struct.pack(form, *struct.unpack_from(form, data, at))


def _xyz(data: bytes, channels: int) -> bytes:
    del channels
    _require(data[:4] == b"XYZ ")
    return b"XYZ " + bytes(4) + _numbers(data, 8, ">3i")


def _adaptation(data: bytes, channels: int) -> bytes:
    del channels
    _require(data[:4] == b"sf32")
    return b"sf32" + bytes(4) + _numbers(data, 8, ">9i")


def _curve(data: bytes, channels: int = 1) -> bytes:
    """Rebuild a sampled (``curv``) or parametric (``para``) curve."""
    del channels
    if data[:4] == b"curv":
        (count,) = struct.unpack_from(">I", data, 8)
        _require(count <= LONGEST_CURVE and 12 + 2 * count <= len(data))
        return b"curv" + bytes(4) + struct.pack(">I", count) + _numbers(data, 12, f">{count}H")
    _require(data[:4] == b"para")
    (function,) = struct.unpack_from(">H", data, 8)
    _require(function in _PARAMETERS)
    return b"para" + bytes(4) + struct.pack(">H2x", function) + _numbers(data, 12, f">{_PARAMETERS[function]}i")


def _table(data: bytes, channels: int) -> bytes:
    """Rebuild a table from device colours to the connection space, of any of the three types."""
    rebuild = {b"mft1": _table_of_bytes, b"mft2": _table_of_words, b"mAB ": _table_of_curves}.get(data[:4])
    _require(rebuild and struct.unpack_from(">BB", data, 8) == (channels, 3))
    return rebuild(data, channels) if rebuild else b""


def _table_of_bytes(data: bytes, channels: int) -> bytes:
    grid = data[10]
    length = 256 * channels + 3 * grid**channels + 256 * 3
    return _table_head(data, channels, grid) + _exactly(data, 48, length)


def _table_of_words(data: bytes, channels: int) -> bytes:
    grid, (entries, exits) = data[10], struct.unpack_from(">HH", data, 48)
    _require(2 <= entries <= 4096 and 2 <= exits <= 4096)
    length = 2 * (entries * channels + 3 * grid**channels + exits * 3)
    return _table_head(data, channels, grid) + struct.pack(">HH", entries, exits) + _exactly(data, 52, length)


def _table_head(data: bytes, channels: int, grid: int) -> bytes:
    _require(grid >= 2)
    return data[:4] + bytes(4) + struct.pack(">BBBx", channels, 3, grid) + _numbers(data, 12, ">9i")


def _exactly(data: bytes, at: int, length: int) -> bytes:
    _require(at + length <= len(data))
    return data[at : at + length]


def _table_of_curves(data: bytes, channels: int) -> bytes:
    """Rebuild a ``mAB`` table: curves, grid, curves, matrix and curves, of which some may be missing."""
    _require(len(data) >= 32)
    after, matrix, middle, grid, before = struct.unpack_from(">5I", data, 12)
    _require(after and bool(matrix) == bool(middle) and bool(grid) == bool(before) and (grid or channels == 3))
    parts = [
        _curves(data, after, 3),
        _numbers(data, matrix, ">12i") if matrix else b"",
        _curves(data, middle, 3) if middle else b"",
        _grid(data, grid, channels) if grid else b"",
        _curves(data, before, channels) if before else b"",
    ]
    ends = [32]
    for part in parts:
        ends.append(ends[-1] + len(part))
    offsets = [start if end > start else 0 for start, end in pairwise(ends)]
    return b"mAB " + bytes(4) + struct.pack(">BB2x5I", channels, 3, *offsets) + b"".join(parts)


def _curves(data: bytes, at: int, count: int) -> bytes:
    """Rebuild curves that follow each other, each from a multiple of four bytes."""
    found = b""
    for _ in range(count):
        _require(at <= len(data))
        curve = _curve(data[at:])
        padded = curve + bytes(-len(curve) % 4)
        found += padded
        at += len(padded)
    return found


def _grid(data: bytes, at: int, channels: int) -> bytes:
    sides = struct.unpack_from(f">{channels}B", data, at)
    (precision,) = struct.unpack_from(">B", data, at + 16)
    _require(min(sides) >= 2 and precision in (1, 2))
    points = _exactly(data, at + 20, prod(sides) * 3 * precision)
    return bytes(sides) + bytes(16 - channels) + struct.pack(">B3x", precision) + points + bytes(-len(points) % 4)


def _text(version: int, text: str) -> bytes:
    """Write a fixed text: ``text`` in version 2, ``mluc`` in version 4."""
    if version == 2:
        return b"text" + bytes(4) + text.encode() + b"\0"
    raw = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(raw), 28) + raw


def _description(version: int, text: str) -> bytes:
    if version == 4:
        return _text(version, text)
    return b"desc" + bytes(4) + struct.pack(">I", len(text) + 1) + text.encode() + bytes(1 + 4 + 4 + 2 + 1 + 67)


_TAGS: dict[str, Callable[[bytes, int], bytes]] = {
    **dict.fromkeys(("rXYZ", "gXYZ", "bXYZ", "wtpt", "bkpt"), _xyz),
    **dict.fromkeys(("rTRC", "gTRC", "bTRC", "kTRC"), _curve),
    **dict.fromkeys(TABLE_TAGS, _table),
    "chad": _adaptation,
}
