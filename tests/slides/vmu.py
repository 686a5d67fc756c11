"""A VMU slide is an older Hamamatsu slide whose pictures are not compressed: 12 bits a colour, column after column.

Source: OpenSlide's description of the Hamamatsu VMU and NGR formats.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.slides import jpegs
from tests.slides.laden import laden, macro_of
from tests.slides.made import MadeLevel, MadeSlide
from tests.slides.planted import Plant
from tests.slides.tissue import Picture, reduced, tissue

_PLANTED = ("Reference", "AuthCode", "HardwareSerial", "Operator", "LabelText", "CreationTime")
_HEADER_BYTES = 28
_SPARE_BYTES = 64


@dataclass(frozen=True)
class Vmu:
    """What the scanner was like: the picture lies in columns of so many pixels."""

    width: int = 1024
    height: int = 600
    column: int = 256
    name: str = "slide"
    seed: int = 7
    plant: Plant | None = None


def make_vmu(path: Path, **options: Any) -> MadeSlide:
    """Write a VMU slide as ``Vmu(**options)`` says, and return it with its known pixels, at 8 bits a colour."""
    vmu = Vmu(**options)
    plant, planting = vmu.plant or Plant(), vmu.plant is not None
    whole = tissue(vmu.width, vmu.height, vmu.seed)
    pictures = {"ImageFile": whole, "MapFile": reduced(whole, vmu.width // 4, vmu.height // 4)}
    told: dict[str, object] = {"PixelOrder": "RGB", "BitsPerPixel": 36, "SourceLens": 20}
    told |= {"PhysicalWidth": vmu.width * 500, "PhysicalHeight": vmu.height * 500}
    for key, pixels in pictures.items():
        raw = _ngr(pixels, min(vmu.column, pixels.shape[1]), plant(f"spare bytes of {key}") if planting else "")
        told[key] = f"{vmu.name}_{key}.ngr"
        path.with_name(f"{vmu.name}_{key}.ngr").write_bytes(raw)
    macro = jpegs.encode(macro_of(whole), quality=80)
    told["MacroImage"] = f"{vmu.name}_macro.jpg"
    path.with_name(f"{vmu.name}_macro.jpg").write_bytes(laden(macro, plant, "the macro") if planting else macro)
    told |= {key: plant(f"text, {key}") for key in _PLANTED} if planting else {}
    lines = ["[Uncompressed Virtual Microscope Specimen]", *(f"{key}={value}" for key, value in told.items()), ""]
    path.write_bytes("\r\n".join(lines).encode())
    return MadeSlide(
        path,
        tuple(MadeLevel(pixels, (vmu.column, 64)) for pixels in pictures.values()),
        plant,
        associated={"macro": macro_of(whole)},
        associated_bytes={"macro": [jpegs.scan_data(macro)]},
        mpp=0.5,
        objective_power=20,
    )


def _ngr(pixels: Picture, column: int, spare: str) -> bytes:
    """Write an NGR file: its header, bytes that nobody reads, and the columns; 8 bits stand above four more."""
    height, width = pixels.shape[:2]
    begins = _HEADER_BYTES + _SPARE_BYTES
    head = struct.pack("<2s2x3i8xi", b"GN", width, height, column, begins)
    deep = (pixels.astype("<u2") << 4) + 5
    columns = (np.ascontiguousarray(deep[:, x : x + column]).tobytes() for x in range(0, width, column))
    return head + spare.encode().ljust(_SPARE_BYTES, b"\0") + b"".join(columns)
