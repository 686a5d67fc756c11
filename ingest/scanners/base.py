"""What every scanner module answers about a file, in this order: is it mine, which levels, what else, which facts.

All of this runs in the jail, because it touches what a stranger wrote.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from archive.geometry import Size
from archive.holdings.pixels import PixelType, Plane

Pixels = npt.NDArray[np.uint8]

MAX_PROPERTY_CHARACTERS = 65536
"""Longer texts are cut: the auditor needs words of a file's metadata, not its megabytes."""

MAX_PROPERTIES = 4096


MAX_PICTURE_PIXELS = 1 << 25
"""Of an associated image that is decoded at all: a macro of a whole glass has some 16 million."""


MAX_REGIONS = 64
"""Of one glass. People mark a few; each is read, proven and stored by itself, so a file may not ask for thousands."""


class AssociatedKind(StrEnum):
    """Pictures in a slide's file that are not its tissue at full width. None of them travels on."""

    LABEL = "label"
    MACRO = "macro"
    THUMBNAIL = "thumbnail"
    MAP = "map"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AssociatedImage:
    """One associated image: what it is, and by which mark in the file's structure it was found."""

    kind: AssociatedKind
    found_by: str
    size: Size


@dataclass(frozen=True, slots=True)
class EncodedTile:
    """A compressed tile as it lies in the file: its place in bytes, and the stream itself.

    A tile that the file holds in pieces, as restart intervals, is put together here; ``runs`` are the offset and the
    length in bytes of each piece. ``file`` is the one that it lies in, where that is not the slide's main file.
    """

    column: int
    row: int
    offset: int
    stream: bytes
    runs: tuple[tuple[int, int], ...] = ()
    file: Path | None = None


class SourceLevel(ABC):
    """One level of a scan, in the file that the scanner wrote."""

    size: Size
    tile: Size
    channels: int
    is_jpeg: bool = False
    """Whether `encoded_tiles` gives JPEG streams that may be worth copying."""
    is_cut: bool = False
    """Whether those streams were cut out of larger ones, and so hold the file's coefficients but not its bytes."""
    left_behind: int = 0
    """JPEG segments, other than pixels, of the larger ones: none of them is in what was cut."""
    jpeg_tables: bytes | None = None
    tag_says_ycbcr: bool = True
    tag_lies: bool = False
    """Whether the pixels contradict what the file says of their colours; `tag_says_ycbcr` then is the truth."""
    gaps_are_glass: bool = False
    """Whether a tile that is left out of a smaller level is white glass, and not to be made from the larger one."""
    canvas: Size | None = None
    """The larger picture of which OpenSlide shows this level as a part, where it does; `offset` tells the place."""
    offset: tuple[int, int] = (0, 0)
    """Where the level's first pixel lies on the canvas: x and y."""
    mean_tile_bytes: int = 1
    runs: int = 1
    """Pieces that each tile lies in."""
    pixel_type: PixelType = PixelType.UINT8
    planes: "tuple[PlaneLevel, ...]" = ()
    """The channels of fluorescence, which are stored by themselves; empty where a pixel is one colour."""

    def encoded_tiles(self) -> Iterator[EncodedTile]:
        """Give the compressed tiles from top to bottom; an absent one (white glass) is left out."""
        raise NotImplementedError("this level has no compressed tiles to copy")

    @abstractmethod
    def decoded_tiles(self) -> Iterator[tuple[int, int, Pixels]]:
        """Decode the tiles from top to bottom: column, row, ``(tile height, tile width, channels)`` uint8.

        Tiles that the file leaves out are left out here; those cut by the edge are filled up.
        """

    def leaves_out(self, column: int, row: int) -> bool:
        """Whether the file has no tile at this place."""
        del column, row
        return False

    def is_alone_at(self, x: int, y: int, width: int, height: int) -> bool:
        """Whether nothing but this level shows on the canvas at a place, which is told in pixels of the level."""
        del x, y, width, height
        return True

    def decoded_tile(self, column: int, row: int) -> Pixels | None:
        """Decode one tile as the file's tags say, or None where the file has no tile of its own at that place."""
        del column, row
        return None


class PlaneLevel(ABC):
    """One channel of a level: a grey picture by itself."""

    @abstractmethod
    def values(self) -> Iterator[tuple[int, int, Plane]]:
        """Decode the tiles from top to bottom: column, row, ``(tile height, tile width)`` of the level's type.

        Tiles that the file leaves out are left out here; those cut by the edge are filled up.
        """

    @abstractmethod
    def values_at(self, column: int, row: int) -> Plane | None:
        """Decode one tile, which may be cut by the edge; None where the file has none."""


@dataclass(frozen=True, slots=True)
class SourceChannel:
    """What a file says of a channel: a name, which may be anything, and a colour as six hexadecimal digits."""

    name: str = ""
    colour: str | None = None


@dataclass(frozen=True)
class Scan:
    """A recognised file: its maker, levels from largest to smallest, associated images and raw facts.

    ``properties`` are the file's own words; they may name a person and never leave ingest.
    """

    maker: str
    levels: tuple[SourceLevel, ...]
    associated: tuple[AssociatedImage, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    icc_profile: bytes | None = None
    channels: tuple[SourceChannel, ...] = ()


class ScanReader(ABC):
    """One scanner maker's files. A subclass is a context manager that holds the file open."""

    maker: str

    @classmethod
    @abstractmethod
    def recognise(cls, path: Path) -> str | None:
        """Say None if the file is this maker's, else why not, in a few words."""

    @abstractmethod
    def scan(self) -> Scan:
        """Tell what is in the file."""

    def scans(self) -> tuple[Scan, ...]:
        """Tell each region of the glass that the file holds, in the file's own order; one in most formats."""
        return (self.scan(),)

    @abstractmethod
    def pictures(self, kind: AssociatedKind) -> Iterator[Pixels]:
        """Decode the associated images of a kind, those without end left out: ``(height, width[, 3])`` uint8.

        They are for being asked whose slide it is, and never travel on.
        """

    @abstractmethod
    def __init__(self, path: Path) -> None: ...

    def __enter__(self) -> "ScanReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Close the file; a second time is harmless."""


def bounded(properties: Mapping[str, Any]) -> dict[str, str]:
    """Turn whatever a file says into texts of bounded number and length."""
    pairs = list(properties.items())[:MAX_PROPERTIES]
    return {str(key)[:256]: str(value)[:MAX_PROPERTY_CHARACTERS] for key, value in pairs}


def fill_up(pixels: Pixels, tile: Size) -> Pixels:
    """Fill a tile cut by the edge of its level to its full size by repeating its last row and column."""
    height, width = pixels.shape[:2]
    if (width, height) == (tile.width, tile.height):
        return pixels
    return np.pad(pixels, ((0, tile.height - height), (0, tile.width - width), (0, 0)), mode="edge")
