"""Hamamatsu NDPI (NanoZoomer).

A little-endian classic TIFF that may outgrow four gigabytes: places of directories are told in 64 bits, and behind
each directory stand the upper 32 bits of its values. Tag 65420 marks it. Each directory is one picture in one strip;
SourceLens (65421) tells which: an objective's power is a level, -1 is the macro, which shows the slide label, and -2 a
map of the places that are not empty. Levels of other focal planes than 0 (65424) follow those of the first.

A level is one JPEG stream with restart markers, listed in 65426 and, above four gigabytes, 65432. Its frame may tell
no size, or a wrong one, where a side is longer than JPEG can tell.

Sources: OpenSlide's and tifffile's descriptions of the format; ITU-T T.81.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import tifffile

from archive.geometry import Size
from archive.holdings.pixels import (
    Header,
    HeaderReader,
    NotPlainJpeg,
    decode_jpeg,
    join_intervals,
    plain_header,
    with_size,
)
from ingest.errors import Reason, SlideRefused
from ingest.scanners._restart import RestartIntervals, Starts
from ingest.scanners._tiff import YCBCR, decoded_picture, is_simple, open_tiff, page_size, text_properties
from ingest.scanners.base import (
    AssociatedImage,
    AssociatedKind,
    EncodedTile,
    Pixels,
    Scan,
    ScanReader,
    SourceLevel,
    bounded,
)
from ingest.scanners.through_openslide import OpenSlideLevel, open_slide, whole_downsample

SOURCE_LENS, FOCAL_PLANE, MCU_STARTS, MCU_STARTS_HIGH, PROPERTY_MAP = 65421, 65424, 65426, 65432, 65449
MACRO, MAP = -1, -2

JPEG = 7
LONGEST_JPEG_SIDE = 65_500
"""Above it libjpeg, and so the scanner's software, cannot tell a side in a JPEG frame."""

LONGEST_HEADER = 1 << 16

WIDEST_TILE = 2048
"""What is wider is no tile that a viewer can wait for; such a level is decoded and stored without loss."""

TILE_PIXELS, LOWEST_TILE, HIGHEST_TILE = 1 << 18, 256, 1024


class HamamatsuReader(ScanReader):
    """Reads NDPI files."""

    maker = "hamamatsu"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = open_tiff(path, ndpi=True)

    @classmethod
    def recognise(cls, path: Path) -> str | None:
        """Say None if OpenSlide finds the mark that is in every NDPI file."""
        return None if openslide.OpenSlide.detect_format(path) == cls.maker else "no tag 65420"

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        if "_slide" in vars(self):
            vars(self).pop("_slide").close()

    @cached_property
    def _slide(self) -> openslide.OpenSlide:
        """The file as OpenSlide reads it, opened only for what cannot be copied."""
        return open_slide(self._path)

    def scan(self) -> Scan:
        """Tell levels, associated images and facts."""
        levels = [level for page in self._pages if _is_level(page) for level in self._level(page)]
        if not levels:
            raise SlideRefused(Reason.NOT_A_WHOLE_SLIDE)
        levels.sort(key=lambda level: -level.size.width)
        first = next(page for page in self._pages if _is_level(page))
        return Scan(
            self.maker,
            tuple(levels),
            tuple(_associated(page) for page in self._pages if not _is_level(page)),
            bounded({**_facts(first), **text_properties(self._pages)}),
            first.iccprofile,
        )

    def pictures(self, kind: AssociatedKind) -> Iterator[Pixels]:
        """Decode the associated images of a kind."""
        for page in self._pages:
            if not _is_level(page) and _associated(page).kind is kind:
                yield from decoded_picture(page)

    @cached_property
    def _pages(self) -> list[tifffile.TiffPage]:
        return [page for page in self._file.pages if isinstance(page, tifffile.TiffPage)]

    def _level(self, page: tifffile.TiffPage) -> Iterator[SourceLevel]:
        """Give the level that a directory holds, unless it can neither be copied nor addressed through OpenSlide."""
        if not is_simple(page):
            raise SlideRefused(Reason.UNSUPPORTED_PIXELS)
        try:
            yield NdpiLevel(page)
        except NotPlainJpeg:
            sizes, size = self._slide.level_dimensions, page_size(page)
            number = sizes.index((size.width, size.height)) if (size.width, size.height) in sizes else None
            factor = None if number is None else whole_downsample(self._slide, number)
            if number is not None and factor is not None:
                yield OpenSlideLevel(self._slide, number, factor)


class NdpiLevel(SourceLevel):
    """A JPEG stream with restart markers as a level: tiles as wide as a restart interval and some intervals high.

    Where a tile reaches below the stream's last row, that row is repeated; it is beyond the edge of the level.

    Raises
    ------
    NotPlainJpeg
        If its intervals make no tiles whose pixels would be those that OpenSlide shows.
    """

    is_jpeg = True

    def __init__(self, page: tifffile.TiffPage) -> None:
        self._file: Any = page.parent.filehandle
        self.size, self._head, header = _size_and_header(page)
        self.tag_says_ycbcr = int(page.photometric or 0) == YCBCR
        self.channels = len(header.components)
        interval = _interval(header, self.size)
        self._columns = self.size.width // interval.width
        self.runs = max(1, _tile_height(interval, self.size) // interval.height)
        self.tile = Size(interval.width, self.runs * interval.height)
        self._rows = self.size.height // interval.height
        self._header = replace(header, width=self.tile.width, height=self.tile.height)
        place, length = _strip(page)
        self.mean_tile_bytes = max(1, length * self.runs // (self._rows * self._columns))
        self._intervals = RestartIntervals(
            self._file, place + header.length, place + length, self._rows * self._columns, _told(page, place)
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


def _is_level(page: tifffile.TiffPage) -> bool:
    return _number(page, SOURCE_LENS) > 0 and not _number(page, FOCAL_PLANE)


def _number(page: tifffile.TiffPage, tag: int) -> float:
    value = page.tags.valueof(tag, default=0)
    return float(value) if isinstance(value, int | float) else 0.0


def _associated(page: tifffile.TiffPage) -> AssociatedImage:
    lens = _number(page, SOURCE_LENS)
    if lens == MACRO:
        return AssociatedImage(AssociatedKind.MACRO, "SourceLens -1", page_size(page))
    if lens == MAP:
        return AssociatedImage(AssociatedKind.MAP, "SourceLens -2", page_size(page))
    found_by = "another focal plane than 0" if lens > 0 else "no mark of a level"
    return AssociatedImage(AssociatedKind.UNKNOWN, found_by, page_size(page))


def _facts(page: tifffile.TiffPage) -> dict[str, str]:
    """Read the objective, and the pairs that the scanner keeps as a text of lines."""
    found = {"hamamatsu.SourceLens": f"{_number(page, SOURCE_LENS):g}"}
    text = page.tags.valueof(PROPERTY_MAP)
    for line in text.splitlines() if isinstance(text, str) else ():
        key, equals, value = line.partition("=")
        if key and equals:
            found.setdefault(f"hamamatsu.{key.strip()}", value.strip())
    return found


def _strip(page: tifffile.TiffPage) -> tuple[int, int]:
    """Give where the JPEG stream lies in the file, and its length in bytes."""
    place, length = page.tags.valueof(273), page.tags.valueof(279)
    if page.compression != JPEG or not place or not length or len(place) != 1 or len(length) != 1:
        raise NotPlainJpeg("it is not one JPEG stream")
    return int(place[0]), int(length[0])


def _size_and_header(page: tifffile.TiffPage) -> tuple[Size, bytes, Header]:
    """Read the level's size and the stream's header, with its bytes; where both tell a size, it must be one.

    Of a stream without restart markers the frame is right where they differ, as OpenSlide has it: it happens in
    small levels.
    """
    place, length = _strip(page)
    file, size = page.parent.filehandle, page_size(page)
    file.seek(place)
    head = file.read(min(length, LONGEST_HEADER))
    if max(size.width, size.height) > LONGEST_JPEG_SIDE:
        head = with_size(head, 8, 8)  # which is no more wrong than what stands there, and can be read
    header = HeaderReader().read(head)
    told = Size(header.width, header.height)
    if max(size.width, size.height) <= LONGEST_JPEG_SIDE and told != size:
        if header.tables.restart_interval:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        size = told
    return size, head[: header.length], header


def _interval(header: Header, size: Size) -> Size:
    """Give the size of a restart interval in pixels, or of the whole picture where it has no restart markers."""
    wide = max(component.horizontal for component in header.components)
    high = max(component.vertical for component in header.components)
    mcu = Size(8 * wide, 8 * high) if len(header.components) > 1 else Size(8, 8)
    if not header.tables.restart_interval:
        if size.width > WIDEST_TILE or size.height > HIGHEST_TILE:
            raise NotPlainJpeg("it has no restart markers")
        return size
    interval = Size(header.tables.restart_interval * mcu.width, mcu.height)
    if interval.width > WIDEST_TILE:
        raise NotPlainJpeg("its restart interval is too wide")
    if size.width % interval.width or size.height % interval.height:
        raise NotPlainJpeg("its restart intervals do not fill its rows")
    if high > 1:  # OpenSlide decodes each interval alone, and so blends no colours from one row to the next
        raise NotPlainJpeg("its colours reach across rows of restart intervals")
    return interval


def _tile_height(interval: Size, size: Size) -> int:
    """Choose a power of two that makes a tile of about 512 x 512 pixels, but not higher than the level."""
    height = 1 << (TILE_PIXELS // interval.width).bit_length() - 1
    return min(size.height, max(LOWEST_TILE, min(HIGHEST_TILE, height)))


def _told(page: tifffile.TiffPage, place: int) -> Starts | None:
    """Read the scanner's list of where the restart intervals begin, in bytes from the beginning of the file."""
    low, high = page.tags.valueof(MCU_STARTS), page.tags.valueof(MCU_STARTS_HIGH)
    if not isinstance(low, np.ndarray) or low.dtype.kind not in "iu":
        return None
    starts = low.astype(np.int64) + place
    if isinstance(high, np.ndarray) and high.dtype.kind in "iu" and high.shape == low.shape:
        starts += high.astype(np.int64) << 32
    return starts
