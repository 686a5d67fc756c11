"""Write the tiles of a level as shards, from top to bottom, one writer a shard.

A shard is built in memory and written as one object through Zarr's ``Store`` interface, so that a folder, a memory
store and an object store all work alike. Nothing is decoded here.
"""

import asyncio
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import imagecodecs
import numpy as np
from zarr.abc.store import Store
from zarr.core.buffer import default_buffer_prototype

from archive.errors import InvalidValue
from archive.pyramid.channels import Plane
from archive.pyramid.jpeg_pixels import Pixels
from archive.pyramid.layout import ZSTD_LEVEL, LevelLayout, shard_key
from archive.pyramid.shard import ShardBuilder


class LevelWriter:
    """Takes the tiles of one level in row-major order; `close` writes what is left.

    While a shard is written, the next one is gathered; at most one waits, so that memory stays bounded. Every shard
    of the level is written, an empty one too: later, a missing object is damage and never white glass. Of a level
    whose channels are kept apart it takes those of one `plane`.
    """

    def __init__(self, store: Store, number: int, layout: LevelLayout, plane: int = 0) -> None:
        self._store = store
        self._number, self._plane = number, plane
        self._layout = layout
        self._thread = ThreadPoolExecutor(1)
        self._pending: Future[None] | None = None
        self._shard_row = 0
        self._builders = self._new_builders()
        self.stored_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self.close()
        finally:
            self._thread.shutdown()

    def _new_builders(self) -> list[ShardBuilder]:
        return [ShardBuilder(self._layout.grid) for _ in range(self._layout.shards[0])]

    def add(self, column: int, row: int, tile: bytes) -> None:
        """Store one encoded tile; tiles that are never added are white glass.

        Raises
        ------
        InvalidValue
            If tiles do not come from top to bottom.
        """
        grid = self._layout.grid
        while row // grid.rows > self._shard_row:
            self._flush()
        if row // grid.rows < self._shard_row or not 0 <= column < self._layout.columns or row >= self._layout.rows:
            raise InvalidValue("tiles are written from top to bottom, inside their level")
        self._builders[column // grid.columns].add(column % grid.columns, row % grid.rows, tile)

    def add_all(self, tiles: Iterable[tuple[int, int, bytes]]) -> None:
        """Store ``(column, row, tile)`` after ``(column, row, tile)``."""
        for column, row, tile in tiles:
            self.add(column, row, tile)

    def _flush(self) -> None:
        for shard_column, builder in enumerate(self._builders):
            self._wait()
            key = shard_key(self._number, shard_column, self._shard_row, self._plane)
            self._pending = self._thread.submit(self._write, key, builder.close())
        self._shard_row += 1
        self._builders = self._new_builders() if self._shard_row < self._layout.shards[1] else []

    def _write(self, key: str, body: bytearray) -> None:
        buffer = default_buffer_prototype().buffer.from_array_like(np.frombuffer(body, np.uint8))
        asyncio.run(self._store.set(key, buffer))
        self.stored_bytes += len(body)

    def _wait(self) -> None:
        if self._pending is not None:
            self._pending.result()
            self._pending = None

    def close(self) -> None:
        """Write the shards that are left."""
        while self._shard_row < self._layout.shards[1]:
            self._flush()
        self._wait()


def encode_lossless(pixels: Pixels | Plane) -> bytes:
    """Encode one tile as a lossless level stores it: ``(height, width, 3)`` uint8, or ``(height, width)`` of any type.

    Channels lie one after the other, as the array's axes say, and are compressed as one; the lower byte comes first.
    """
    planes = pixels.transpose(2, 0, 1) if pixels.ndim == 3 else pixels
    stored = np.ascontiguousarray(planes, planes.dtype.newbyteorder("<"))
    return bytes(imagecodecs.zstd_encode(stored.tobytes(), level=ZSTD_LEVEL))
