"""The XML of a Leica SCN file: a collection, which is the whole glass in nanometres, and the images of it.

Source: OpenSlide's description of the format.
"""

import base64
import binascii
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass
from math import ceil

from archive.geometry import Size
from ingest.errors import Reason, SlideRefused

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

    def place(self, number: int) -> tuple[int, int, int, int]:
        """Give left, top, width and height on the glass, in pixels of one of its levels, as OpenSlide counts them."""
        size = self.dimensions[number].size
        nm = self.width / size.width
        return int(self.left / nm), int(self.top / nm), size.width, size.height


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

    def canvas(self, number: int) -> Size | None:
        """Give the size of the whole glass in pixels of that level of the first region, as OpenSlide draws it."""
        first = self.regions[0]
        if number >= len(first.dimensions):
            return None
        nm = first.width / first.dimensions[number].size.width
        return Size(ceil(self.width / nm), ceil(self.height / nm))


def root_of(description: str) -> ElementTree.Element | None:
    """Parse Leica's XML; None of any other text."""
    if not any(namespace in description for namespace in NAMESPACES):
        return None
    try:
        root = ElementTree.fromstring(description)  # noqa: S314 - in the jail, and expat bounds what entities become
    except (ElementTree.ParseError, ValueError):
        return None
    return root if root.tag in {f"{{{namespace}}}scn" for namespace in NAMESPACES} else None


def collection_of(root: ElementTree.Element) -> Collection:
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


def facts_of(root: ElementTree.Element, region: Region) -> dict[str, str]:
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
