"""What a slide reader is told before it opens a file can kill it, so the file's structure is checked first.

Of 1,870 damaged slides, 24 made OpenSlide abort the process that called it, and some made tifffile take six
gigabytes for a file of one (see *Untrusted files* in the documentation). Nearly all did it with numbers in the file's
directories: sizes, counts and places. Those are read here, in pure Python, a bounded number of bytes at a time, and a
file whose numbers cannot be true is refused before native code sees it. The pixels themselves are not looked at;
they are decoded in the jail.

Formats are told apart by what is in the file, not by its name; an exception is MIRAX, whose main file is an ordinary
JPEG picture and which its readers, too, know by name. A format that nobody here can read is refused by its name.
"""

from collections.abc import Callable
from pathlib import Path

from ingest.errors import SlideRefused
from ingest.precheck.belongings import belongings
from ingest.precheck.companions import parts_of
from ingest.precheck.dicom import Instance, check_dicom, instance_of, is_whole
from ingest.precheck.families import Family, family_of
from ingest.precheck.source import Source
from ingest.precheck.tiff import check_tiff
from ingest.precheck.tiff_directories import is_tiff

__all__ = ["Family", "Instance", "belongings", "instance", "is_whole", "parts", "precheck", "sniff"]

_CHECKS: dict[Family, Callable[[Source], None]] = {
    Family.TIFF: check_tiff,
    Family.NDPI: check_tiff,
    Family.DICOM: check_dicom,
}


def sniff(path: Path) -> Family:
    """Tell what a file is by its content.

    Raises
    ------
    SlideRefused
        If it is empty, cannot be opened, or is no ordinary file (a link, a folder, a device).
    """
    with Source.open(path) as source:
        return family_of(source)


def precheck(path: Path) -> Family:
    """Check a file's structure before native code opens it.

    Parameters
    ----------
    path
        The slide's main file. For MIRAX and VMS the other files that it names are looked for, too.

    Returns
    -------
    Family
        What the file is: one that a reader here may be given.

    Raises
    ------
    SlideRefused
        With the reason, if the file must not or cannot be read.
    """
    with Source.open(path) as source:
        family = family_of(source)
        family.require_readable()
        if family in _CHECKS:
            _CHECKS[family](source)
        if family not in {Family.TIFF, Family.NDPI} and is_tiff(source):
            check_tiff(source)  # DICOM leaves room for a TIFF header before it, so one file can be both
        parts_of(source, family)
    return family


def parts(path: Path) -> tuple[Path, ...]:
    """Name every file that a slide is made of, its main file first: what the jail may read, and nothing beside it.

    For DICOM these are the whole-slide images of the same series in the same folder.

    Raises
    ------
    SlideRefused
        If a part is missing, or named in a way that leads out of the slide's own folder.
    """
    with Source.open(path) as source:
        family = family_of(source)
        family.require_readable()
        return parts_of(source, family)


def instance(path: Path) -> Instance | None:
    """Read what a DICOM file says of the others of its slide; None of one that is not sound or says nothing.

    Whether all that it speaks of are there, `is_whole` tells.
    """
    try:
        with Source.open(path) as source:
            check_dicom(source)
            return instance_of(source)
    except SlideRefused:
        return None
