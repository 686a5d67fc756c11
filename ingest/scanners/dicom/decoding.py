"""How a frame's pixels are written is told by its file's transfer syntax, and by the stream itself, which is believed.

Whatever the file says of its colours, a JPEG 2000 stream says itself whether they were transformed, and its decoder
gives back RGB. A JPEG stream says so too, or leaves it to the file (`archive.pyramid`).

Sources: DICOM PS3.5 annexes A, G (run lengths) and section 8.2; PS3.3 section C.7.6.3.1.2 (photometric interpretation).
"""

from collections.abc import Callable
from typing import Any, Final

import imagecodecs
import numpy as np

from archive.geometry import Size
from ingest.errors import Reason, SlideRefused
from ingest.scanners.base import Pixels

JPEG: Final = frozenset({"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"})
"""Sequential DCT: baseline, and extended, whose 8-bit streams are the same to every decoder."""

NATIVE: Final = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"})

_DECODERS: Final[dict[str, Callable[..., Any]]] = {
    "1.2.840.10008.1.2.4.57": imagecodecs.jpeg8_decode,
    "1.2.840.10008.1.2.4.70": imagecodecs.jpeg8_decode,
    "1.2.840.10008.1.2.4.80": imagecodecs.jpegls_decode,
    "1.2.840.10008.1.2.4.81": imagecodecs.jpegls_decode,
    **dict.fromkeys((f"1.2.840.10008.1.2.4.{end}" for end in (90, 91, 201, 202, 203)), imagecodecs.jpeg2k_decode),
}

RUN_LENGTHS: Final = "1.2.840.10008.1.2.5"

SYNTAXES: Final = JPEG | NATIVE | {RUN_LENGTHS} | _DECODERS.keys()


def decode_frame(stream: bytes, syntax: str, tile: Size, channels: int, *, planes: bool, ycbcr: bool) -> Pixels:
    """Decode one frame.

    Parameters
    ----------
    stream : bytes
        The frame as it lies in the file.
    syntax : str
        Its transfer syntax, one of `SYNTAXES`.
    tile : Size
        What it must measure, in pixels.
    channels : int
        1 or 3.
    planes : bool
        Whether the colours of uncompressed pixels lie one after the other.
    ycbcr : bool
        Whether a JPEG stream holds YCbCr.

    Returns
    -------
    numpy.ndarray
        ``(tile height, tile width, channels)`` uint8, RGB or grey.

    Raises
    ------
    SlideRefused
        If the stream is damaged, or of another shape or depth.
    """
    shape = (tile.height, tile.width, channels)
    if syntax in NATIVE:
        return _arranged(stream, shape, planes)
    try:
        if syntax in JPEG:
            decoded = _jpeg(stream, shape, ycbcr)
        elif syntax == RUN_LENGTHS:
            return _arranged(bytes(imagecodecs.dicomrle_decode(stream, "u1")), shape, planes=True)
        else:
            decoded = _DECODERS[syntax](stream)
    except (RuntimeError, ValueError) as error:
        raise SlideRefused(Reason.UNREADABLE_PIXELS) from error
    if decoded.dtype != np.uint8:
        raise SlideRefused(Reason.UNSUPPORTED_PIXELS)
    if decoded.size != tile.pixels * channels or decoded.shape[:2] != shape[:2]:
        raise SlideRefused(Reason.UNREADABLE_PIXELS)
    return np.asarray(decoded, np.uint8).reshape(shape)


def _arranged(pixels: bytes, shape: tuple[int, int, int], planes: bool) -> Pixels:
    """Arrange uncompressed pixels."""
    height, width, channels = shape
    if len(pixels) < height * width * channels:
        raise SlideRefused(Reason.UNREADABLE_PIXELS)
    flat = np.frombuffer(pixels, np.uint8, height * width * channels)
    if planes:
        return np.ascontiguousarray(np.moveaxis(flat.reshape(channels, height, width), 0, -1))
    return flat.reshape(shape)


def _jpeg(stream: bytes, shape: tuple[int, int, int], ycbcr: bool) -> Pixels:
    """Decode a JPEG stream as what it holds; the decoder refuses any other shape before it takes memory."""
    height, width, channels = shape
    if channels == 1:
        return np.asarray(imagecodecs.jpeg8_decode(stream, out=np.empty((height, width), np.uint8)))
    out = np.empty(shape, np.uint8)
    return np.asarray(
        imagecodecs.jpeg8_decode(stream, colorspace="YCBCR" if ycbcr else "RGB", outcolorspace="RGB", out=out)
    )
