"""A slide for trying things out: drawn, not scanned, with a label, a barcode and names of people who never lived.

It is written as an Aperio scanner writes its files, with names in all the places in which such files carry them, so
that whoever runs the demonstration can see for themselves that none of them gets through.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image, ImageDraw, ImageFont

from ingest.cli.drawing.section import draw_section
from ingest.cli.drawing.tissue import Section

Picture = npt.NDArray[np.uint8]
"""(height, width, 3) uint8, RGB."""

PATIENT = "HN-20417-7735"
"""What the made-up hospital calls its patient."""
CASE = "S26-0104732"
"""The made-up accession number."""
BLOCK = "A3"
STAIN = "H&E"

PLANTED = {
    "label: name": "QUILLFEATHER, DOROTHEA",
    "label: hospital number": PATIENT,
    "label: barcode": f"{CASE}-{BLOCK}",
    "label: hospital": "LARKSPUR VALE INFIRMARY",
    "description: text before the first bar": "Larkspur Vale Infirmary",
    "description: Title": "QUILLFEATHER^DOROTHEA^F",
    "description: Filename": f"{CASE}_Quillfeather",
    "description: Barcode": f"*{CASE}-{BLOCK}*",
    "description: User": "5c1e0d3a-77b2-4f0e-9d35-larkspur0417",
    "description: ScanScope ID": "SS-LARKSPUR-0417",
    "description: CustomField.Date_of_Birth": "born 23 November 1958",
    "description of the label": "label of D. Quillfeather",
    "tag DocumentName": f"{PATIENT} Quillfeather",
    "tag Artist": "Technician Wren Oakhollow",
    "tag HostComputer": "scanner-2.pathology.larkspur-vale",
    "private tag": f"slide of {PATIENT}",
    "XMP packet": "requested by Dr Ambrose Tallowmere",
    "comment in every tile": "tile of Quillfeather, Dorothea",
    "after the end of every tile": "Ward 7, Bed 12, Larkspur Vale",
    "behind the last structure": "Dorothea Quillfeather, 14 Thistledown Row",
}
"""Where each made-up name is put. None is shorter than 10 bytes, so none occurs by chance."""

BLOCK_SIDE, TILE = 1024, 256
MPP = 0.499
QUALITY = 75

_CODE_39 = {
    **{"0": "nnnwwnwnn", "1": "wnnwnnnnw", "2": "nnwwnnnnw", "3": "wnwwnnnnn", "4": "nnnwwnnnw", "5": "wnnwwnnnn"},
    **{"6": "nnwwwnnnn", "7": "nnnwnnwnw", "8": "wnnwnnwnn", "9": "nnwwnnwnn", "A": "wnnnnwnnw", "S": "nnwnnnwwn"},
    **{"-": "nwnnnnwnw", "*": "nwnnwnwnn"},
}
"""Narrow and wide, bar and gap in turn, of the characters that are used."""


def draw_demo_slide(
    path: Path,
    width: int = 12_000,
    height: int = 9_000,
    seed: int = 7,
    tell: Callable[[float], None] = lambda share: None,
) -> None:
    """Draw a section of colon and write it as an SVS file with label, macro and thumbnail.

    Parameters
    ----------
    width, height
        Size of the largest level in pixels; the smaller ones are a quarter and a sixteenth.
    tell
        Is told how much is done, from 0 to 1.
    """
    section = draw_section(width, height, seed)
    quarter = np.zeros((-(-height // BLOCK_SIDE) * TILE, -(-width // BLOCK_SIDE) * TILE, 3), np.uint8)
    with tifffile.TiffWriter(path, bigtiff=False) as file:
        _write_level(file, (height, width), _drawn_tiles(section, quarter, tell), 1, width, height)
        levels = [quarter[: height // 4, : width // 4]]
        levels.append(np.asarray(Image.fromarray(levels[0]).reduce(4))[: height // 16, : width // 16])
        _write_strips(
            file, _thumbnail(levels[-1]), f"{width}x{height} -> 1024 - |Title = {PLANTED['description: Title']}"
        )
        for k, level in enumerate(levels):
            _write_level(file, level.shape[:2], _cut_tiles(level), 4 ** (k + 1), width, height)
        label = draw_label()
        _write_label(file, label)
        _write_strips(file, _macro(label, levels[-1]), "macro 1280x431", subfiletype=9)
    with path.open("ab") as end:
        end.write(PLANTED["behind the last structure"].encode())


def draw_label() -> Picture:
    """Draw the sticker with its made-up name, numbers and Code 39 barcode, (600, 640, 3) uint8."""
    image = Image.new("RGB", (640, 600), (249, 248, 242))
    draw = ImageDraw.Draw(image)
    lines = [
        (PLANTED["label: hospital"], 30, 24),
        (PLANTED["label: name"], 42, 76),
        (PLANTED["label: hospital number"], 38, 140),
        (f"{CASE}   {BLOCK}", 46, 200),
        (f"{STAIN}   23.11.1958", 38, 272),
    ]
    for text, size, top in lines:
        draw.text((36, top), text, fill=(24, 24, 30), font=ImageFont.load_default(size))
    x = 64
    for character in f"*{PLANTED['label: barcode']}*":
        for k, breadth in enumerate(_CODE_39[character]):
            wide = 6 if breadth == "w" else 2
            if k % 2 == 0:
                draw.rectangle((x, 350, x + wide - 1, 540), fill=(15, 15, 18))
            x += wide
        x += 2
    return np.asarray(image)


def _drawn_tiles(section: Section, quarter: Picture, tell: Callable[[float], None]) -> Iterator[bytes]:
    """Draw the largest level and yield its tiles by rows; fill in the level of a quarter on the way."""
    columns, rows = -(-section.width // TILE), -(-section.height // TILE)
    per_block = BLOCK_SIDE // TILE

    def draw(place: tuple[int, int]) -> list[list[bytes]]:
        row, column = place
        block = section.block(column * BLOCK_SIDE, row * BLOCK_SIDE, BLOCK_SIDE)
        smaller = np.asarray(Image.fromarray(block).reduce(4))
        quarter[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE] = smaller
        parts = block.reshape(per_block, TILE, per_block, TILE, 3).swapaxes(1, 2)
        return [[_encoded(part) for part in line] for line in parts]

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        across, down = -(-columns // per_block), -(-rows // per_block)
        blocks: list[list[Future[list[list[bytes]]]]] = [
            [pool.submit(draw, (row, column)) for column in range(across)] for row in range(down)
        ]
        for number, line in enumerate(blocks):
            done = [block.result() for block in line]
            tell((number + 1) / down)
            for k in range(min(per_block, rows - number * per_block)):
                yield from [tile for block in done for tile in block[k]][:columns]


def _cut_tiles(level: Picture) -> Iterator[bytes]:
    beyond = [(0, -side % TILE) for side in level.shape[:2]]
    padded = np.pad(level, (*beyond, (0, 0)), mode="edge")
    for y in range(0, padded.shape[0], TILE):
        for x in range(0, padded.shape[1], TILE):
            yield _encoded(padded[y : y + TILE, x : x + TILE])


def _encoded(tile: Picture) -> bytes:
    """Compress as a scanner does, YCbCr 4:2:0, and put a name in front of the picture and one behind it."""
    stream = imagecodecs.jpeg8_encode(
        np.ascontiguousarray(tile), level=QUALITY, colorspace="RGB", outcolorspace="YCBCR", subsampling="420"
    )
    comment = PLANTED["comment in every tile"].encode()
    segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
    return bytes(stream[:2]) + segment + bytes(stream[2:]) + PLANTED["after the end of every tile"].encode()


def _write_level(
    file: tifffile.TiffWriter, shape: tuple[int, ...], tiles: Iterator[bytes], reduction: int, width: int, height: int
) -> None:
    fields = {"AppMag": "20", "MPP": f"{MPP}", "Date": "11/23/25", "Time": "09:41:07"}
    fields |= {place.split(": ")[1]: PLANTED[place] for place in PLANTED if place.startswith("description: ")}
    named = fields.pop("text before the first bar")
    size = f"{width}x{height} [0,0 {width}x{height}] ({TILE}x{TILE})"
    size += f" -> {shape[1]}x{shape[0]}" if reduction > 1 else ""
    text = f"Aperio Image Library v11.2.1 \r\n{size} JPEG/YCC Q={QUALITY} {named}"
    tags = {269: "tag DocumentName", 315: "tag Artist", 316: "tag HostComputer", 65000: "private tag"}
    extra: list[Any] = [(code, 2, None, PLANTED[place], True) for code, place in tags.items()]
    packet = PLANTED["XMP packet"].encode()
    extra.append((700, 1, len(packet), packet, True))
    file.write(
        tiles,
        shape=(*shape, 3),
        dtype="uint8",
        photometric="ycbcr",
        subsampling=(2, 2),
        tile=(TILE, TILE),
        compression="jpeg",
        description=text + "".join(f"|{key} = {value}" for key, value in fields.items()),
        metadata=None,
        software=False,
        extratags=extra if reduction == 1 else [],
    )


def _write_strips(file: tifffile.TiffWriter, picture: Picture, text: str, subfiletype: int = 0) -> None:
    file.write(
        picture,
        photometric="rgb",
        compression="jpeg",
        compressionargs={"level": 80},
        rowsperstrip=16,
        subfiletype=subfiletype,
        description=f"Aperio Image Library v11.2.1 \r\n{text}",
        metadata=None,
        software=False,
    )


def _write_label(file: tifffile.TiffWriter, label: Picture) -> None:
    file.write(
        label,
        photometric="rgb",
        compression="lzw",
        predictor=True,
        rowsperstrip=7,
        subfiletype=1,
        description=f"Aperio Image Library v11.2.1 \r\nlabel 640x600 {PLANTED['description of the label']}",
        metadata=None,
        software=False,
    )


def _thumbnail(smallest: Picture) -> Picture:
    image = Image.fromarray(smallest)
    image.thumbnail((1024, 768))
    return np.asarray(image)


def _macro(label: Picture, smallest: Picture) -> Picture:
    """Picture the whole glass from above, (431, 1280, 3) uint8: sticker on the left, section under its coverslip."""
    image = Image.new("RGB", (1280, 431), (226, 228, 229))
    image.paste(Image.fromarray(label).resize((395, 370)), (22, 30))
    section = Image.fromarray(smallest)
    section.thumbnail((700, 330))
    left, top = 500 + (700 - section.width) // 2, (431 - section.height) // 2
    image.paste(section, (left, top))
    draw = ImageDraw.Draw(image)
    draw.rectangle((470, 18, 1240, 412), outline=(196, 200, 203), width=2)
    return np.asarray(image)
