"""Inside the jail: the compressed tiles of a level are copied, and it is noted where in the source each of them lies.

What the scanner left out of a smaller level is made from the larger one, as OpenSlide draws it.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image

from archive.holdings.pixels import MADE_HERE, WHITE, Coding, Level, LevelLayout, Origin, Pixels, padded
from ingest.pipeline.rewriting import Rewriter
from ingest.pipeline.staging import StagedLevels, jpeg_tile
from ingest.scanners import EncodedTile, SourceLevel

Begins: TypeAlias = Mapping[Path | None, int]
"""Where each of a slide's files begins when they are laid end to end."""


def begins_of(files: Sequence[str]) -> Begins:
    """Tell where each of a slide's files begins when they are laid end to end; its main file also goes by no name."""
    paths = [Path(file) for file in files]
    starts = accumulate((path.stat().st_size for path in paths[:-1]), initial=0)
    return {None: 0, **dict(zip(paths, starts, strict=True))}


def copy_level(levels: StagedLevels, source: SourceLevel, begins: Begins, folder: Path) -> int:
    """Copy a level's compressed tiles, and write their places in the source into ``N.places`` of a folder.

    Returns
    -------
    int
        How many segments that are no pixels were left behind.

    Raises
    ------
    NotPlainJpeg
        If one of them cannot be copied; part of the level is written then.
    """
    origin = Origin.CUT if source.is_cut else Origin.COPIED
    layout = LevelLayout.planned(source.size, source.tile, Coding.JPEG, origin, source.channels, source.mean_tile_bytes)
    places = np.zeros((layout.rows, layout.columns, source.runs, 2), np.int64)
    rewriter = Rewriter(source)
    above = levels.last() if levels.number and not source.gaps_are_glass else None
    with levels.writer(layout) as writer:
        for row, column, tile in _with_gaps(source.encoded_tiles(), layout):
            if tile is not None:
                stored, start, length = rewriter.plain(tile.stream)
                writer.add(column, row, stored)
                places[row, column] = tile.runs or ((begins[tile.file] + tile.offset + start, length),)
                levels.count()
            elif above is not None and (made := _made(above, layout, column, row)) is not None:
                writer.add(column, row, made)
                places[row, column, 0] = 0, MADE_HERE
    places.tofile(folder / f"{levels.number}.places")
    levels.finish(layout)
    return source.left_behind if source.is_cut else rewriter.left_behind


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


def _made(larger: Level, layout: LevelLayout, column: int, row: int) -> bytes | None:
    """Make a tile that the scanner left out; None where the larger level has only white glass."""
    pixels = _reduced_tile(larger, layout, column, row)
    if pixels.min() == WHITE:
        return None
    return jpeg_tile(pixels if layout.channels == 3 else pixels[..., 0])


def _reduced_tile(larger: Level, layout: LevelLayout, column: int, row: int) -> Pixels:
    """Make one tile of a smaller level from a larger one: ``(tile height, tile width, 3)`` uint8 RGB."""
    x, y = column * layout.tile.width, row * layout.tile.height
    width, height = min(layout.tile.width, layout.size.width - x), min(layout.tile.height, layout.size.height - y)
    across, down = larger.size.width / layout.size.width, larger.size.height / layout.size.height
    left, top = round(x * across), round(y * down)
    region = larger.read_region(left, top, max(1, round(width * across)), max(1, round(height * down)))
    small = Image.fromarray(region).resize((width, height), Image.Resampling.BOX)
    return padded(np.asarray(small), layout.tile)
