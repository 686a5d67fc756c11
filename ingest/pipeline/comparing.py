"""Inside the jail: compare what was stored with what other decoders see in the source.

A stored JPEG tile is decoded by two libraries, which must agree. Then OpenSlide reads the same place in the source,
composited on white. Where OpenSlide refuses the file, or believes a tag that the stream's own evidence contradicts,
the source's own tile is decoded instead.
"""

import io
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import openslide
from PIL import Image

from archive.holdings.pixels import HeaderReader, Level, NotPlainJpeg, Origin, sample_tiles
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.answers import level_from_json
from ingest.pipeline.resembling import shows_another_picture
from ingest.sandbox import Tell
from ingest.scanners import SourceLevel
from ingest.scanners.base import Pixels
from ingest.scanners.opening import open_scan
from ingest.scanners.through_openslide import composited, whole_downsample

CORNER_TILES = 8
"""Where OpenSlide can address a level exactly only at its origin, so many tiles each way are compared there."""


def compare(
    tell: Tell, path: str, folder: str, levels: list[dict[str, Any]], counts: list[int], region: int = 0
) -> dict[str, Any]:
    """Compare so many tiles of each kept level with that region of the source, and the kept levels with each other.

    Raises
    ------
    SlideRefused
        If any pixel differs, or a level shows another picture than the one before.
    """
    _require_one_picture(folder, levels)
    compared, by_openslide = 0, 0
    slide = _openslide(path)
    with open_scan(Path(path)) as reader:
        sources = {source.size: source for source in reader.scans()[region].levels}
        for number, (value, count) in enumerate(zip(levels, counts, strict=True)):
            layout = level_from_json(value)
            if layout.origin is Origin.ADDED:
                continue
            if layout.apart:
                stored = Level(Path(folder), number, layout)
                compared += _compare_channels(stored, sources[layout.size], sample_tiles(layout, count))
                tell({"compared": compared})
                continue
            comparison = _Comparison(Level(Path(folder), number, layout), sources[layout.size], slide)
            for column, row in sample_tiles(layout, count):
                by_openslide += comparison.check(column, row)
                compared += 1
            if comparison.openslide_gave_up:
                slide = None
            tell({"compared": compared})
    return {"compared": compared, "by_openslide": by_openslide}


def _require_one_picture(folder: str, levels: list[dict[str, Any]]) -> None:
    """Refuse a slide of which one level is not a smaller picture of the one before."""
    stored = [Level(Path(folder), number, level_from_json(value)) for number, value in enumerate(levels)]
    for larger, smaller in pairwise(stored):
        is_kept = smaller.origin is not Origin.ADDED and not smaller.layout.apart
        if is_kept and shows_another_picture(larger, smaller):
            raise SlideRefused(Reason.ANOTHER_PICTURE)


def _openslide(path: str) -> openslide.OpenSlide | None:
    try:
        return openslide.OpenSlide(path)
    except (openslide.OpenSlideError, OSError):
        return None


class _Comparison:
    """One stored level beside its source."""

    def __init__(self, stored: Level, source: SourceLevel, slide: openslide.OpenSlide | None) -> None:
        self._stored, self._source = stored, source
        self._tag_is_right = not source.tag_lies and (not source.is_jpeg or _tag_is_right(source))
        self._slide = slide if self._tag_is_right else None
        self._slide_level = self._matching_level()
        self._factor = whole_downsample(slide, self._slide_level) if slide and self._slide_level is not None else None
        self._corner: Pixels | None = None
        self.openslide_gave_up = False
        """Whether OpenSlide could not read a tile; after that it answers nothing more of the whole slide."""

    def _matching_level(self) -> int | None:
        shown = self._source.canvas or self._stored.size
        size = (shown.width, shown.height)
        if self._slide is None or size not in self._slide.level_dimensions:
            return None
        return int(self._slide.level_dimensions.index(size))

    def check(self, column: int, row: int) -> bool:
        """Compare one tile; say whether OpenSlide was the reference.

        A tile that the scanner left out of a smaller level is drawn by OpenSlide from the larger one, in its own way.
        """
        level = self._stored
        if level.index and not self._source.gaps_are_glass and self._source.leaves_out(column, row):
            return False
        x, y = column * level.tile.width, row * level.tile.height
        width, height = min(level.tile.width, level.size.width - x), min(level.tile.height, level.size.height - y)
        pixels = level.decoded_tile(column, row)[:height, :width]
        self._same(pixels, self._by_pillow(column, row, width, height))
        reference = self._by_openslide_if_it_can(x, y, width, height)
        if reference is None and self._tag_is_right:
            self._same(pixels, self._by_source(column, row, width, height))
        self._same(pixels, reference)
        return reference is not None

    @staticmethod
    def _same(pixels: Pixels, reference: Pixels | None) -> None:
        if reference is not None and not np.array_equal(pixels, reference):
            raise SlideRefused(Reason.PIXELS_DIFFER)

    def _by_pillow(self, column: int, row: int, width: int, height: int) -> Pixels | None:
        tile = self._stored.encoded_tile(column, row) if self._stored.is_jpeg else None
        if tile is None:
            return None
        with Image.open(io.BytesIO(tile), formats=["JPEG"]) as picture:
            return np.asarray(picture.convert("RGB"))[:height, :width]

    def _by_openslide_if_it_can(self, x: int, y: int, width: int, height: int) -> Pixels | None:
        """Ask OpenSlide, which opens some slides of whose decoded levels it then cannot read a tile."""
        try:
            return self._by_openslide(x, y, width, height)
        except openslide.OpenSlideError:
            if self._source.is_jpeg:
                raise
            self._slide, self.openslide_gave_up = None, True
            return None

    def _by_openslide(self, x: int, y: int, width: int, height: int) -> Pixels | None:
        if self._slide is None or self._slide_level is None or not self._source.is_alone_at(x, y, width, height):
            return None
        left, top = self._source.offset
        if self._factor is not None:
            at = (left + x) * self._factor, (top + y) * self._factor
            return composited(self._slide, self._slide_level, *at, width, height)
        if left or top:
            return None
        if self._corner is None:
            side = [CORNER_TILES * self._stored.tile.width, CORNER_TILES * self._stored.tile.height]
            whole = self._stored.size
            self._corner = composited(
                self._slide, self._slide_level, 0, 0, min(side[0], whole.width), min(side[1], whole.height)
            )
        cut = self._corner[y : y + height, x : x + width]
        return cut if cut.shape[:2] == (height, width) else None

    def _by_source(self, column: int, row: int, width: int, height: int) -> Pixels | None:
        pixels = self._source.decoded_tile(column, row)
        if pixels is None:
            return None
        return np.broadcast_to(pixels[:height, :width], (height, width, 3))


def _compare_channels(stored: Level, source: SourceLevel, places: list[tuple[int, int]]) -> int:
    """Compare tiles of every channel with the source's own values; OpenSlide shows no such slide.

    Returns
    -------
    int
        How many tiles were compared.
    """
    for column, row in places:
        for channel, plane in enumerate(source.planes):
            values = plane.values_at(column, row)
            mine = stored.channel_tile(column, row, channel)
            inside = mine[
                : stored.size.height - row * stored.tile.height, : stored.size.width - column * stored.tile.width
            ]
            expected = np.zeros_like(inside) if values is None else values[: inside.shape[0], : inside.shape[1]]
            if not np.array_equal(inside, expected):
                raise SlideRefused(Reason.PIXELS_DIFFER)
    return len(places)


def _tag_is_right(source: SourceLevel) -> bool:
    """Whether the stream's own evidence of its colours agrees with what the file's tag says."""
    first: Iterator[Any] = source.encoded_tiles()
    for tile in first:
        try:
            header = HeaderReader(source.jpeg_tables).read(tile.stream)
        except NotPlainJpeg:
            return True
        return source.channels == 1 or header.is_ycbcr(source.tag_says_ycbcr) == source.tag_says_ycbcr
    return True
