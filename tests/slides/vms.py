"""An older Hamamatsu scanner wrote a text that names JPEG pictures beside it, each a part of the slide.

The pictures have restart markers, from which OpenSlide makes its tiles; it makes smaller levels of them by a JPEG
decoder's own reduction. The map is a smaller picture of the whole. The macro shows the whole glass, label and all.

Source: OpenSlide's description of the Hamamatsu VMS format, and its test cases.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.slides import jpegs
from tests.slides.laden import macro_of
from tests.slides.made import MadeLevel, MadeSlide
from tests.slides.planted import Plant
from tests.slides.tissue import Picture, reduced, tissue

_PLANTED = ("Reference", "AuthCode", "HardwareSerial", "Operator", "LabelText", "CreationTime")


@dataclass(frozen=True)
class Vms:
    """What the scanner was like.

    Parameters
    ----------
    pictures
        Number of JPEG pictures across and down; all have the size ``side``.
    restart
        Blocks of 8 pixels between two restart markers.
    name
        What the pictures' names begin with. The scanner takes the slide's name, which may be a patient's.
    """

    pictures: tuple[int, int] = (2, 2)
    side: tuple[int, int] = (512, 384)
    restart: int = 16
    name: str = "slide"
    seed: int = 7
    plant: Plant | None = None


def make_vms(path: Path, **options: Any) -> MadeSlide:
    """Write a VMS slide as ``Vms(**options)`` says; the known pixels are of level 0."""
    vms = Vms(**options)
    plant, planting = vms.plant or Plant(), vms.plant is not None
    (columns, rows), (width, height) = vms.pictures, vms.side
    whole = tissue(columns * width, rows * height, vms.seed)
    told: dict[str, object] = {"NoLayers": 1, "NoJpegColumns": columns, "NoJpegRows": rows}
    seen = whole.copy()
    for column in range(columns):
        for row in range(rows):
            place = slice(row * height, (row + 1) * height), slice(column * width, (column + 1) * width)
            stream = _encode(whole[place], vms)
            seen[place] = jpegs.decode(stream, "ycbcr")
            at = f"({column},{row})" if column or row else ""
            told[f"ImageFile{at}"] = _save(path, vms, f"picture{at}", stream)
    told["MapFile"] = _save(path, vms, "map2", _encode(reduced(whole, whole.shape[1] // 4, whole.shape[0] // 4), vms))
    macro = jpegs.encode(macro_of(whole), quality=80)
    told["MacroImage"] = _save(path, vms, "macro", macro)
    opt = f"{vms.name}.opt"
    path.with_name(opt).write_bytes(b"\0" * 40 + (plant("optimisation file").encode() if planting else b""))
    told |= {"OptimisationFile": opt, "SourceLens": 20}
    told |= {"PhysicalWidth": columns * width * 500, "PhysicalHeight": rows * height * 500}
    told |= {key: plant(f"text, {key}") for key in _PLANTED} if planting else {"Reference": vms.name}
    lines = ["[Virtual Microscope Specimen]", *(f"{key}={value}" for key, value in told.items())]
    if planting:
        lines += [f"# {plant('comment in the text')}", "[Other]", f"Remark={plant('text, another section')}"]
    path.write_bytes("\r\n".join([*lines, ""]).encode())
    return MadeSlide(
        path,
        (MadeLevel(seen, vms.side),),
        plant,
        associated={"macro": macro_of(whole)},
        associated_bytes={"macro": [jpegs.scan_data(macro)]},
        mpp=0.5,
        objective_power=20,
    )


def _encode(pixels: Picture, vms: Vms) -> bytes:
    return jpegs.encode(pixels, sampling="444", quality=85, restart_every=vms.restart)


def _save(path: Path, vms: Vms, what: str, stream: bytes) -> str:
    name = f"{vms.name}_{what}.jpg"
    if vms.plant is not None:
        stream = jpegs.insert(stream, jpegs.segment(jpegs.COM, vms.plant(f"COM in the {what}").encode()))
        stream = jpegs.insert(
            stream, jpegs.segment(jpegs.APP1, b"Exif\0\0" + vms.plant(f"APP1 in the {what}").encode())
        )
    path.with_name(name).write_bytes(stream)
    return name
