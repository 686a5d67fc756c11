"""The levels of an NDPI file: JPEG streams whose restart intervals are put together to tiles, or cut into parts.

An interval is a strip of one row of MCU. Tiles are as wide as an interval and some of them high; the scanner's entropy-
coded bytes are not touched. Where intervals are too wide for tiles, they are cut in the DCT domain: the coefficients
stay, their coding does not. A real level of 19 megapixels then takes 1.02 times the room; decoded and stored without
loss it took 5 times the room.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import tifffile

from archive.geometry import Size
from archive.holdings.pixels import NotPlainJpeg, decode_jpeg, join_intervals, plain_header, with_size
from ingest.errors import Reason, SlideRefused
from ingest.scanners._ndpi_stream import MCU_PX, interval_of, size_and_header, starts_told, strip_of
from ingest.scanners._restart import RestartIntervals
from ingest.scanners._tiff import YCBCR
from ingest.scanners.base import EncodedTile, Pixels, SourceLevel
from ingest.scanners.cropping import can_cut, cut

WIDEST_TILE = 2048
"""What is wider is no tile that a viewer can wait for, and is cut into parts."""

WIDEST_INTERVAL = 16_384
"""Of those that are cut; a line of the scanners' cameras has some 4,000 px."""

TILE_PIXELS, LOWEST_TILE, HIGHEST_TILE = 1 << 18, 256, 1024
NARROWEST_PART, WIDEST_PART = 256, 1024


class NdpiLevel(SourceLevel):
    """A JPEG stream with restart markers as a level: tiles as wide as a restart interval and some intervals high.

    Where a tile reaches below the stream's last row, that row is repeated; it is beyond the edge of the level.

    Raises
    ------
    NotPlainJpeg
        If its intervals make no tiles whose pixels would be those that OpenSlide shows.
    """

    is_jpeg = True

    def __init__(self, page: tifffile.TiffPage, *, widest: int = WIDEST_TILE) -> None:
        self._file: Any = page.parent.filehandle
        self.size, self._head, header = size_and_header(page)
        self.tag_says_ycbcr = int(page.photometric or 0) == YCBCR
        self.channels, self.left_behind = len(header.components), header.left_behind
        interval = interval_of(header, self.size, widest)
        self.mcu_width = MCU_PX * max(component.horizontal for component in header.components)
        self._columns = self.size.width // interval.width
        self.runs = max(1, _tile_height(interval, self.size) // interval.height)
        self.tile = Size(interval.width, self.runs * interval.height)
        self._rows = self.size.height // interval.height
        self._header = replace(header, width=self.tile.width, height=self.tile.height)
        place, length = strip_of(page)
        self.mean_tile_bytes = max(1, length * self.runs // (self._rows * self._columns))
        self._intervals = RestartIntervals(
            self._file, place + header.length, place + length, self._rows * self._columns, starts_told(page, place)
        )
        self._held: tuple[int, list[tuple[int, bytes]]] = (-1, [])

    @cached_property
    def _start(self) -> bytes:
        """The header of every tile but the first."""
        ycbcr = self.channels == 3 and self._header.is_ycbcr(self.tag_says_ycbcr)
        return plain_header(self._header, ycbcr=ycbcr)

    def encoded_tiles(self) -> Iterator[EncodedTile]:
        """Give the tiles; the first under the stream's own header, with all that stands in it, and so once."""
        columns, rows = self.size.tiles(self.tile)
        for row in range(rows):
            for column in range(columns):
                start = self._start if row or column else with_size(self._head, self.tile.width, self.tile.height)
                pieces = self._pieces(column, row)
                stream = start + join_intervals(data for _, data in pieces) + b"\xff\xd9"
                runs = tuple((place, len(data)) for place, data in pieces)
                yield EncodedTile(column, row, runs[0][0], stream, runs)

    def decoded_tiles(self) -> Iterator[tuple[int, int, Pixels]]:
        """Decode tile by tile."""
        columns, rows = self.size.tiles(self.tile)
        for row in range(rows):
            for column in range(columns):
                yield column, row, self.decoded_tile(column, row)

    def decoded_tile(self, column: int, row: int) -> Pixels:
        """Decode one tile."""
        try:
            stream = self._start + join_intervals(data for _, data in self._pieces(column, row)) + b"\xff\xd9"
            pixels = decode_jpeg(stream, width=self.tile.width, height=self.tile.height, channels=self.channels)
        except ValueError as error:  # NotPlainJpeg is one
            raise SlideRefused(Reason.UNREADABLE_PIXELS) from error
        return pixels.reshape(self.tile.height, self.tile.width, self.channels)

    def _pieces(self, column: int, row: int) -> list[tuple[int, bytes]]:
        """Give the restart intervals of a tile, from top to bottom."""
        if self._held[0] != row:
            down = min(self.runs, self._rows - row * self.runs)
            self._held = row, self._intervals.read(row * self.runs * self._columns, down * self._columns)
        pieces = self._held[1][column :: self._columns]
        return pieces + pieces[-1:] * (self.runs - len(pieces))


class CutNdpiLevel(SourceLevel):
    """A level whose restart intervals are too wide for tiles: its tiles are cut into parts of one width, without loss.

    Raises
    ------
    NotPlainJpeg
        If they cannot be cut so that the pixels stay those that OpenSlide shows.
    """

    is_jpeg = is_cut = True

    def __init__(self, wide: NdpiLevel) -> None:
        self._wide, self._parts = wide, _parts(wide)
        self.left_behind = wide.left_behind
        self.size, self.channels, self.tag_says_ycbcr = wide.size, wide.channels, wide.tag_says_ycbcr
        self.tile = Size(wide.tile.width // self._parts, wide.tile.height)
        self.mean_tile_bytes = max(1, wide.mean_tile_bytes // self._parts)
        self._held: tuple[tuple[int, int], Pixels] | None = None

    def encoded_tiles(self) -> Iterator[EncodedTile]:
        """Give the parts of one wide tile after the other; each is decoded, and shows what the wide tile shows there.

        Raises
        ------
        NotPlainJpeg
            If a tile cannot be cut, or a part shows anything else.
        """
        width, height = self._wide.tile.width, self._wide.tile.height
        for tile in self._wide.encoded_tiles():
            for number, stream in enumerate(cut(tile.stream, width=width, height=height, parts=self._parts)):
                column = tile.column * self._parts + number
                pixels = decode_jpeg(stream, width=self.tile.width, height=height, channels=self.channels)
                if not np.array_equal(pixels.reshape(*pixels.shape[:2], -1), self.decoded_tile(column, tile.row)):
                    raise NotPlainJpeg("it changed when it was cut")
                yield EncodedTile(column, tile.row, tile.offset, stream)

    def decoded_tiles(self) -> Iterator[tuple[int, int, Pixels]]:
        """Decode tile by tile."""
        columns, rows = self.size.tiles(self.tile)
        for row in range(rows):
            for column in range(columns):
                yield column, row, self.decoded_tile(column, row)

    def decoded_tile(self, column: int, row: int) -> Pixels:
        """Decode the wide tile, and give a part of its pixels: nothing is cut for it that could go wrong."""
        place, number = (column // self._parts, row), column % self._parts
        if self._held is None or self._held[0] != place:
            self._held = place, self._wide.decoded_tile(*place)
        return self._held[1][:, number * self.tile.width : (number + 1) * self.tile.width]


def level_of(page: tifffile.TiffPage) -> SourceLevel:
    """Give a level of which the tiles can be copied, or else cut.

    Raises
    ------
    NotPlainJpeg
        If neither can be done so that the pixels are those that OpenSlide shows.
    """
    try:
        return NdpiLevel(page)
    except NotPlainJpeg:
        return CutNdpiLevel(NdpiLevel(page, widest=WIDEST_INTERVAL))


def _parts(wide: NdpiLevel) -> int:
    """Choose into how many parts a tile is cut: the fewest of one width, in whole MCU, that are narrow enough."""
    if wide.mcu_width != MCU_PX:
        raise NotPlainJpeg("its colours reach across the places where it would be cut")
    if not can_cut():
        raise NotPlainJpeg("nothing can be cut on this machine")
    across = wide.tile.width // MCU_PX
    for parts in range(2, across + 1):
        width = wide.tile.width // parts
        if width < NARROWEST_PART:
            break
        if across % parts == 0 and width <= WIDEST_PART:
            return parts
    raise NotPlainJpeg("its restart interval cannot be cut into parts of one width")


def _tile_height(interval: Size, size: Size) -> int:
    """Choose a power of two that makes a tile of about 512 x 512 pixels, but not higher than the level."""
    height = 1 << (TILE_PIXELS // interval.width).bit_length() - 1
    return min(size.height, max(LOWEST_TILE, min(HIGHEST_TILE, height)))
