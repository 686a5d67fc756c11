"""How a DICOM slide's frames are written: by a compression for each transfer syntax, and in fragments behind a table.

Source: DICOM PS3.5 annex A.
"""

import struct
from collections.abc import Callable, Sequence

import imagecodecs
import numpy as np
from pydicom.pixels.encoders import RLELosslessEncoder

from tests.slides.tissue import Picture

SYNTAXES = {
    "implicit": "1.2.840.10008.1.2",
    "explicit": "1.2.840.10008.1.2.1",
    "jpeg": "1.2.840.10008.1.2.4.50",
    "jpeg extended": "1.2.840.10008.1.2.4.51",
    "jpeg lossless": "1.2.840.10008.1.2.4.70",
    "jpeg-ls": "1.2.840.10008.1.2.4.80",
    "jpeg2000": "1.2.840.10008.1.2.4.90",
    "jpeg2000 lossy": "1.2.840.10008.1.2.4.91",
    "htj2k": "1.2.840.10008.1.2.4.201",
    "rle": "1.2.840.10008.1.2.5",
}
NATIVE = {"implicit", "explicit"}
DCT = {"jpeg", "jpeg extended"}


def compress(part: Picture, syntax: str, *, planes: bool = False) -> bytes:
    """Write one tile as a transfer syntax other than DCT says.

    Parameters
    ----------
    planes
        Whether uncompressed colours lie one after the other.
    """
    if syntax in NATIVE:
        return (np.moveaxis(part, -1, 0) if planes else part).tobytes()
    return _COMPRESS[syntax](np.ascontiguousarray(part))


def encapsulated(streams: Sequence[bytes], pieces: int, *, basic: bool) -> tuple[bytes, list[int], list[int]]:
    """Lay frames as items, each in so many pieces: all of them, and the offset and the length of each frame.

    Parameters
    ----------
    basic
        Whether the first item, the basic offset table, says where frames begin.
    """
    body, offsets, lengths = bytearray(), [], []
    for stream in streams:
        stream += b"\0" * (len(stream) % 2)
        offsets.append(len(body))
        lengths.append(len(stream))
        step = -(-len(stream) // pieces)
        step += step % 2
        for at in range(0, len(stream), step):
            body += _item(stream[at : at + step])
    return _item(struct.pack(f"<{len(offsets)}I", *offsets) if basic else b"") + body, offsets, lengths


def _item(content: bytes) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content


def _run_lengths(part: Picture) -> bytes:
    samples = 3 if part.ndim == 3 else 1
    return bytes(
        RLELosslessEncoder.encode(
            part,
            **{"rows": part.shape[0], "columns": part.shape[1], "samples_per_pixel": samples, "bits_allocated": 8},
            **{"bits_stored": 8, "pixel_representation": 0, "number_of_frames": 1, "planar_configuration": 0},
            photometric_interpretation="RGB" if samples == 3 else "MONOCHROME2",
        )
    )


_COMPRESS: dict[str, Callable[[Picture], bytes]] = {
    "jpeg lossless": lambda part: bytes(imagecodecs.jpeg8_encode(part, lossless=True)),
    "jpeg-ls": lambda part: bytes(imagecodecs.jpegls_encode(part)),
    "jpeg2000": lambda part: bytes(imagecodecs.jpeg2k_encode(part, codecformat="j2k", reversible=True)),
    "jpeg2000 lossy": lambda part: bytes(imagecodecs.jpeg2k_encode(part, 40, codecformat="j2k", reversible=False)),
    "htj2k": lambda part: bytes(imagecodecs.htj2k_encode(part)),
    "rle": _run_lengths,
}
