"""A 3DHISTECH scanner writes a folder: photographs in data files, their places in an index, and a text that names all.

The camera takes overlapping photographs, each of which is cut into pictures that lie edge to edge. A smaller level
joins two by two pictures of the level before, whatever photographs they come from, so its pictures hold parts of
several photographs, which lie apart on the glass. Where each photograph lies stands in a buffer of its own.

Source: OpenSlide's description of the MIRAX format, and its test cases.
"""

import io
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.slides import jpegs
from tests.slides.laden import label_of_a_patient, laden, macro_of
from tests.slides.made import MadeLevel, MadeSlide
from tests.slides.planted import Plant
from tests.slides.tissue import Picture, reduced, tissue

DIVISIONS = 2
"""Pictures along each side of a photograph."""

HALF = frozenset((column, row) for column in (2, 3, 4) for row in (0, 1, 2))
"""Places to be left out so that whole tiles of what is stored are empty: of 512 px, the second of the first row."""

_GENERAL = (
    "SLIDE_NAME",
    "PROJECT_NAME",
    "SLIDE_BARCODE",
    "SLIDE_LABEL",
    "SLIDE_CREATIONDATETIME",
    "SLIDE_UTC_CREATIONDATETIME",
    "SCANNER_HARDWARE_ID",
    "SLIDE_COMMENT",
    "CREATOR",
    "PATIENT_NAME",
)


@dataclass(frozen=True)
class Mirax:
    """What the scanner was like.

    Parameters
    ----------
    photographs
        Number of the camera's places across and down.
    side
        Width and height of a picture, a quarter of a photograph.
    overlap
        Pixels of level 0 that neighbouring photographs have in common.
    left_out
        Places, across and down, where the camera took no photograph.
    coding
        How pictures are written; label, macro and preview are always JPEG.
    places
        Where it is written where each photograph lies: in a buffer, in one that is compressed, or nowhere; then they
        lie on a grid.
    """

    photographs: tuple[int, int] = (6, 4)
    side: tuple[int, int] = (128, 96)
    overlap: int = 8
    levels: int = 3
    left_out: frozenset[tuple[int, int]] = frozenset({(5, 0)})
    coding: Literal["JPEG", "PNG", "BMP24"] = "JPEG"
    places: Literal["buffer", "compressed"] | None = "buffer"
    seed: int = 7
    plant: Plant | None = None


@dataclass
class _Making:
    mirax: Mirax
    plant: Plant
    slide_id: str
    files: list[bytearray] = field(default_factory=list)

    @property
    def planting(self) -> bool:
        return self.mirax.plant is not None

    def new_file(self) -> int:
        """Begin a data file; each begins with the slide's number."""
        self.files.append(bytearray(b"01.02" + self.slide_id.encode() + b"\0" * 215))
        return len(self.files) - 1

    def put(self, number: int, raw: bytes) -> tuple[int, int, int]:
        """Add a record to a data file and return its place, its length and the file's number."""
        file = self.files[number]
        file += raw
        return len(file) - len(raw), len(raw), number

    def jpeg(self, pixels: Picture, where: str) -> bytes:
        stream = jpegs.encode(pixels, sampling="444", quality=85)
        return laden(stream, self.plant, where) if self.planting else stream

    def picture(self, pixels: Picture, where: str) -> bytes:
        """Write a picture of a level as the scanner was set to."""
        if self.mirax.coding == "JPEG":
            return self.jpeg(pixels, where)
        written, token = io.BytesIO(), self.plant(f"text in {where}") if self.planting else ""
        if self.mirax.coding == "BMP24":
            Image.fromarray(pixels).save(written, "BMP")
            return written.getvalue() + token.encode()
        texts = PngInfo()
        texts.add_text("Comment", token)
        Image.fromarray(pixels).save(written, "PNG", pnginfo=texts)
        return written.getvalue()


def make_mirax(path: Path, **options: Any) -> MadeSlide:
    """Write ``Name.mrxs`` and the folder ``Name`` as ``Mirax(**options)`` says; the known pixels are of level 0."""
    mirax = Mirax(**options)
    plant = mirax.plant or Plant()
    making = _Making(mirax, plant, plant("SLIDE_ID") if mirax.plant else "0123456789ABCDEF0123456789ABCDEF")
    whole = tissue(*_size(mirax), mirax.seed)
    pictures = _photographed(mirax, whole)
    pages = [_store_level(making, pictures, level) for level in range(mirax.levels)]
    records, raw = _store_records(making, whole)
    folder = path.with_suffix("")
    folder.mkdir(parents=True)
    (folder / "Index.dat").write_bytes(_index(making, pages, records))
    (folder / "Slidedat.ini").write_bytes(_slidedat(making).encode("utf-8-sig"))
    for number, data in enumerate(making.files):
        if making.planting:
            data += plant(f"behind the last record of data file {number}").encode()
        (folder / f"Data{number:04}.dat").write_bytes(data)
    path.write_bytes(making.jpeg(reduced(whole, 150, 100), "the preview beside the folder"))
    return MadeSlide(
        path,
        (MadeLevel(_seen(mirax, whole), mirax.side),),
        plant,
        associated={"label": label_of_a_patient(), "macro": macro_of(whole)},
        associated_bytes=raw,
        mpp=0.25,
        objective_power=20,
    )


def _size(mirax: Mirax) -> tuple[int, int]:
    across, down = mirax.photographs
    width, height = (DIVISIONS * side for side in mirax.side)
    return across * width - (across - 1) * mirax.overlap, down * height - (down - 1) * mirax.overlap


def _place(mirax: Mirax, column: int, row: int) -> tuple[int, int]:
    """Tell where a photograph lies: on a grid, but for a pixel or two."""
    x, y = (DIVISIONS * side - mirax.overlap for side in mirax.side)
    inner = mirax.places and 0 < column < mirax.photographs[0] - 1 and 0 < row < mirax.photographs[1] - 1
    return x * column + (column + row) % 3 * bool(inner), y * row + (column * row) % 2 * bool(inner)


def _photographed(mirax: Mirax, whole: Picture) -> dict[tuple[int, int], Picture]:
    """Photograph what lies at each place, and cut the photographs into pictures."""
    width, height = mirax.side
    pictures = {}
    for column in range(mirax.photographs[0]):
        for row in range(mirax.photographs[1]):
            if (column, row) not in mirax.left_out:
                x, y = _place(mirax, column, row)
                for at in np.ndindex(DIVISIONS, DIVISIONS):
                    left, top = x + at[0] * width, y + at[1] * height
                    part = whole[top : top + height, left : left + width]
                    missing = (height - part.shape[0], width - part.shape[1])
                    padded = np.pad(part, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
                    pictures[DIVISIONS * column + at[0], DIVISIONS * row + at[1]] = padded
    return pictures


def _seen(mirax: Mirax, whole: Picture) -> Picture:
    """Return what the camera saw, before it was compressed; where it took no photograph it is white."""
    seen = np.full_like(whole, 255)
    width, height = (DIVISIONS * side for side in mirax.side)
    for column in range(mirax.photographs[0]):
        for row in range(mirax.photographs[1]):
            if (column, row) not in mirax.left_out:
                x, y = _place(mirax, column, row)
                seen[y : y + height, x : x + width] = whole[y : y + height, x : x + width]
    return seen


def _store_level(making: _Making, pictures: dict[tuple[int, int], Picture], level: int) -> bytes:
    """Write a level's pictures into data files of its own, and return its page of the index."""
    joined, (width, height) = 1 << level, making.mirax.side
    across = DIVISIONS * making.mirax.photographs[0]
    entries = []
    number = making.new_file()
    for column, row in sorted({(x - x % joined, y - y % joined) for x, y in pictures}):
        mosaic = np.full((height * joined, width * joined, 3), 255, np.uint8)
        for x, y in np.ndindex(joined, joined):
            part = pictures.get((column + x, row + y))
            if part is not None:
                mosaic[y * height : (y + 1) * height, x * width : (x + 1) * width] = part
        pixels = mosaic if level == 0 else reduced(mosaic, width, height)
        if level == 0 and len(entries) == len(pictures) // 2:
            number = making.new_file()
        record = making.put(number, making.picture(pixels, f"picture {len(entries)} of level {level}"))
        entries.append(struct.pack("<4i", row * across + column, *record))
    return struct.pack("<2i", len(entries), 0) + b"".join(entries)


def _store_records(making: _Making, whole: Picture) -> tuple[list[bytes], dict[str, list[bytes]]]:
    """Write the records that are no levels, in the order in which the text names them; and give their streams."""
    number, plant = making.new_file(), making.plant
    pictures = {"macro": macro_of(whole), "label": label_of_a_patient(), "thumbnail": reduced(whole, 200, 120)}
    profile = "<ScanProfile><Name>%s</Name></ScanProfile>"
    kept = {"profile": (profile % (plant("scan profile") if making.planting else "Default")).encode()}
    raw = {name: [jpegs.scan_data(jpegs.encode(p, sampling="444", quality=85))] for name, p in pictures.items()}
    kept |= {name: making.jpeg(pixels, f"the {name}") for name, pixels in pictures.items()}
    kept["vendor"] = (plant("record of the maker's own") if making.planting else "vendor").encode()
    places = b"".join(
        struct.pack("<B2i", (column, row) not in making.mirax.left_out, *_place(making.mirax, column, row))
        for row in range(making.mirax.photographs[1])
        for column in range(making.mirax.photographs[0])
    )
    if making.mirax.places:
        kept["places"] = places if making.mirax.places == "buffer" else zlib.compress(places)
    if making.planting:
        making.put(number, plant("record that no index knows").encode())
    return [struct.pack("<7i", 1, 0, 0, 0, *making.put(number, data)) for data in kept.values()], raw


def _index(making: _Making, levels: list[bytes], records: list[bytes]) -> bytes:
    """Lay the index out: version, number, two pointers to tables of pointers to pointers to pages."""
    index = bytearray(b"01.02" + making.slide_id.encode())
    roots_at = len(index)
    index += bytes(8)
    for number, pages in enumerate((levels, records)):
        heads = []
        for page in pages:
            index += page
            index += struct.pack("<2i", 0, len(index) - len(page))
            heads.append(len(index) - 8)
        struct.pack_into("<i", index, roots_at + 4 * number, len(index))
        index += struct.pack(f"<{len(heads)}i", *heads)
    if making.planting:
        index += making.plant("behind the index").encode()
    return bytes(index)


def _slidedat(making: _Making) -> str:
    mirax = making.mirax
    across, down = (DIVISIONS * number for number in mirax.photographs)
    general = {"SLIDE_VERSION": "01.02", "SLIDE_ID": making.slide_id, "IMAGENUMBER_X": across, "IMAGENUMBER_Y": down}
    general |= {"OBJECTIVE_MAGNIFICATION": 20, "CameraImageDivisionsPerSide": DIVISIONS, "CURRENT_SLIDE_VERSION": "1.9"}
    sections: dict[str, dict[str, object]] = {"GENERAL": general, "HIERARCHICAL": _hierarchy(mirax)}
    sections["DATAFILE"] = {"FILE_COUNT": len(making.files)}
    sections["DATAFILE"] |= {f"FILE_{number}": f"Data{number:04}.dat" for number in range(len(making.files))}
    for level in range(mirax.levels):
        sections[f"LAYER_0_LEVEL_{level}_SECTION"] = _level_section(mirax, level)
    for name, key in (("1", "THUMBNAIL"), ("2", "BARCODE"), ("3", "PREVIEW")):
        sections[f"NONHIERLAYER_0_LEVEL_{name}_SECTION"] = {f"{key}_IMAGE_TYPE": "JPEG"}
    comment = ""
    if making.planting:
        comment = f"# {making.plant('comment in the text')}\r\n"
        general |= {key: making.plant(f"text, {key}") for key in _GENERAL}
        for name, section in list(sections.items())[1:]:
            section["COMMENT"] = making.plant(f"text, COMMENT of {name}")
        sections["CUSTOM"] = {"OPERATOR": making.plant("text, section of the laboratory's own")}
    lines = (f"[{name}]\r\n" + "".join(f"{k} = {v}\r\n" for k, v in s.items()) for name, s in sections.items())
    return comment + "".join(lines)


def _hierarchy(mirax: Mirax) -> dict[str, object]:
    layers = ("ScanDataLayer_ScanProfile", "ScanDataLayer_SlideThumbnail", "ScanDataLayer_SlideBarcode")
    layers += ("ScanDataLayer_SlidePreview", "ScanDataLayer_Vendor")
    told: dict[str, object] = {"HIER_COUNT": 1, "NONHIER_COUNT": 2, "INDEXFILE": "Index.dat"}
    told |= {"HIER_0_NAME": "Slide zoom level", "HIER_0_COUNT": mirax.levels}
    for level in range(mirax.levels):
        told |= {f"HIER_0_VAL_{level}": f"ZoomLevel_{level}"}
        told |= {f"HIER_0_VAL_{level}_SECTION": f"LAYER_0_LEVEL_{level}_SECTION"}
    told |= {"NONHIER_0_NAME": "Scan data layer", "NONHIER_0_COUNT": len(layers)}
    for number, name in enumerate(layers):
        told |= {f"NONHIER_0_VAL_{number}": name}
        told |= {f"NONHIER_0_VAL_{number}_SECTION": f"NONHIERLAYER_0_LEVEL_{number}_SECTION"}
    if not mirax.places:
        return told | {"NONHIER_COUNT": 1}
    return told | {
        "NONHIER_1_NAME": "VIMSLIDE_POSITION_BUFFER" if mirax.places == "buffer" else "StitchingIntensityLayer",
        "NONHIER_1_COUNT": 1,
        "NONHIER_1_VAL_0": "default",
        "NONHIER_1_VAL_0_SECTION": "NONHIERLAYER_1_LEVEL_0_SECTION",
    }


def _level_section(mirax: Mirax, level: int) -> dict[str, object]:
    return {
        "OVERLAP_X": mirax.overlap / 2**level,
        "OVERLAP_Y": mirax.overlap / 2**level,
        "MICROMETER_PER_PIXEL_X": 0.25 * 2**level,
        "MICROMETER_PER_PIXEL_Y": 0.25 * 2**level,
        "IMAGE_FORMAT": mirax.coding,
        "IMAGE_FILL_COLOR_BGR": 16777215,
        "DIGITIZER_WIDTH": mirax.side[0],
        "DIGITIZER_HEIGHT": mirax.side[1],
        "IMAGE_CONCAT_FACTOR": min(level, 1),
    }
