"""The plain JPEG tile that is stored in place of a scanner's own.

It is written anew from parsed values: SOI, Adobe APP14, tables, frame, scan header, then the scanner's entropy-coded
data untouched, then EOI. Nothing else of the source travels: no comment, no application segment, no unused table,
no byte after the end.
"""

import struct

from archive.pyramid.jpeg_header import APP14, DHT, DQT, DRI, SOS, Header, NotPlainJpeg, parse_header

__all__ = ["HeaderReader", "NotPlainJpeg", "plain_header", "scan_end"]


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def plain_header(header: Header, *, ycbcr: bool) -> bytes:
    """Write the header of a stored tile from parsed values: SOI, APP14, tables, frame, restart interval, scan.

    Adobe's transform is 1 for YCbCr and 0 for RGB, because decoders guess without it; greyscale needs none.
    """
    parts = [b"\xff\xd8"]
    if len(header.components) == 3:
        parts.append(_segment(APP14, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, int(ycbcr))))
    tables = header.tables
    used = sorted({c.quantisation for c in header.components})
    parts.append(_segment(DQT, b"".join(tables.quantisation[i] for i in used)))
    selectors = header.scan[2 : 2 + 2 * len(header.components) : 2]
    classes = sorted({s >> 4 for s in selectors} | {0x10 | (s & 15) for s in selectors})
    parts.append(_segment(DHT, b"".join(tables.huffman[i] for i in classes)))
    frame = struct.pack(">BHHB", 8, header.height, header.width, len(header.components))
    for c in header.components:
        frame += bytes((c.identifier, c.horizontal << 4 | c.vertical, c.quantisation))
    parts.append(_segment(header.frame, frame))
    if tables.restart_interval:
        parts.append(_segment(DRI, struct.pack(">H", tables.restart_interval)))
    parts.append(_segment(SOS, header.scan))
    return b"".join(parts)


class HeaderReader:
    """Reads the headers of many tiles of one file, each distinct header once.

    A header ends with its scan segment, so a stream that begins with the same bytes has the same header.
    """

    KNOWN = 32
    """A scanner writes one header a level, or a few; a file with a new one for each tile is read without memory."""

    def __init__(self, shared: bytes | None = None) -> None:
        self._shared = shared
        self._known: dict[bytes, Header] = {}

    def read(self, stream: bytes) -> Header:
        """Read the header of one tile.

        Raises
        ------
        NotPlainJpeg
            As `parse_header`.
        """
        for start, header in self._known.items():
            if stream.startswith(start):
                return header
        header = parse_header(stream, self._shared)
        if len(self._known) < self.KNOWN:
            self._known[stream[: header.length]] = header
        return header


def scan_end(stream: bytes, start: int) -> int:
    """Where the entropy-coded data that begins at `start` ends: at the first EOI.

    In entropy-coded data each 0xFF is followed by 0x00 or is an RST marker. So the bytes 0xFF are as many as the
    pairs FF 00 and the restarts together; counting is many times faster than looking at each (T.81 B.1.1.5).

    Raises
    ------
    NotPlainJpeg
        If the data does not end, or holds any marker but RST.
    """
    end = len(stream) - 2 if stream.endswith(b"\xff\xd9") else -1
    if end < start or _holds_markers(stream, start, end):  # bytes after EOI, or no EOI at all
        end = stream.find(b"\xff\xd9", start)
        if end < 0:
            raise NotPlainJpeg("it has no EOI")
        if _holds_markers(stream, start, end):
            raise NotPlainJpeg("it holds a marker inside its scan")
    return end


def _holds_markers(stream: bytes, start: int, end: int) -> bool:
    """Whether there is any marker but RST between `start` and `end`."""
    escapes = stream.count(b"\xff", start, end) - stream.count(b"\xff\x00", start, end)
    if escapes:
        escapes -= sum(stream.count(bytes((0xFF, rst)), start, end) for rst in range(0xD0, 0xD8))
    return escapes != 0
