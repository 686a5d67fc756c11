"""The engine that TIFF makers share: pages as tifffile parses them, their tiles read as raw segments.

tifffile's parser is pure Python; its pixel paths are used one segment at a time, so that memory is bounded by a tile
or a strip. A page is *simple* when its pixels are 8-bit grey or RGB without planes, which is all that is stored.
"""

import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import tifffile

from archive.geometry import Size
from ingest.errors import Reason, SlideRefused
from ingest.scanners.base import MAX_PICTURE_PIXELS, EncodedTile, Pixels, SourceLevel, bounded, fill_up

JPEG = 7
WIDE_TILE = Size(512, 512)
"""Tiles that strips and odd layouts are cut into."""

DECODABLE = {1, 5, 8, 32946, 33005, 34712, 50000, 50001, 34927, JPEG}
"""None, LZW, Deflate, JPEG 2000 in RGB, Zstandard, WebP, JPEG: what tifffile decodes to the stored colours."""

WHOLE_PAGE_PIXELS = 1 << 26
"""A page that can only be decoded as a whole is decoded if it has at most 64 megapixels."""

GREY, RGB, YCBCR = 1, 2, 6
UNSIGNED = (None, 1)
"""SampleFormat (tag 339) of numbers without a sign."""

UPRIGHT = {0, 1}
"""Orientation (tag 274): 1 is upright; 0 is none of the defined ones, and readers take it for upright."""


def is_simple(page: tifffile.TiffPage) -> bool:
    """Whether a page holds 8-bit grey or RGB pixels that can be stored as they are."""
    depth = page.bitspersample
    colours = {(GREY, 1), (RGB, 3), (YCBCR, 3)}
    if page.compression != JPEG:
        colours.discard((YCBCR, 3))
    return (
        depth == 8
        and page.sampleformat in UNSIGNED
        and (int(page.photometric or 0), page.samplesperpixel) in colours
        and page.compression in DECODABLE
        and page.imagedepth == 1
        and page.imagewidth > 0
        and page.imagelength > 0
    )


def page_size(page: tifffile.TiffPage) -> Size:
    """Width and height of a page in pixels."""
    return Size(page.imagewidth, page.imagelength)


def decoded_picture(page: tifffile.TiffPage) -> Iterator[Pixels]:
    """Decode the picture of a page, ``(height, width[, 3])`` uint8, unless it is of another kind or without end."""
    if is_simple(page) and page.imagewidth * page.imagelength <= MAX_PICTURE_PIXELS:
        pixels = np.asarray(page.asarray(maxworkers=1), np.uint8)
        if page.planarconfig == 2 and pixels.ndim == 3:
            pixels = np.moveaxis(pixels, 0, -1)
        yield np.ascontiguousarray(pixels)


def is_plane(page: tifffile.TiffPage) -> bool:
    """Whether a page can be one channel of fluorescence: grey, 8 or 16 bits."""
    return (
        page.bitspersample in (8, 16)
        and page.sampleformat in UNSIGNED
        and (int(page.photometric or 0), page.samplesperpixel, page.planarconfig or 1) == (GREY, 1, 1)
        and page.compression in DECODABLE
        and page.imagedepth == 1
        and page.imagewidth > 0
        and page.imagelength > 0
    )


class TiffLevel(SourceLevel):
    """A page as a level: tiles where the file has tiles, else 512 px cuts of its strips.

    Parameters
    ----------
    page
        The directory.
    size
        The level's size, where the directory tells one that is filled up to whole tiles.
    """

    can_hold = staticmethod(is_simple)
    nothing = 255
    """What is drawn where a strip is left out."""

    def __init__(self, page: tifffile.TiffPage, size: Size | None = None) -> None:
        if not self.can_hold(page):
            raise SlideRefused(Reason.UNSUPPORTED_PIXELS)
        if page.tags.valueof(274, default=1) not in UPRIGHT:
            raise SlideRefused(Reason.TURNED_PICTURE)
        self._page = page
        self.size = size or page_size(page)
        self.channels = page.samplesperpixel
        self.in_tiles = bool(page.is_tiled) and page.planarconfig == 1
        self.tile = Size(page.tilewidth, page.tilelength) if self.in_tiles else WIDE_TILE
        self.is_jpeg = self.in_tiles and page.compression == JPEG
        self.jpeg_tables = page.jpegtables
        self.tag_says_ycbcr = int(page.photometric) == YCBCR
        self._across, down = page_size(page).tiles(self.tile)
        count = self._across * down
        self.mean_tile_bytes = max(1, sum(page.databytecounts) // count)
        self._dtype = np.dtype(np.uint16 if page.bitspersample == 16 else np.uint8)
        self._held: tuple[int, Pixels] | None = None

    def encoded_tiles(self) -> Iterator[EncodedTile]:
        """Give the compressed tiles; a byte count of 0 marks white glass (Aperio, Philips)."""
        page, file = self._page, self._page.parent.filehandle
        for column, row, index in self._places():
            offset, length = page.dataoffsets[index], page.databytecounts[index]
            if length and offset:
                file.seek(offset)
                yield EncodedTile(column, row, offset, file.read(length))

    def decoded_tiles(self) -> Iterator[tuple[int, int, Pixels]]:
        """Decode tile by tile, or strip by strip."""
        if self.in_tiles:
            yield from self._decoded_from_tiles()
        elif self._page.planarconfig == 1 and not self._page.is_tiled:
            yield from self._cut(self._strips())
        elif self.size.pixels <= WHOLE_PAGE_PIXELS:
            yield from self._cut(iter([self._whole_page()]))
        else:
            raise SlideRefused(Reason.UNSUPPORTED_PIXELS)

    def leaves_out(self, column: int, row: int) -> bool:
        """Whether the tile has no bytes."""
        return self.in_tiles and not self._page.databytecounts[row * self._across + column]

    def decoded_tile(self, column: int, row: int) -> Pixels | None:
        """Decode one tile as the file's tags say; None where the page is in planes or leaves the tile out."""
        if self.in_tiles:
            return self._segment(row * self._across + column)
        return None if self._page.is_tiled or self._page.planarconfig != 1 else self._from_strips(column, row)

    def _from_strips(self, column: int, row: int) -> Pixels:
        """Cut one tile out of the strips that it lies in."""
        high = self._page.rowsperstrip
        top, bottom = row * self.tile.height, min((row + 1) * self.tile.height, self.size.height)
        left, right = column * self.tile.width, min((column + 1) * self.tile.width, self.size.width)
        strips = range(top // high, -(-bottom // high))
        band = np.concatenate([self._strip(index)[:, left:right] for index in strips])
        return band[top - strips.start * high : bottom - strips.start * high]

    def _places(self) -> Iterator[tuple[int, int, int]]:
        """Give column, row and the page's number of each tile that lies in the level."""
        columns, rows = self.size.tiles(self.tile)
        for row in range(rows):
            for column in range(columns):
                yield column, row, row * self._across + column

    def _segment(self, index: int) -> Pixels | None:
        """Decode one tile or strip: ``(height, width, channels)``; None where the file has none."""
        page, file = self._page, self._page.parent.filehandle
        length = page.databytecounts[index]
        if not length:
            return None
        file.seek(page.dataoffsets[index])
        data = file.read(length)  # first, because asking for the decoder moves the file
        decoded = page.decode(data, index, jpegtables=page.jpegtables)[0]
        if decoded is None:
            return None
        return np.asarray(decoded.reshape(decoded.shape[-3:]), self._dtype)

    def _decoded_from_tiles(self) -> Iterator[tuple[int, int, Pixels]]:
        for column, row, index in self._places():
            pixels = self._segment(index)
            if pixels is not None:
                yield column, row, fill_up(pixels, self.tile)

    def _strips(self) -> Iterator[Pixels]:
        return map(self._strip, range(len(self._page.dataoffsets)))

    def _strip(self, index: int) -> Pixels:
        """Decode one strip; the last one is remembered, for a page may be one strip of many tiles."""
        if self._held is None or self._held[0] != index:
            strip = self._segment(index)
            if strip is None:
                rows = min(self._page.rowsperstrip, self.size.height - index * self._page.rowsperstrip)
                strip = np.full((rows, self.size.width, self.channels), self.nothing, self._dtype)
            self._held = index, strip
        return self._held[1]

    def _whole_page(self) -> Pixels:
        pixels = np.asarray(self._page.asarray(), self._dtype)
        if self._page.planarconfig == 2 and pixels.ndim == 3:
            pixels = np.moveaxis(pixels, 0, -1)
        return pixels.reshape(self.size.height, self.size.width, self.channels)

    def _cut(self, bands: Iterator[Pixels]) -> Iterator[tuple[int, int, Pixels]]:
        """Gather bands of full-width rows into rows of tiles."""
        columns, rows = self.size.tiles(self.tile)
        held = np.empty((0, self.size.width, self.channels), self._dtype)
        for row in range(rows):
            height = min(self.tile.height, self.size.height - row * self.tile.height)
            while len(held) < height:
                held = np.concatenate([held, next(bands)])
            for column in range(columns):
                x = column * self.tile.width
                yield column, row, fill_up(held[:height, x : x + self.tile.width], self.tile)
            held = held[height:]


NO_WORDS = {273, 279, 320, 324, 325, 347, 34675}
"""Tags that hold places, tables and profiles: strips, colour map, tiles, JPEG tables, ICC profile."""

RATIONALS = {5, 10}
"""Data types whose value is two numbers, the first divided by the second, such as pixels per centimetre."""


def open_tiff(path: Path, *, ndpi: bool = False) -> tifffile.TiffFile:
    """Open a TIFF file with tifffile's parser; it does not see by itself that a file is NDPI, whatever its name.

    Raises
    ------
    SlideRefused
        If it cannot be parsed.
    """
    with ExitStack() as on_failure:
        try:
            file = on_failure.enter_context(tifffile.TiffFile(path, is_ndpi=ndpi))
            _ = file.pages.first
        except (tifffile.TiffFileError, ValueError, OSError, IndexError, struct.error) as error:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE) from error
        on_failure.pop_all()
        return file


def text_properties(pages: list[tifffile.TiffPage]) -> dict[str, str]:
    """Gather every text and short value of every page: raw material for the allow-list and for the auditor."""
    found: dict[str, object] = {}
    for number, page in enumerate(pages):
        for tag in page.tags:
            if tag.code in NO_WORDS:
                continue
            value = tag.value
            if tag.dtype in RATIONALS and tag.count == 1 and value[1]:
                value = value[0] / value[1]
            if isinstance(value, bytes):
                value = value[:4096].decode("latin-1")
            if isinstance(value, str) or (isinstance(value, int | float | tuple) and tag.count <= 8):
                found[f"tiff.{tag.name}" if not number else f"tiff[{number}].{tag.name}"] = value
    return bounded(found)
