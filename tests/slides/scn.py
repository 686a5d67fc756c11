"""A Leica SCN400 writes a BigTIFF whose XML tells which directories show which place of the glass, and who made them.

The macro is an image like the others; only its place, which is the whole glass, tells it. It shows the label.

Source: OpenSlide's description of the format and its test cases.
"""

import base64
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
from PIL import Image

from tests.slides import icc, jpegs
from tests.slides.made import MadeLevel, MadeSlide, cut, mend
from tests.slides.planted import Plant
from tests.slides.svs import label_picture
from tests.slides.tiff import Compression, Directory, Photometric, Segment, Type, Writer, grid, picture
from tests.slides.tissue import Picture, reduced, tissue

NAMESPACES = {date: f"http://www.leica-microsystems.com/scn/2010/{date}" for date in ("03/10", "10/01")}
_TAGS = (269, 271, 272, 285, 305, 306, 315, 316, 33432, 42016, 65000)


@dataclass(frozen=True)
class Tissue:
    """A region of the glass that was scanned: its place in nanometres, its light and its objective."""

    left: int = 4_000_000
    top: int = 20_000_000
    width: int = 1100
    height: int = 900
    factors: tuple[int, ...] = (1, 4)
    nm: int = 500
    objective: str = "20"
    light: str = "brightfield"
    planes: int = 1


@dataclass(frozen=True)
class Scn:
    """What the scanner was like.

    Parameters
    ----------
    macro
        Offset and size of the macro's view in nanometres, other than the whole glass; None for no macro.
    attributes
        Other values of attributes in the XML, by the element's name and the attribute's.
    """

    regions: tuple[Tissue, ...] = (Tissue(),)
    tile: int = 256
    glass: tuple[int, int] = (26_000_000, 76_000_000)
    macro: tuple[int, int, int, int] | None = (0, 0, 26_000_000, 76_000_000)
    namespace: str = "10/01"
    collections: int = 1
    attributes: dict[tuple[str, str], str] | None = None
    seed: int = 7
    plant: Plant | None = None


@dataclass
class _Making:
    scn: Scn
    plant: Plant
    writer: Writer
    directories: list[Directory]

    def add(self, pixels: Picture, name: str, *, tile: int | None = None) -> MadeLevel:
        directory, level = _level(self, pixels, name, tile or self.scn.tile)
        self.directories.append(directory)
        return level


def make_scn(path: Path, **options: Any) -> MadeSlide:
    """Write an SCN as ``Scn(**options)`` says, and return it with the known pixels of its regions."""
    scn = Scn(**options)
    making = _Making(scn, scn.plant or Plant(), Writer(big=True), [])
    images, associated, raw = [], {}, {}
    if scn.macro:
        macro = _macro()
        level = making.add(macro, "the macro")
        associated["macro"] = level.pixels
        raw["macro"] = [jpegs.scan_data(stream) for stream in level.tiles.values()]
        images.append(_image(making, "the macro", scn.macro, [(macro, 0, 0)], "0.60833", "brightfield"))
    levels: list[list[MadeLevel]] = []
    for number, region in enumerate(scn.regions):
        whole = tissue(region.width, region.height, scn.seed + number)
        dimensions = []
        levels.append([])
        for factor in region.factors:
            pixels = whole if factor == 1 else reduced(whole, region.width // factor, region.height // factor)
            for plane in range(region.planes):
                dimensions.append((pixels, len(making.directories), plane))
                level = making.add(pixels if not plane else np.ascontiguousarray(pixels[::-1]), f"region {number}")
                if not plane:
                    levels[-1].append(level)
        view = (region.left, region.top, region.width * region.nm, region.height * region.nm)
        images.append(_image(making, f"region {number}", view, dimensions, region.objective, region.light))
    making.directories[0].tags[270] = (Type.ASCII, _xml(making, images))
    if scn.plant:
        _plant_tags(making.directories[0], making.plant)
    for number, directory in enumerate(making.directories):
        making.writer.append(directory)
        if scn.plant:
            making.writer.put(making.plant(f"slack behind directory {number}").encode())
    return MadeSlide(
        making.writer.save(path),
        tuple(levels[0]) if levels else (),
        making.plant,
        associated=associated,
        associated_bytes=raw,
        mpp=scn.regions[0].nm / 1000 if scn.regions else None,
        objective_power=float(scn.regions[0].objective) if scn.regions else None,
        other_regions=tuple(map(tuple, levels[1:])),
    )


def _macro() -> Picture:
    macro = np.full((1168, 404, 3), 235, np.uint8)
    label = label_picture("DOE, JANE", "MRN 00123456", "S25-10432 A3", "H&E")
    macro[:300, 40:290] = np.asarray(Image.fromarray(label).resize((250, 300)))
    return macro


def _level(making: _Making, pixels: Picture, name: str, side: int) -> tuple[Directory, MadeLevel]:
    height, width = pixels.shape[:2]
    tile = (side, side)
    stored: list[Segment] = []
    whole: dict[tuple[int, int], bytes] = {}
    tables = None
    for column, row in grid(width, height, tile):
        whole[column, row] = jpegs.encode(cut(pixels, tile, column, row), quality=80)
        tables, stream = jpegs.split(whole[column, row])
        if making.scn.plant and not stored:
            token = making.plant(f"COM in a tile of {name}").encode()
            stream = jpegs.insert(stream, jpegs.segment(jpegs.COM, token))
        stored.append(stream)
    directory = picture(
        width,
        height,
        stored,
        tile=tile,
        compression=Compression.JPEG,
        photometric=Photometric.YCBCR,
        tables=tables,
        sampling=(2, 2),
        mpp=0.5,
    )
    decoded = {at: jpegs.decode(stream, "ycbcr") for at, stream in whole.items()}
    return directory, MadeLevel(mend(width, height, tile, decoded), tile, whole)


def _image(
    making: _Making,
    name: str,
    view: tuple[int, int, int, int],
    dimensions: list[tuple[Picture, int, int]],
    objective: str,
    light: str,
) -> str:
    words = {
        key: making.plant(f"XML {key} of {name}") if making.scn.plant else key
        for key in ("name", "uuid", "creationDate", "version", "userId")
    }
    element = _element if name == "the macro" else partial(_changed, making.scn)
    levels = "".join(
        element("dimension", sizeX=pixels.shape[1], sizeY=pixels.shape[0], r=number, ifd=directory, z=plane)
        for number, (pixels, directory, plane) in enumerate(dimensions)
    )
    left, top, width, height = view
    return (
        f"<image name={quoteattr(words['name'])} uuid={quoteattr(words['uuid'])}>"
        f"<creationDate>{words['creationDate']}</creationDate><userId>{words['userId']}</userId>"
        f'<device model="Leica SCN400;Leica SCN" version={quoteattr(words["version"])}/>'
        f"<pixels>{levels}</pixels>"
        + _changed(making.scn, "view", sizeX=width, sizeY=height, offsetX=left, offsetY=top)
        + f"<scanSettings><objectiveSettings><objective>{objective}</objective></objectiveSettings>"
        f"<illuminationSettings><numericalAperture>0.4</numericalAperture>"
        f"<illuminationSource>{light}</illuminationSource></illuminationSettings></scanSettings></image>"
    )


def _xml(making: _Making, images: list[str]) -> str:
    scn, plant = making.scn, making.plant
    barcode = plant("XML barcode in Base64") if scn.plant else "04050629C"
    name = plant("XML name of the collection") if scn.plant else "Leica-1"
    width, height = scn.glass
    collection = (
        _changed(scn, "collection", name=name, sizeX=width, sizeY=height).replace("/>", ">")
        + f"<barcode>{base64.b64encode(barcode.encode()).decode()}</barcode>"
        + "".join(images)
        + "</collection>"
    )
    space = NAMESPACES.get(scn.namespace, scn.namespace)
    return f'<?xml version="1.0" encoding="utf-8"?><scn xmlns="{space}">{collection * scn.collections}</scn>'


def _changed(scn: Scn, name: str, /, **attributes: object) -> str:
    changes = {key: value for (element, key), value in (scn.attributes or {}).items() if element == name}
    return _element(name, **attributes | changes)


def _element(name: str, /, **attributes: object) -> str:
    return f"<{name} " + " ".join(f"{key}={quoteattr(str(value))}" for key, value in attributes.items()) + "/>"


def _plant_tags(directory: Directory, plant: Plant) -> None:
    directory.tags |= {code: (Type.ASCII, plant(f"tag {code}")) for code in _TAGS}
    directory.tags |= {
        700: (Type.BYTE, f"<x>{plant('XMP')}</x>".encode()),
        34675: (Type.UNDEFINED, icc.profile(plant)),
        65001: (Type.UNDEFINED, plant("private tag in UTF-16").encode("utf-16-le")),
    }
