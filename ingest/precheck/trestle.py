"""A Trestle slide is a TIFF with files beside it that none of its tags names; only their names tell.

``Name.Full`` is a JPEG picture of the whole glass with its label; ``Name.tif-Nb`` tells how far each tile of level N
lies from where it should.

Source: OpenSlide's description of the Trestle format.
"""

import re
from pathlib import Path
from typing import Final

from ingest.errors import SlideRefused
from ingest.precheck.source import Source
from ingest.precheck.tiff_directories import TiffFile

_SOFTWARE: Final = 305
_ASCII: Final = 2
_MARK: Final = b"MedScan"
_SHIFTS: Final = "-[0-9]{1,3}b?"


def is_trestle(source: Source) -> bool:
    """Tell whether a TIFF was written by Trestle's software, as OpenSlide tells it; what is damaged was not."""
    try:
        software = next(TiffFile(source, ndpi=False).directories()).get(_SOFTWARE)
        return software is not None and software.type == _ASCII and source.head(len(_MARK), software.place) == _MARK
    except SlideRefused:
        return False


def overview_of(path: Path) -> Path:
    """Name the picture of the whole glass, as OpenSlide looks for it; it need not be there."""
    return path.with_suffix(".Full")


def is_beside(name: str, slide: str) -> bool:
    """Tell whether a file beside a Trestle slide tells of its tiles' places, by their names."""
    return name.startswith(slide) and re.fullmatch(_SHIFTS, name[len(slide) :]) is not None
