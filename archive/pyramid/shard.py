"""A shard: tiles one after the other, then an index of where each one lies (Zarr v3, sharding-indexed codec).

Each tile is followed by its crc32c (four bytes, little-endian), so that every reader of Zarr verifies every tile.
The index is a ``(rows, columns, 2)`` array of little-endian uint64, offset and length in bytes, followed by its own
crc32c; both numbers at their maximum mean that the tile is absent, which is white glass.
"""

import struct
from dataclasses import dataclass

import google_crc32c
import numpy as np
import numpy.typing as npt

from archive.errors import DamagedPyramid

ABSENT = (1 << 64) - 1
CRC_BYTES = 4

Index = npt.NDArray[np.uint64]


def crc32c(data: bytes) -> bytes:
    """Compute the four bytes that follow a tile, or the index, in a shard."""
    return struct.pack("<I", google_crc32c.value(data))


def is_whole(stored: bytes) -> bool:
    """Whether a tile with its crc32c is what was stored."""
    (expected,) = struct.unpack_from("<I", stored, len(stored) - CRC_BYTES)
    return bool(google_crc32c.value(stored[:-CRC_BYTES]) == expected)


@dataclass(frozen=True, slots=True)
class ShardGrid:
    """How the tiles of a level are gathered into shards: `columns` x `rows` tiles each, the last ones partly empty."""

    columns: int
    rows: int

    @property
    def index_bytes(self) -> int:
        """Length of the index at the end of a shard, its crc32c included."""
        return self.columns * self.rows * 16 + CRC_BYTES


class ShardBuilder:
    """Gathers the tiles of one shard in memory, in any order, and closes it with its index."""

    def __init__(self, grid: ShardGrid) -> None:
        self._body = bytearray()  # grows in place: parts that are joined at last need their memory twice
        self._index: Index = np.full((grid.rows, grid.columns, 2), ABSENT, "<u8")

    def add(self, column: int, row: int, tile: bytes) -> None:
        """Append one encoded tile at its place within the shard."""
        self._index[row, column] = len(self._body), len(tile) + CRC_BYTES
        self._body += tile
        self._body += crc32c(tile)

    def close(self) -> bytearray:
        """Append the index and give the whole object."""
        index = self._index.tobytes()
        self._body += index
        self._body += crc32c(index)
        return self._body


def read_index(tail: bytes, grid: ShardGrid, place: str, *, body: int) -> Index:
    """Read the index of a shard and check that every tile it names lies inside.

    Parameters
    ----------
    tail : bytes
        The last bytes of the object, as many as an index has.
    grid : ShardGrid
        Its shape in tiles.
    body : int
        How many bytes of tiles lie before the index.
    place : str
        What to call the shard in an error.

    Returns
    -------
    numpy.ndarray
        ``(rows, columns, 2)`` uint64: offset and length with crc32c, in bytes.

    Raises
    ------
    DamagedPyramid
        If the shard is too short, the index fails its crc32c, or a tile lies outside.
    """
    if body < 0 or len(tail) != grid.index_bytes:
        raise DamagedPyramid(place, f"at least {grid.index_bytes} bytes", f"{max(0, body) + len(tail)} bytes")
    if not is_whole(tail):
        raise DamagedPyramid(place, "an index that matches its crc32c", "another one")
    index = np.frombuffer(tail[:-CRC_BYTES], "<u8").reshape(grid.rows, grid.columns, 2)
    present = index[index[..., 0] != ABSENT]
    if present.size and (int(present[:, 1].min()) <= CRC_BYTES or (present[:, 0] > body - present[:, 1]).any()):
        raise DamagedPyramid(place, "tiles inside the shard", "a tile outside")
    return index
