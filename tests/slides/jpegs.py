"""A JPEG stream says less about itself than its readers believe: its colours may be told only by its container.

Every stream here is written by libjpeg (Pillow) and then rebuilt segment by segment, so that what its header says and
does not say is exactly what the test asked for.
"""

import io
import struct
from collections.abc import Iterator
from typing import Literal

import imagecodecs
import numpy as np
from PIL import Image

from tests.slides.tissue import Picture

Colours = Literal["ycbcr", "rgb", "grey"]
Sampling = Literal["444", "422", "420"]

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
DHT, SOS, DQT, COM, APP1, APP13, APP14 = 0xC4, 0xDA, 0xDB, 0xFE, 0xE1, 0xED, 0xEE
FRAMES = {0xC0, 0xC1, 0xC2}


def encode(
    picture: Picture,
    *,
    colours: Colours = "ycbcr",
    sampling: Sampling = "420",
    quality: int = 75,
    component_ids: tuple[int, ...] | None = None,
    transform: int | None = None,
    restart_every: int = 0,
    progressive: bool = False,
) -> bytes:
    """Compress to a complete JPEG with nothing in its header but tables, frame and scan.

    Parameters
    ----------
    component_ids
        What the frame calls its components; libjpeg's own (1, 2, 3) unless given. Scanners also write (0, 1, 2).
    transform
        Value of an Adobe APP14 segment (0 says RGB, 1 says YCbCr); no such segment unless given.
    restart_every
        Restart interval in MCUs; none unless given.
    """
    options = {"quality": quality, "restart_marker_blocks": restart_every, "progressive": progressive}
    if colours == "rgb":
        options["keep_rgb"] = True
    elif colours == "ycbcr":
        options["subsampling"] = f"{sampling[0]}:{sampling[1]}:{sampling[2]}"
    written = io.BytesIO()
    Image.fromarray(picture).save(written, "JPEG", **options)
    head = SOI if transform is None else SOI + adobe(transform)
    plain = b"".join(s for code, s in segments(written.getvalue()) if not 0xE0 <= code <= 0xEF)
    renamed = head + plain + EOI
    ids = component_ids or ((1, 2, 3) if picture.ndim == 3 else (1,))
    return rename_components(renamed, ids)


def decode(stream: bytes, colours: Colours) -> Picture:
    """Decompress a complete JPEG as what it truly holds, whatever its header says."""
    plain = b"".join(s for code, s in segments(stream) if not 0xE0 <= code <= 0xEF and code != COM)
    head = b"" if colours == "grey" else adobe(1 if colours == "ycbcr" else 0)
    return np.asarray(imagecodecs.jpeg8_decode(SOI + head + plain + EOI))


def segments(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield marker code and bytes of each segment between SOI and EOI; a scan's segment holds its coded data too."""
    at = 2
    while stream[at : at + 2] != EOI:
        code, end = stream[at + 1], at + 2 + struct.unpack_from(">H", stream, at + 2)[0]
        if code == SOS:
            end = _end_of_scan(stream, end)
        yield code, stream[at:end]
        at = end


def split(stream: bytes) -> tuple[bytes, bytes]:
    """Cut a complete JPEG into its tables (SOI, DQT, DHT, EOI) and the abbreviated rest, as TIFF tiles store it."""
    parts = list(segments(stream))
    tables = b"".join(s for code, s in parts if code in (DQT, DHT))
    rest = b"".join(s for code, s in parts if code not in (DQT, DHT))
    return SOI + tables + EOI, SOI + rest + EOI


def join(tables: bytes, abbreviated: bytes) -> bytes:
    """Put shared tables back in front of an abbreviated stream; whatever follows EOI stays."""
    return SOI + tables[2:-2] + abbreviated[2:]


def adobe(transform: int) -> bytes:
    """Return an Adobe APP14 segment."""
    return segment(APP14, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, transform))


def segment(code: int, payload: bytes) -> bytes:
    """Return one marker segment."""
    return struct.pack(">BBH", 0xFF, code, len(payload) + 2) + payload


def insert(stream: bytes, *extra: bytes) -> bytes:
    """Put segments right behind SOI."""
    return SOI + b"".join(extra) + stream[2:]


def scan_data(stream: bytes) -> bytes:
    """Return the entropy-coded bytes of the first scan, which a faithful copy leaves as they are."""
    scan = next(s for code, s in segments(stream) if code == SOS)
    return scan[2 + struct.unpack_from(">H", scan, 2)[0] :]


def rename_components(stream: bytes, ids: tuple[int, ...]) -> bytes:
    """Give the components of a one-scan or progressive stream other identifiers, in frame and scan headers alike."""
    parts = []
    names: dict[int, int] = {}
    for code, s in segments(stream):
        head = bytearray(s)
        if code in FRAMES:
            for k in range(head[9]):
                names[head[10 + 3 * k]] = ids[k]
                head[10 + 3 * k] = ids[k]
        elif code == SOS:
            for k in range(head[4]):
                head[5 + 2 * k] = names[head[5 + 2 * k]]
        parts.append(bytes(head))
    return SOI + b"".join(parts) + EOI


def _end_of_scan(stream: bytes, at: int) -> int:
    while True:
        at = stream.index(b"\xff", at)
        if stream[at + 1] != 0 and not 0xD0 <= stream[at + 1] <= 0xD7:
            return at
        at += 2
