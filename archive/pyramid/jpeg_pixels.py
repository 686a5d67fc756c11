"""From a JPEG tile to pixels and back, by libjpeg-turbo."""

import imagecodecs
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


def decode_jpeg(tile: bytes, *, width: int, height: int, channels: int = 3, out: Pixels | None = None) -> Pixels:
    """Decode one stored tile.

    The expected shape is given to the decoder, which refuses any other before it allocates memory.

    Parameters
    ----------
    tile : bytes
        A whole JPEG file.
    width, height : int
        What the level says a tile measures, in pixels.
    channels : int
        3 for RGB, 1 for greyscale.
    out : numpy.ndarray, optional
        Where to put the pixels, contiguous and of the shape below.

    Returns
    -------
    numpy.ndarray
        ``(height, width, 3)`` uint8 RGB, or ``(height, width)`` for greyscale.

    Raises
    ------
    ValueError
        If the stream is malformed or of another shape.
    """
    if out is None:
        out = np.empty((height, width, 3) if channels == 3 else (height, width), np.uint8)
    try:
        imagecodecs.jpeg8_decode(tile, out=out)
    except RuntimeError as error:  # Jpeg8Error
        raise ValueError("the JPEG stream cannot be decoded") from error
    return out


def encode_jpeg(pixels: Pixels, *, quality: int, subsampling: str = "420") -> bytes:
    """Encode ``(height, width, 3)`` RGB or ``(height, width)`` grey uint8 pixels as a baseline JPEG file.

    A colour stream is YCbCr and says so in a JFIF segment.
    """
    if pixels.ndim == 2:
        return bytes(imagecodecs.jpeg8_encode(pixels, level=quality))
    return bytes(
        imagecodecs.jpeg8_encode(
            pixels, level=quality, colorspace="RGB", outcolorspace="YCBCR", subsampling=subsampling
        )
    )
