"""Hamamatsu NDPI (NanoZoomer).

A little-endian classic TIFF that may outgrow four gigabytes: places of directories are told in 64 bits, and behind
each directory stand the upper 32 bits of its values. Tag 65420 marks it. Each directory is one picture in one strip;
SourceLens (65421) tells which: an objective's power is a level, -1 is the macro, which shows the slide label, and -2 a
map of the places that are not empty. Levels of other focal planes than 0 (65424) follow those of the first.

A level is one JPEG stream with restart markers, listed in 65426 and, above four gigabytes, 65432. Its frame may tell
no size, or a wrong one, where a side is longer than JPEG can tell.

Sources: OpenSlide's and tifffile's descriptions of the format; ITU-T T.81.
"""

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import openslide
import tifffile

from archive.holdings.pixels import NotPlainJpeg
from ingest.errors import Reason, SlideRefused
from ingest.scanners._ndpi import level_of
from ingest.scanners._shapes import same_shape
from ingest.scanners._tiff import decoded_picture, is_simple, open_tiff, page_size, text_properties
from ingest.scanners.base import AssociatedImage, AssociatedKind, Pixels, Scan, ScanReader, SourceLevel, bounded
from ingest.scanners.through_openslide import OpenSlideLevel, open_slide, whole_downsample

SOURCE_LENS, FOCAL_PLANE, PROPERTY_MAP = 65421, 65424, 65449
MACRO, MAP = -1, -2


class HamamatsuReader(ScanReader):
    """Reads NDPI files."""

    maker = "hamamatsu"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = open_tiff(path, ndpi=True)

    @classmethod
    def recognise(cls, path: Path) -> str | None:
        """Say None if OpenSlide finds the mark that is in every NDPI file."""
        return None if openslide.OpenSlide.detect_format(path) == cls.maker else "no tag 65420"

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        if "_slide" in vars(self):
            vars(self).pop("_slide").close()

    @cached_property
    def _slide(self) -> openslide.OpenSlide:
        """The file as OpenSlide reads it, opened only for what cannot be copied."""
        return open_slide(self._path)

    def scan(self) -> Scan:
        """Tell levels, associated images and facts."""
        if not self._of_levels:
            raise SlideRefused(Reason.NOT_A_WHOLE_SLIDE)
        first = self._of_levels[0]
        levels = [level for page in self._of_levels for level in self._level(page)]
        if not levels or levels[0].size != page_size(first):
            raise SlideRefused(Reason.UNREADABLE_PIXELS)
        if any(one.size.width <= other.size.width for one, other in pairwise(levels)):
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        return Scan(
            self.maker,
            tuple(levels),
            tuple(_associated(page) for page in self._others),
            bounded({**_facts(first), **text_properties(self._pages)}),
            first.iccprofile,
        )

    def pictures(self, kind: AssociatedKind) -> Iterator[Pixels]:
        """Decode the associated images of a kind."""
        for page in self._others:
            if _associated(page).kind is kind:
                yield from decoded_picture(page)

    @cached_property
    def _pages(self) -> list[tifffile.TiffPage]:
        return [page for page in self._file.pages if isinstance(page, tifffile.TiffPage)]

    @cached_property
    def _of_levels(self) -> list[tifffile.TiffPage]:
        """The directories of levels, the first of which is the largest, and all are of its shape."""
        marked = [page for page in self._pages if _number(page, SOURCE_LENS) > 0 and not _number(page, FOCAL_PLANE)]
        if any(page.imagewidth > marked[0].imagewidth and page.imagelength > marked[0].imagelength for page in marked):
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        return [page for page in marked if same_shape(page_size(page), page_size(marked[0]))]

    @property
    def _others(self) -> list[tifffile.TiffPage]:
        return [page for page in self._pages if page not in self._of_levels]

    def _level(self, page: tifffile.TiffPage) -> Iterator[SourceLevel]:
        """Give the level that a directory holds, unless it can neither be copied nor addressed through OpenSlide."""
        if not is_simple(page):
            raise SlideRefused(Reason.UNSUPPORTED_PIXELS)
        try:
            yield level_of(page)
        except NotPlainJpeg:
            sizes, size = self._slide.level_dimensions, page_size(page)
            number = sizes.index((size.width, size.height)) if (size.width, size.height) in sizes else None
            factor = None if number is None else whole_downsample(self._slide, number)
            if number is not None and factor is not None:
                yield OpenSlideLevel(self._slide, number, factor)


def _number(page: tifffile.TiffPage, tag: int) -> float:
    value = page.tags.valueof(tag, default=0)
    return float(value) if isinstance(value, int | float) else 0.0


def _associated(page: tifffile.TiffPage) -> AssociatedImage:
    lens = _number(page, SOURCE_LENS)
    if lens == MACRO:
        return AssociatedImage(AssociatedKind.MACRO, "SourceLens -1", page_size(page))
    if lens == MAP:
        return AssociatedImage(AssociatedKind.MAP, "SourceLens -2", page_size(page))
    found_by = "another focal plane than 0" if _number(page, FOCAL_PLANE) else "no mark of a level, or another shape"
    return AssociatedImage(AssociatedKind.UNKNOWN, found_by, page_size(page))


def _facts(page: tifffile.TiffPage) -> dict[str, str]:
    """Read the objective, and the pairs that the scanner keeps as a text of lines."""
    found = {"hamamatsu.SourceLens": f"{_number(page, SOURCE_LENS):g}"}
    text = page.tags.valueof(PROPERTY_MAP)
    for line in text.splitlines() if isinstance(text, str) else ():
        key, equals, value = line.partition("=")
        if key and equals:
            found.setdefault(f"hamamatsu.{key.strip()}", value.strip())
    return found
