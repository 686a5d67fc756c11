"""Read a stored scan: regions, tiles as stored, thumbnails.

Every tile is checked against its crc32c when it is read. Damage is an error, never white glass: white is only what
an index with a right crc32c says is absent.
"""

import threading
from pathlib import Path
from typing import Self

import imagecodecs
import numpy as np
from PIL import Image

from archive.errors import DamagedPyramid, TileOutsideLevel
from archive.geometry import MicronsPerPixel, Size
from archive.pyramid.channels import Channel, Plane, shown, unnamed
from archive.pyramid.colours import Colours, StoredProfile
from archive.pyramid.jpeg_pixels import Pixels, decode_jpeg
from archive.pyramid.layout import WHITE, Coding, LevelLayout, Origin, ScanLayout, read_layout, shard_key
from archive.pyramid.open_shard import OpenShard


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
        self._folder = folder
        self._shards: dict[tuple[int, int, int], OpenShard] = {}
        self._opening = threading.Lock()
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
                    shard = OpenShard(self._folder, shard_key(self.index, column, row, plane), self.layout.grid)
                    self._shards[place] = shard
        return shard

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
        grid = self.layout.grid
        shard = self._shard(column // grid.columns, row // grid.rows, plane)
        return shard.tile(row % grid.rows * grid.columns + column % grid.columns)

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
            if not self.is_jpeg:
                out[...] = self._lossless(stored)
            elif self.layout.channels == 3:
                decode_jpeg(stored, width=self.tile.width, height=self.tile.height, out=out)
            else:
                out[...] = decode_jpeg(stored, width=self.tile.width, height=self.tile.height, channels=1)[..., None]
        except (ValueError, RuntimeError) as error:
            raise DamagedPyramid(f"level {self.index}, tile {column}, {row}", "a tile", "none") from error
        return out

    def _lossless(self, stored: bytes) -> Pixels:
        """Decode a tile: ``(tile height, tile width, channels in a tile)``, of the level's type."""
        layout = self.layout
        planes = imagecodecs.zstd_decode(stored, out=layout.tile_bytes)
        shape = (layout.tile_channels, self.tile.height, self.tile.width)
        return np.frombuffer(planes, layout.pixel_type.dtype).reshape(shape).transpose(1, 2, 0)

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
            return self._lossless(stored)[..., 0]
        except (ValueError, RuntimeError) as error:
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
        tile_w, tile_h = self.tile.width, self.tile.height
        out = np.empty((height, width), self.layout.pixel_type.dtype)
        for row in range(y // tile_h, -(-bottom // tile_h)):
            y0, y1 = max(y, row * tile_h), min(bottom, (row + 1) * tile_h)
            for column in range(x // tile_w, -(-right // tile_w)):
                x0, x1 = max(x, column * tile_w), min(right, (column + 1) * tile_w)
                tile = self.channel_tile(column, row, channel)
                out[y0 - y : y1 - y, x0 - x : x1 - x] = tile[
                    y0 - row * tile_h : y1 - row * tile_h, x0 - column * tile_w : x1 - column * tile_w
                ]
        return out

    def _scratch_tile(self) -> Pixels:
        """Give this thread's own tile buffer: fresh memory for each tile costs as much as a fifth of its decoding."""
        tile: Pixels | None = getattr(self._scratch, "tile", None)
        if tile is None:
            tile = self._scratch.tile = np.empty((self.tile.height, self.tile.width, 3), np.uint8)
        return tile

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
        for row in range(top // tile_h, -(-bottom // tile_h)):
            y0, y1 = max(top, row * tile_h), min(bottom, (row + 1) * tile_h)
            for column in range(left // tile_w, -(-right // tile_w)):
                x0, x1 = max(left, column * tile_w), min(right, (column + 1) * tile_w)
                self.read_tile(column, row, scratch)
                out[y0 - y : y1 - y, x0 - x : x1 - x] = scratch[
                    y0 - row * tile_h : y1 - row * tile_h, x0 - column * tile_w : x1 - column * tile_w
                ]
        return out


class Pyramid:
    """A stored scan, opened for reading: `levels` from full resolution (0) to the smallest.

    Pixels are those that were scanned; `to_srgb` turns them into what a screen shows, where the scanner said how.
    """

    def __init__(self, folder: Path, layout: ScanLayout, profile: StoredProfile | None = None) -> None:
        self.layout = layout
        self.colours = Colours(None if layout.is_apart else profile, grey=layout.levels[0].channels == 1)
        self.levels = tuple(
            Level(folder, number, level, sum(layout.downsample(number)) / 2, layout.channels)
            for number, level in enumerate(layout.levels)
        )

    @classmethod
    def open(cls, folder: Path, profile: StoredProfile | None = None) -> Self:
        """Open the scan in `folder`, with the colour profile that is stored beside it.

        Raises
        ------
        DamagedPyramid
            If its metadata is missing or malformed.
        """
        return cls(folder, read_layout(folder), profile)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all files; reading opens them again."""
        for level in self.levels:
            level.close()

    @property
    def size(self) -> Size:
        """Size of level 0 in pixels."""
        return self.levels[0].size

    @property
    def mpp(self) -> MicronsPerPixel | None:
        """Length of a pixel's sides at level 0 in micrometres, where it is known."""
        return self.layout.mpp

    @property
    def objective_power(self) -> float | None:
        """Magnification of the scanner's objective, where it is known."""
        return self.layout.objective_power

    def level(self, number: int) -> Level:
        """Give level `number`, 0 being full resolution.

        Raises
        ------
        TileOutsideLevel
            If there is no such level.
        """
        if not 0 <= number < len(self.levels):
            raise TileOutsideLevel(f"the scan has {len(self.levels)} levels, counted from 0")
        return self.levels[number]

    def to_srgb(self, pixels: Pixels) -> Pixels:
        """Turn pixels of this scan, of any level, into sRGB; those of fluorescence have no colours to be turned.

        Parameters
        ----------
        pixels : numpy.ndarray
            ``(height, width, 3)`` uint8 RGB, as `Level.read_region` gives them.

        Returns
        -------
        numpy.ndarray
            Of the same shape, in sRGB: relative colorimetric, without black point compensation.

        Raises
        ------
        ColoursUnknown
            If the scanner gave no colour profile, or none that is understood.
        DamagedPyramid
            If the profile is not what was stored.
        """
        return self.colours.to_srgb(pixels)

    def thumbnail(self, max_px: int) -> Pixels:
        """Make a small picture of the whole scan, at most `max_px` a side: ``(height, width, 3)`` uint8 RGB.

        Raises
        ------
        DamagedPyramid
            If a stored tile is not what was stored.
        """
        fitting = [level for level in self.levels if max(level.size.width, level.size.height) >= max_px]
        level = fitting[-1] if fitting else self.levels[0]
        picture = Image.fromarray(level.read_region(0, 0, level.size.width, level.size.height))
        picture.thumbnail((max_px, max_px), Image.Resampling.LANCZOS)
        return np.asarray(picture)
