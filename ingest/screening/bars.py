"""Inside the jail: barcodes of every kind that is in use are looked for, in every direction, also light on dark."""

from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

from ingest.screening.seen import Seen

SYMBOLOGIES: Final = zxingcpp.barcode_formats_from_str(
    "Code128, Code39, Code93, Codabar, ITF, EAN-13, EAN-8, UPC-A, UPC-E, DataBar Expanded, DataMatrix, QRCode, "
    "MicroQRCode, RMQRCode, PDF417, MicroPDF417, Aztec, MaxiCode"
)

LEAST_CHARACTERS: Final = 3
"""What is shorter was read into fibres and folds."""


def find_barcodes(picture: npt.NDArray[np.uint8], *, narrow: bool) -> list[Seen]:
    """Find barcodes that can be read.

    Parameters
    ----------
    picture
        ``(height, width, 3)`` uint8 RGB.
    narrow
        Whether to look a second time, enlarged: narrow bars are a pixel wide on an overview.
    """
    grey: Any = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    found = _read(grey, 1.0)
    if narrow and not found:
        enlarged = cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        found = _read(enlarged, 2.0, reduced=False)  # that one has been read
    return found


def _read(grey: Any, factor: float, *, reduced: bool = True) -> list[Seen]:
    barcodes = zxingcpp.read_barcodes(
        grey, formats=SYMBOLOGIES, text_mode=zxingcpp.TextMode.Plain, try_downscale=reduced
    )
    return [_seen(one.position, factor) for one in barcodes if one.valid and len(one.text) >= LEAST_CHARACTERS]


def _seen(position: Any, factor: float) -> Seen:
    corners = (position.top_left, position.top_right, position.bottom_left, position.bottom_right)
    xs, ys = [corner.x / factor for corner in corners], [corner.y / factor for corner in corners]
    return Seen(min(xs), min(ys), max(1.0, max(xs) - min(xs)), max(1.0, max(ys) - min(ys)), 1.0)
