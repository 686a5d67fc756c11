"""Three components of a picture may be RGB, or brightness and colour differences; glass, which is bright, tells which.

On glass red, green and blue are all bright; or the brightness is, and the differences are in the middle of their range,
128. It is looked at only where nothing else tells: some converters copy a stream and write another photometric
interpretation.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np

from ingest.scanners.base import Pixels

BRIGHT: Final = 200
NEAR: Final = 25
"""How far from the middle of their range the colour differences of something bright can be."""

ENOUGH_PX: Final = 64
SURE: Final = 4
"""How many times as many pixels must look like one as like the other."""


def looks_ycbcr(pictures: Iterable[Pixels]) -> bool | None:
    """Tell what components are.

    Parameters
    ----------
    pictures : iterable of numpy.ndarray
        ``(height, width, 3)`` uint8, as the streams hold them.

    Returns
    -------
    bool or None
        None if there is too little glass to tell.
    """
    bright = middle = 0
    for picture in pictures:
        first, others = picture[..., 0], picture[..., 1:].astype(np.int16)
        bright += int(((first >= BRIGHT) & (others >= BRIGHT).all(axis=-1)).sum())
        middle += int(((first >= BRIGHT) & (abs(others - 128) <= NEAR).all(axis=-1)).sum())
    if max(bright, middle) < ENOUGH_PX or max(bright, middle) < SURE * min(bright, middle):
        return None
    return middle > bright
