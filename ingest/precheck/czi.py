"""A Zeiss CZI file is a chain of segments; its first one tells where the directory and the metadata lie.

Source: Zeiss, *CZI file format specification* (ZISRAW), file header segment.
"""

import struct
from typing import Final

from ingest.errors import Reason, SlideRefused
from ingest.precheck.source import Source

_SEGMENT: Final = struct.Struct("<16sqq")
_HEADER: Final = struct.Struct("<iiii16s16siqqiq")
"""Version, reserved, two identifiers, part, directory, metadata, update pending, attachment directory."""


def check_czi(source: Source) -> None:
    """Check that the directories of a CZI file lie inside it, and that it is one whole file.

    Raises
    ------
    SlideRefused
        With the reason.
    """
    _, allocated, used = _SEGMENT.unpack(source.read(0, _SEGMENT.size))
    if used > allocated or allocated < _HEADER.size:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    header = _HEADER.unpack(source.read(_SEGMENT.size, _HEADER.size))
    part, directory, metadata, attachments = header[6], header[7], header[8], header[10]
    if part != 0:  # the second file of several; readers here follow none
        raise SlideRefused(Reason.UNSUPPORTED_FORMAT)
    for place in (directory, metadata, attachments):
        if place < 0:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        if place and not source.holds(place, _SEGMENT.size):
            raise SlideRefused(Reason.TRUNCATED)
