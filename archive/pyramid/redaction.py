"""What a rectangle of level 0 covers is made black at every level; every tile that it does not touch stays as it is.

A touched tile is decoded, blacked and encoded again: a JPEG tile at high quality and with full colour resolution,
rounded outward to whole blocks and one more, so that the black does not ring into what is left, and no colour of what
was there has bled into it; a lossless one without loss. On smaller levels the rectangle grows by a margin, because the
filter that a scanner made them with reaches beyond it.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import imagecodecs
import numpy as np
import numpy.typing as npt

from archive.errors import DamagedPyramid
from archive.geometry import Rectangle
from archive.pyramid.jpeg import plain_header
from archive.pyramid.jpeg_header import parse_header
from archive.pyramid.jpeg_pixels import decode_jpeg, encode_jpeg
from archive.pyramid.layout import Coding, LevelLayout, ScanLayout, read_layout, shard_key
from archive.pyramid.open_shard import OpenShard
from archive.pyramid.shard import ShardBuilder
from archive.pyramid.writer import encode_lossless

BLACK: Final = 0

MARGIN_PX: Final = 4
"""On every smaller level, in its own pixels: a filter of two or three lobes reaches as far."""

BLOCK_PX: Final = 8
"""A block of a JPEG picture; where colours are reduced, a unit of the picture is so many (ITU-T T.81, A.2.4)."""

UNIT_PX: Final = 2 * BLOCK_PX
"""The unit where colours are halved. No less is made black: a tile that was encoded anew may have been such a one."""

BLEED_PX: Final = BLOCK_PX
"""Beyond a unit: a decoder mixes reduced colours of a unit into the next pixel."""

QUALITY: Final = 95
"""Of a JPEG tile that is encoded again: what is left of it looks the same."""

Values: TypeAlias = npt.NDArray[Any]
"""A tile: ``(height, width)`` or ``(height, width, 3)``, of its level's type."""

Box = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels; right and bottom lie outside."""

Touched = Mapping[tuple[int, int], tuple[Box, ...]]
"""Tiles of a level by column and row, each with what is to be black of it, in its own pixels, and maybe beyond it."""


@dataclass(frozen=True, slots=True)
class Blackened:
    """What a blacking out did: files written anew, relative to the folder, and of each level its tiles."""

    files: frozenset[str]
    tiles: tuple[int, ...]


def touched(layout: ScanLayout, rectangles: Sequence[Rectangle]) -> tuple[Touched, ...]:
    """Find, level by level, the tiles that rectangles of level 0 touch, and which part of each is to be black."""
    return tuple(_touched(layout, number, rectangles) for number in range(len(layout.levels)))


def black_out(folder: Path, rectangles: Sequence[Rectangle]) -> frozenset[str]:
    """Make every pixel of the rectangles black at every level, in a pyramid that only this process writes.

    Parameters
    ----------
    folder : Path
        The pyramid's own folder. Files are replaced and never written into, so that hard links keep what they had.
    rectangles : sequence of Rectangle
        In pixels of level 0. They may reach beyond it.

    Returns
    -------
    frozenset of str
        The paths of the files that were written anew, relative to `folder`.

    Raises
    ------
    DamagedPyramid
        If what is stored is not what was stored.
    """
    return blacken(folder, rectangles).files


def blacken(folder: Path, rectangles: Sequence[Rectangle]) -> Blackened:
    """As `black_out`, and count the tiles of each level; a tile that is black there already is not encoded again."""
    layout = read_layout(folder)
    files: set[str] = set()
    counts = []
    for number, tiles in enumerate(touched(layout, rectangles)):
        count = 0
        for place, inside in _by_shard(layout.levels[number], tiles).items():
            for plane in range(layout.levels[number].planes):
                key = shard_key(number, *place, plane)
                rewritten = _rewrite(folder, key, layout.levels[number], inside)
                count += rewritten
                files |= {key} if rewritten else set()
        counts.append(count)
    return Blackened(frozenset(files), tuple(counts))


def still_shown(folder: Path, rectangles: Sequence[Rectangle]) -> bool:
    """Tell whether any pixel of the rectangles is not black, at any level; every touched tile is read and decoded.

    Raises
    ------
    DamagedPyramid
        If what is stored is not what was stored.
    """
    layout = read_layout(folder)
    for number, tiles in enumerate(touched(layout, rectangles)):
        level = layout.levels[number]
        for place, inside in _by_shard(level, tiles).items():
            for plane in range(level.planes):
                with closing(OpenShard(folder, shard_key(number, *place, plane), level.grid)) as shard:
                    if any(not _is_black(*_values(shard, entry, level, boxes)) for entry, boxes in inside.items()):
                        return True
    return False


def _touched(layout: ScanLayout, number: int, rectangles: Sequence[Rectangle]) -> Touched:
    level = layout.levels[number]
    found: dict[tuple[int, int], tuple[Box, ...]] = {}
    for left, top, right, bottom in (_on_level(layout, number, one) for one in rectangles):
        for row in range(top // level.tile.height, -(-bottom // level.tile.height)):
            for column in range(left // level.tile.width, -(-right // level.tile.width)):
                x, y = column * level.tile.width, row * level.tile.height
                box = (left - x, top - y, right - x, bottom - y)
                found[column, row] = (*found.get((column, row), ()), box)
    return found


def _on_level(layout: ScanLayout, number: int, rectangle: Rectangle) -> Box:
    """Give what a rectangle covers of a level; where it reaches the edge, the padding of the last tiles too.

    A rectangle that lies beyond the level covers none of it.
    """
    size, margin = layout.levels[number].size, MARGIN_PX if number else 0
    base = layout.levels[0].size
    if rectangle.x >= base.width or rectangle.y >= base.height:
        return 0, 0, 0, 0
    across, down = layout.downsample(number)
    left = max(0, int(rectangle.x / across) - margin)
    top = max(0, int(rectangle.y / down) - margin)
    right = min(size.width, -int(-rectangle.right // across) + margin)
    bottom = min(size.height, -int(-rectangle.bottom // down) + margin)
    tile, (columns, rows) = layout.levels[number].tile, size.tiles(layout.levels[number].tile)
    return (
        min(left, size.width - 1),
        min(top, size.height - 1),
        columns * tile.width if right == size.width else right,
        rows * tile.height if bottom == size.height else bottom,
    )


def _rounded(box: Box, level: LevelLayout, unit: tuple[int, int]) -> Box:
    """Cut a box to its tile and, in a JPEG tile, round it outward to whole units and where their colours bleed."""
    bleed = BLEED_PX if level.coding is Coding.JPEG else 0
    left, top = (max(0, side // step * step - bleed) for side, step in zip(box[:2], unit, strict=True))
    right, bottom = (-(-side // step) * step + bleed for side, step in zip(box[2:], unit, strict=True))
    return left, top, min(right, level.tile.width), min(bottom, level.tile.height)


def _unit(tile: bytes | None, level: LevelLayout) -> tuple[int, int]:
    """Give what of a tile was encoded as one, across and down."""
    if level.coding is not Coding.JPEG:
        return 1, 1
    across, down = (1, 1) if tile is None else parse_header(tile).subsampling
    return max(UNIT_PX, across * BLOCK_PX), max(UNIT_PX, down * BLOCK_PX)


def _by_shard(level: LevelLayout, tiles: Touched) -> dict[tuple[int, int], dict[int, tuple[Box, ...]]]:
    """Sort tiles by the column and row of their shard, each by its place in the shard's index."""
    found: dict[tuple[int, int], dict[int, tuple[Box, ...]]] = {}
    grid = level.grid
    for (column, row), boxes in tiles.items():
        place = (column // grid.columns, row // grid.rows)
        found.setdefault(place, {})[row % grid.rows * grid.columns + column % grid.columns] = boxes
    return found


def _rewrite(folder: Path, key: str, level: LevelLayout, inside: Mapping[int, tuple[Box, ...]]) -> int:
    """Write a shard anew with some tiles blacked, beside it, and put it in its place; give how many tiles changed."""
    builder, changed = ShardBuilder(level.grid), 0
    with closing(OpenShard(folder, key, level.grid)) as shard:
        # In the order of their places in the file; tiles that were not there come last.
        for entry in sorted(range(len(shard.entries)), key=lambda entry: (shard.entries[entry][0], entry)):
            tile = shard.tile(entry)
            if entry in inside:
                values, boxes = _values(shard, entry, level, inside[entry])
                if not _is_black(values, boxes):
                    tile = _encoded(_blacked(values, boxes), level)
                    changed += 1
            if tile is not None:
                builder.add(entry % level.grid.columns, entry // level.grid.columns, tile)
    if changed:
        aside = (folder / key).with_name(f"{Path(key).name}.partial")
        aside.write_bytes(builder.close())
        os.replace(aside, folder / key)
    return changed


def _values(shard: OpenShard, entry: int, level: LevelLayout, boxes: Sequence[Box]) -> tuple[Values, tuple[Box, ...]]:
    """Give a tile's values, to be changed, and what of them is to be black."""
    tile = shard.tile(entry)
    try:
        unit = _unit(tile, level)
        return _decoded(tile, level), tuple(_rounded(box, level, unit) for box in boxes)
    except (ValueError, RuntimeError) as error:
        raise DamagedPyramid(f"{shard.key}, tile {entry}", "a tile", "none") from error


def _decoded(tile: bytes | None, level: LevelLayout) -> Values:
    shape = (level.tile.height, level.tile.width) + ((3,) if level.tile_channels == 3 else ())
    if tile is None:
        return np.full(shape, level.nothing, level.pixel_type.dtype)
    if level.coding is Coding.JPEG:
        return decode_jpeg(tile, width=shape[1], height=shape[0], channels=level.tile_channels)
    stored = np.frombuffer(imagecodecs.zstd_decode(tile, out=level.tile_bytes), level.pixel_type.dtype)
    planes = stored.reshape(level.tile_channels, *shape[:2])
    return np.array(planes.transpose(1, 2, 0) if level.tile_channels == 3 else planes[0])


def _is_black(values: Values, boxes: Sequence[Box]) -> bool:
    return not any(values[top:bottom, left:right].any() for left, top, right, bottom in boxes)


def _blacked(values: Values, boxes: Sequence[Box]) -> Values:
    for left, top, right, bottom in boxes:
        values[top:bottom, left:right] = BLACK
    return values


def _encoded(values: Values, level: LevelLayout) -> bytes:
    if level.coding is Coding.LOSSLESS:
        return encode_lossless(values)
    stream = encode_jpeg(values, quality=QUALITY, subsampling="444")
    header = parse_header(stream)
    return plain_header(header, ycbcr=True) + stream[header.length :]
