"""A plain TIFF may hold its tiles or strips in any of a dozen codings, and its smaller levels in either of two places.

Levels are further directories of the chain with subfile type 1, as libvips writes them, or SubIFDs of the first.
"""

import struct
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Literal

import imagecodecs
import numpy as np
import pyvips

from tests.slides import jpegs
from tests.slides.made import MadeLevel, MadeSlide, cut, mend
from tests.slides.planted import Plant
from tests.slides.svs import label_picture
from tests.slides.tiff import Compression, Directory, Photometric, Segment, Type, Writer, grid, picture
from tests.slides.tissue import Picture, reduced, tissue

APERIO_JPEG2000 = "Aperio Image Library v10.0.51 \r\n700x530 [0,0 700x530] (256x256) J2K/RGB|AppMag = 20|MPP = 0.5"
"""What an Aperio scanner writes where it was told to compress with JPEG 2000."""

_Change = Callable[[int, bytes], bytes]
"""Given the number of a tile or strip and its data; gives what is stored instead."""

Coding = Literal["none", "lzw", "deflate", "zstd", "jpeg", "jpeg-rgb", "jpeg2000", "webp"]

_CODINGS: dict[Coding, tuple[Compression, Callable[[Picture], bytes], Callable[[bytes], Picture] | None]] = {
    "none": (Compression.NONE, lambda p: p.tobytes(), None),
    "lzw": (Compression.LZW, lambda p: bytes(imagecodecs.lzw_encode(p.tobytes())), None),
    "deflate": (Compression.DEFLATE, lambda p: zlib.compress(p.tobytes()), None),
    "zstd": (Compression.ZSTD, lambda p: bytes(imagecodecs.zstd_encode(p.tobytes())), None),
    "jpeg": (Compression.JPEG, lambda p: jpegs.encode(p), lambda b: jpegs.decode(b, "ycbcr")),
    "jpeg-rgb": (
        Compression.JPEG,
        lambda p: jpegs.encode(p, colours="rgb", transform=0),
        lambda b: jpegs.decode(b, "rgb"),
    ),
    "jpeg2000": (
        Compression.JPEG2000_APERIO,
        lambda p: bytes(imagecodecs.jpeg2k_encode(p, level=90, codecformat="j2k", mct=False)),
        lambda b: np.asarray(imagecodecs.jpeg2k_decode(b)),
    ),
    "webp": (
        Compression.WEBP,
        lambda p: bytes(imagecodecs.webp_encode(p, lossless=True)),
        None,
    ),
}


def make_tiff(
    path: Path,
    coding: Coding = "deflate",
    *,
    width: int = 700,
    height: int = 530,
    tile: tuple[int, int] | None = (256, 256),
    factors: tuple[int, ...] = (1, 2, 4),
    levels_below: bool = False,
    mpp: float | None = 0.5,
    sparse: frozenset[tuple[int, int, int]] = frozenset(),
    big: bool = False,
    order: Literal["<", ">"] = "<",
    seed: int = 7,
    description: str | None = None,
    tags: Mapping[int, str] | None = None,
    pictures: int = 0,
    plant: Plant | None = None,
) -> MadeSlide:
    """Write a plain TIFF.

    Parameters
    ----------
    tile
        Width and height in pixels, or None for strips of 64 rows.
    levels_below
        Put the smaller levels into SubIFDs instead of the chain.
    sparse
        (level, column, row) of tiles without data.
    description
        Text of every level's tag 270. With ``APERIO_JPEG2000`` and the coding of that name, an Aperio slide.
    tags
        Further texts of the first directory, by their tags.
    pictures
        How many small pictures in strips follow, without any word.
    plant
        Where to register tokens, planted in the tags that any program may write.
    """
    whole = tissue(width, height, seed)
    writer = Writer(big=big, order=order)
    directories: list[Directory] = []
    levels: list[MadeLevel] = []
    for k, factor in enumerate(factors):
        pixels = whole if k == 0 else reduced(whole, width // factor, height // factor)
        missing = {(column, row) for level, column, row in sparse if level == k}
        change = partial(_plant_in_segment, plant, coding, k) if plant else None
        if plant and coding == "jpeg2000" and not description:
            change = partial(_plant_in_boxes, plant, k, tile or (width, 64), change)
        directory, level = _level(pixels, coding, tile, missing, mpp and mpp * factor, min(k, 1), change)
        if description:
            directory.tags[270] = (Type.ASCII, description)
        directories.append(directory)
        levels.append(level)
    directories[0].tags |= {code: (Type.ASCII, text) for code, text in (tags or {}).items()}
    if plant:
        _plant_tags(directories[0], plant)
    if levels_below:
        directories[0].below[330] = directories[1:]
        del directories[1:]
    directories += [picture(120, 80, [tissue(120, 80).tobytes()]) for _ in range(pictures)]
    for k, directory in enumerate(directories):
        writer.append(directory)
        if plant:
            writer.put(plant(f"slack behind directory {k}").encode())
    if plant:
        writer.append(_lost(plant), linked=False)
        writer.put(plant("bytes after the last structure").encode())
    return MadeSlide(writer.save(path), tuple(levels), plant or Plant(), mpp=mpp)


def make_libvips_tiff(
    path: Path, *, width: int = 1100, height: int = 810, quality: int = 75, rgb: bool = False, seed: int = 7
) -> MadeSlide:
    """Write a pyramid as libvips does: JPEG tiles of 256 px, each level half the one before, until one tile holds it.

    libvips turns chroma subsampling off from quality 90 on, and stores RGB streams where ``rgb`` asks for them.
    The known pixels are libvips's own reading of the file.
    """
    image = pyvips.Image.new_from_array(tissue(width, height, seed)).copy(interpretation="srgb", xres=2000, yres=2000)
    options = {"rgbjpeg": True} if rgb else {}
    image.tiffsave(
        str(path), tile=True, tile_width=256, tile_height=256, pyramid=True, compression="jpeg", Q=quality, **options
    )
    pages = pyvips.Image.new_from_file(str(path)).get("n-pages")
    pictures = [pyvips.Image.new_from_file(str(path), page=k).numpy() for k in range(pages)]
    return MadeSlide(path, tuple(MadeLevel(p, (256, 256)) for p in pictures), Plant(), mpp=0.5)


def make_unstorable_tiff(path: Path, kind: Literal["16-bit RGB", "five channels", "planar", "float"]) -> Path:
    """Write a tiled TIFF that is sound, with pixels of another kind than grey or 8-bit RGB side by side."""
    depth, samples = {"16-bit RGB": (16, 3), "five channels": (8, 5), "planar": (8, 3), "float": (32, 1)}[kind]
    count = samples if kind == "planar" else 1
    size = 256 * 256 * depth // 8 * (1 if kind == "planar" else samples)
    rng = np.random.default_rng(7)
    segments: list[Segment] = [rng.integers(0, 100, size, np.uint8).tobytes() for _ in range(4 * count)]
    directory = picture(
        512,
        512,
        segments,
        tile=(256, 256),
        photometric=Photometric.RGB if samples == 3 else Photometric.GREY,
        samples=samples,
        bits=depth,
    )
    if kind == "planar":
        directory.tags[284] = (Type.SHORT, [2])
    if kind == "float":
        directory.tags[339] = (Type.SHORT, [3])
    if kind == "five channels":
        directory.tags[338] = (Type.SHORT, [0] * 4)
    writer = Writer()
    writer.append(directory)
    return writer.save(path)


def _level(
    pixels: Picture,
    coding: Coding,
    tile: tuple[int, int] | None,
    missing: set[tuple[int, int]],
    mpp: float | None,
    subfile: int,
    change: _Change | None,
) -> tuple[Directory, MadeLevel]:
    height, width = pixels.shape[:2]
    compression, encode, decode = _CODINGS[coding]
    places = grid(width, height, tile) if tile else [(0, row) for row in range(-(-height // 64))]
    parts = {
        (column, row): cut(pixels, tile, column, row)
        if tile
        else np.ascontiguousarray(pixels[row * 64 : row * 64 + 64])
        for column, row in places
        if (column, row) not in missing
    }
    coded = {at: encode(part) for at, part in parts.items()}
    seen = {at: decode(coded[at]) for at in coded} if decode else parts
    shown = mend(width, height, tile, seen) if tile else np.concatenate([seen[at] for at in places])
    is_jpeg = compression is Compression.JPEG
    photometric = Photometric.YCBCR if coding == "jpeg" else Photometric.RGB
    tables = jpegs.split(next(iter(coded.values())))[0] if is_jpeg else None
    stored: list[Segment] = [jpegs.split(coded[at])[1] if is_jpeg else coded[at] for at in places if at in coded]
    if change:
        stored = [change(number, segment or b"") for number, segment in enumerate(stored)]
    lying = dict(zip((at for at in places if at in coded), stored, strict=True))
    directory = picture(
        width,
        height,
        [lying.get(at) for at in places],
        tile=tile,
        rows_per_strip=64,
        compression=compression,
        photometric=photometric,
        subfile=subfile,
        tables=tables,
        sampling=(2, 2) if coding == "jpeg" else None,
        mpp=mpp,
    )
    return directory, MadeLevel(shown, tile or (width, 64), coded if is_jpeg else {})


def _plant_in_segment(plant: Plant, coding: Coding, level: int, number: int, stream: bytes) -> bytes:
    """Hide tokens in the first tiles or strips of a level, where their coding has room for words."""
    if coding in ("jpeg", "jpeg-rgb") and number < 2:
        name, code, lead = (("COM", jpegs.COM, b""), ("APP1", jpegs.APP1, b"Exif\0\0"))[number]
        token = plant(f"{name} in a tile of level {level}").encode()
        return jpegs.insert(stream, jpegs.segment(code, lead + token))
    if coding == "jpeg2000" and number == 0:
        token = plant(f"COM marker in a tile of level {level}").encode()
        begins = 4 + int.from_bytes(stream[4:6], "big")  # behind SOC and SIZ
        return stream[:begins] + struct.pack(">HHH", 0xFF64, 4 + len(token), 1) + token + stream[begins:]
    if coding in ("jpeg", "jpeg-rgb", "jpeg2000") and number == 2:
        return stream + plant(f"after the end of a tile of level {level}").encode()
    return stream


def _plant_in_boxes(
    plant: Plant,
    level: int,
    size: tuple[int, int],
    change: Callable[[int, bytes], bytes] | None,
    number: int,
    raw: bytes,
) -> bytes:
    """Store the second tile of a level as a JP2 file, whose boxes have room for words."""
    if number != 1:
        return change(number, raw) if change else raw
    words = plant(f"xml box in a tile of level {level}"), plant(f"uuid box in a tile of level {level}")
    header = _box(b"ihdr", struct.pack(">IIHBBBB", size[1], size[0], 3, 7, 7, 0, 0))
    header += _box(b"colr", struct.pack(">BBBI", 1, 0, 0, 16))
    return b"".join(
        (
            _box(b"jP  ", b"\r\n\x87\n"),
            _box(b"ftyp", b"jp2 \0\0\0\0jp2 "),
            _box(b"jp2h", header),
            _box(b"xml ", f"<x>{words[0]}</x>".encode()),
            _box(b"uuid", bytes(16) + words[1].encode()),
            _box(b"jp2c", raw),
        )
    )


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def _lost(plant: Plant) -> Directory:
    """Make a directory that nothing points at, with a label that somebody took out."""
    lost = label_picture("OLD LABEL")
    text = plant("description of a directory outside the chain")
    return picture(lost.shape[1], lost.shape[0], [lost.tobytes()], subfile=1, description=text)


def _plant_tags(directory: Directory, plant: Plant) -> None:
    for code in (269, 270, 271, 272, 285, 305, 306, 315, 316, 33432, 42016, 65000):
        directory.tags[code] = (Type.ASCII, plant(f"tag {code}"))
    directory.tags |= {
        700: (Type.BYTE, plant("XMP").encode()),
        33723: (Type.UNDEFINED, plant("IPTC").encode()),
        34377: (Type.BYTE, plant("Photoshop").encode()),
        65001: (Type.UNDEFINED, plant("private tag in UTF-16").encode("utf-16-be")),
    }
