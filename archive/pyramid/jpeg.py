"""The plain JPEG tile that is stored in place of a scanner's own.

It is written anew from parsed values: SOI, Adobe APP14, tables, frame, scan header, then the scanner's entropy-coded
data untouched, then EOI. Nothing else of the source travels: no comment, no application segment, no unused table,
no byte after the end.
"""

import re
import struct
from collections.abc import Iterable

from archive.pyramid.jpeg_header import APP14, DHT, DQT, DRI, EOI, SOS, Header, NotPlainJpeg, parse_header, with_size

__all__ = ["HeaderReader", "NotPlainJpeg", "join_intervals", "plain_header", "scan_end", "with_size"]

RST0, RST_BYTES = 0xD0, 2

MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7]")
"""Within entropy-coded data 0xFF is followed by 0x00 or is an RST marker; anything else ends it (T.81 B.1.1.5)."""

MARKER_OR_RESTART = re.compile(rb"\xff[^\x00]")
"""The same where no restart interval is told, so that no RST marker may stand there."""


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


def join_intervals(intervals: Iterable[bytes]) -> bytes:
    """Join the entropy-coded bytes of restart intervals: between each two stands RST0 to RST7, in turn (T.81 B.2.1)."""
    parts: list[bytes] = []
    for number, interval in enumerate(intervals):
        if number:
            parts.append(bytes((0xFF, RST0 + (number - 1) % 8)))
        parts.append(interval)
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


def scan_end(stream: bytes, start: int, *, restarts: bool = True) -> int:
    """Find where the entropy-coded data that begins at `start` ends: at the first EOI.

    Parameters
    ----------
    stream
        A JPEG file.
    start
        Where its header ends.
    restarts
        Whether restart markers may stand in the data.

    Raises
    ------
    NotPlainJpeg
        If the data does not end, or holds any marker before its end that may not stand there.
    """
    found = (MARKER if restarts else MARKER_OR_RESTART).search(stream, start)
    if found is None:
        raise NotPlainJpeg("it has no EOI")
    if found[0][1] != EOI:
        raise NotPlainJpeg("it holds a marker inside its scan")
    return found.start()
