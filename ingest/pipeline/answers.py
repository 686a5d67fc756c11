"""What the jail answers, as value types that are checked at birth.

Whatever comes out of the jail was made by a process that a stranger's file may have taken over. It is plain JSON, and
everything here either fits or is refused.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from archive.geometry import Size
from archive.holdings.pixels import MAX_CHANNELS, Coding, LevelLayout, Origin, PixelType, ShardGrid
from ingest.errors import Reason, SlideRefused
from ingest.scanners import AssociatedImage, AssociatedKind
from ingest.scanners.base import MAX_REGIONS

MAX_LEVELS = 32
MAX_TILES = 1 << 24
"""Tiles of one level: those of the largest slides are some hundred thousand, and each is looked at."""

MAX_ASSOCIATED = 512
MAX_ICC_BYTES = 24 << 20
"""Of a colour profile in base64: Leica's DICOM slides have profiles of 13 MB, and none over 16 MB is rebuilt."""

MAX_BARCODES, MAX_BARCODE = 16, 512
"""Barcodes on one label, and the letters of one: a label has one or two, of some tens of letters."""

MAX_CHANNEL_NAME = 256

_COLOUR = re.compile(r"[0-9A-F]{6}", re.ASCII)

UNFIT = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What reading an answer raises that is none; a number such as 1e999 is infinite, and no integer."""


def size_from_json(value: Any) -> Size:
    """Read a size from ``[width, height]``."""
    width, height = value
    return Size(int(width), int(height))


def level_to_json(level: LevelLayout) -> dict[str, Any]:
    """Write a stored level's layout as plain JSON."""
    return {
        "size": [level.size.width, level.size.height],
        "tile": [level.tile.width, level.tile.height],
        "coding": str(level.coding),
        "origin": str(level.origin),
        "grid": [level.grid.columns, level.grid.rows],
        "channels": level.channels,
        "pixel_type": str(level.pixel_type),
        "apart": level.apart,
    }


def level_from_json(value: Any) -> LevelLayout:
    """Read a stored level's layout."""
    columns, rows = value["grid"]
    level = LevelLayout(
        size_from_json(value["size"]),
        size_from_json(value["tile"]),
        Coding(value["coding"]),
        Origin(value["origin"]),
        ShardGrid(int(columns), int(rows)),
        int(value["channels"]),
        PixelType(value["pixel_type"]),
        value["apart"] is True,
    )
    if not (1 <= level.grid.columns <= level.columns and 1 <= level.grid.rows <= level.rows):
        raise ValueError("a shard has at least one tile and at most those of its level")
    if level.columns * level.rows * level.planes > MAX_TILES:
        raise ValueError("too many tiles")
    return level


def _count(value: Any) -> int:
    """Read how many there are of something."""
    count = int(value)
    if count < 0:
        raise ValueError("less than nothing")
    return count


@dataclass(frozen=True)
class Description:
    """What is in a slide's file. ``properties`` are the file's own words and may name a person.

    ``barcodes`` are what the label's barcodes say. They are compared with the list and then forgotten.
    """

    maker: str
    levels: tuple[Size, ...]
    associated: tuple[AssociatedImage, ...]
    properties: Mapping[str, str]
    icc_profile: bytes | None
    barcodes: tuple[str, ...] = field(default=(), repr=False)
    channels: tuple[tuple[str, str | None], ...] = field(default=(), repr=False)
    """What the file calls each channel of fluorescence, and the colour that it tells."""
    regions: int = 1
    """How many regions of the glass the file holds; the rest of this is about one of them."""

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read the answer of `describe`.

        Raises
        ------
        SlideRefused
            If it does not fit.
        """
        try:
            if not 1 <= len(value["levels"]) <= MAX_LEVELS or len(value["associated"]) > MAX_ASSOCIATED:
                raise ValueError("no level, or too many levels or images")
            return cls(
                str(value["maker"])[:32],
                tuple(size_from_json(level) for level in value["levels"]),
                tuple(_associated(image) for image in value["associated"]),
                {str(key): str(text) for key, text in value["properties"].items()},
                _icc(value["icc_profile"]),
                tuple(str(code)[:MAX_BARCODE] for code in value.get("barcodes", ())[:MAX_BARCODES]),
                tuple(_channel(channel) for channel in value["channels"][:MAX_CHANNELS]),
                _regions(value["regions"]),
            )
        except UNFIT as error:
            raise SlideRefused(Reason.READER_CRASHED) from error


def _associated(value: Any) -> AssociatedImage:
    return AssociatedImage(AssociatedKind(value["kind"]), str(value["found_by"])[:64], size_from_json(value["size"]))


def _channel(value: Any) -> tuple[str, str | None]:
    name, colour = value
    if colour is not None and not _COLOUR.fullmatch(colour):
        raise ValueError("no colour")
    return str(name)[:MAX_CHANNEL_NAME], colour


def _regions(value: Any) -> int:
    count = int(value)
    if not 1 <= count <= MAX_REGIONS:
        raise ValueError("no region, or too many")
    return count


def _icc(value: Any) -> bytes | None:
    if value is None or len(value) > MAX_ICC_BYTES:
        return None
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


@dataclass(frozen=True)
class Stored:
    """What `store` wrote: the levels, and how many JPEG segments that are no pixels were left behind."""

    levels: tuple[LevelLayout, ...]
    segments_left_behind: int
    windows: tuple[tuple[int, int], ...] = ()
    """Of each channel that is kept apart, which values are shown black and in full colour."""

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read the answer of `store`.

        Raises
        ------
        SlideRefused
            If it does not fit.
        """
        try:
            levels = tuple(level_from_json(level) for level in value["levels"])
            if not 1 <= len(levels) <= MAX_LEVELS:
                raise ValueError("a scan has 1 to 32 levels")
            windows = tuple((_count(low), _count(high)) for low, high in value["windows"])
            if len(windows) != (levels[0].channels if levels[0].apart else 0):
                raise ValueError("a window for each channel that is kept apart")
            return cls(levels, _count(value["segments_left_behind"]), windows)
        except UNFIT as error:
            raise SlideRefused(Reason.READER_CRASHED) from error


@dataclass(frozen=True)
class Compared:
    """What `compare` found equal: tiles, and those of them for which OpenSlide was the reference."""

    tiles: int
    by_openslide: int

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read the answer of `compare`.

        Raises
        ------
        SlideRefused
            If it does not fit.
        """
        try:
            return cls(_count(value["compared"]), _count(value["by_openslide"]))
        except UNFIT as error:
            raise SlideRefused(Reason.READER_CRASHED) from error
