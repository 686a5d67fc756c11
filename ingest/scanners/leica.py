"""Leica SCN (SCN400 and SCN400F).

A BigTIFF file whose first description is XML: a collection, which is the whole glass in nanometres, and in it images,
each with the place on the glass that it shows (view) and the directories of its levels (dimension). One image is of the
whole glass, label included: the macro. Nothing calls it so; its view is the collection's. Here any image counts as
macro that shows most of the glass or whose pixels are wider than any objective's, because any other would be kept.

The other images are regions of tissue, and may be of several magnifications. Each is a scan of its own, in the order
of the XML, and its tiles are copied; the glass between them is kept by none. Directories of other focal planes (z) than
0, and of fluorescence, are left behind.

Source: OpenSlide's description of the format.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import tifffile

from ingest.errors import Reason, SlideRefused
from ingest.scanners._leica_xml import Collection, Region, collection_of, facts_of, root_of
from ingest.scanners._shapes import same_shape
from ingest.scanners._tiff import TiffLevel, decoded_picture, open_tiff, page_size, text_properties
from ingest.scanners.base import MAX_REGIONS, AssociatedImage, AssociatedKind, Pixels, Scan, ScanReader, bounded


class LeicaLevel(TiffLevel):
    """A level of a region, which OpenSlide shows on a canvas of the whole glass, together with all other regions."""

    def __init__(self, page: tifffile.TiffPage, number: int, region: Region, collection: Collection) -> None:
        super().__init__(page)
        dimension = region.dimensions[number]
        if self.size != dimension.size or not self.in_tiles:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        self.canvas = collection.canvas(number)
        self.offset = region.place(number)[:2]
        self._others = [
            other.place(number)
            for other in collection.regions
            if other is not region and number < len(other.dimensions)
        ]

    def is_alone_at(self, x: int, y: int, width: int, height: int) -> bool:
        """Whether no other region reaches there; of regions that overlap OpenSlide shows one, and says not which."""
        left, top = self.offset[0] + x, self.offset[1] + y
        return not any(
            left <= their_left + their_width
            and their_left <= left + width
            and top <= their_top + their_height
            and their_top <= top + height
            for their_left, their_top, their_width, their_height in self._others
        )


class LeicaReader(ScanReader):
    """Reads SCN files; each of their regions is a scan."""

    maker = "leica"

    def __init__(self, path: Path) -> None:
        self._file = open_tiff(path)

    @classmethod
    def recognise(cls, path: Path) -> str | None:
        """Say None if the first description is Leica's XML."""
        with open_tiff(path) as file:
            return None if root_of(file.pages.first.description) is not None else "no XML of Leica"

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def scan(self) -> Scan:
        """Tell levels, associated images and facts of the first region."""
        return self.scans()[0]

    def scans(self) -> tuple[Scan, ...]:
        """Tell the same of each region; one that is not as the XML says spoils the file."""
        regions = self._collection.regions
        if not regions:
            raise SlideRefused(self._why_none())
        directories = [dimension.directory for region in regions for dimension in region.dimensions]
        known = set(range(len(self._pages))) - _directories(self._macros)
        if len(regions) > MAX_REGIONS:
            raise SlideRefused(Reason.TOO_MANY_REGIONS)
        if len(set(directories)) < len(directories) or not known.issuperset(directories):
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        return tuple(map(self._scan_of, regions))

    def _scan_of(self, region: Region) -> Scan:
        pages = [self._pages[dimension.directory] for dimension in region.dimensions]
        levels = tuple(LeicaLevel(page, number, region, self._collection) for number, page in enumerate(pages))
        if not all(same_shape(level.size, levels[0].size) for level in levels):
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        return Scan(
            self.maker,
            levels,
            tuple(image for image, _ in self._associated()),
            bounded({**facts_of(self._xml, region), **self._texts}),
            pages[0].iccprofile,
        )

    def pictures(self, kind: AssociatedKind) -> Iterator[Pixels]:
        """Decode the associated images of a kind, the largest of the macro first."""
        for image, page in sorted(self._associated(), key=lambda pair: -pair[0].size.pixels):
            if image.kind is kind:
                yield from decoded_picture(page)

    @cached_property
    def _pages(self) -> list[tifffile.TiffPage]:
        return [page for page in self._file.pages if isinstance(page, tifffile.TiffPage)]

    @cached_property
    def _xml(self) -> ElementTree.Element:
        root = root_of(self._pages[0].description)
        if root is None:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        return root

    @cached_property
    def _collection(self) -> Collection:
        return collection_of(self._xml)

    @cached_property
    def _texts(self) -> dict[str, str]:
        return text_properties(self._pages)

    @property
    def _macros(self) -> list[Region]:
        return [image for image in self._collection.images if self._collection.is_macro(image)]

    def _why_none(self) -> Reason:
        """Say why there is no region: all that there is is fluorescence, or only the macro."""
        others = [image for image in self._collection.images if not self._collection.is_macro(image)]
        return Reason.UNSUPPORTED_PIXELS if others else Reason.NOT_A_WHOLE_SLIDE

    def _associated(self) -> Iterator[tuple[AssociatedImage, tifffile.TiffPage]]:
        """Tell which directories are no levels of a region."""
        of_macros, of_regions = _directories(self._macros), _directories(self._collection.regions)
        for number, page in enumerate(self._pages):
            if number in of_macros:
                yield AssociatedImage(AssociatedKind.MACRO, "its view is the whole glass", page_size(page)), page
            elif number not in of_regions:
                yield AssociatedImage(AssociatedKind.UNKNOWN, "no level of a region", page_size(page)), page


def _directories(images: list[Region]) -> set[int]:
    return {dimension.directory for image in images for dimension in image.dimensions}
