"""Inside the jail: markers and stickers have colours and edges that no stain and no tissue has.

Both are looked for on bright-field slides only: the dark ground of a fluorescence slide is neither ink nor paper.
"""

from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from ingest.screening.channels import brightest, darkest
from ingest.screening.seen import Seen

BRIGHT: Final = 170.0
"""A bright-field slide has this median brightness or more along its rim, of 255."""

INKS: Final = (
    ((35, 90, 20), (88, 255, 210)),  # green
    ((96, 150, 20), (122, 255, 200)),  # blue, far fuller than haematoxylin
    ((0, 0, 0), (180, 90, 45)),  # black
)
"""Lowest and highest hue (0 to 180), saturation and value of each marker's ink."""

PEN_SHARE: Final = 0.0008
"""Of the picture, that one stroke covers at least."""

STICKER_SHARE: Final = 0.02
STICKER_MOST: Final = 0.6
"""Of the picture, that a sticker covers at least, and at most."""

UNLIKE_GLASS: Final = 22
"""Difference of a colour channel, of 255, from which an area is not glass."""

PLAIN: Final = 14
"""Difference between neighbours, of 255, up to which an area counts as plain."""

RECTANGULAR: Final = 0.90
"""Share of its smallest rectangle that a sticker fills."""


def find_ink(picture: npt.NDArray[np.uint8]) -> list[Seen]:
    """Find strokes of a marker in a ``(height, width, 3)`` uint8 RGB picture."""
    if not _is_bright(picture):
        return []
    hsv = cv2.cvtColor(cv2.medianBlur(picture, 5), cv2.COLOR_RGB2HSV)
    found: list[Seen] = []
    for low, high in INKS:
        mask = cv2.inRange(hsv, np.array(low, np.uint8), np.array(high, np.uint8))
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        found += _areas(mask, PEN_SHARE * mask.size)
    return found


def find_stickers(picture: npt.NDArray[np.uint8]) -> list[Seen]:
    """Find plain areas with straight edges in a ``(height, width, 3)`` uint8 RGB picture."""
    if not _is_bright(picture):
        return []
    smooth = cv2.medianBlur(picture, 5)
    glass = np.full_like(smooth, np.median(_rim(picture), axis=0).astype(np.uint8))
    unlike = brightest(cv2.absdiff(smooth, glass)) > UNLIKE_GLASS
    steep = brightest(cv2.morphologyEx(smooth, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))) > PLAIN
    unscanned = (darkest(picture) > 250) | (brightest(picture) < 5)  # what a scanner fills gaps with
    mask = (unlike & ~steep & ~unscanned).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    return [
        _bounding(contour, 0.5)
        for contour in _contours(mask)
        if STICKER_SHARE <= cv2.contourArea(contour) / mask.size <= STICKER_MOST and _is_rectangle(contour)
    ]


def _is_rectangle(contour: Any) -> bool:
    _, (width, height), _ = cv2.minAreaRect(contour)
    return bool(width * height > 0 and cv2.contourArea(contour) / (width * height) >= RECTANGULAR)


def _is_bright(picture: npt.NDArray[np.uint8]) -> bool:
    return float(np.median(_rim(picture).mean(axis=1))) >= BRIGHT


def _rim(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Give the outermost pixels, ``(n, 3)``."""
    return np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])


def _areas(mask: Any, least: float) -> list[Seen]:
    return [_bounding(contour, 0.5) for contour in _contours(mask) if cv2.contourArea(contour) >= least]


def _contours(mask: Any) -> Any:
    return cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]


def _bounding(contour: Any, confidence: float) -> Seen:
    x, y, width, height = cv2.boundingRect(contour)
    return Seen(float(x), float(y), float(width), float(height), confidence)
