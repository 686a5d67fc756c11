"""The one JPEG stream of an NDPI level: where it lies, what its header says, and how its restart intervals lie.

The frame may tell no size, or a wrong one, where a side is longer than JPEG can tell; the directory then is right.

Sources: OpenSlide's and tifffile's descriptions of the format; ITU-T T.81.
"""

from typing import Final

import numpy as np
import tifffile

from archive.geometry import Size
from archive.holdings.pixels import Header, HeaderReader, NotPlainJpeg, with_size
from ingest.errors import Reason, SlideRefused
from ingest.scanners._restart import Starts
from ingest.scanners._tiff import JPEG, page_size

MCU_STARTS, MCU_STARTS_HIGH = 65426, 65432
MCU_PX: Final = 8

LONGEST_JPEG_SIDE = 65_500
"""Above it libjpeg, and so the scanner's software, cannot tell a side in a JPEG frame."""

LONGEST_HEADER = 1 << 16

WIDEST_PICTURE, HIGHEST_PICTURE = 2048, 1024
"""Of a stream without restart markers that is copied as one tile."""


def strip_of(page: tifffile.TiffPage) -> tuple[int, int]:
    """Give where the JPEG stream lies in the file, and its length in bytes."""
    place, length = page.tags.valueof(273), page.tags.valueof(279)
    if page.compression != JPEG or not place or not length or len(place) != 1 or len(length) != 1:
        raise NotPlainJpeg("it is not one JPEG stream")
    return int(place[0]), int(length[0])


def size_and_header(page: tifffile.TiffPage) -> tuple[Size, bytes, Header]:
    """Read the level's size and the stream's header, with its bytes; where both tell a size, it must be one.

    Of a stream without restart markers the frame is right where they differ, as OpenSlide has it: it happens in
    small levels.
    """
    place, length = strip_of(page)
    file, size = page.parent.filehandle, page_size(page)
    file.seek(place)
    head = file.read(min(length, LONGEST_HEADER))
    if max(size.width, size.height) > LONGEST_JPEG_SIDE:
        head = with_size(head, 8, 8)  # which is no more wrong than what stands there, and can be read
    header = HeaderReader().read(head)
    told = Size(header.width, header.height)
    if max(size.width, size.height) <= LONGEST_JPEG_SIDE and told != size:
        if header.tables.restart_interval:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        size = told
    return size, head[: header.length], header


def interval_of(header: Header, size: Size, widest: int) -> Size:
    """Give the size of a restart interval in pixels, or of the whole picture where it has no restart markers."""
    wide = max(component.horizontal for component in header.components)
    high = max(component.vertical for component in header.components)
    mcu = Size(MCU_PX * wide, MCU_PX * high) if len(header.components) > 1 else Size(MCU_PX, MCU_PX)
    if not header.tables.restart_interval:
        if size.width > WIDEST_PICTURE or size.height > HIGHEST_PICTURE:
            raise NotPlainJpeg("it has no restart markers")
        return size
    interval = Size(header.tables.restart_interval * mcu.width, mcu.height)
    if interval.width > widest:
        raise NotPlainJpeg("its restart interval is too wide")
    if size.width % interval.width or size.height % interval.height:
        raise NotPlainJpeg("its restart intervals do not fill its rows")
    if high > 1:  # OpenSlide decodes each interval alone, and so blends no colours from one row to the next
        raise NotPlainJpeg("its colours reach across rows of restart intervals")
    return interval


def starts_told(page: tifffile.TiffPage, place: int) -> Starts | None:
    """Read the scanner's list of where the restart intervals begin, in bytes from the beginning of the file."""
    low, high = page.tags.valueof(MCU_STARTS), page.tags.valueof(MCU_STARTS_HIGH)
    if not isinstance(low, np.ndarray) or low.dtype.kind not in "iu":
        return None
    starts = low.astype(np.int64) + place
    if isinstance(high, np.ndarray) and high.dtype.kind in "iu" and high.shape == low.shape:
        starts += high.astype(np.int64) << 32
    return starts
