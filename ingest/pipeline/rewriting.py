"""Inside the jail: a scanner's JPEG tile is put under a plain header, and nothing else of it travels but its pixels.

Between the last bit of a picture and the marker that follows, decoders pass over any bytes. Where the coded data of a
picture end is known only to whoever decodes all of it, which takes many times as long as copying. So it is looked
whether what stands before a marker reads as text, which is rare, and only then whether the pixels need it.
"""

import re
from typing import Final

import numpy as np

from archive.holdings.pixels import Header, HeaderReader, NotPlainJpeg, Pixels, decode_jpeg, plain_header, scan_end
from ingest.scanners import SourceLevel

EOI: Final = b"\xff\xd9"

WORDS_BYTES: Final = 8
"""What is shorter would be looked for too often: one in 140 markers has five letters before it by chance."""

WORDS_BEFORE_MARKER: Final = re.compile(
    rb"\xff(?<=[\x20-\x7e]{7}[\x20-\x7e\0\r\n]\xff|(?:[\x20-\x7e]\0){4}\xff|(?:\0[\x20-\x7e]){4}\xff)[\xd0-\xd7\xd9]"
)
"""A restart marker or EOI behind eight letters, or four in UTF-16. It begins with the marker, to be found fast."""


class Rewriter:
    """Puts the plain header on the tiles of one level.

    The archive's own decoder makes wrong pixels of damaged entropy-coded data, but refuses a tile only for what its
    header says. So the first tile of each distinct header is decoded once, and whatever is copied can be shown.
    """

    def __init__(self, level: SourceLevel) -> None:
        self._level = level
        self._headers = HeaderReader(level.jpeg_tables)
        self._written: dict[int, tuple[Header, bytes]] = {}
        self.left_behind = 0

    def plain(self, stream: bytes) -> tuple[bytes, int, int]:
        """Give the plain tile, and where in `stream` its entropy-coded data begins and how long it is.

        Raises
        ------
        NotPlainJpeg
            If the tile cannot be copied.
        """
        header = self._headers.read(stream)
        known = self._written.get(id(header))
        is_known = known is not None and known[0] is header
        start = known[1] if known and is_known else self._write(header)
        restarts = header.tables.restart_interval > 0
        end = scan_end(stream, header.length, restarts=restarts)
        tile = start + stream[header.length : end + 2]
        if not is_known:
            self._require_readable(tile)
        self._require_no_words(tile, len(start) if restarts else len(tile) - len(EOI))
        self.left_behind += header.left_behind + (end + 2 < len(stream))
        return tile, header.length, end - header.length

    def _require_readable(self, tile: bytes) -> None:
        try:
            self._decoded(tile)
        except ValueError as error:
            raise NotPlainJpeg("a tile cannot be decoded") from error

    def _require_no_words(self, tile: bytes, at: int) -> None:
        """Refuse to copy a tile that has words before a marker from `at` on: it decodes the same without them."""
        for marker in WORDS_BEFORE_MARKER.finditer(tile, at):
            without = tile[: marker.start() - WORDS_BYTES] + tile[marker.start() :]
            if self._show_the_same(tile, without):
                raise NotPlainJpeg("there are words behind its coded pixels")

    def _show_the_same(self, tile: bytes, without: bytes) -> bool:
        try:
            return np.array_equal(self._decoded(tile), self._decoded(without))
        except ValueError:
            return False

    def _decoded(self, tile: bytes) -> Pixels:
        level = self._level
        return decode_jpeg(tile, width=level.tile.width, height=level.tile.height, channels=level.channels)

    def _write(self, header: Header) -> bytes:
        level = self._level
        if (header.width, header.height) != (level.tile.width, level.tile.height):
            raise NotPlainJpeg("a tile has another size than its level says")
        if len(header.components) != level.channels:
            raise NotPlainJpeg("a tile has another number of components than its level says")
        start = plain_header(header, ycbcr=level.channels == 3 and header.is_ycbcr(level.tag_says_ycbcr))
        if len(self._written) < HeaderReader.KNOWN:
            self._written[id(header)] = header, start
        return start
