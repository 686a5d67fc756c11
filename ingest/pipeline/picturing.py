"""Inside the jail: draw what a person must see of a slide that waits, with its label, small enough for a screen."""

import base64
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from archive.holdings.pixels import WHITE, Pixels, encode_jpeg, window
from ingest.sandbox import Tell
from ingest.scanners import AssociatedKind, SourceLevel
from ingest.scanners.base import PlaneLevel
from ingest.scanners.opening import open_scan

SIDE_PX = 1200
"""Longest side of a picture: a label can be read, and a screen is filled."""

QUALITY = 90


def picture(tell: Tell, path: str) -> dict[str, Any]:
    """Draw the slide's label, macro, thumbnail and the first picture of unknown kind, whichever there are.

    Returns
    -------
    dict
        A JPEG file in base64 by kind. There is always a thumbnail; it is made of the smallest level where the file
        has none.
    """
    del tell
    found: dict[str, Any] = {}
    with open_scan(Path(path)) as reader:
        for kind in AssociatedKind:
            for pixels in islice(reader.pictures(kind), 1):
                found[kind.value] = encoded(reduced(pixels))
        if AssociatedKind.THUMBNAIL.value not in found:
            found[AssociatedKind.THUMBNAIL.value] = encoded(overview(reader.scan().levels[-1]))
    return found


def overview(level: SourceLevel) -> Pixels:
    """Draw a whole level at no more than 1,200 px a side, ``(height, width, 3)`` uint8, tile by tile.

    Of fluorescence all channels are drawn in grey, each between its own dark and bright values.
    """
    factor = max(1.0, max(level.size.width, level.size.height) / SIDE_PX)
    canvas = np.full((_at(level.size.height, factor) or 1, _at(level.size.width, factor) or 1, 3), WHITE, np.uint8)
    if level.planes:
        return coloured(np.max([_drawn(plane, level, factor, canvas.shape[:2]) for plane in level.planes], axis=0))
    for column, row, tile in level.decoded_tiles():
        x, y = column * level.tile.width, row * level.tile.height
        pixels = tile[: level.size.height - y, : level.size.width - x]
        left, top = _at(x, factor), _at(y, factor)
        width, height = _at(x + pixels.shape[1], factor) - left, _at(y + pixels.shape[0], factor) - top
        if width and height:
            canvas[top : top + height, left : left + width] = coloured(_resized(pixels, width, height))
    return canvas


def _drawn(plane: PlaneLevel, level: SourceLevel, factor: float, shape: tuple[int, ...]) -> Pixels:
    """Draw one channel, ``(height, width)`` uint8."""
    canvas = np.zeros(shape, level.pixel_type.dtype)
    for column, row, tile in plane.values():
        x, y = column * level.tile.width, row * level.tile.height
        values = tile[: level.size.height - y, : level.size.width - x]
        left, top = _at(x, factor), _at(y, factor)
        width, height = _at(x + values.shape[1], factor) - left, _at(y + values.shape[0], factor) - top
        if width and height:
            small = cv2.resize(np.ascontiguousarray(values), (width, height), interpolation=cv2.INTER_AREA)
            canvas[top : top + height, left : left + width] = small
    low, high = window(canvas)
    return np.asarray(np.clip((canvas.astype(np.float32) - low) / (high - low), 0, 1) * 255, np.uint8)


def _at(px: int, factor: float) -> int:
    """Where a pixel of a level comes to lie, so that neighbouring tiles meet."""
    return round(px / factor)


def reduced(pixels: Pixels) -> Pixels:
    """Draw a picture at no more than 1,200 px a side, in colour."""
    height, width = pixels.shape[:2]
    factor = max(1.0, max(height, width) / SIDE_PX)
    return coloured(_resized(pixels, _at(width, factor) or 1, _at(height, factor) or 1))


def _resized(pixels: Pixels, width: int, height: int) -> Pixels:
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def coloured(pixels: Pixels) -> Pixels:
    """Give ``(height, width, 3)`` of a picture in colour or in grey."""
    grey = pixels if pixels.ndim == 3 else pixels[..., None]
    return np.ascontiguousarray(np.repeat(grey, 3, axis=2) if grey.shape[2] == 1 else grey)


def encoded(pixels: Pixels) -> str:
    """Give a JPEG file in base64."""
    return base64.b64encode(encode_jpeg(pixels, quality=QUALITY, subsampling="444")).decode()
