"""A Trestle scanner wrote a TIFF whose tiles overlap, by numbers that stand in the first directory's description.

All directories are levels. The resolution tags hold micrometres per pixel, and not pixels per unit. The picture of the
whole glass, label and all, lies beside the file in a JPEG called ``Name.Full``; how far single tiles lie from where
they should, in files called ``Name.tif-Nb``.

Source: OpenSlide's description of the Trestle format, and its test cases.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.slides import jpegs
from tests.slides.laden import laden, macro_of
from tests.slides.made import MadeLevel, MadeSlide, cut
from tests.slides.planted import Plant
from tests.slides.tiff import Compression, Photometric, Segment, Type, Writer, picture
from tests.slides.tissue import Picture, reduced, tissue

_TAGS = (269, 271, 272, 285, 306, 315, 316, 33432, 700, 65000)
_KEYS = ("Patient", "Slide Name", "Operator", "Barcode", "Comment")


@dataclass(frozen=True)
class Trestle:
    """What the scanner was like: ``overlaps`` are those of each level, the same across and down."""

    width: int = 1200
    height: int = 800
    side: int = 256
    overlaps: tuple[int, ...] = (32, 16, 8)
    beside: bool = True
    seed: int = 7
    plant: Plant | None = None


def make_trestle(path: Path, **options: Any) -> MadeSlide:
    """Write a Trestle slide as ``Trestle(**options)`` says, with what lies beside it, and give its known pixels."""
    trestle = Trestle(**options)
    plant, planting = trestle.plant or Plant(), trestle.plant is not None
    whole = tissue(trestle.width, trestle.height, trestle.seed)
    writer, levels = Writer(), []
    for number, overlap in enumerate(trestle.overlaps):
        small = whole if not number else reduced(whole, trestle.width >> number, trestle.height >> number)
        laid, level = _level(trestle, small, overlap)
        levels.append(level)
        streams: list[Segment] = list(level.tiles.values())
        if planting:
            streams[:4] = [laden(s or b"", plant, f"tile {k} of level {number}") for k, s in enumerate(streams[:4])]
        directory = picture(
            laid[0],
            laid[1],
            streams,
            tile=(trestle.side, trestle.side),
            compression=Compression.JPEG,
            photometric=Photometric.YCBCR,
            sampling=(2, 2),
            subfile=1 if number else 0,
        )
        directory.tags |= {282: (Type.RATIONAL, [46, 100]), 283: (Type.RATIONAL, [46, 100])}
        if planting:
            directory.tags |= {code: (Type.ASCII, plant(f"tag {code} of level {number}")) for code in _TAGS}
        if number == 0:
            directory.tags[270] = (Type.ASCII, _description(trestle, plant))
        version = f" {plant(f'version of level {number}')}" if planting else ""
        directory.tags[305] = (Type.ASCII, f"MedScan{version}")
        writer.append(directory)
        if planting:
            writer.put(plant(f"slack behind level {number}").encode())
    if planting:
        writer.put(plant("bytes after the last structure").encode())
    raw = _write_beside(path, trestle, whole, plant) if trestle.beside else {}
    return MadeSlide(
        writer.save(path),
        tuple(levels),
        plant,
        associated={"macro": macro_of(whole)},
        associated_bytes=raw,
        mpp=0.46,
        objective_power=20,
    )


def _level(trestle: Trestle, pixels: Picture, overlap: int) -> tuple[tuple[int, int], MadeLevel]:
    """Cut a level into overlapping tiles; give the size that the file tells, overlaps counted twice, and the level."""
    step, side = trestle.side - overlap, trestle.side
    height, width = pixels.shape[:2]
    columns, rows = (max(1, -(-(length - overlap) // step)) for length in (width, height))
    streams, decoded = {}, {}
    for row in range(rows):
        for column in range(columns):
            part = cut(pixels[row * step :, column * step :][:side, :side], (side, side), 0, 0)
            streams[column, row] = jpegs.encode(part, quality=85)
            decoded[column, row] = jpegs.decode(streams[column, row], "ycbcr")
    seen = np.full((rows * step + overlap, columns * step + overlap, 3), 255, np.uint8)
    for (column, row), part in decoded.items():  # a later tile lies on an earlier one
        seen[row * step : row * step + side, column * step : column * step + side] = part
    told = width + (columns - 1) * overlap, height + (rows - 1) * overlap
    return told, MadeLevel(np.ascontiguousarray(seen[:height, :width]), (side, side), streams)


def _description(trestle: Trestle, plant: Plant) -> str:
    told = {"Background Color": "E6E6E6", "White Balance": "CCD0DE", "Objective Power": "20", "JPEG Quality": "85"}
    told["OverlapsXY"] = "".join(f" {overlap} {overlap}" for overlap in trestle.overlaps)
    if trestle.plant is not None:
        told |= {key: plant(f"description key {key}") for key in _KEYS}
    return ";".join(f"{key}={value}" for key, value in told.items())


def _write_beside(path: Path, trestle: Trestle, whole: Picture, plant: Plant) -> dict[str, list[bytes]]:
    full = jpegs.encode(macro_of(whole), quality=80)
    kept = {"macro": [jpegs.scan_data(full)]}
    shifts = b"shifts of single tiles "
    if trestle.plant is not None:
        full = laden(full, plant, "the picture of the whole glass")
        shifts += plant("file of shifts").encode()
    path.with_suffix(".Full").write_bytes(full)
    path.with_name(f"{path.name}-0b").write_bytes(shifts)
    return kept
