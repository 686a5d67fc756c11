"""Inside the jail: fluorescence is kept and reduced channel by channel, and it is chosen which values are shown."""

from collections.abc import Iterator

import numpy as np

from archive.holdings.pixels import Coding, Level, LevelLayout, Origin, Plane, area_average_plane, window
from ingest.pipeline.staging import StagedLevels
from ingest.scanners import SourceLevel


def keep_planes(levels: StagedLevels, source: SourceLevel) -> None:
    """Store a level without loss."""
    layout = LevelLayout.planned(
        source.size,
        source.tile,
        Coding.LOSSLESS,
        Origin.DECODED,
        source.channels,
        source.mean_tile_bytes,
        source.pixel_type,
        apart=True,
    )
    levels.write_planes(layout, [plane.values() for plane in source.planes])


def add_planes(levels: StagedLevels, factor: int) -> None:
    """Add a level `factor` times smaller than the one before."""
    larger = levels.last()
    before = larger.layout
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
    levels.write_planes(layout, [_reduced(larger, layout, factor, channel) for channel in range(layout.channels)])
    larger.close()


def _reduced(larger: Level, layout: LevelLayout, factor: int, channel: int) -> Iterator[tuple[int, int, Plane]]:
    """Make the tiles of one channel of an added level: column, row, ``(tile height, tile width)``, edges filled up.

    Parameters
    ----------
    larger : Level
        The level above it.
    layout : LevelLayout
        The added level's.
    factor : int
        How many times smaller it is.
    channel : int
        Counted from 0.
    """
    for row in range(layout.rows):
        for column in range(layout.columns):
            small = _reduced_tile(larger, layout, factor, channel, column, row)
            missing = layout.tile.height - small.shape[0], layout.tile.width - small.shape[1]
            yield column, row, np.pad(small, ((0, missing[0]), (0, missing[1])), mode="edge")


def _reduced_tile(larger: Level, layout: LevelLayout, factor: int, channel: int, column: int, row: int) -> Plane:
    """Make one tile, cut by the level's edge, of pieces as large as a tile of the larger level: tiles may be large."""
    left, top = column * layout.tile.width, row * layout.tile.height
    right, bottom = min(left + layout.tile.width, layout.size.width), min(top + layout.tile.height, layout.size.height)
    wide, high = max(1, layout.tile.width // factor), max(1, layout.tile.height // factor)
    made = np.empty((bottom - top, right - left), layout.pixel_type.dtype)
    for y in range(top, bottom, high):
        for x in range(left, right, wide):
            x1, y1 = min(x + wide, right), min(y + high, bottom)
            width = min(x1 * factor, larger.size.width) - x * factor
            height = min(y1 * factor, larger.size.height) - y * factor
            values = larger.read_channel(channel, x * factor, y * factor, width, height)
            made[y - top : y1 - top, x - left : x1 - left] = area_average_plane(values, factor)
    return made


def windows(levels: StagedLevels) -> list[tuple[int, int]]:
    """Choose for each channel that is kept apart which of its values are shown, from the smallest level."""
    smallest = levels.last()
    if not smallest.layout.apart:
        return []
    width, height = smallest.size.width, smallest.size.height
    channels = range(smallest.layout.channels)
    found = [window(smallest.read_channel(channel, 0, 0, width, height)) for channel in channels]
    smallest.close()
    return found
