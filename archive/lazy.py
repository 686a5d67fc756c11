"""A level as a lazy dask array, for analysts: pixels are read when a result is computed.

This is the one room in the archive that knows dask.
"""

import dask.array as da
import numpy as np

from archive.pyramid.channels import Plane
from archive.pyramid.jpeg_pixels import Pixels
from archive.pyramid.level import Level

CHUNK_PX = 2048
"""About 12 MB of pixels a chunk: large enough that scheduling costs little, small enough for any machine."""


def as_dask(level: Level, chunk_px: int = CHUNK_PX, channel: int | None = None) -> da.Array:
    """Give a level as a dask array: what a viewer sees, or one channel of fluorescence as it was measured.

    Parameters
    ----------
    level : Level
        A level of an open pyramid.
    chunk_px : int
        About how many pixels a side of a chunk has; chunks are whole tiles.
    channel : int, optional
        One of the channels that are kept apart, counted from 0.

    Returns
    -------
    dask.array.Array
        ``(height, width, 3)`` uint8 RGB, or ``(height, width)`` uint8 or uint16 of one channel, each chunk whole
        tiles. Computing it raises DamagedPyramid where a stored tile is not what was stored, and TileOutsideLevel where
        there is no such channel.
    """
    step_y = max(1, chunk_px // level.tile.height) * level.tile.height
    step_x = max(1, chunk_px // level.tile.width) * level.tile.width
    across: tuple[tuple[int, ...], ...] = (_steps(level.size.height, step_y), _steps(level.size.width, step_x))

    def read(block_info: dict[None, dict[str, list[tuple[int, int]]]]) -> Pixels | Plane:
        (y0, y1), (x0, x1), *_ = block_info[None]["array-location"]
        if channel is not None:
            return level.read_channel(channel, x0, y0, x1 - x0, y1 - y0)
        return level.read_region(x0, y0, x1 - x0, y1 - y0)

    chunks = across if channel is not None else (*across, (3,))
    meta = np.empty((0,) * len(chunks), np.uint8 if channel is None else level.layout.pixel_type.dtype)
    lazy: da.Array = da.map_blocks(read, chunks=chunks, dtype=meta.dtype, meta=meta)  # type: ignore[no-untyped-call]
    return lazy


def _steps(length: int, step: int) -> tuple[int, ...]:
    return tuple(min(step, length - start) for start in range(0, length, step))
