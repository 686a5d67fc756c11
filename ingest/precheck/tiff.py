"""Every directory of a slide describes an image, and its numbers must agree with one another and with the file.

Width and height decide how many tiles there are, and so how long the two tables of places and lengths must be; each
tile must lie inside the file. What readers do with numbers that do not agree is what kills them: a tag asking for
2^62 bytes aborts OpenSlide. Limits are far above any slide's (the largest scanners write about 2^37 pixels).

Sources: TIFF 6.0 (Adobe, 1992) sections 3 to 15; the registers of compressions in libtiff and tifffile.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ingest.errors import Reason, SlideRefused
from ingest.precheck.source import Source
from ingest.precheck.tiff_directories import NDPI_MARK, WHOLE_NUMBERS, Directory, Entry, TiffFile, is_ndpi

MAX_IMAGE_SIDE: Final = 1 << 20
MAX_IMAGE_PIXELS: Final = 1 << 38
MAX_TILE_SIDE: Final = 8192
MAX_TILE_PIXELS: Final = 1 << 24
MAX_SEGMENT_BYTES: Final = 1 << 30
"""One tile or strip, decoded; half of what the jail may have in memory."""
MAX_STRIPPED_PIXELS: Final = 10**8
"""Labels, overviews and small levels lie in strips; a slide in strips cannot be read piece by piece."""
MAX_SEGMENTS: Final = 1 << 23
"""Of all images together; a slide of 2^38 pixels in tiles of 256 has 5.6 million with its pyramid."""
MAX_SAMPLES: Final = 64
"""Channels of a pixel; multiplexed fluorescence has up to about 60."""

JPEG: Final = 7
COMPRESSIONS: Final = frozenset(
    {1, 5, 8, 32946, JPEG, 33003, 33005, 34712, 50000, 50001, 34927}
    # none, LZW, Deflate (two numbers), JPEG, JPEG 2000 (Aperio's YCbCr and RGB, Leica's), Zstandard, WebP (two numbers)
)

_BITS: Final = frozenset({1, 2, 4, 8, 10, 12, 14, 16, 24, 32, 64})
_BLOCK: Final = 1 << 16
"""Places looked at in one go: a megabyte, however long the table."""

_ALLOWED: Final[dict[int, frozenset[int]]] = {
    266: frozenset({1, 2}),  # FillOrder
    284: frozenset({1, 2}),  # PlanarConfiguration
    317: frozenset({1, 2, 3}),  # Predictor
}
_DEPTHS: Final = (32997, 32998)
"""ImageDepth, TileDepth: TIFF's own kind of volume, which readers only think that they know."""


@dataclass(frozen=True, slots=True)
class _Segments:
    """The tiles or strips of one image: where the tables lie and what they must say."""

    offsets: Entry
    lengths: Entry
    width: int
    height: int
    across: int
    down: int


def check_tiff(source: Source) -> None:
    """Check every directory of a TIFF or NDPI file.

    Raises
    ------
    SlideRefused
        With the reason, at the first number that cannot be true.
    """
    file = TiffFile(source, ndpi=is_ndpi(source))
    segments = 0
    for directory in file.directories():
        segments += _Image(file, directory).check(MAX_SEGMENTS - segments)


class _Image:
    """One directory, read as the description of an image."""

    def __init__(self, file: TiffFile, directory: Directory) -> None:
        self._file = file
        self._directory = directory

    def check(self, segments_left: int) -> int:
        """Check the image and return how many tiles or strips it has, at most ``segments_left``."""
        width, height = self._side(256), self._side(257)
        if max(width, height) > MAX_IMAGE_SIDE or width * height > MAX_IMAGE_PIXELS:
            raise SlideRefused(Reason.TOO_LARGE)
        compression = self._number(259, default=1)
        if compression not in COMPRESSIONS:
            raise SlideRefused(Reason.FORBIDDEN_COMPRESSION)
        self._check_choices()
        bits_of_a_pixel = self._bits_of_a_pixel()
        tiled = 322 in self._directory or 323 in self._directory or 324 in self._directory
        segments = self._tiles(width, height) if tiled else self._strips(width, height, compression)
        if segments.width * segments.height * bits_of_a_pixel > 8 * MAX_SEGMENT_BYTES:
            raise SlideRefused(Reason.TOO_LARGE)
        expected = segments.across * segments.down * self._planes()
        if expected > segments_left:
            raise SlideRefused(Reason.TOO_LARGE)
        self._check_tables(segments, expected)
        return expected

    def _number(self, tag: int, default: int | None = None) -> int:
        """Read a tag that has one whole number."""
        entry = self._directory.get(tag)
        if entry is not None:
            return self._file.numbers(entry, 1)[0]
        if default is None:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        return default

    def _side(self, tag: int) -> int:
        side = self._number(tag)
        if side < 1:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        return side

    def _planes(self) -> int:
        """Tell how often the image's tiles are repeated: once, or once a channel."""
        return self._number(277, default=1) if self._number(284, default=1) == 2 else 1

    def _check_choices(self) -> None:
        for tag, allowed in _ALLOWED.items():
            if tag in self._directory and self._number(tag) not in allowed:
                raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        if any(self._number(tag, default=1) != 1 for tag in _DEPTHS):
            raise SlideRefused(Reason.UNSUPPORTED_PIXELS)
        if 530 in self._directory:  # YCbCrSubSampling; libtiff has written outside its memory on others
            steps = self._file.numbers(self._directory[530], 2)
            if not {1, 2, 4}.issuperset(steps):
                raise SlideRefused(Reason.DAMAGED_STRUCTURE)

    def _bits_of_a_pixel(self) -> int:
        samples = self._number(277, default=1)
        if not 1 <= samples <= MAX_SAMPLES:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        bits = self._file.numbers(self._directory[258], MAX_SAMPLES) if 258 in self._directory else [1]
        if not _BITS.issuperset(bits) or len(bits) not in {1, samples}:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        if 339 in self._directory:  # SampleFormat
            formats = self._file.numbers(self._directory[339], MAX_SAMPLES)
            if not {1, 2, 3, 4, 5, 6}.issuperset(formats):
                raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        return max(bits) * samples

    def _tiles(self, width: int, height: int) -> _Segments:
        tile_width, tile_height = self._side(322), self._side(323)
        if max(tile_width, tile_height) > MAX_TILE_SIDE or tile_width * tile_height > MAX_TILE_PIXELS:
            raise SlideRefused(Reason.TOO_LARGE)
        if 273 in self._directory or 279 in self._directory:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        across, down = -(-width // tile_width), -(-height // tile_height)
        return _Segments(self._table(324), self._table(325), tile_width, tile_height, across, down)

    def _strips(self, width: int, height: int, compression: int) -> _Segments:
        rows = min(self._number(278, default=height), height)
        if rows < 1:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        offsets, lengths, down = self._table(273), self._table(279), -(-height // rows)
        one_long_jpeg = NDPI_MARK in self._directory and compression == JPEG and down == 1
        if one_long_jpeg:  # read piece by piece all the same, from one restart marker to the next
            return _Segments(offsets, lengths, 1, 1, 1, 1)
        if width * height > MAX_STRIPPED_PIXELS:
            raise SlideRefused(Reason.TOO_LARGE)
        return _Segments(offsets, lengths, width, rows, 1, down)

    def _table(self, tag: int) -> Entry:
        entry = self._directory.get(tag)
        if entry is None or entry.type not in WHOLE_NUMBERS:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        return entry

    def _check_tables(self, segments: _Segments, expected: int) -> None:
        """Check that there is one place and one length for each tile, and that all lie inside the file.

        A length of 0 stands for a tile that the scanner left out.
        """
        if segments.offsets.count != expected or segments.lengths.count != expected:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        size = np.uint64(self._file.source.size)
        for first in range(0, expected, _BLOCK):
            count = min(_BLOCK, expected - first)
            offsets = self._column(segments.offsets, first, count)
            lengths = self._column(segments.lengths, first, count)
            # offset + length <= size, said so that it cannot overflow
            outside = (lengths > 0) & ((lengths > size) | (offsets > size - np.minimum(lengths, size)))
            if bool(outside.any()):
                raise SlideRefused(Reason.TRUNCATED)

    def _column(self, entry: Entry, first: int, count: int) -> "np.ndarray[tuple[int], np.dtype[np.uint64]]":
        """Read part of a table as 64-bit numbers."""
        kind = np.dtype(self._file.encoding.order + WHOLE_NUMBERS[entry.type])
        values = self._file.source.read(entry.place + first * kind.itemsize, count * kind.itemsize)
        column = np.frombuffer(values, dtype=kind).astype(np.uint64)
        return column | np.uint64(entry.high_bits << 32) if entry.high_bits else column
