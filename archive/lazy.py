"""A level as a lazy dask array, for analysts: pixels are read when a result is computed.

This is the one room in the archive that knows dask.
"""

import dask.array as da
import numpy as np

from archive.pyramid.jpeg_pixels import Pixels
from archive.pyramid.reader import Level

CHUNK_PX = 2048
"""About 12 MB of pixels a chunk: large enough that scheduling costs little, small enough for any machine."""


def as_dask(level: Level, chunk_px: int = CHUNK_PX) -> da.Array:
    """Give a level as a dask array.

    Parameters
    ----------
    level : Level
        A level of an open pyramid.
    chunk_px : int
        About how many pixels a side of a chunk has; chunks are whole tiles.

    Returns
    -------
    dask.array.Array
        ``(height, width, 3)`` uint8 RGB, each chunk whole tiles. Computing it raises DamagedPyramid where a stored
        tile is not what was stored.
    """
    step_y = max(1, chunk_px // level.tile.height) * level.tile.height
    step_x = max(1, chunk_px // level.tile.width) * level.tile.width
    chunks = (_steps(level.size.height, step_y), _steps(level.size.width, step_x), (3,))

    def read(block_info: dict[None, dict[str, list[tuple[int, int]]]]) -> Pixels:
        (y0, y1), (x0, x1), _ = block_info[None]["array-location"]
        return level.read_region(x0, y0, x1 - x0, y1 - y0)

    lazy: da.Array = da.map_blocks(  # type: ignore[no-untyped-call]
        read, chunks=chunks, dtype=np.uint8, meta=np.empty((0, 0, 3), np.uint8)
    )
    return lazy


def _steps(length: int, step: int) -> tuple[int, ...]:
    return tuple(min(step, length - start) for start in range(0, length, step))
