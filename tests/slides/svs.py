"""An Aperio scanner writes a TIFF: a level, the thumbnail, smaller levels, then label and macro, all full of names.

Tiles are abbreviated JPEG streams that share tables (tag 347). The label is LZW strips with subfile type 1, the macro
JPEG strips with subfile type 9. Older scanners name both in a description; GT 450 and some others leave it out.
Nothing in a tile says whether its three components are RGB or YCbCr: only the photometric tag does, and it may lie.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import imagecodecs
import numpy as np
import zxingcpp
from PIL import Image, ImageDraw

from tests.slides import icc, jpegs
from tests.slides.made import MadeLevel, MadeSlide, cut, mend
from tests.slides.planted import Plant
from tests.slides.tiff import Compression, Directory, Photometric, Segment, Type, Writer, grid, picture
from tests.slides.tissue import Picture, grey, reduced, tissue

Address = tuple[int, int, int]
"""Level, column and row of a tile."""

_PHOTOMETRIC = {"ycbcr": Photometric.YCBCR, "rgb": Photometric.RGB, "grey": Photometric.GREY}
_SUBSAMPLING = {"444": (1, 1), "422": (2, 1), "420": (2, 2)}
_KEYS = (
    *("Filename", "Title", "ImageID", "Barcode", "User", "ScanScope ID", "DSR ID", "Rack", "Slide", "Parmset"),
    *("Accession", "Patient", "Copyright", "Scanner ID", "Webslide Files", "CustomField.Last_Name", "SurgPathNum"),
)
_TAGS = {
    **{269: "DocumentName", 271: "Make", 272: "Model", 285: "PageName", 305: "Software", 306: "DateTime"},
    **{315: "Artist", 316: "HostComputer", 33432: "Copyright", 42016: "ImageUniqueID", 65000: "private tag"},
}


@dataclass(frozen=True)
class Svs:
    """What the scanner was like; the defaults make an everyday slide of three levels, 20x, YCbCr 4:2:0.

    Parameters
    ----------
    factors
        Downsample of each level; sizes are cut down to whole pixels, so an odd width gives such as 2.0029.
    tag_photometric, tag_subsampling
        What the TIFF tags say instead of the truth.
    transform
        Value of an Adobe marker in each tile; none unless given.
    sparse
        Tiles stored with byte count 0, white in the known pixels. OpenSlide shows such a tile as transparent on
        level 0, but draws it on smaller levels from the level above, and so every smaller tile that covers it.
    change
        Given a tile's address, its pixels and the stream as it would be stored; returns what is stored instead.
    label
        How the label is compressed, or None for a slide without one.
    barcode
        What a Data Matrix on the label says, where there is one.
    described
        Whether label and macro have a description that calls them so.
    plant
        Where to register planted tokens; without it nothing is planted but a made-up label.
    """

    width: int = 1100
    height: int = 810
    tile: tuple[int, int] = (256, 256)
    factors: tuple[float, ...] = (1, 4, 16)
    seed: int = 7
    colours: jpegs.Colours = "ycbcr"
    sampling: jpegs.Sampling = "420"
    quality: int = 75
    component_ids: tuple[int, ...] | None = None
    transform: int | None = None
    tag_photometric: int | None = None
    tag_subsampling: tuple[int, int] | None = None
    abbreviated: bool = True
    restart_every: int = 0
    sparse: frozenset[Address] = frozenset()
    change: Callable[[Address, Picture, bytes], bytes] | None = None
    thumbnail: bool = True
    label: Literal["lzw", "jpeg"] | None = "lzw"
    macro: bool = True
    barcode: str | None = None
    described: bool = True
    header: str = "Aperio Image Library v11.2.1"
    big: bool = False
    order: Literal["<", ">"] = "<"
    mpp: float = 0.499
    app_mag: int = 20
    plant: Plant | None = None
    picture: Picture | None = None


@dataclass
class _Made:
    """What has been made of a slide so far."""

    svs: Svs
    plant: Plant
    levels: list[MadeLevel] = field(default_factory=list)
    pictures: dict[str, Picture] = field(default_factory=dict)
    raw: dict[str, list[bytes]] = field(default_factory=dict)

    @property
    def planting(self) -> bool:
        return self.svs.plant is not None


def make_svs(path: Path, **options: Any) -> MadeSlide:
    """Write an SVS as ``Svs(**options)`` says, and return it with its known pixels."""
    svs = Svs(**options)
    made = _Made(svs, svs.plant or Plant())
    whole = svs.picture if svs.picture is not None else tissue(svs.width, svs.height, svs.seed)
    if svs.colours == "grey":
        whole = grey(whole)
    writer = Writer(big=svs.big, order=svs.order)
    for k, factor in enumerate(svs.factors):
        size = int(whole.shape[1] / factor), int(whole.shape[0] / factor)
        directory = _level(made, k, whole if k == 0 else reduced(whole, *size))
        if k == 0 and made.planting:
            _plant_tags(directory, made.plant)
        writer.append(directory)
        if made.planting:
            writer.put(made.plant(f"slack behind level {k}").encode())
        if k == 0 and svs.thumbnail:
            writer.append(_thumbnail(made, whole))
    _append_label_and_macro(made, writer, whole)
    if made.planting:
        _append_what_nothing_points_at(made.plant, writer)
    return MadeSlide(
        path=writer.save(path),
        levels=tuple(made.levels),
        plant=made.plant,
        associated=made.pictures,
        associated_bytes=made.raw,
        mpp=svs.mpp,
        objective_power=svs.app_mag,
    )


def label_picture(*lines: str, barcode: str | None = None) -> Picture:
    """Draw a slide label, (463, 387, 3) uint8."""
    image = Image.new("RGB", (387, 463), (250, 250, 245))
    draw = ImageDraw.Draw(image)
    for k, line in enumerate(lines):
        draw.text((20, 40 + 70 * k), line, fill=(10, 10, 10), font_size=32)
    if barcode is not None:
        matrix = zxingcpp.create_barcode(barcode, zxingcpp.BarcodeFormat.DataMatrix).to_image(scale=5)
        image.paste(Image.fromarray(np.asarray(matrix)), (20, 320))
    return np.asarray(image)


def _level(made: _Made, index: int, pixels: Picture) -> Directory:
    svs, (height, width) = made.svs, pixels.shape[:2]
    streams: dict[tuple[int, int], bytes] = {}
    stored: list[Segment] = []
    tables: bytes | None = None
    for column, row in grid(width, height, svs.tile):
        at = (index, column, row)
        if at in svs.sparse:
            stored.append(None)
            continue
        part = cut(pixels, svs.tile, column, row)
        stream = streams[column, row] = _encode(svs, part)
        if svs.abbreviated:
            tables, stream = jpegs.split(stream)
        stream = svs.change(at, part, stream) if svs.change else stream
        stored.append(_plant_in_tile(made.plant, len(stored), index, stream) if made.planting else stream)
    decoded = {at: jpegs.decode(stream, svs.colours) for at, stream in streams.items()}
    made.levels.append(MadeLevel(mend(width, height, svs.tile, decoded), svs.tile, streams))
    if tables and made.planting:
        tables = jpegs.insert(
            tables, jpegs.segment(jpegs.COM, made.plant(f"COM in the tables of level {index}").encode())
        )
    return picture(
        width,
        height,
        stored,
        tile=svs.tile,
        compression=Compression.JPEG,
        photometric=svs.tag_photometric or _PHOTOMETRIC[svs.colours],
        samples=1 if svs.colours == "grey" else 3,
        description=_description(made, index, width, height),
        tables=tables,
        sampling=svs.tag_subsampling or (_SUBSAMPLING[svs.sampling] if svs.colours == "ycbcr" else None),
    )


def _encode(svs: Svs, part: Picture) -> bytes:
    return jpegs.encode(
        part,
        colours=svs.colours,
        sampling=svs.sampling,
        quality=svs.quality,
        component_ids=svs.component_ids,
        transform=svs.transform,
        restart_every=svs.restart_every,
    )


def _description(made: _Made, index: int, width: int, height: int) -> str:
    svs, first = made.svs, made.levels[0].size
    coding = "JPEG/RGB" if svs.colours == "rgb" else "JPEG/YCC"
    geometry = f"{first[0]}x{first[1]} [0,0 {first[0]}x{first[1]}] ({svs.tile[0]}x{svs.tile[1]})"
    reduction = "" if index == 0 else f" -> {width}x{height}"
    head = f"{svs.header} \r\n{geometry}{reduction} {coding} Q={svs.quality}"
    if made.planting:
        head += f" {made.plant(f'text before the first bar, level {index}')}"
    return head + _fields(made, index)


def _fields(made: _Made, index: int) -> str:
    svs = made.svs
    fields = {"AppMag": str(svs.app_mag), "MPP": f"{svs.mpp}", "Date": "12/29/09", "Time": "09:59:15"}
    fields |= {"Left": "25.691574", "Top": "23.449873", "OriginalWidth": str(svs.width), "ICC Profile": "ScanScope v1"}
    if made.planting:
        fields |= {key: made.plant(f"description key {key}, level {index}") for key in _KEYS}
        fields["Remark"] = f"see a=b, {made.plant(f'behind an equals sign, level {index}')}"
    return "".join(f"|{key} = {value}" for key, value in fields.items())


def _thumbnail(made: _Made, whole: Picture) -> Directory:
    small = reduced(whole, 256, max(1, 256 * whole.shape[0] // whole.shape[1]))
    text = f"{made.svs.header} \r\n{made.svs.width}x{made.svs.height} -> {small.shape[1]}x{small.shape[0]} - "
    if made.planting:
        text += f"|Title = {made.plant('description of the thumbnail')}"
    return _jpeg_strips(made, "thumbnail", small, text, 0)


def _append_label_and_macro(made: _Made, writer: Writer, whole: Picture) -> None:
    label = label_picture("DOE, JANE", "MRN 00123456", "S25-10432 A3", "H&E", barcode=made.svs.barcode)
    macro = np.full((431, 1280, 3), 235, np.uint8)
    macro[:, :360] = np.asarray(Image.fromarray(label).resize((360, 431)))
    macro[25:405, 430:1230] = np.asarray(Image.fromarray(whole).convert("RGB").resize((800, 380)))
    texts = {name: _short_description(made, name) for name in ("label", "macro")}
    if made.svs.label == "lzw":
        writer.append(_lzw_strips(made, "label", label, texts["label"], 1))
    elif made.svs.label == "jpeg":
        writer.append(_jpeg_strips(made, "label", label, texts["label"], 1))
    if made.svs.macro:
        writer.append(_jpeg_strips(made, "macro", macro, texts["macro"], 9))


def _short_description(made: _Made, name: str) -> str | None:
    if not made.svs.described:
        return None
    size = {"label": "387x463", "macro": "1280x431"}[name]
    planted = f" {made.plant(f'description of the {name}')}" if made.planting else ""
    return f"{made.svs.header} \r\n{name} {size}{planted}"


def _jpeg_strips(made: _Made, name: str, pixels: Picture, text: str | None, subfile: int) -> Directory:
    colours: jpegs.Colours = "ycbcr" if pixels.ndim == 3 else "grey"
    strips = [np.ascontiguousarray(pixels[y : y + 16]) for y in range(0, pixels.shape[0], 16)]
    whole = [jpegs.encode(strip, colours=colours, quality=80) for strip in strips]
    made.pictures[name] = np.concatenate([jpegs.decode(stream, colours) for stream in whole])
    tables = jpegs.split(whole[0])[0]
    raw: list[Segment] = [jpegs.split(stream)[1] for stream in whole]
    made.raw[name] = [jpegs.scan_data(stream) for stream in whole]
    if made.planting:
        raw[0] = jpegs.insert(raw[0] or b"", jpegs.segment(jpegs.COM, made.plant(f"COM in the {name}").encode()))
    return picture(
        pixels.shape[1],
        pixels.shape[0],
        raw,
        rows_per_strip=16,
        compression=Compression.JPEG,
        photometric=_PHOTOMETRIC[colours],
        samples=3 if colours == "ycbcr" else 1,
        subfile=subfile,
        description=text,
        tables=tables,
        sampling=(2, 2) if colours == "ycbcr" else None,
    )


def _lzw_strips(made: _Made, name: str, pixels: Picture, text: str | None, subfile: int) -> Directory:
    strips = [pixels[y : y + 7] for y in range(0, pixels.shape[0], 7)]
    raw = [bytes(imagecodecs.lzw_encode(imagecodecs.delta_encode(strip, axis=1).tobytes())) for strip in strips]
    made.pictures[name], made.raw[name] = pixels, raw
    return picture(
        pixels.shape[1],
        pixels.shape[0],
        list(raw),
        rows_per_strip=7,
        compression=Compression.LZW,
        subfile=subfile,
        description=text,
        predictor=True,
    )


def _plant_in_tile(plant: Plant, number: int, level: int, stream: bytes) -> bytes:
    """Hide tokens in the first four tiles of a level, each in another part of the stream."""
    places = {
        0: ("COM", jpegs.COM, b""),
        1: ("APP1", jpegs.APP1, b"Exif\0\0"),
        2: ("APP13", jpegs.APP13, b"Photoshop 3.0\0"),
    }
    if number in places:
        name, code, lead = places[number]
        token = plant(f"{name} in a tile of level {level}").encode()
        return jpegs.insert(stream, jpegs.segment(code, lead + token))
    if number == 3:
        return stream + plant(f"after EOI of a tile of level {level}").encode()
    return stream


def _plant_tags(directory: Directory, plant: Plant) -> None:
    """Hide tokens in the tags of the first directory, in those it points at, and in its colour profile."""
    for code, name in _TAGS.items():
        directory.tags[code] = (Type.ASCII, plant(f"tag {code} {name}"))
    packet = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><dc:title>{plant('XMP')}</dc:title></x:xmpmeta>"
    iptc = plant("IPTC").encode()
    directory.tags |= {
        700: (Type.BYTE, packet.encode()),
        33723: (Type.UNDEFINED, b"\x1c\x02\x05" + len(iptc).to_bytes(2, "big") + iptc),
        34377: (Type.BYTE, b"8BIM\x04\x04\0\0" + plant("Photoshop").encode()),
        34675: (Type.UNDEFINED, icc.profile(plant)),
        65001: (Type.UNDEFINED, plant("private tag in UTF-16").encode("utf-16-le")),
    }
    comment = b"ASCII\0\0\0" + plant("EXIF UserComment").encode()
    directory.below = {
        34665: [Directory({36867: (Type.ASCII, plant("EXIF DateTimeOriginal")), 37510: (Type.UNDEFINED, comment)})],
        34853: [Directory({28: (Type.UNDEFINED, plant("GPS area").encode())})],
    }


def _append_what_nothing_points_at(plant: Plant, writer: Writer) -> None:
    lost = label_picture("OLD LABEL")
    text = plant("description of a directory outside the chain")
    writer.append(picture(387, 463, [lost.tobytes()], subfile=1, description=text), linked=False)
    writer.put(plant("bytes after the last structure").encode())
