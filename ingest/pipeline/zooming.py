"""Inside the jail: draw a whole slide and, closer, places of it, for whoever judges what was seen there."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from archive.geometry import Size
from archive.holdings.pixels import WHITE, Pixels
from ingest.pipeline.picturing import SIDE_PX, coloured, encoded, overview, reduced
from ingest.sandbox import Tell
from ingest.scanners import SourceLevel
from ingest.scanners.opening import open_scan

PLACE_PX = 640
"""A place has at least so many pixels on its longer side, where the slide has them."""

MOST_PX = 4096
"""Pixels each way that are decoded for one place; larger ones are cut from the picture of the whole slide."""

AROUND = 0.5
"""How much is shown around a place, of its longer side."""


def zoom(tell: Tell, path: str, region: int, places: list[list[int]]) -> dict[str, Any]:
    """Draw the whole of level 0, and each of some places.

    Parameters
    ----------
    tell
        Told nothing.
    path : str
        The slide's main file.
    region : int
        Which region of the glass, where the file holds several.
    places : list of list of int
        ``[x, y, width, height]`` in pixels of level 0.

    Returns
    -------
    dict
        JPEG files in base64: one as ``whole``, and in ``places`` one of each place in their order.
    """
    del tell
    with open_scan(Path(path)) as reader:
        levels = reader.scans()[region].levels
        whole = overview(_whole(levels))
        closer = [_place(levels, whole, place) for place in places]
        return {"whole": encoded(whole), "places": [encoded(reduced(one)) for one in closer]}


def _whole(levels: Sequence[SourceLevel]) -> SourceLevel:
    """Choose the smallest level that fills a screen, unless that takes long to decode."""
    large = [level for level in levels if max(level.size.width, level.size.height) >= SIDE_PX] or [levels[0]]
    smallest = min(large, key=lambda level: level.size.pixels)
    return smallest if smallest.size.pixels <= MOST_PX**2 else levels[-1]


def _place(levels: Sequence[SourceLevel], whole: Pixels, place: list[int]) -> Pixels:
    """Draw a place from the smallest level that shows it large enough, or cut it out of the whole."""
    full, (x, y, width, height) = levels[0].size, place
    wanted = min(1.0, PLACE_PX / max(width, height))
    level = min(
        (one for one in levels if one.size.width >= wanted * full.width or one is levels[0]),
        key=lambda one: one.size.width,
    )
    margin = AROUND * max(width, height)
    box = (x - margin, y - margin, x + width + margin, y + height + margin)
    cut = None if level.planes else _cut(level, *_on(level.size.width, level.size.height, full, box))
    if cut is None:
        left, top, right, bottom = _on(whole.shape[1], whole.shape[0], full, box)
        return whole[top:bottom, left:right]
    return cut


def _on(width: int, height: int, full: Size, box: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    """Say where a box of level 0 lies on a smaller picture of it: left, top, right, bottom."""
    across, down = width / full.width, height / full.height
    left = min(max(0, math.floor(box[0] * across)), width - 1)
    top = min(max(0, math.floor(box[1] * down)), height - 1)
    right, bottom = min(width, math.ceil(box[2] * across)), min(height, math.ceil(box[3] * down))
    return left, top, max(left + 1, right), max(top + 1, bottom)


def _cut(level: SourceLevel, left: int, top: int, right: int, bottom: int) -> Pixels | None:
    """Cut a rectangle out of a level; None if it is too large, or the file gives no single tiles there."""
    if max(right - left, bottom - top) > MOST_PX:
        return None
    canvas = np.full((bottom - top, right - left, 3), WHITE, np.uint8)
    found = False
    for row in range(top // level.tile.height, -(-bottom // level.tile.height)):
        for column in range(left // level.tile.width, -(-right // level.tile.width)):
            tile = level.decoded_tile(column, row)
            if tile is not None:
                found = True
                _lay(canvas, coloured(tile), column * level.tile.width - left, row * level.tile.height - top)
    return canvas if found else None


def _lay(canvas: Pixels, tile: Pixels, x: int, y: int) -> None:
    """Lay the part of a tile that is on a canvas there."""
    left, top = max(0, x), max(0, y)
    right, bottom = min(canvas.shape[1], x + tile.shape[1]), min(canvas.shape[0], y + tile.shape[0])
    if right > left and bottom > top:
        canvas[top:bottom, left:right] = tile[top - y : bottom - y, left - x : right - x]
