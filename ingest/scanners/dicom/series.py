"""The files of one slide have the number of their series in common, and lie in one folder.

All that belongs to a slide is looked for, whichever of its files it was named by. A picture that is there twice under
one number is one picture; two pictures of one size under two numbers are a slide that nobody here understands.

Source: DICOM PS3.3 section C.7.6.16.2.2.4 (concatenation); OpenSlide's rules for what belongs together.
"""

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ingest.errors import Reason, SlideRefused
from ingest.scanners._shapes import same_shape
from ingest.scanners.dicom.files import Files
from ingest.scanners.dicom.header import MARK, META_AT, Header, read_header
from ingest.scanners.dicom.instance import Flavour, Instance

MAX_NEIGHBOURS: Final = 4096
WHOLE_SLIDE_MICROSCOPY: Final = "1.2.840.10008.5.1.4.1.1.77.1.6"


def instances_of(files: Files, path: Path) -> tuple[Instance, ...]:
    """Read the headers of a slide's files, the one that it was named by first.

    Raises
    ------
    SlideRefused
        If the file names no series, or one of it cannot be read or holds pixels that are not stored.
    """
    first = read_header(files, path)
    series = first.value("SeriesInstanceUID")
    if not series:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    found = [first, *(one for one in _neighbours(files, path) if one.value("SeriesInstanceUID") == series)]
    unique: dict[str, Header] = {}
    for header in found:
        unique.setdefault(str(header.value("SOPInstanceUID", header.path)), header)
    return tuple(Instance.of(header) for header in unique.values())


def levels_of(instances: Iterable[Instance]) -> list[tuple[Instance, ...]]:
    """Put the parts of each level together, the largest level first.

    What calls itself a level and has other proportions than the largest is none: converters write labels so.

    Raises
    ------
    SlideRefused
        If a part is missing, or two pictures are of one size.
    """
    by_size = defaultdict(list)
    for instance in instances:
        if instance.flavour is Flavour.VOLUME:
            by_size[instance.size].append(instance)
    levels = [_together(sorted(parts, key=lambda part: part.part)) for parts in by_size.values()]
    levels.sort(key=lambda parts: -parts[0].size.width)
    return [parts for parts in levels if same_shape(parts[0].size, levels[0][0].size)]


def _together(parts: list[Instance]) -> tuple[Instance, ...]:
    """Check that the parts of one picture are all there and agree."""
    first, numbers = parts[0], [part.part for part in parts]
    if not first.concatenation and len(parts) > 1:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    shape = {(p.concatenation, p.tile, p.channels, p.header.syntax, p.planes, p.says_ycbcr, p.is_full) for p in parts}
    if len(shape) > 1 or len(set(numbers)) < len(numbers):
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    expected = max(part.parts for part in parts) if first.concatenation else 1
    if numbers != list(range(1, max(expected, len(parts)) + 1)):
        raise SlideRefused(Reason.MISSING_COMPANION)
    return tuple(parts)


def _neighbours(files: Files, path: Path) -> Iterable[Header]:
    """Read the headers of the other DICOM files in a folder that this process may read."""
    for name in sorted(os.listdir(path.parent))[:MAX_NEIGHBOURS]:
        other = path.parent / name
        if other == path or not _is_dicom(files, other):
            continue
        header = read_header(files, other)
        if header.value("SOPClassUID") == WHOLE_SLIDE_MICROSCOPY:
            yield header


def _is_dicom(files: Files, path: Path) -> bool:
    """Whether a file can be read and is DICOM; the jail can read the slide's own files and no others."""
    try:
        return files.head(path, META_AT - len(MARK), len(MARK)) == MARK
    except SlideRefused:
        return False
