"""One DICOM file holds one level of a slide, or a part of one, or a picture of its label, its overview or a thumbnail.

The third value of ImageType tells which. What the file says of its pixels is checked before any are read: 8 bits,
grey or RGB, one focal plane, one optical path.

Sources: DICOM PS3.3 sections C.8.12.4 (whole slide microscopy image) and C.7.6.16.2.2.4 (concatenation).
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np

from archive.geometry import Size
from ingest.errors import Reason, SlideRefused
from ingest.scanners.dicom.decoding import JPEG, SYNTAXES
from ingest.scanners.dicom.header import Header, Positions

MAX_TILE_PX: Final = 8192
"""Side of the largest tile that the archive stores."""

MAX_SIDE_PX: Final = 1 << 24
MAX_TILES: Final = 1 << 24

_COLOURS: Final = {"MONOCHROME2": 1, "RGB": 3}
_DCT: Final = frozenset({"YBR_FULL", "YBR_FULL_422"})
_REVERSIBLE: Final = frozenset({"YBR_RCT"})
_EITHER: Final = frozenset({"YBR_RCT", "YBR_ICT"})
_TRANSFORMED: Final = {
    **dict.fromkeys(JPEG, _DCT),
    **dict.fromkeys((f"1.2.840.10008.1.2.4.{end}" for end in (90, 201, 202)), _REVERSIBLE),
    **dict.fromkeys((f"1.2.840.10008.1.2.4.{end}" for end in (91, 203)), _EITHER),
}
"""What else a file of a transfer syntax may say of its colours: that the stream holds them transformed."""


class Flavour(StrEnum):
    """What a file is a picture of: the third value of its ImageType."""

    VOLUME = "VOLUME"
    LABEL = "LABEL"
    OVERVIEW = "OVERVIEW"
    THUMBNAIL = "THUMBNAIL"
    OTHER = ""
    """Of something that the standard does not list, or once listed."""


@dataclass(frozen=True)
class Instance:
    """What is known of one file before its pixels are read.

    Attributes
    ----------
    flavour : Flavour
        What it is a picture of.
    uid : str
        Its own number: the same file may lie in a folder twice.
    size, tile : Size
        Of the whole picture, and of one frame.
    frames : int
        How many it has.
    channels : int
        1 for grey, 3 for RGB.
    planes : bool
        Whether uncompressed colours lie one after the other.
    says_ycbcr : bool
        Whether it says that its colours are transformed.
    concatenation : str
        The number of the picture that it is a part of; empty for a whole one.
    part, parts : int
        Which part it is, counted from 1, and how many there are; 0 where that is not said.
    first_frame : int
        How many frames of the picture lie in the parts before.
    is_full : bool
        Whether frames lie in the order of their places.
    """

    header: Header = field(repr=False)
    flavour: Flavour
    uid: str = field(repr=False)
    size: Size
    tile: Size
    frames: int
    channels: int
    planes: bool
    says_ycbcr: bool
    concatenation: str = field(repr=False)
    part: int
    parts: int
    first_frame: int
    is_full: bool

    @classmethod
    def of(cls, header: Header) -> "Instance":
        """Read a header.

        Raises
        ------
        SlideRefused
            If it says too little or contradicts itself, or its pixels are of a kind that is not stored.
        """
        flavour = flavour_of(header)
        is_level = flavour is Flavour.VOLUME  # some converters write a label as if it were the last part of the slide
        if is_level and str(header.value("SpecimenLabelInImage")).strip().upper() == "YES":
            raise SlideRefused(Reason.LABEL_IN_PICTURE)
        photometric, channels = _colours(header)
        tile = Size(_number(header, "Columns", 1, 65535), _number(header, "Rows", 1, 65535))
        size = Size(
            _number(header, "TotalPixelMatrixColumns", 1, MAX_SIDE_PX),
            _number(header, "TotalPixelMatrixRows", 1, MAX_SIDE_PX),
        )
        columns, rows = size.tiles(tile)
        if columns * rows > MAX_TILES:
            raise SlideRefused(Reason.TOO_LARGE)
        concatenation = str(header.value("ConcatenationUID", "")) if is_level else ""
        return cls(
            header=header,
            flavour=flavour,
            uid=_text(header, "SOPInstanceUID"),
            size=size,
            tile=tile,
            frames=_number(header, "NumberOfFrames", 1, MAX_TILES, 1),
            channels=channels,
            planes=channels == 3 and _number(header, "PlanarConfiguration", 0, 1, 0) == 1,
            says_ycbcr=photometric.startswith("YBR"),
            concatenation=concatenation,
            part=_number(header, "InConcatenationNumber", 1, 65535) if concatenation else 1,
            parts=_number(header, "InConcatenationTotalNumber", 0, 65535, 0),
            first_frame=_number(header, "ConcatenationFrameOffsetNumber", 0, MAX_TILES, 0) if concatenation else 0,
            is_full=header.value("DimensionOrganizationType", "TILED_FULL") == "TILED_FULL",
        )

    @property
    def is_jpeg(self) -> bool:
        """Whether its frames may be worth copying."""
        return self.header.syntax in JPEG

    @property
    def frame_bytes(self) -> int:
        """Length of an uncompressed frame."""
        return self.tile.pixels * self.channels

    def places(self) -> Positions:
        """Give the column and row of each frame's tile, ``(frames, 2)``, counted from 0.

        Raises
        ------
        SlideRefused
            If a frame lies outside the picture, or between the places of tiles.
        """
        columns, rows = self.size.tiles(self.tile)
        told = self.header.positions
        if told is None:
            if not self.is_full or self.first_frame + self.frames > columns * rows:
                raise SlideRefused(Reason.DAMAGED_STRUCTURE)
            numbers = np.arange(self.first_frame, self.first_frame + self.frames, dtype=np.int64)
            return np.stack([numbers % columns, numbers // columns], axis=1)
        if len(told) != self.frames:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        places, between = np.divmod(told - 1, (self.tile.width, self.tile.height))
        if between.any():
            raise SlideRefused(Reason.UNSUPPORTED_PIXELS)
        if places.min() < 0 or (places >= (columns, rows)).any():
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        return np.asarray(places, np.int64)


def flavour_of(header: Header) -> Flavour:
    """Tell what a file is a picture of.

    Raises
    ------
    SlideRefused
        If it does not say.
    """
    kinds = header.value("ImageType", ())
    if isinstance(kinds, str) or len(kinds) < 3:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    kind = str(kinds[2])
    return Flavour(kind) if kind in set(Flavour) else Flavour.OTHER


def _colours(header: Header) -> tuple[str, int]:
    """Read what a file says of its colours, and refuse pixels that are not stored."""
    photometric, channels = _text(header, "PhotometricInterpretation"), _number(header, "SamplesPerPixel", 1, 4)
    transformed = photometric in _TRANSFORMED.get(header.syntax, ())
    expected = 3 if transformed else _COLOURS.get(photometric)
    one = {"BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0}
    ones = {"TotalPixelMatrixFocalPlanes": 1, "NumberOfOpticalPaths": 1}
    if (
        header.syntax not in SYNTAXES
        or channels != expected
        or _number(header, "BitsAllocated", 1, 64) != 8
        or any(_number(header, name, 0, 64, value) != value for name, value in one.items())
        or any(_number(header, name, 1, 1 << 32, value) != value for name, value in ones.items())
    ):
        raise SlideRefused(Reason.UNSUPPORTED_PIXELS)
    return photometric, channels


def _number(header: Header, keyword: str, low: int, high: int, default: int | None = None) -> int:
    """Read a whole number within bounds; one without a default must be there."""
    value = header.value(keyword, default)
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE) from error
    if not low <= number <= high:
        raise SlideRefused(Reason.TOO_LARGE if number > high else Reason.DAMAGED_STRUCTURE)
    return number


def _text(header: Header, keyword: str) -> str:
    value = header.value(keyword)
    if not isinstance(value, str) or not value:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    return value
