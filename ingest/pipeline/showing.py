"""Inside the jail: draw a view of a staged scan, so that the pixels of a stranger's file are decoded nowhere else."""

import base64
from pathlib import Path
from typing import Any

from archive.holdings.pixels import Level
from ingest.pipeline.answers import level_from_json
from ingest.sandbox import Tell
from ingest.screening import Look, Place, View, draw


def show(tell: Tell, folder: str, levels: list[dict[str, Any]], place: list[int], reduced: float) -> dict[str, Any]:
    """Draw a view.

    Parameters
    ----------
    tell
        Told nothing.
    folder : str
        Where the pyramid is staged.
    levels : list of dict
        Its levels, as `level_to_json` writes them.
    place : list of int
        ``[x, y, width, height]`` in pixels of level 0.
    reduced : float
        How many pixels of level 0 become one of the view each way.

    Returns
    -------
    dict
        ``height`` and ``width``, and in ``pixels`` their RGB values in base64, row by row.
    """
    del tell
    stored = [Level(Path(folder), number, level_from_json(value)) for number, value in enumerate(levels)]
    x, y, width, height = place
    pixels = draw(stored, View(Place(x, y, width, height), reduced, Look.WHOLE))
    return {
        "height": pixels.shape[0],
        "width": pixels.shape[1],
        "pixels": base64.b64encode(pixels.tobytes()).decode(),
    }
