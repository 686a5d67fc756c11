"""From a stored tile to its pixels, of which there are as many as its level says, or it is damaged."""

import imagecodecs
import numpy as np
import numpy.typing as npt

from archive.pyramid.jpeg_pixels import Pixels, decode_jpeg
from archive.pyramid.layout import Coding, LevelLayout


def draw_tile(stored: bytes, layout: LevelLayout, out: Pixels) -> None:
    """Decode a tile of bright field into `out`, contiguous ``(tile height, tile width, 3)`` uint8 RGB.

    Raises
    ------
    ValueError
        If it cannot be decoded, or has another shape.
    """
    width, height = layout.tile.width, layout.tile.height
    if layout.coding is not Coding.JPEG:
        out[...] = stored_values(stored, layout)
    elif layout.channels == 3:
        decode_jpeg(stored, width=width, height=height, out=out)
    else:
        out[...] = decode_jpeg(stored, width=width, height=height, channels=1)[..., None]


def stored_values(stored: bytes, layout: LevelLayout) -> npt.NDArray[np.unsignedinteger]:
    """Decode a tile that was stored without loss: ``(tile height, tile width, channels in a tile)``, of its type.

    Raises
    ------
    ValueError
        If it cannot be decoded, or has another shape.
    """
    try:
        planes = imagecodecs.zstd_decode(stored, out=layout.tile_bytes)
    except RuntimeError as error:  # ZstdError
        raise ValueError("the tile cannot be decompressed") from error
    shape = (layout.tile_channels, layout.tile.height, layout.tile.width)
    return np.frombuffer(planes, layout.pixel_type.dtype).reshape(shape).transpose(1, 2, 0)
