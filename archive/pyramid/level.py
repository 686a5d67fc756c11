"""One level of a stored scan: its tiles as they are stored, and the pixels of any region of it.

Every tile is checked against its crc32c when it is read. Damage is an error, never white glass: white is only what
an index with a right crc32c says is absent.
"""

import threading
from pathlib import Path

import numpy as np

from archive.errors import DamagedPyramid, TileOutsideLevel
from archive.geometry import Region
from archive.pyramid.channels import Channel, Plane, shown, unnamed
from archive.pyramid.covering import pieces
from archive.pyramid.jpeg_pixels import Pixels
from archive.pyramid.layout import WHITE, Coding, LevelLayout, Origin
from archive.pyramid.open_shard import OpenShards
from archive.pyramid.tile_pixels import draw_tile, stored_values


class Level:
    """One level of a stored scan. Safe to read from several threads.

    Pixels are what a viewer sees, RGB; of fluorescence that is the `channels` in their colours. The values that were
    measured, one channel at a time, are given by `read_channel`. Where it is not told how to show them, each is grey.
    """

    def __init__(
        self,
        folder: Path,
        number: int,
        layout: LevelLayout,
        downsample: float = 1.0,
        channels: tuple[Channel, ...] = (),
    ) -> None:
        self.index = number
        self.layout = layout
        self.channels = channels or unnamed(layout.planes, layout.pixel_type)
        self.size, self.tile = layout.size, layout.tile
        self.columns, self.rows = layout.columns, layout.rows
        self.downsample = downsample
        self._shards = OpenShards(folder, number, layout.grid)
        self._scratch = threading.local()

    @property
    def is_jpeg(self) -> bool:
        """Whether a stored tile is a JPEG file that can be served as it is."""
        return self.layout.coding is Coding.JPEG

    @property
    def origin(self) -> Origin:
        """Where the tiles come from."""
        return self.layout.origin

    def close(self) -> None:
        """Close the files; reading opens them again."""
        self._shards.close()

    def encoded_tile(self, column: int, row: int, plane: int = 0) -> bytes | None:
        """Give one tile as it is stored, checked against its crc32c; of channels that are kept apart, that of one.

        Returns
        -------
        bytes or None
            For a JPEG level a whole JPEG file of the full tile size, at the edges too; None where there is only
            white glass.

        Raises
        ------
        TileOutsideLevel
            If the level has no such tile.
        DamagedPyramid
            If the stored bytes are not what was stored.
        """
        if not (0 <= column < self.columns and 0 <= row < self.rows):
            raise TileOutsideLevel(f"level {self.index} has {self.columns} x {self.rows} tiles, counted from 0")
        if not 0 <= plane < self.layout.planes:
            raise TileOutsideLevel(f"level {self.index} has {self.layout.planes} channels apart, counted from 0")
        return self._shards.tile(column, row, plane)

    def decoded_tile(self, column: int, row: int) -> Pixels:
        """Give one tile's pixels, ``(tile height, tile width, 3)`` uint8 RGB, padding at the edges included.

        Raises
        ------
        TileOutsideLevel, DamagedPyramid
            As `encoded_tile`.
        """
        return self.read_tile(column, row, np.empty((self.tile.height, self.tile.width, 3), np.uint8))

    def read_tile(self, column: int, row: int, out: Pixels) -> Pixels:
        """Decode one tile into `out`, contiguous ``(tile height, tile width, 3)`` uint8, and give it back.

        Raises
        ------
        TileOutsideLevel, DamagedPyramid
            As `encoded_tile`.
        """
        if self.layout.apart:
            planes = (self.channel_tile(column, row, plane) for plane in range(self.layout.planes))
            return shown(planes, self.channels, out)
        stored = self.encoded_tile(column, row)
        if stored is None:
            out[...] = WHITE
            return out
        try:
            draw_tile(stored, self.layout, out)
        except ValueError as error:
            raise DamagedPyramid(f"level {self.index}, tile {column}, {row}", "a tile", "none") from error
        return out

    def read_region(self, x: int, y: int, width: int, height: int) -> Pixels:
        """Read a rectangle of this level.

        Parameters
        ----------
        x, y : int
            Its top left pixel, in pixels of this level; may lie outside, as long as the rectangle touches the level.
        width, height : int
            Its size in pixels of this level.

        Returns
        -------
        numpy.ndarray
            ``(height, width, 3)`` uint8 RGB. Beyond the level's edge it is white.

        Raises
        ------
        TileOutsideLevel
            If the rectangle is empty or does not touch the level.
        DamagedPyramid
            If a stored tile is not what was stored.
        """
        left, top = max(x, 0), max(y, 0)
        right, bottom = min(x + width, self.size.width), min(y + height, self.size.height)
        if left >= right or top >= bottom:
            raise TileOutsideLevel(f"the region does not touch level {self.index}, which is {self.size}")
        tile_w, tile_h = self.tile.width, self.tile.height
        out = np.empty((height, width, 3), np.uint8)
        if right - left < width or bottom - top < height:
            out[...] = WHITE
        elif (width, height) == (tile_w, tile_h) and x % tile_w == 0 and y % tile_h == 0:
            return self.read_tile(x // tile_w, y // tile_h, out)
        scratch = self._scratch_tile()
        for piece in pieces(Region(x, y, width, height), self.size, self.tile):
            self.read_tile(piece.column, piece.row, scratch)
            out[piece.place] = scratch[piece.inside]
        return out

    def channel_tile(self, column: int, row: int, channel: int) -> Plane:
        """Give one tile's values of one of the channels that are kept apart: ``(tile height, tile width)``.

        Padding at the edges is included; what was not measured is 0.

        Raises
        ------
        TileOutsideLevel
            If the level has no such tile, or no such channel apart.
        DamagedPyramid
            As `encoded_tile`.
        """
        stored = self.encoded_tile(column, row, channel)
        if not self.layout.apart:
            raise TileOutsideLevel(f"level {self.index} keeps no channels apart")
        if stored is None:
            return np.zeros((self.tile.height, self.tile.width), self.layout.pixel_type.dtype)
        try:
            return stored_values(stored, self.layout)[..., 0]
        except ValueError as error:
            place = f"level {self.index}, channel {channel}, tile {column}, {row}"
            raise DamagedPyramid(place, "a tile", "none") from error

    def read_channel(self, channel: int, x: int, y: int, width: int, height: int) -> Plane:
        """Read a rectangle of one of the channels that are kept apart, as it was measured.

        Parameters
        ----------
        channel : int
            Counted from 0.
        x, y, width, height : int
            In pixels of this level; the rectangle lies inside.

        Returns
        -------
        numpy.ndarray
            ``(height, width)`` uint8 or uint16.

        Raises
        ------
        TileOutsideLevel
            If the rectangle is empty or not inside the level, or there is no such channel apart.
        DamagedPyramid
            If a stored tile is not what was stored.
        """
        right, bottom = x + width, y + height
        if not (0 <= x < right <= self.size.width and 0 <= y < bottom <= self.size.height):
            raise TileOutsideLevel(f"level {self.index} has {self.size.width} x {self.size.height} px")
        out = np.empty((height, width), self.layout.pixel_type.dtype)
        for piece in pieces(Region(x, y, width, height), self.size, self.tile):
            out[piece.place] = self.channel_tile(piece.column, piece.row, channel)[piece.inside]
        return out

    def _scratch_tile(self) -> Pixels:
        """Give this thread's own tile buffer: fresh memory for each tile costs as much as a fifth of its decoding."""
        tile: Pixels | None = getattr(self._scratch, "tile", None)
        if tile is None:
            tile = self._scratch.tile = np.empty((self.tile.height, self.tile.width, 3), np.uint8)
        return tile
