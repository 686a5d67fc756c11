"""A Ventana scanner writes a BigTIFF whose tiles overlap, and XML in it that tells by how much.

The tiles are numbered from the bottom up, to the right and back again. A smaller level is the picture of all tiles
edge to edge, made smaller: its tiles hold parts of several, which lie apart on the glass. The first directory's XML
tells of the slide, the third one's of the tiles. The picture called *Label Image* shows the label and the glass.

Source: OpenSlide's description of the Ventana format, and its test cases.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np

from tests.slides import icc, jpegs
from tests.slides.laden import laden, macro_of
from tests.slides.made import MadeLevel, MadeSlide, cut
from tests.slides.planted import Plant
from tests.slides.tiff import Compression, Directory, Photometric, Segment, Type, Writer, grid, picture
from tests.slides.tissue import Picture, reduced, tissue

_ATTRIBUTES = (
    "Barcode1D",
    "Barcode2D",
    "BarCode1",
    "BarCode2",
    "UserName",
    "UnitNumber",
    "BuildDate",
    "ScanDate",
    "JP2FileName",
    "BaseName",
    "UniqueID",
    "OperatorID",
    "LabelText",
    "Comment",
    "Patient",
)
_TAGS = (269, 271, 272, 285, 305, 306, 315, 316, 33432, 65000)


@dataclass(frozen=True)
class Bif:
    """What the scanner was like.

    Parameters
    ----------
    tiles
        Number of tiles across and down.
    overlap
        Pixels of level 0 that neighbouring tiles have in common, across and down.
    wrapped
        Whether the XML's root is ``Metadata``, as in some slides, and not ``iScan``.
    joined
        Whether there is XML about the tiles; some older slides have none, and no overlaps.
    macro
        What the label's picture is called.
    """

    tiles: tuple[int, int] = (5, 4)
    side: int = 256
    overlap: tuple[int, int] = (16, 8)
    factors: tuple[int, ...] = (1, 2, 4)
    wrapped: bool = False
    joined: bool = True
    macro: str = "Label_Image"
    seed: int = 7
    plant: Plant | None = None


@dataclass
class _Making:
    bif: Bif
    plant: Plant
    writer: Writer
    raw: dict[str, list[bytes]] = field(default_factory=dict)

    @property
    def planting(self) -> bool:
        return self.bif.plant is not None

    def planted(self, place: str) -> str:
        return self.plant(place) if self.planting else ""


def make_bif(path: Path, **options: Any) -> MadeSlide:
    """Write a BIF as ``Bif(**options)`` says; the known pixels are of level 0, before they were compressed."""
    bif = Bif(**options)
    making = _Making(bif, bif.plant or Plant(), Writer(big=True))
    whole = tissue(*_size(bif), bif.seed)
    laid = _edge_to_edge(bif, whole)
    directories = [
        _associated(making, macro_of(whole), bif.macro),
        _associated(making, reduced(whole, 300, 200), "Thumbnail"),
    ]
    for number, factor in enumerate(bif.factors):
        pixels = reduced(laid, laid.shape[1] // factor, laid.shape[0] // factor)
        directories.append(_level(making, pixels, number, 20 / factor))
    directories[0].tags[700] = (Type.BYTE, _of_the_slide(making).encode() + b"\0")
    if bif.joined:
        directories[2].tags[700] = (Type.BYTE, _of_the_tiles(making).encode() + b"\0")
    for number, directory in enumerate(directories):
        if making.planting:
            _plant_tags(directory, making.plant, number)
        making.writer.append(directory)
        if making.planting:
            making.writer.put(making.plant(f"slack behind directory {number}").encode())
    if making.planting:
        lost = Directory({270: (Type.ASCII, making.plant("directory outside the chain"))})
        making.writer.append(lost, linked=False)
        making.writer.put(making.plant("bytes after the last structure").encode())
    shown = whole if bif.joined else laid
    return MadeSlide(
        making.writer.save(path),
        (MadeLevel(shown, (bif.side, bif.side)),),
        making.plant,
        associated={"macro": macro_of(whole)},
        associated_bytes=making.raw,
        mpp=0.465,
        objective_power=20,
    )


def _size(bif: Bif) -> tuple[int, int]:
    width, height = (
        bif.side + (number - 1) * (bif.side - by) for number, by in zip(bif.tiles, bif.overlap, strict=True)
    )
    return width, height


def _edge_to_edge(bif: Bif, whole: Picture) -> Picture:
    """Lay the overlapping tiles side by side, as the file's directories do."""
    columns, rows = bif.tiles
    laid = np.empty((rows * bif.side, columns * bif.side, 3), np.uint8)
    for column, row in np.ndindex(columns, rows):
        x, y = column * (bif.side - bif.overlap[0]), row * (bif.side - bif.overlap[1])
        into = laid[row * bif.side : (row + 1) * bif.side, column * bif.side : (column + 1) * bif.side]
        into[:] = whole[y : y + bif.side, x : x + bif.side]
    return laid


def _level(making: _Making, pixels: Picture, number: int, magnification: float) -> Directory:
    side, (height, width) = making.bif.side, pixels.shape[:2]
    streams: list[Segment] = []
    for column, row in grid(width, height, (side, side)):
        stream = jpegs.encode(cut(pixels, (side, side), column, row), quality=85)
        planted = making.planting and len(streams) < 4
        streams.append(laden(stream, making.plant, f"tile {len(streams)} of level {number}") if planted else stream)
    description = f"level={number} mag={magnification:g} quality=85 {making.planted(f'description of level {number}')}"
    return _directory(pixels, streams, side, description)


def _associated(making: _Making, pixels: Picture, name: str) -> Directory:
    stream = jpegs.encode(pixels, quality=80)
    making.raw[name] = [jpegs.scan_data(stream)]
    stored = laden(stream, making.plant, f"the picture {name}") if making.planting else stream
    return _directory(pixels, [stored], None, name)


def _directory(pixels: Picture, streams: list[Segment], side: int | None, description: str) -> Directory:
    return picture(
        pixels.shape[1],
        pixels.shape[0],
        streams,
        tile=(side, side) if side else None,
        compression=Compression.JPEG,
        photometric=Photometric.YCBCR,
        sampling=(2, 2),
        description=description.strip(),
    )


def _of_the_slide(making: _Making) -> str:
    told = {"Magnification": "20", "ScanRes": "0.465", "ScannerModel": "VENTANA DP 200", "Mode": "Color"}
    if making.planting:
        told |= {name: making.plant(f"attribute {name}") for name in _ATTRIBUTES}
    attributes = " ".join(f"{name}={quoteattr(value)}" for name, value in told.items())
    note = making.planted("single-quoted attribute")
    inner = f"<AOI0 Left='1' Note='{note}'/><Comment>{making.planted('element of the slide')}</Comment>"
    iscan = f"<iScan {attributes}>{inner}</iScan>"
    return f"<?xml version='1.0'?><Metadata>{iscan}</Metadata>" if making.bif.wrapped else iscan


def _of_the_tiles(making: _Making) -> str:
    bif = making.bif
    (columns, rows), (over_x, over_y) = bif.tiles, bif.overlap
    numbers = {}
    for row in range(rows):
        for column in range(columns):
            up = rows - 1 - row
            numbers[column, row] = 1 + up * columns + (columns - 1 - column if up % 2 else column)
    joints = []
    for (column, row), number in numbers.items():
        if column + 1 < columns:
            joints.append(_joint("RIGHT", number, numbers[column + 1, row], over_x, 0))
        if row:
            joints.append(_joint("UP", number, numbers[column, row - 1], 0, over_y))
    area = f'AOIScanned="1" AOIIndex="0" Width="{bif.side}" Height="{bif.side}" NumRows="{rows}" NumCols="{columns}"'
    info = f'<ImageInfo {area} Pos-X="0" Pos-Y="0.0">{"".join(joints)}</ImageInfo>'
    user = f"<SlideInfo><ServerDirectory>{making.planted('element of the tiles')}</ServerDirectory></SlideInfo>"
    origin = '<AoiOrigin><AOI0 OriginX="0" OriginY="0"/></AoiOrigin>'
    return f'<EncodeInfo Ver="2">{user}<SlideStitchInfo>{info}</SlideStitchInfo>{origin}</EncodeInfo>'


def _joint(direction: str, first: int, second: int, x: int, y: int) -> str:
    places = f'Tile1="{first}" Tile2="{second}" OverlapX="{x}" OverlapY="{y}"'
    return f'<TileJointInfo FlagJoined="1" Confidence="98" Direction="{direction}" {places}/>'


def _plant_tags(directory: Directory, plant: Plant, number: int) -> None:
    directory.tags |= {code: (Type.ASCII, plant(f"tag {code} of directory {number}")) for code in _TAGS}
    if number == 2:
        directory.tags[34675] = (Type.UNDEFINED, icc.profile(plant))
