"""A label's barcode says whose slide it is, and says it to machines: it is read in the jail, compared, and forgotten.

Labels are glued on askew, printed faintly and photographed small. A picture that gives nothing is looked at again,
enlarged and then turned either way. Where there is no picture of the label, the macro may show it, and
in a file without marks any other picture.

Nothing that goes wrong here is a reason not to take a slide: then no barcode was read.
"""

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

from ingest.scanners.base import AssociatedKind, ScanReader

Grey = npt.NDArray[np.uint8]

MAX_BARCODES = 16
MAX_CHARACTERS = 500

MAX_PICTURES = 4
"""Pictures of one file that are looked at."""

MAX_PIXELS = 1 << 21
"""A picture with more is reduced: a label that fills it still has bars some pixels wide."""

SMALL_PIXELS = 1 << 19
"""Only a picture with fewer is enlarged, and one that is turned is reduced to twice as many."""

ANGLES = (-12, 12)
"""Degrees. The reader itself finds bars that are turned by up to some twenty degrees, and by right angles."""

LABELS = (AssociatedKind.LABEL, AssociatedKind.MACRO, AssociatedKind.UNKNOWN)
"""Pictures that may show the label, the likeliest first."""

SYMBOLOGIES = zxingcpp.barcode_formats_from_str(
    "Code128, Code39, Code93, Codabar, ITF, DataMatrix, QRCode, MicroQRCode, RMQRCode, PDF417, MicroPDF417, Aztec"
)
"""What label printers print. Those of shops are left out: they are short, so that a line of text may be read as one."""


def barcodes_of(reader: ScanReader) -> tuple[str, ...]:
    """Read what the barcodes on a slide's label say.

    Parameters
    ----------
    reader
        The open slide.

    Returns
    -------
    tuple of str
        At most 16 texts of at most 500 characters, each once; none if nothing can be read.
    """
    for kind in LABELS:
        with suppress(Exception):  # whatever a decoder thinks of a label, the slide is none the worse for it
            pictures = list(islice(reader.pictures(kind), MAX_PICTURES))
            if pictures:
                return next(filter(None, map(read_barcodes, pictures)), ())
    return ()


def read_barcodes(image: npt.NDArray[np.uint8]) -> tuple[str, ...]:
    """Read every barcode in a picture.

    Parameters
    ----------
    image
        ``(height, width)`` or ``(height, width, 3)`` uint8, grey or RGB.

    Returns
    -------
    tuple of str
        At most 16 texts of at most 500 characters, each once, in the order in which they were found.
    """
    for attempt in _attempts(_grey(image)):
        found = zxingcpp.read_barcodes(attempt, formats=SYMBOLOGIES, text_mode=zxingcpp.TextMode.Plain)
        texts = (_text(barcode) for barcode in found)
        unique = dict.fromkeys(text for text in texts if 0 < len(text) <= MAX_CHARACTERS)
        if unique:
            return tuple(unique)[:MAX_BARCODES]
    return ()


def _text(barcode: Any) -> str:
    return str(barcode.text).strip() if barcode.valid else ""


def _grey(image: npt.NDArray[np.uint8]) -> Grey:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image
    return _reduced(np.ascontiguousarray(grey, np.uint8), MAX_PIXELS)


def _reduced(grey: Grey, pixels: int) -> Grey:
    """Reduce a picture that has more pixels."""
    factor = (pixels / grey.size) ** 0.5
    if factor >= 1:
        return grey
    return _as_grey(cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))


def _attempts(grey: Grey) -> Iterator[Grey]:
    """Give a picture as it is, then enlarged, then turned."""
    yield grey
    if grey.size <= SMALL_PIXELS:
        yield _as_grey(cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC))
    grey = _reduced(grey, 2 * SMALL_PIXELS)
    for angle in ANGLES:
        yield _turned(grey, angle)


def _turned(grey: Grey, angle: float) -> Grey:
    """Turn a picture about its middle on white."""
    height, width = grey.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
    return _as_grey(cv2.warpAffine(grey, matrix, (width, height), borderValue=255))


def _as_grey(pixels: Any) -> Grey:
    return np.asarray(pixels, np.uint8)
