"""A Philips scanner exports a TIFF whose first description holds everything that is known, as XML, label included.

Levels are filled up to whole tiles, and their directories tell the size with what fills them up. Glass that was not
scanned has no bytes. Label and macro lie in strips, in the XML as Base64, or in both.

Source: OpenSlide's description of the format and its test cases.
"""

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image

from tests.slides import icc, jpegs
from tests.slides.made import MadeLevel, MadeSlide, cut, mend
from tests.slides.planted import Plant
from tests.slides.svs import label_picture
from tests.slides.tiff import Compression, Directory, Photometric, Segment, Type, Writer, grid, picture
from tests.slides.tissue import Picture, reduced, tissue

Where = Literal["directories", "xml", "both"]

_KEYS = (
    *("DICOM_ACQUISITION_DATETIME", "DICOM_DATE_OF_LAST_CALIBRATION", "DICOM_TIME_OF_LAST_CALIBRATION"),
    *("DICOM_DEVICE_SERIAL_NUMBER", "DICOM_SOFTWARE_VERSIONS", "PIIM_DP_SCANNER_CALIBRATION_STATUS"),
    *("PIIM_DP_SCANNER_OPERATOR_ID", "PIIM_DP_SCANNER_RACK_NUMBER", "PIIM_DP_SCANNER_SLOT_NUMBER"),
    *("PIM_DP_SOURCE_FILE", "PIM_DP_SOMETHING_NEW"),
)
_TAGS = (269, 271, 272, 285, 306, 315, 316, 33432, 42016, 65000)


@dataclass(frozen=True)
class Philips:
    """What the scanner was like.

    Parameters
    ----------
    width, height
        Of the first level, filled up; a whole number of tiles.
    sparse
        (level, column, row) of tiles that were not scanned.
    where
        Where label and macro are.
    spacing
        What the XML says of a level's pixels instead of the truth, by level.
    slides
        How many slides the XML describes.
    reduced
        Whether smaller levels are marked as such.
    """

    width: int = 1152
    height: int = 896
    tile: int = 128
    factors: tuple[int, ...] = (1, 2, 4, 8)
    seed: int = 7
    sparse: frozenset[tuple[int, int, int]] = frozenset()
    where: Where = "both"
    spacing: dict[int, str] = field(default_factory=dict)
    slides: int = 1
    reduced: bool = True
    derivation: str = "tiff-useBigTIFF=1-useRgb=0-levels=40,10002,10000-processing=0-q80"
    mpp: tuple[float, float] = (0.2269, 0.2273)
    object_type: str = "DPUfsImport"
    big: bool = False
    plant: Plant | None = None


def make_philips(path: Path, **options: Any) -> MadeSlide:
    """Write a Philips TIFF as ``Philips(**options)`` says, and return it with its known pixels."""
    philips = Philips(**options)
    plant = philips.plant or Plant()
    whole = tissue(philips.width, philips.height, philips.seed)
    label = label_picture("DOE, JANE", "MRN 00123456", "S25-10432 A3", "H&E")
    macro = np.full((400, 900, 3), 235, np.uint8)
    macro[:, :330] = np.asarray(Image.fromarray(label).resize((330, 400)))
    streams = {name: jpegs.encode(pixels) for name, pixels in (("label", label), ("macro", macro))}
    writer, levels = Writer(big=philips.big), []
    for number, factor in enumerate(philips.factors):
        pixels = whole if factor == 1 else reduced(whole, philips.width // factor, philips.height // factor)
        directory, level = _level(philips, plant, number, pixels)
        if number == 0:
            directory.tags[270] = (Type.ASCII, _xml(philips, plant, streams))
            directory.tags[305] = (Type.ASCII, "Philips DP v1.0")
            if philips.plant:
                _plant_tags(directory, plant)
        writer.append(directory)
        if philips.plant:
            writer.put(plant(f"slack behind level {number}").encode())
        levels.append(level)
    if philips.where != "xml":
        for name, stream in streams.items():
            writer.append(_strip(philips, plant, name, stream))
    if philips.plant:
        writer.put(plant("bytes after the last structure").encode())
    return MadeSlide(
        writer.save(path),
        tuple(levels),
        plant,
        associated={name: jpegs.decode(stream, "ycbcr") for name, stream in streams.items()},
        associated_bytes={name: [jpegs.scan_data(stream)] for name, stream in streams.items()},
        mpp=philips.mpp[0],
        objective_power=40,
    )


def _level(philips: Philips, plant: Plant, number: int, pixels: Picture) -> tuple[Directory, MadeLevel]:
    height, width = pixels.shape[:2]
    tile = (philips.tile, philips.tile)
    across, down = -(-width // tile[0]), -(-height // tile[1])
    full = np.full((down * tile[1], across * tile[0], 3), 90, np.uint8)  # nobody should ever see it
    full[:height, :width] = pixels
    stored: list[Segment] = []
    whole: dict[tuple[int, int], bytes] = {}
    tables = None
    for column, row in grid(width, height, tile):
        if (number, column, row) in philips.sparse:
            stored.append(None)
            continue
        whole[column, row] = jpegs.encode(cut(full, tile, column, row), quality=80)
        tables, stream = jpegs.split(whole[column, row])
        if philips.plant and len(stored) == 0:
            token = plant(f"COM in a tile of level {number}").encode()
            stream = jpegs.insert(stream, jpegs.segment(jpegs.COM, token))
        stored.append(stream)
    directory = picture(
        full.shape[1],
        full.shape[0],
        stored,
        tile=tile,
        compression=Compression.JPEG,
        photometric=Photometric.YCBCR,
        subfile=int(number > 0 and philips.reduced),
        description=f"level={number}"
        + (f" {plant(f'description of level {number}')}" if number and philips.plant else ""),
        tables=tables,
        sampling=(2, 2),
    )
    decoded = {at: jpegs.decode(stream, "ycbcr") for at, stream in whole.items()}
    return directory, MadeLevel(mend(width, height, tile, decoded), tile, whole)


def _strip(philips: Philips, plant: Plant, name: str, stream: bytes) -> Directory:
    shape = jpegs.decode(stream, "ycbcr").shape
    if philips.plant:
        stream = jpegs.insert(stream, jpegs.segment(jpegs.COM, plant(f"COM in the {name}").encode()))
    words = name.title() + (f" {plant(f'description of the {name}')}" if philips.plant else "")
    return picture(
        shape[1],
        shape[0],
        [stream],
        compression=Compression.JPEG,
        photometric=Photometric.YCBCR,
        subfile=1,
        description=words,
        sampling=(2, 2),
    )


def _xml(philips: Philips, plant: Plant, streams: dict[str, bytes]) -> str:
    """Write all that the scanner knows."""
    facts = {"DICOM_MANUFACTURER": "PHILIPS", "DICOM_ACQUISITION_DATETIME": "20160718122300.000000"}
    derivation = philips.derivation
    if philips.plant:
        facts |= {key: plant(f"description key {key}") for key in _KEYS}
        barcode = plant("PIM_DP_UFS_BARCODE in Base64").encode()
        facts["PIM_DP_UFS_BARCODE"] = base64.b64encode(barcode).decode()
        derivation += f'-sourceFilename="{plant("description key sourceFilename")}"'
    levels = "".join(
        f'<DataObject ObjectType="PixelDataRepresentation">{_attribute("DICOM_PIXEL_SPACING", _spacing(philips, n))}'
        f"{_attribute('PIIM_PIXEL_DATA_REPRESENTATION_NUMBER', str(n))}</DataObject>"
        for n in range(len(philips.factors))
    )
    slide = (
        _attribute("DICOM_DERIVATION_DESCRIPTION", derivation)
        + _attribute("DICOM_PIXEL_SPACING", _spacing(philips, 0))
        + f'<Attribute Name="PIIM_PIXEL_DATA_REPRESENTATION_SEQUENCE"><Array>{levels}</Array></Attribute>'
        + _attribute("PIM_DP_IMAGE_TYPE", "WSI")
    )
    pictures = [slide] * philips.slides
    if philips.where != "directories":
        for name, stream in streams.items():
            data = base64.b64encode(stream).decode()
            kind = _attribute("PIM_DP_IMAGE_TYPE", f"{name.upper()}IMAGE")
            pictures.append(_attribute("PIM_DP_IMAGE_DATA", data) + kind)
    scanned = "".join(f'<DataObject ObjectType="DPScannedImage">{one}</DataObject>' for one in pictures)
    return (
        f'<?xml version="1.0" encoding="UTF-8" ?>\n<DataObject ObjectType="{philips.object_type}">'
        + "".join(_attribute(name, text) for name, text in facts.items())
        + f'<Attribute Name="PIM_DP_SCANNED_IMAGES"><Array>{scanned}</Array></Attribute></DataObject>'
    )


def _attribute(name: str, text: str) -> str:
    return f'<Attribute Name="{name}" Group="0x301D" Element="0x1003" PMSVR="IString">{escape(text)}</Attribute>'


def _spacing(philips: Philips, number: int) -> str:
    """Give the size of a level's pixels: rows before columns, in millimetres."""
    width, height = (um * philips.factors[number] / 1000 for um in philips.mpp)
    return philips.spacing.get(number, f'"{height:.9f}" "{width:.9f}"')


def _plant_tags(directory: Directory, plant: Plant) -> None:
    directory.tags |= {code: (Type.ASCII, plant(f"tag {code}")) for code in _TAGS}
    directory.tags |= {
        305: (Type.ASCII, f"Philips DP v1.0 {plant('tag 305')}"),
        700: (Type.BYTE, f"<x>{plant('XMP')}</x>".encode()),
        34675: (Type.UNDEFINED, icc.profile(plant)),
        65001: (Type.UNDEFINED, plant("private tag in UTF-16").encode("utf-16-le")),
    }
