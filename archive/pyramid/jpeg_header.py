"""The header of a JPEG tile as a scanner writes it (ITU-T T.81 Annex B).

A scanner's tile is often *abbreviated*: its quantisation and Huffman tables lie once in the file (TIFF tag 347) and
not in the tile. It may carry comments and application segments, where names survive in every converter measured.

What may be copied: SOF0 or SOF1, 8 bit, one or three components, one scan, complete tables. Anything else is not
plain and has to be decoded.
"""

import struct
from dataclasses import dataclass, field
from functools import lru_cache

from archive.errors import ArchiveError

SOI, EOI, SOS, DQT, DHT, DRI, COM, APP0, APP14 = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xFE, 0xE0, 0xEE
PLAIN_FRAMES = (0xC0, 0xC1)
"""Baseline and extended sequential Huffman: the two frames that every decoder reads."""

FRAMES = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, 0xCC}
ADOBE_BYTES = 12
"""Of the body of Adobe's segment, which is written anew and so not left behind; one byte more would be."""

MAX_HEADER_BYTES = 1 << 20
"""A real header is under 2 kB, with an embedded profile under 600 kB."""


class NotPlainJpeg(ArchiveError, ValueError):
    """The stream cannot be copied as it is; decode it instead. The text says which rule it breaks."""


@dataclass(frozen=True, slots=True)
class Component:
    """One line of a frame header: identifier, sampling factors, and which tables it uses."""

    identifier: int
    horizontal: int
    vertical: int
    quantisation: int


@dataclass(frozen=True, slots=True)
class Tables:
    """Quantisation and Huffman tables by number, and the restart interval in MCU (0 for none)."""

    quantisation: dict[int, bytes] = field(default_factory=dict)
    huffman: dict[int, bytes] = field(default_factory=dict)
    restart_interval: int = 0


@dataclass(frozen=True, slots=True)
class Header:
    """All that stands before the entropy-coded data, and ``length``, where that data begins."""

    frame: int
    width: int
    height: int
    components: tuple[Component, ...]
    tables: Tables
    scan: bytes
    adobe_transform: int | None
    jfif: bool
    left_behind: int
    length: int

    @property
    def subsampling(self) -> tuple[int, int]:
        """How many times wider and higher the luma is than the chroma: (2, 2) is 4:2:0."""
        if len(self.components) == 1:
            return 1, 1
        first, second = self.components[0], self.components[1]
        return first.horizontal // second.horizontal, first.vertical // second.vertical

    def is_ycbcr(self, tag_says_ycbcr: bool) -> bool:
        """Whether three components are YCbCr; the stream's own evidence goes before the file's tag.

        In this order: Adobe's transform, a JFIF segment, components named R, G, B, subsampled chroma, chroma with
        tables of its own. libtiff names the components of an RGB stream 0, 1, 2 and gives them one table.
        """
        names = tuple(c.identifier for c in self.components)
        if self.adobe_transform is not None:
            return self.adobe_transform != 0
        if self.jfif or self.subsampling != (1, 1):
            return True
        if names in ((82, 71, 66), (0, 1, 2)):
            return names == (0, 1, 2) and self.components[0].quantisation != self.components[1].quantisation
        if self.components[0].quantisation != self.components[1].quantisation:
            return True
        return tag_says_ycbcr


def _segments(stream: bytes) -> "list[tuple[int, bytes, int]]":
    """Marker, body and end of each segment up to and with SOS (or EOI, in a stream of tables only)."""
    if stream[:2] != b"\xff\xd8":
        raise NotPlainJpeg("it does not begin with SOI")
    found, at = [], 2
    while True:
        if at + 2 > len(stream) or at > MAX_HEADER_BYTES:
            raise NotPlainJpeg("its header does not end")
        if stream[at] != 0xFF:
            raise NotPlainJpeg("a marker is missing in its header")
        marker = stream[at + 1]
        if marker == 0xFF:  # a fill byte (T.81 B.1.1.2)
            at += 1
            continue
        if marker == EOI:
            found.append((EOI, b"", at + 2))
            return found
        if at + 4 > len(stream):
            raise NotPlainJpeg("its header does not end")
        end = at + 2 + struct.unpack_from(">H", stream, at + 2)[0]
        if end < at + 4 or end > len(stream):
            raise NotPlainJpeg("a segment runs past its end")
        found.append((marker, stream[at + 4 : end], end))
        if marker == SOS:
            return found
        at = end


def _read_quantisation(body: bytes, into: dict[int, bytes]) -> None:
    at = 0
    while at < len(body):
        size = 1 + (128 if body[at] >> 4 else 64)
        if body[at] >> 4 > 1 or body[at] & 15 > 3 or at + size > len(body):
            raise NotPlainJpeg("a quantisation table is malformed")
        into[body[at] & 15] = body[at : at + size]
        at += size


def _read_huffman(body: bytes, into: dict[int, bytes]) -> None:
    at = 0
    while at < len(body):
        if at + 17 > len(body) or body[at] >> 4 > 1 or body[at] & 15 > 3:
            raise NotPlainJpeg("a Huffman table is malformed")
        size = 17 + sum(body[at + 1 : at + 17])
        if size > 17 + 256 or at + size > len(body):
            raise NotPlainJpeg("a Huffman table is malformed")
        into[body[at]] = body[at : at + size]
        at += size


@lru_cache(maxsize=64)
def parse_tables(stream: bytes) -> Tables:
    """Read the stream of tables that a TIFF file keeps in tag 347 (TIFF Technical Note 2).

    Raises
    ------
    NotPlainJpeg
        If it is malformed or holds more than tables.
    """
    quantisation: dict[int, bytes] = {}
    huffman: dict[int, bytes] = {}
    for marker, body, _ in _segments(stream):
        if marker == DQT:
            _read_quantisation(body, quantisation)
        elif marker == DHT:
            _read_huffman(body, huffman)
        elif marker in FRAMES or marker == SOS:
            raise NotPlainJpeg("the table stream holds an image")
    return Tables(quantisation, huffman)


def _frame(body: bytes) -> tuple[int, int, tuple[Component, ...]]:
    if len(body) < 6 or body[0] != 8 or len(body) != 6 + 3 * body[5]:
        raise NotPlainJpeg("its frame is not 8 bit or malformed")
    height, width = struct.unpack_from(">HH", body, 1)
    components = tuple(
        Component(body[i], body[i + 1] >> 4, body[i + 1] & 15, body[i + 2]) for i in range(6, len(body), 3)
    )
    if len(components) not in (1, 3) or not width or not height:
        raise NotPlainJpeg("it has neither one component nor three, or no size")
    if any(not (1 <= c.horizontal <= 4 and 1 <= c.vertical <= 4) for c in components):
        raise NotPlainJpeg("its sampling factors are out of range")
    return width, height, components


def with_size(stream: bytes, width: int, height: int) -> bytes:
    """Write another size into the frame of a stream's header.

    Raises
    ------
    NotPlainJpeg
        If it has no plain frame.
    """
    for marker, body, end in _segments(stream):
        if marker in PLAIN_FRAMES and len(body) >= 5:
            at = end - len(body) + 1
            return stream[:at] + struct.pack(">HH", height, width) + stream[at + 4 :]
    raise NotPlainJpeg("it has no plain frame")


def _adobe(body: bytes) -> int | None:
    return body[11] if len(body) >= 12 and body[:5] == b"Adobe" else None


def parse_header(stream: bytes, shared: bytes | None = None) -> Header:
    """Read the header of a tile; `shared` is the file's table stream, whose tables the tile's own replace.

    Raises
    ------
    NotPlainJpeg
        If the tile is not of the plain kind that may be copied.
    """
    base = parse_tables(shared) if shared else Tables()
    quantisation, huffman = dict(base.quantisation), dict(base.huffman)
    interval, transform, jfif, left_behind, frame = 0, None, False, 0, None
    for marker, body, end in _segments(stream):
        if marker == DQT:
            _read_quantisation(body, quantisation)
        elif marker == DHT:
            _read_huffman(body, huffman)
        elif marker == DRI and len(body) == 2:
            interval = struct.unpack(">H", body)[0]
        elif marker in FRAMES and frame is None and marker in PLAIN_FRAMES:
            frame = (marker, *_frame(body))
        elif marker == SOS and frame is not None:
            tables = Tables(quantisation, huffman, interval)
            header = Header(*frame, tables, body, transform, jfif, left_behind, end)
            _check_complete(header)
            return header
        elif marker == COM or APP0 <= marker <= 0xEF:
            transform = _adobe(body) if marker == APP14 and _adobe(body) is not None else transform
            jfif = jfif or (marker == APP0 and body[:5] == b"JFIF\0")
            left_behind += not (_adobe(body) is not None and marker == APP14 and len(body) == ADOBE_BYTES)
        else:
            raise NotPlainJpeg(f"it holds the segment 0x{marker:02X}")
    raise NotPlainJpeg("it holds no scan")


def _check_complete(header: Header) -> None:
    """One scan over all components, in order, with every table it names."""
    count, scan = len(header.components), header.scan
    if len(scan) != 4 + 2 * count or scan[0] != count or scan[-3:] != b"\x00\x3f\x00":
        raise NotPlainJpeg("it is progressive or has several scans")
    for i, component in enumerate(header.components):
        identifier, selector = scan[1 + 2 * i], scan[2 + 2 * i]
        if identifier != component.identifier:
            raise NotPlainJpeg("its scan does not name its components in order")
        needed = {selector >> 4, 0x10 | (selector & 15)}
        if component.quantisation not in header.tables.quantisation or not needed <= header.tables.huffman.keys():
            raise NotPlainJpeg("its tables are incomplete")
