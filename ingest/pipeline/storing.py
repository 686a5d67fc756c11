"""Inside the jail: write the pixels of a slide into a staged folder as shards.

Where the scanner wrote plain JPEG tiles they are copied; otherwise they are decoded and stored without loss. Levels
that the scanner left out are added.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from archive.holdings.pixels import (
    MADE_HERE,
    WHITE,
    BetweenLevel,
    Coding,
    Header,
    HeaderReader,
    Level,
    LevelLayout,
    NotPlainJpeg,
    Origin,
    Pixels,
    Plane,
    decode_jpeg,
    encode_jpeg,
    padded,
    plain_header,
    scan_end,
)
from archive.holdings.writing import LevelWriter, LocalStore, encode_lossless
from ingest.pipeline.answers import level_to_json
from ingest.pipeline.channels import reduced_plane, windows
from ingest.pipeline.planning import expected_tiles, plan_levels
from ingest.scanners import EncodedTile, SourceLevel
from ingest.scanners.opening import open_scan

Tell = Callable[[dict[str, Any]], None]

ADDED_QUALITY = 90
"""JPEG quality of added levels of a JPEG scan; a lossless scan gets lossless ones."""

TOLD_EVERY = 256
"""Progress is told after so many tiles: often enough for a smooth bar."""


def store(
    tell: Tell, path: str, folder: str, places: str, others: Sequence[str] = (), region: int = 0
) -> dict[str, Any]:
    """Write every level of a region of a slide into a staged folder as shards.

    Parameters
    ----------
    tell : callable
        Told ``{"tiles": 512, "of": 18432}`` from time to time.
    path : str
        The slide.
    folder : str
        The staged folder.
    places : str
        A folder for the places of copied tiles in the source: ``N.places`` for level N, as the pipeline's comparison
        byte by byte wants them.
    others : sequence of str
        The slide's other files. Places count through all its files, laid end to end in this order.
    region : int
        Which region of the glass, in the file's own order.
    """
    with open_scan(Path(path)) as reader:
        plan = plan_levels(reader.scans()[region].levels)
        job = _Storing(tell, Path(folder), Path(places), expected_tiles(plan), _begins([path, *others]))
        for number, planned in enumerate(plan):
            if planned.source is None:
                job.add(number, planned.factor)
            else:
                job.keep(number, planned.source)
        return {
            "levels": [level_to_json(layout) for layout in job.layouts],
            "segments_left_behind": job.left_behind,
            "windows": windows(Path(folder), len(plan) - 1, job.layouts[-1]),
        }


def _begins(files: Sequence[str]) -> dict[Path | None, int]:
    """Tell where each of a slide's files begins when they are laid end to end; its main file also goes by no name."""
    paths = [Path(file) for file in files]
    starts = accumulate((path.stat().st_size for path in paths[:-1]), initial=0)
    return {None: 0, **dict(zip(paths, starts, strict=True))}


def _with_gaps(tiles: Iterator[EncodedTile], layout: LevelLayout) -> Iterator[tuple[int, int, EncodedTile | None]]:
    """Walk over every place of a level, row by row: row, column, and the tile or None where the file has none."""
    expected = 0
    for tile in tiles:
        index = tile.row * layout.columns + tile.column
        for gap in range(expected, index):
            yield *divmod(gap, layout.columns), None
        yield tile.row, tile.column, tile
        expected = index + 1
    for gap in range(expected, layout.rows * layout.columns):
        yield *divmod(gap, layout.columns), None


class _Rewriter:
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
        end = scan_end(stream, header.length)
        tile = start + stream[header.length : end + 2]
        if not is_known:
            self._require_readable(tile)
        self.left_behind += header.left_behind + (end + 2 < len(stream))
        return tile, header.length, end - header.length

    def _require_readable(self, tile: bytes) -> None:
        level = self._level
        try:
            decode_jpeg(tile, width=level.tile.width, height=level.tile.height, channels=level.channels)
        except ValueError as error:
            raise NotPlainJpeg("a tile cannot be decoded") from error

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


class _Storing:
    """The levels stored so far."""

    def __init__(
        self, tell: Tell, folder: Path, places: Path, expected: int, begins: Mapping[Path | None, int]
    ) -> None:
        self._folder, self._places, self._tell, self._expected = folder, places, tell, expected
        self._begins = begins
        self._tiles = 0
        self.layouts: list[LevelLayout] = []
        self.left_behind = 0

    def _count(self) -> None:
        self._tiles += 1
        if self._tiles % TOLD_EVERY == 0:
            self._tell({"tiles": self._tiles, "of": self._expected})

    def keep(self, number: int, level: SourceLevel) -> None:
        """Copy a level's compressed tiles if all of them are plain; else decode them and store without loss."""
        tiles_before, left_before = self._tiles, self.left_behind
        if level.planes:
            return self._keep_planes(number, level)
        if level.is_jpeg:
            try:
                return self._copy(number, level)
            except NotPlainJpeg:
                self._tiles, self.left_behind = tiles_before, left_before
                shutil.rmtree(self._folder / str(number), ignore_errors=True)
        return self._decode(number, level)

    def _copy(self, number: int, level: SourceLevel) -> None:
        origin = Origin.CUT if level.is_cut else Origin.COPIED
        layout = LevelLayout.planned(level.size, level.tile, Coding.JPEG, origin, level.channels, level.mean_tile_bytes)
        places = np.zeros((layout.rows, layout.columns, level.runs, 2), np.int64)
        rewrite = _Rewriter(level)
        is_drawn = number and not level.gaps_are_glass
        above = Level(self._folder, number - 1, self.layouts[-1]) if is_drawn else None
        with LevelWriter(LocalStore(self._folder), number, layout) as writer:
            for row, column, tile in _with_gaps(level.encoded_tiles(), layout):
                if tile is None:
                    self._fill_gap(writer, above, layout, column, row, places)
                    continue
                stored, start, length = rewrite.plain(tile.stream)
                writer.add(column, row, stored)
                places[row, column] = tile.runs or ((self._begins[tile.file] + tile.offset + start, length),)
                self._count()
        self.left_behind += level.left_behind if level.is_cut else rewrite.left_behind
        places.tofile(self._places / f"{number}.places")
        self.layouts.append(layout)

    @staticmethod
    def _fill_gap(
        writer: LevelWriter,
        above: Level | None,
        layout: LevelLayout,
        column: int,
        row: int,
        places: npt.NDArray[np.int64],
    ) -> None:
        """Make a tile that the scanner left out of a smaller level from the larger one, as OpenSlide draws it.

        On level 0 there is nothing to make it from: it is white glass.
        """
        if above is not None:
            pixels = reduced_tile(above, layout, column, row)
            if pixels.min() < WHITE:
                writer.add(column, row, jpeg_tile(pixels if layout.channels == 3 else pixels[..., 0]))
                places[row, column, 0] = 0, MADE_HERE

    def _decode(self, number: int, level: SourceLevel) -> None:
        self._write_pixels(
            number,
            LevelLayout.planned(
                level.size, level.tile, Coding.LOSSLESS, Origin.DECODED, level.channels, level.tile.pixels
            ),
            level.decoded_tiles(),
        )

    def add(self, number: int, factor: int) -> None:
        """Add a level `factor` times smaller than the one before, of the same coding."""
        before = self.layouts[-1]
        if before.apart:
            return self._add_planes(number, factor)
        larger = Level(self._folder, number - 1, before)
        smaller = BetweenLevel(larger, factor)
        layout = LevelLayout.planned(smaller.size, before.tile, before.coding, Origin.ADDED, before.channels)
        self._write_pixels(number, layout, smaller.tiles())
        larger.close()

    def _keep_planes(self, number: int, level: SourceLevel) -> None:
        """Store a level of fluorescence, one channel after the other."""
        layout = LevelLayout.planned(
            level.size,
            level.tile,
            Coding.LOSSLESS,
            Origin.DECODED,
            level.channels,
            level.mean_tile_bytes,
            level.pixel_type,
            apart=True,
        )
        self._write_planes(number, layout, [plane.values() for plane in level.planes])

    def _add_planes(self, number: int, factor: int) -> None:
        """Add a level of fluorescence `factor` times smaller than the one before."""
        before = self.layouts[-1]
        larger = Level(self._folder, number - 1, before)
        layout = LevelLayout.planned(
            before.size.reduced(factor),
            before.tile,
            Coding.LOSSLESS,
            Origin.ADDED,
            before.channels,
            before.tile_bytes // 2,
            before.pixel_type,
            apart=True,
        )
        planes = [reduced_plane(larger, layout, factor, channel) for channel in range(layout.channels)]
        self._write_planes(number, layout, planes)
        larger.close()

    def _write_planes(
        self, number: int, layout: LevelLayout, planes: Sequence[Iterator[tuple[int, int, Plane]]]
    ) -> None:
        for plane, tiles in enumerate(planes):
            with LevelWriter(LocalStore(self._folder), number, layout, plane) as writer:
                for column, row, values in tiles:
                    writer.add(column, row, encode_lossless(values))
                    self._count()
        self.layouts.append(layout)

    def _write_pixels(self, number: int, layout: LevelLayout, tiles: Iterator[tuple[int, int, Pixels]]) -> None:
        with LevelWriter(LocalStore(self._folder), number, layout) as writer:
            for column, row, pixels in tiles:
                one = pixels[..., 0] if layout.channels == 1 else pixels
                if layout.coding is Coding.JPEG:
                    writer.add(column, row, jpeg_tile(one))
                else:
                    writer.add(column, row, encode_lossless(one))
                self._count()
        self.layouts.append(layout)


def reduced_tile(larger: Level, layout: LevelLayout, column: int, row: int) -> Pixels:
    """Make one tile of a smaller level from a larger one: ``(tile height, tile width, 3)`` uint8 RGB."""
    x, y = column * layout.tile.width, row * layout.tile.height
    width, height = min(layout.tile.width, layout.size.width - x), min(layout.tile.height, layout.size.height - y)
    across, down = larger.size.width / layout.size.width, larger.size.height / layout.size.height
    left, top = round(x * across), round(y * down)
    region = larger.read_region(left, top, max(1, round(width * across)), max(1, round(height * down)))
    small = Image.fromarray(region).resize((width, height), Image.Resampling.BOX)
    return padded(np.asarray(small), layout.tile)


def jpeg_tile(pixels: Pixels) -> bytes:
    """Encode a tile of an added level, under the same plain header as copied tiles have."""
    stream = encode_jpeg(np.ascontiguousarray(pixels), quality=ADDED_QUALITY)
    header = HeaderReader().read(stream)
    return plain_header(header, ycbcr=True) + stream[header.length :]
