"""A label may survive in other pixels than its own, smaller, larger and compressed again, and still can be read.

So it is looked for as an eye would: at every size, at every place, by how its brightness goes up and down.
"""

from typing import Any

import cv2
import numpy as np

from tests.slides.tissue import Picture

LOOKED_AT_PX = 160
"""Longest side of what is searched: lines of writing are still told apart."""

WIDTHS = tuple(dict.fromkeys(round(20 * 1.05**k) for k in range(43)))
"""How wide the picture looked for may be in it: each a twentieth wider than the one before."""

FEWEST_PX = 450
"""Of a picture that is looked for: smaller ones look like much by chance."""

ALIKE = 0.74
"""Correlation from which two pictures are of the same thing; what was never together stays below 0.7."""


def likeness(picture: Picture, shown: Picture) -> float:
    """Tell how much of a picture is seen anywhere in another, from 0 to 1.

    Parameters
    ----------
    picture, shown
        ``(height, width[, 3])`` uint8.
    """
    canvas = _grey(shown)
    canvas = _resized(canvas, min(1.0, LOOKED_AT_PX / max(canvas.shape)))
    known = _grey(picture)
    best = _alike(canvas, cv2.resize(known, canvas.shape[::-1], interpolation=cv2.INTER_AREA))
    for width in WIDTHS:
        small = _resized(known, width / known.shape[1])
        fits = small.shape[0] <= canvas.shape[0] and small.shape[1] <= canvas.shape[1]
        if fits and small.size >= FEWEST_PX and small.std() > 1:
            best = max(best, _alike(canvas, small))
    return best


def _alike(canvas: "np.ndarray[Any, Any]", small: "np.ndarray[Any, Any]") -> float:
    return float(np.nan_to_num(_correlated(canvas, small)).max())


def _correlated(canvas: "np.ndarray[Any, Any]", small: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """Correlate at each place; a place without any change in it is like nothing."""
    found = cv2.matchTemplate(canvas, small, cv2.TM_CCOEFF_NORMED)
    shape = small.shape[::-1]
    mean = cv2.boxFilter(canvas.astype(np.float64), -1, shape, anchor=(0, 0))
    square = cv2.boxFilter(canvas.astype(np.float64) ** 2, -1, shape, anchor=(0, 0))
    spread = (square - mean**2)[: found.shape[0], : found.shape[1]]
    return np.where(spread > 1, found, 0)


def _grey(picture: Picture) -> Picture:
    colour = picture if picture.ndim == 3 else picture[..., None]
    return np.ascontiguousarray(colour.mean(axis=-1).round().astype(np.uint8))


def _resized(grey: Picture, factor: float) -> Picture:
    size = (max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor)))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
