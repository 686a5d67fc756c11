"""Leica SCN (SCN400 and SCN400F).

A BigTIFF file whose first description is XML: a collection, which is the whole glass in nanometres, and in it images,
each with the place on the glass that it shows (view) and the directories of its levels (dimension). One image is of the
whole glass, label included: the macro. Nothing calls it so; its view is the collection's. Here any image counts as
macro that shows most of the glass or whose pixels are wider than any objective's, because any other would be kept.

The other images are regions of tissue, and may be of several magnifications. One region is one scan, and its tiles are
copied. Several of one magnification are read as OpenSlide lays them out on the glass; several magnifications are
refused. Directories of other focal planes (z) than 0, and of fluorescence, are left behind.

Source: OpenSlide's description of the format.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from functools import cached_property
from math import ceil
from pathlib import Path

import tifffile

from archive.geometry import Size
from ingest.errors import Reason, SlideRefused
from ingest.scanners._leica_xml import Collection, Dimension, Region, collection_of, facts_of, root_of
from ingest.scanners._tiff import TiffLevel, decoded_picture, open_tiff, page_size, same_shape, text_properties
from ingest.scanners.base import AssociatedImage, AssociatedKind, Pixels, Scan, ScanReader, bounded


class LeicaLevel(TiffLevel):
    """A level of a region, which OpenSlide shows on a canvas of the whole glass."""

    def __init__(self, page: tifffile.TiffPage, dimension: Dimension, region: Region, collection: Collection) -> None:
        super().__init__(page)
        if self.size != dimension.size or not self.in_tiles:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        nm = region.width / dimension.size.width
        self.canvas = Size(ceil(collection.width / nm), ceil(collection.height / nm))
        self.offset = int(region.left / nm), int(region.top / nm)


class LeicaReader(ScanReader):
    """Reads SCN files that hold one region."""

    maker = "leica"

    def __init__(self, path: Path) -> None:
        self._file = open_tiff(path)

    @classmethod
    def recognise(cls, path: Path) -> str | None:
        """Say None if the first description is Leica's XML, unless its regions are better read through OpenSlide."""
        with open_tiff(path) as file:
            root = root_of(file.pages.first.description)
        if root is None:
            return "no XML of Leica"
        return "several regions of one magnification" if collection_of(root).can_be_laid_out else None

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def scan(self) -> Scan:
        """Tell levels, associated images and facts."""
        regions = self._collection.regions
        if len(regions) != 1:
            raise SlideRefused(Reason.SEVERAL_MAGNIFICATIONS if regions else self._why_none())
        (region,) = regions
        levels = []
        macros = _directories([image for image in self._collection.images if self._collection.is_macro(image)])
        for dimension in region.dimensions:
            if not 0 <= dimension.directory < len(self._pages) or dimension.directory in macros:
                raise SlideRefused(Reason.DAMAGED_STRUCTURE)
            levels.append(LeicaLevel(self._pages[dimension.directory], dimension, region, self._collection))
        if not all(same_shape(level.size, levels[0].size) for level in levels):
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        return Scan(
            self.maker,
            tuple(levels),
            tuple(image for image, _ in self._associated()),
            bounded({**facts_of(self._xml, region), **text_properties(self._pages)}),
            self._pages[region.dimensions[0].directory].iccprofile,
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

    def _why_none(self) -> Reason:
        """Say why there is no region: all that there is is fluorescence, or only the macro."""
        others = [image for image in self._collection.images if not self._collection.is_macro(image)]
        return Reason.UNSUPPORTED_PIXELS if others else Reason.NOT_A_WHOLE_SLIDE

    def _associated(self) -> Iterator[tuple[AssociatedImage, tifffile.TiffPage]]:
        """Tell which directories are no levels of a region."""
        collection = self._collection
        of_macros = _directories([image for image in collection.images if collection.is_macro(image)])
        of_regions = _directories(collection.regions)
        for number, page in enumerate(self._pages):
            if number in of_macros:
                yield AssociatedImage(AssociatedKind.MACRO, "its view is the whole glass", page_size(page)), page
            elif number not in of_regions:
                yield AssociatedImage(AssociatedKind.UNKNOWN, "no level of a region", page_size(page)), page


def _directories(images: list[Region]) -> set[int]:
    return {dimension.directory for image in images for dimension in image.dimensions}
