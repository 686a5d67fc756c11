"""How a scan lies in an OME-Zarr 0.5 group: names, axes, codecs, sizes. `archive.pyramid.metadata` writes it down.

A group holds one array per level, ``0`` being full resolution. An array is ``(channels, height, width)``, cut into
chunks of one tile and gathered into shards. A tile of a ``jpeg`` level is a JPEG file behind ``transpose [1, 2, 0]``; a
tile of a ``lossless`` level is Zstandard-compressed. Every tile carries a crc32c.

In bright field the array is uint8 and a tile holds all its channels, one (grey) or three (RGB). In fluorescence it is
uint8 or uint16, each channel has tiles and shards of its own, and the group tells how each is called and shown.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from archive.errors import DamagedPyramid, InvalidValue
from archive.geometry import MicronsPerPixel, Size
from archive.pyramid.channels import MAX_CHANNELS, Channel, PixelType
from archive.pyramid.shard import ShardGrid

JPEG_CODEC = "imagecodecs_jpeg"
"""The name that the package imagecodecs-zarr registers for a chunk that is a JPEG file."""

SHARD_BYTES = 32 << 20
"""What a shard aims at: large enough that a slide is tens of objects, small enough to build in memory."""

ZSTD_LEVEL = 5
"""Higher levels win a few per cent on tissue and cost several times the time."""

WHITE = 255
"""The colour of glass, which absent tiles have."""


class Coding(StrEnum):
    """How the tiles of a level are stored."""

    JPEG = "jpeg"
    LOSSLESS = "lossless"


class Origin(StrEnum):
    """Where a level's tiles come from; the catalogue and the receipt tell it for ever."""

    COPIED = "copied"
    """The scanner's own compressed tiles."""
    CUT = "cut"
    """The scanner's own JPEG coefficients in narrower tiles: cut without loss, under another entropy coding."""
    DECODED = "decoded"
    """Decoded from the source and stored without loss."""
    ADDED = "added"
    """Area-averaged from the next larger level at ingest."""


@dataclass(frozen=True, slots=True)
class LevelLayout:
    """One level: its size, its tiles, how they are stored, and how they are gathered into shards."""

    size: Size
    tile: Size
    coding: Coding
    origin: Origin
    grid: ShardGrid
    channels: int = 3
    pixel_type: PixelType = PixelType.UINT8
    apart: bool = False
    """Whether each channel has tiles and shards of its own, as in fluorescence."""

    def __post_init__(self) -> None:
        if self.apart:
            self._require_fluorescence()
        elif self.channels not in (1, 3):
            raise InvalidValue(f"a level has one channel or three, not {self.channels}")
        elif self.pixel_type is not PixelType.UINT8:
            raise InvalidValue("a level of 16 bits keeps its channels apart")
        if self.tile.width > 8192 or self.tile.height > 8192:
            raise InvalidValue("a tile is at most 8192 px a side")

    def _require_fluorescence(self) -> None:
        if not 1 <= self.channels <= MAX_CHANNELS:
            raise InvalidValue(f"a level has 1 to {MAX_CHANNELS} channels, not {self.channels}")
        if self.channels == 1 and self.pixel_type is PixelType.UINT8:
            raise InvalidValue("one channel of 8 bits is stored as grey")
        if self.coding is not Coding.LOSSLESS:
            raise InvalidValue("channels that are kept apart are stored without loss")

    @classmethod
    def planned(
        cls,
        size: Size,
        tile: Size,
        coding: Coding,
        origin: Origin,
        channels: int = 3,
        mean_tile_bytes: int = 16384,
        pixel_type: PixelType = PixelType.UINT8,
        apart: bool = False,
    ) -> "LevelLayout":
        """Choose shards of whole tile rows, about 32 MB each, so that a level is written from top to bottom."""
        columns, rows = size.tiles(tile)
        across = min(columns, max(1, SHARD_BYTES // mean_tile_bytes))
        down = min(rows, max(1, SHARD_BYTES // (mean_tile_bytes * across)))
        return cls(size, tile, coding, origin, ShardGrid(across, down), channels, pixel_type, apart)

    @property
    def planes(self) -> int:
        """How often the level's tiles and shards are repeated: once, or once a channel."""
        return self.channels if self.apart else 1

    @property
    def tile_channels(self) -> int:
        """How many channels a tile holds."""
        return 1 if self.apart else self.channels

    @property
    def tile_bytes(self) -> int:
        """How long a tile is, decoded."""
        return self.tile_channels * self.tile.pixels * self.pixel_type.dtype.itemsize

    @property
    def nothing(self) -> int:
        """What stands where no tile is: white glass, or the dark."""
        return 0 if self.apart else WHITE

    @property
    def columns(self) -> int:
        """Tiles across."""
        return self.size.tiles(self.tile)[0]

    @property
    def rows(self) -> int:
        """Tiles down."""
        return self.size.tiles(self.tile)[1]

    @property
    def shards(self) -> tuple[int, int]:
        """Shards of a plane across and down; every one of them exists, even one without a tile."""
        return -(-self.columns // self.grid.columns), -(-self.rows // self.grid.rows)


def shard_key(level: int, shard_column: int, shard_row: int, plane: int = 0) -> str:
    """Give the store key of a shard object (Zarr v3 default chunk key encoding)."""
    return f"{level}/c/{plane}/{shard_row}/{shard_column}"


def shard_keys(number: int, level: LevelLayout) -> Iterator[str]:
    """Give the store keys of all shards of a level."""
    across, down = level.shards
    for plane in range(level.planes):
        for row in range(down):
            for column in range(across):
                yield shard_key(number, column, row, plane)


@dataclass(frozen=True, slots=True)
class ScanLayout:
    """A whole scan: its levels from largest to smallest and the few numbers that are known about it."""

    levels: tuple[LevelLayout, ...]
    mpp: MicronsPerPixel | None = None
    objective_power: float | None = None
    channels: tuple[Channel, ...] = ()
    """How each channel is called and shown, where they are kept apart."""

    def __post_init__(self) -> None:
        if not self.levels:
            raise InvalidValue("a scan has at least one level")
        if len({(level.apart, level.channels, level.pixel_type) for level in self.levels}) != 1 and self.is_apart:
            raise InvalidValue("the levels of a scan have the same channels")
        if len(self.channels) != (self.levels[0].channels if self.is_apart else 0):
            raise InvalidValue("a scan whose channels are kept apart tells of each how it is shown")

    @property
    def is_apart(self) -> bool:
        """Whether any level keeps its channels apart."""
        return any(level.apart for level in self.levels)

    def downsample(self, level: int) -> tuple[float, float]:
        """How many pixels of level 0 one pixel of `level` covers, along x and y."""
        base, size = self.levels[0].size, self.levels[level].size
        return base.width / size.width, base.height / size.height


def read_layout(folder: Path) -> ScanLayout:
    """Read the layout of a stored scan.

    Raises
    ------
    DamagedPyramid
        If a ``zarr.json`` is missing, malformed, or describes anything but this layout.
    """
    try:
        group = _json(folder, "zarr.json")["attributes"]
        multiscale, own = group["ome"]["multiscales"][0], group["coverslip"]
        paths = [d["path"] for d in multiscale["datasets"]]
        if own["layout"] != 1 or paths != [str(n) for n in range(len(own["origins"]))]:
            raise InvalidValue("levels are numbered from 0")
        levels = tuple(_read_level(_json(folder, f"{n}/zarr.json"), Origin(o)) for n, o in enumerate(own["origins"]))
        scale = multiscale["datasets"][0]["coordinateTransformations"][0]["scale"]
        mpp = MicronsPerPixel(scale[2], scale[1]) if "unit" in multiscale["axes"][1] else None
        power = own.get("objective_power")
        channels = tuple(_read_channel(channel) for channel in group["ome"].get("omero", {"channels": ()})["channels"])
        return ScanLayout(levels, mpp, None if power is None else float(power), channels)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DamagedPyramid("zarr.json", "the layout of a stored scan", "another one") from error


def _json(folder: Path, name: str) -> Any:
    try:
        return json.loads((folder / name).read_bytes())
    except (OSError, ValueError) as error:
        raise DamagedPyramid(name, "a readable metadata file", "none") from error


def _read_channel(channel: Any) -> Channel:
    ends = channel["window"]
    return Channel(str(channel["label"]), str(channel["color"]), int(ends["start"]), int(ends["end"]))


def _read_level(array: Any, origin: Origin) -> LevelLayout:
    channels, height, width = array["shape"]
    shard_channels, shard_height, shard_width = array["chunk_grid"]["configuration"]["chunk_shape"]
    sharding = array["codecs"][0]
    if len(array["codecs"]) != 1 or sharding["name"] != "sharding_indexed":
        raise InvalidValue("a level is a sharded array")
    pixel_type = PixelType(array["data_type"])
    tile_channels, tile_height, tile_width = sharding["configuration"]["chunk_shape"]
    names = [codec["name"] for codec in sharding["configuration"]["codecs"]]
    codings = {("transpose", JPEG_CODEC, "crc32c"): Coding.JPEG, ("bytes", "zstd", "crc32c"): Coding.LOSSLESS}
    grid = ShardGrid(shard_width // tile_width, shard_height // tile_height)
    size, tile = Size(width, height), Size(tile_width, tile_height)
    apart = pixel_type is PixelType.UINT16 or tile_channels != channels
    level = LevelLayout(size, tile, codings[tuple(names)], origin, grid, channels, pixel_type, apart)
    if not level.tile_channels == tile_channels == shard_channels or array["fill_value"] != level.nothing:
        raise InvalidValue("a tile holds one channel or all of them")
    return level
