"""Inside the jail: look at one picture, and tell where something is in it, in plain numbers and never in words."""

import signal
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.screening.bars import find_barcodes
from ingest.screening.ink import find_ink, find_stickers
from ingest.screening.seen import Seen
from ingest.screening.verdict import Kind
from ingest.screening.views import Look
from ingest.screening.words import find_words

AT_MOST = 64
"""Findings of one kind in one picture that are told."""

DOUBTFUL = "doubtful"

PATIENCE = 20.0
"""How many times its seconds on the processor a view may take by the clock, on a machine that does much else."""


def inspect(tell: Any, picture: npt.NDArray[np.uint8], look: str, cpu_seconds: float) -> dict[str, Any]:
    """Look at a picture.

    Parameters
    ----------
    tell
        Told nothing.
    picture : numpy.ndarray
        ``(height, width, 3)`` uint8 RGB.
    look : str
        How it is gone through, a value of `Look`. Ink and stickers are looked for on the whole slide only.
    cpu_seconds : float
        After so much time on the processor this process ends, or after twenty times as much by the clock.

    Returns
    -------
    dict
        By kind, and for what looks like writing but cannot be read, lists of ``[x, y, width, height, confidence]``;
        and the seconds that it took.
    """
    del tell
    began = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)  # nobody handles these signals, which end the process
    signal.setitimer(signal.ITIMER_REAL, PATIENCE * cpu_seconds)
    is_whole = look == Look.WHOLE
    try:
        legible, doubtful = find_words(picture, Look(look))
        told: dict[str, list[Seen]] = {
            Kind.TEXT: legible,
            Kind.BARCODE: find_barcodes(picture, narrow=look != Look.ALONG),
            Kind.PEN: find_ink(picture) if is_whole else [],
            Kind.STICKER: find_stickers(picture) if is_whole else [],
            DOUBTFUL: sorted(doubtful, key=lambda seen: -seen.confidence),
        }
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.setitimer(signal.ITIMER_REAL, 0.0)
    answer: dict[str, Any] = {str(kind): [one.as_json() for one in seen[:AT_MOST]] for kind, seen in told.items()}
    return answer | {"cpu_seconds": time.process_time() - began}


def warm_up(tell: Any) -> None:
    """Load the models, by looking at a picture of nothing."""
    del tell
    find_words(np.full((64, 64, 3), 255, np.uint8), Look.CLOSE)
