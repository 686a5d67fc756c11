"""What people write on slides, laid over a picture: names and numbers, printed, by hand, as barcodes, under ink.

Print is set in the fonts that Matplotlib brings along, so that the same are everywhere. Writing by hand is drawn with
Hershey's script strokes, uneven as a hand is, with the round end of a marker.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import numpy.typing as npt
import zxingcpp
from PIL import Image, ImageDraw, ImageFont

from tests.slides.tissue import Picture

Mask = npt.NDArray[np.uint8]
"""(height, width) uint8: how much ink there is, 0 to 255."""

FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique", "DejaVuSerif"),
    *("DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSerif-BoldItalic", "DejaVuSansMono", "DejaVuSansMono-Bold"),
    *("DejaVuSansMono-Oblique", "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
)
HANDS = (
    *(cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX, cv2.FONT_HERSHEY_SIMPLEX),
    *(cv2.FONT_HERSHEY_SIMPLEX | cv2.FONT_ITALIC, cv2.FONT_HERSHEY_DUPLEX | cv2.FONT_ITALIC),
)
"""With the fonts, twenty."""

FAMILIES = ("Smith", "Oluwaseun", "Featherstone", "Nowak", "MacGregor", "Begum", "Whitfield", "Hargreaves")
INKS = ((20, 20, 30), (25, 35, 110), (90, 20, 30), (15, 70, 45))
PAPERS = ((250, 249, 244), (228, 232, 240), (246, 236, 190))


@dataclass(frozen=True)
class Written:
    """A picture on which something is written, and where: ``(x, y, width, height)`` in pixels."""

    picture: Picture
    place: tuple[int, int, int, int]
    text: str


def line_of(number: int) -> str:
    """Make up a line as it stands on slides; the same for the same number."""
    rng = np.random.default_rng(number)
    family = FAMILIES[number % len(FAMILIES)]
    serial, year, part = rng.integers(1000, 99999), rng.integers(10, 26), "ABCDEF"[number % 6]
    kinds = (f"{family} {part}", f"S{year}-{serial} {part}1", f"{family.upper()} {serial}", f"{year}H{serial}")
    return kinds[number // len(FAMILIES) % len(kinds)]


def written(base: Picture, number: int) -> Written:
    """Write one made-up line on a picture; fonts, sizes, turns, inks, papers and places go with the number.

    Parameters
    ----------
    base
        ``(height, width, 3)`` uint8 RGB; it stays as it is.
    number
        Twenty in a row have twenty different fonts.
    """
    rng = np.random.default_rng(1000 + number)
    text, style = line_of(number), number % (len(FONTS) + len(HANDS))
    height_px = round(max(base.shape[:2]) * rng.uniform(0.018, 0.07))
    by_hand = style >= len(FONTS)
    mask = hand(text, HANDS[style - len(FONTS)], height_px, rng) if by_hand else print_of(text, FONTS[style], height_px)
    turn = 90 * (number // 20 % 4) + rng.uniform(-12, 12)
    paper = None if by_hand or number % 3 else PAPERS[number % len(PAPERS)]
    return laid(base, mask, text, turn, INKS[number % len(INKS)], paper, rng)


def print_of(text: str, font: str, height_px: int) -> Mask:
    """Set a line in print."""
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"
    face = ImageFont.truetype(str(path), height_px)
    left, top, right, bottom = face.getbbox(text)
    image = Image.new("L", (int(right - left) + height_px, int(bottom - top) + height_px))
    ImageDraw.Draw(image).text((height_px / 2 - left, height_px / 2 - top), text, 255, face)
    return np.asarray(image)


def hand(text: str, face: int, height_px: int, rng: np.random.Generator) -> Mask:
    """Write a line as a hand with a marker does."""
    scale, thickness = height_px / 24, max(2, round(height_px * rng.uniform(0.07, 0.12)))
    (width, height), below = cv2.getTextSize(text, face, scale, thickness)
    mask = np.zeros((height + below + 2 * height_px, width + 2 * height_px), np.uint8)
    cv2.putText(mask, text, (height_px, height + height_px), face, scale, 255, thickness, cv2.LINE_AA)
    rows, columns = np.mgrid[: mask.shape[0], : mask.shape[1]].astype(np.float32)
    sway, beat = height_px * 0.06, height_px * rng.uniform(1.5, 3.0)
    uneven = (columns + sway * np.sin(rows / beat), rows + 2 * sway * np.sin(columns / (2 * beat)))
    return np.asarray(cv2.remap(mask, *uneven, cv2.INTER_LINEAR), np.uint8)


def barcode_of(text: str, symbology: str, height_px: int) -> Mask:
    """Print a barcode, its quiet zone included, so high."""
    code = zxingcpp.create_barcode(text, zxingcpp.barcode_format_from_str(symbology))
    drawn = 255 - np.asarray(zxingcpp.write_barcode_to_image(code, scale=1))
    factor = max(1, height_px // drawn.shape[0]) if drawn.shape[0] > 12 else max(2, height_px // 25)
    mask = np.repeat(np.repeat(drawn, factor, 0), factor, 1)
    return np.pad(mask, 6 * factor)


def laid(
    base: Picture,
    mask: Mask,
    text: str,
    turn: float,
    ink: tuple[int, int, int],
    paper: tuple[int, int, int] | None,
    rng: np.random.Generator,
) -> Written:
    """Lay ink, and the paper that it stands on if there is one, over a picture, turned by so many degrees."""
    inked, papered = _turned(mask, turn), _turned(np.full_like(mask, 255), turn)
    fit = min(1.0, 0.9 * base.shape[1] / inked.shape[1], 0.9 * base.shape[0] / inked.shape[0])
    inked, papered = (cv2.resize(one, None, fx=fit, fy=fit, interpolation=cv2.INTER_AREA) for one in (inked, papered))
    height, width = inked.shape
    x, y = int(rng.integers(0, base.shape[1] - width)), int(rng.integers(0, base.shape[0] - height))
    picture = base.copy()
    part = picture[y : y + height, x : x + width].astype(np.float32)
    if paper is not None:
        part += (np.array(paper, np.float32) - part) * (papered[..., None] / 255)
    elif np.median(part) < 110:  # on a dark slide nobody could read it otherwise
        ink = (235, 235, 225)
    part += (np.array(ink, np.float32) - part) * (inked[..., None] / 255 * 0.92)
    picture[y : y + height, x : x + width] = np.clip(part, 0, 255)
    return Written(picture, (x, y, width, height), text)


def _turned(mask: Mask, degrees: float) -> Mask:
    return np.asarray(Image.fromarray(mask).rotate(degrees, Image.Resampling.BICUBIC, expand=True))
