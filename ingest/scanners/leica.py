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

import base64
import binascii
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from pathlib import Path

import tifffile

from archive.geometry import Size
from ingest.errors import Reason, SlideRefused
from ingest.scanners._tiff import TiffLevel, decoded_picture, open_tiff, page_size, same_shape, text_properties
from ingest.scanners.base import AssociatedImage, AssociatedKind, Pixels, Scan, ScanReader, bounded

NAMESPACES = frozenset(f"http://www.leica-microsystems.com/scn/2010/{date}" for date in ("03/10", "10/01"))

MACRO_SHOWS = 0.9
"""Of the collection's width and height. A region of tissue ends well before the label."""

MACRO_PIXEL_NM = 5000
"""Pixels of the macro have 16,000 nm, those of a 5x objective 2,000."""

NM_PER_UM = 1000


@dataclass(frozen=True, slots=True)
class Dimension:
    """One level of an image: its directory's number, and its size in pixels."""

    directory: int
    size: Size


@dataclass(frozen=True, slots=True)
class Region:
    """One image of a collection: the place that it shows, in nanometres, and its levels from the largest down."""

    left: int
    top: int
    width: int
    height: int
    objective: str
    brightfield: bool
    dimensions: tuple[Dimension, ...]

    @property
    def pixel_nm(self) -> float:
        """Width of a pixel of the largest level."""
        return self.width / self.dimensions[0].size.width


@dataclass(frozen=True, slots=True)
class Collection:
    """The whole glass in nanometres, and the images of it."""

    width: int
    height: int
    images: tuple[Region, ...]

    def is_macro(self, image: Region) -> bool:
        """Whether an image shows the label, or may."""
        whole = image.width >= MACRO_SHOWS * self.width and image.height >= MACRO_SHOWS * self.height
        return whole or image.pixel_nm >= MACRO_PIXEL_NM

    @property
    def regions(self) -> list[Region]:
        """The images of tissue in bright field."""
        return [image for image in self.images if image.brightfield and not self.is_macro(image)]

    @property
    def can_be_laid_out(self) -> bool:
        """Whether OpenSlide lays several regions on one canvas: it tells macros by their exact place."""
        exact = [
            (image.left, image.top, image.width, image.height) == (0, 0, self.width, self.height)
            for image in self.images
            if self.is_macro(image)
        ]
        alike = {(region.objective, len(region.dimensions)) for region in self.regions}
        return len(self.regions) > 1 and len(alike) == 1 and all(exact)


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
            root = _root(file.pages.first.description)
        if root is None:
            return "no XML of Leica"
        return "several regions of one magnification" if _collection(root).can_be_laid_out else None

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
            bounded({**_facts(self._xml, region), **text_properties(self._pages)}),
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
        root = _root(self._pages[0].description)
        if root is None:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        return root

    @cached_property
    def _collection(self) -> Collection:
        return _collection(self._xml)

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


def _root(description: str) -> ElementTree.Element | None:
    """Parse Leica's XML; None of any other text."""
    if not any(namespace in description for namespace in NAMESPACES):
        return None
    try:
        root = ElementTree.fromstring(description)  # noqa: S314 - in the jail, and expat bounds what entities become
    except (ElementTree.ParseError, ValueError):
        return None
    return root if root.tag in {f"{{{namespace}}}scn" for namespace in NAMESPACES} else None


def _collection(root: ElementTree.Element) -> Collection:
    """Read the images of the one collection.

    Raises
    ------
    SlideRefused
        If it is not as Leica writes it.
    """
    collections = root.findall("{*}collection")
    if len(collections) != 1:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    (collection,) = collections
    images = tuple(_region(image) for image in collection.findall("{*}image"))
    if not images:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    return Collection(_length(collection, "sizeX"), _length(collection, "sizeY"), images)


def _region(image: ElementTree.Element) -> Region:
    view = image.find("{*}view")
    dimensions = [_dimension(one) for one in image.findall("{*}pixels/{*}dimension") if one.get("z", "0") == "0"]
    if view is None or not dimensions:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    light = image.findtext("{*}scanSettings/{*}illuminationSettings/{*}illuminationSource", "").strip()
    objective = image.findtext("{*}scanSettings/{*}objectiveSettings/{*}objective", "").strip()
    return Region(
        _number(view, "offsetX"),
        _number(view, "offsetY"),
        _length(view, "sizeX"),
        _length(view, "sizeY"),
        objective,
        light == "brightfield",
        tuple(sorted(dimensions, key=lambda dimension: -dimension.size.width)),
    )


def _dimension(element: ElementTree.Element) -> Dimension:
    return Dimension(_number(element, "ifd"), Size(_length(element, "sizeX"), _length(element, "sizeY")))


def _number(element: ElementTree.Element, name: str) -> int:
    text = element.get(name, "")
    if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 15):
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    return int(text)


def _length(element: ElementTree.Element, name: str) -> int:
    length = _number(element, name)
    if length < 1:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    return length


def _facts(root: ElementTree.Element, region: Region) -> dict[str, str]:
    """Read a pixel's size and the objective, and for the auditor every text and attribute, the barcode in plain too."""
    largest = region.dimensions[0].size
    found = {
        "leica.pixel-width": f"{region.width / largest.width / NM_PER_UM:.9f}",
        "leica.pixel-height": f"{region.height / largest.height / NM_PER_UM:.9f}",
        "leica.objective": region.objective,
    }
    device = root.find("{*}collection/{*}image/{*}device")
    if device is not None:
        found["leica.device-model"] = device.get("model", "")
    barcode = root.findtext("{*}collection/{*}barcode", "")
    found["leica.barcode"] = _from_base64(barcode) or barcode
    count: Counter[str] = Counter()
    for element in root.iter():
        name = element.tag.rpartition("}")[2]
        said = {f"{name}.{key}": text for key, text in element.attrib.items()} | {name: element.text or ""}
        for key, text in said.items():
            if text.strip():
                found[f"leica.{key}[{count[key]}]"] = text.strip()
                count[key] += 1
    return found


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
