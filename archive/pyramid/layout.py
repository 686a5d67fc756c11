"""How a scan lies in an OME-Zarr 0.5 group: names, axes, codecs, sizes. `archive.pyramid.metadata` writes it down.

A group holds one array per level, ``0`` being full resolution. An array is uint8, ``(channels, height, width)``,
cut into chunks of one tile and gathered into shards. A tile of a ``jpeg`` level is a JPEG file behind ``transpose
[1, 2, 0]``; a tile of a ``lossless`` level is Zstandard-compressed. Every tile carries a crc32c.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from archive.errors import DamagedPyramid, InvalidValue
from archive.geometry import MicronsPerPixel, Size
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

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise InvalidValue(f"a level has one channel or three, not {self.channels}")
        if self.tile.width > 8192 or self.tile.height > 8192:
            raise InvalidValue("a tile is at most 8192 px a side")

    @classmethod
    def planned(
        cls, size: Size, tile: Size, coding: Coding, origin: Origin, channels: int = 3, mean_tile_bytes: int = 16384
    ) -> "LevelLayout":
        """Choose shards of whole tile rows, about 32 MB each, so that a level is written from top to bottom."""
        columns, rows = size.tiles(tile)
        across = min(columns, max(1, SHARD_BYTES // mean_tile_bytes))
        down = min(rows, max(1, SHARD_BYTES // (mean_tile_bytes * across)))
        return cls(size, tile, coding, origin, ShardGrid(across, down), channels)

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
        """Shards across and down; every one of them exists, even one without a tile."""
        return -(-self.columns // self.grid.columns), -(-self.rows // self.grid.rows)


def shard_key(level: int, shard_column: int, shard_row: int) -> str:
    """Give the store key of a shard object (Zarr v3 default chunk key encoding)."""
    return f"{level}/c/0/{shard_row}/{shard_column}"


@dataclass(frozen=True, slots=True)
class ScanLayout:
    """A whole scan: its levels from largest to smallest and the few numbers that are known about it."""

    levels: tuple[LevelLayout, ...]
    mpp: MicronsPerPixel | None = None
    objective_power: float | None = None

    def __post_init__(self) -> None:
        if not self.levels:
            raise InvalidValue("a scan has at least one level")

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
        return ScanLayout(levels, mpp, None if power is None else float(power))
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DamagedPyramid("zarr.json", "the layout of a stored scan", "another one") from error


def _json(folder: Path, name: str) -> Any:
    try:
        return json.loads((folder / name).read_bytes())
    except (OSError, ValueError) as error:
        raise DamagedPyramid(name, "a readable metadata file", "none") from error


def _read_level(array: Any, origin: Origin) -> LevelLayout:
    channels, height, width = array["shape"]
    _, shard_height, shard_width = array["chunk_grid"]["configuration"]["chunk_shape"]
    sharding = array["codecs"][0]
    if len(array["codecs"]) != 1 or sharding["name"] != "sharding_indexed" or array["data_type"] != "uint8":
        raise InvalidValue("a level is a sharded uint8 array")
    _, tile_height, tile_width = sharding["configuration"]["chunk_shape"]
    names = [codec["name"] for codec in sharding["configuration"]["codecs"]]
    codings = {("transpose", JPEG_CODEC, "crc32c"): Coding.JPEG, ("bytes", "zstd", "crc32c"): Coding.LOSSLESS}
    grid = ShardGrid(shard_width // tile_width, shard_height // tile_height)
    size, tile = Size(width, height), Size(tile_width, tile_height)
    return LevelLayout(size, tile, codings[tuple(names)], origin, grid, channels)
