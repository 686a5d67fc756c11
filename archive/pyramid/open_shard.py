"""Shards that are open for reading: every tile is checked against its crc32c when it is read."""

import os
import threading
from pathlib import Path

from archive.errors import DamagedPyramid
from archive.pyramid.layout import shard_key
from archive.pyramid.shard import ABSENT, CRC_BYTES, ShardGrid, crc32c, read_index


class OpenShard:
    """One shard object: its open file and where each tile lies.

    It is read with ``pread`` and not mapped: a file cut short under a map would kill the process.
    """

    def __init__(self, folder: Path, key: str, grid: ShardGrid) -> None:
        self.key = key
        try:
            self._file = os.open(folder / key, os.O_RDONLY)
        except OSError as error:
            raise DamagedPyramid(key, "a shard", "none") from error
        try:
            size = os.fstat(self._file).st_size
            tail = os.pread(self._file, grid.index_bytes, max(0, size - grid.index_bytes))
            index = read_index(tail, grid, key, body=size - grid.index_bytes)
            self.entries: list[list[int]] = index.reshape(-1, 2).tolist()
        except BaseException:
            os.close(self._file)
            raise

    def tile(self, entry: int) -> bytes | None:
        """Give a tile without its crc32c, or None where there is none.

        Raises
        ------
        DamagedPyramid
            If its bytes are not what was stored.
        """
        offset, length = self.entries[entry]
        if offset == ABSENT:
            return None
        stored = os.pread(self._file, length, offset)
        tile = stored[:-CRC_BYTES]
        if len(stored) != length or stored[-CRC_BYTES:] != crc32c(tile):
            raise DamagedPyramid(f"{self.key}, tile {entry}", "bytes that match their crc32c", "others")
        return tile

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class OpenShards:
    """The shards of one level, each opened when a tile of it is first read. Safe to read from several threads."""

    def __init__(self, folder: Path, level: int, grid: ShardGrid) -> None:
        self._folder, self._level, self._grid = folder, level, grid
        self._shards: dict[tuple[int, int, int], OpenShard] = {}
        self._opening = threading.Lock()

    def tile(self, column: int, row: int, plane: int) -> bytes | None:
        """Give a tile by its place in the level, without its crc32c, or None where there is none.

        Raises
        ------
        DamagedPyramid
            If its bytes are not what was stored, or its shard is missing or malformed.
        """
        grid = self._grid
        shard = self._shard(column // grid.columns, row // grid.rows, plane)
        return shard.tile(row % grid.rows * grid.columns + column % grid.columns)

    def close(self) -> None:
        """Close the files; reading opens them again."""
        with self._opening:
            for shard in self._shards.values():
                shard.close()
            self._shards.clear()

    def _shard(self, column: int, row: int, plane: int) -> OpenShard:
        place = (column, row, plane)
        shard = self._shards.get(place)
        if shard is None:
            with self._opening:
                shard = self._shards.get(place)
                if shard is None:
                    shard = OpenShard(self._folder, shard_key(self._level, column, row, plane), self._grid)
                    self._shards[place] = shard
        return shard
