"""Philips TIFF (IntelliSite UFS, exported).

A TIFF or BigTIFF file whose Software begins with ``Philips`` and whose first description is XML, often megabytes of it,
with ``DataObject ObjectType="DPUfsImport"`` at its root. Tiled directories are levels, from the largest down, JPEG in
tiles of 512 px; a byte count of 0 is glass that was not scanned. Label and macro lie in strips behind them, and, or
only, as Base64 JPEG in the XML.

A level's directory tells its size filled up to whole tiles. Its true size is the first level's divided by how many
times larger its pixels are, which the XML tells level by level (DICOM_PIXEL_SPACING, rows before columns, in
millimetres).

Sources: OpenSlide's description of the format; DICOM PS3.3 section 10.7.1.3 (order of pixel spacing).
"""

import base64
import binascii
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import tifffile

from archive.geometry import Size
from archive.holdings.pixels import HeaderReader, NotPlainJpeg, decode_jpeg
from ingest.errors import Reason, SlideRefused
from ingest.scanners._tiff import TiffLevel, decoded_picture, open_tiff, page_size, text_properties
from ingest.scanners.base import (
    MAX_PICTURE_PIXELS,
    AssociatedImage,
    AssociatedKind,
    Pixels,
    Scan,
    ScanReader,
    bounded,
)

REDUCED = 1
"""Bit 0 of NewSubfileType, which every level but the first has."""

HIGHEST_POWER = 200
"""The first of ``levels=`` is the objective's power, or a number above 10,000 that is none."""

IN_STRIPS = {"Label": AssociatedKind.LABEL, "Macro": AssociatedKind.MACRO}
"""How the descriptions of directories in strips begin. Nothing in strips is a level, whatever its words."""

IN_XML = {"LABELIMAGE": AssociatedKind.LABEL, "MACROIMAGE": AssociatedKind.MACRO}

PICTURE_DATA = "PIM_DP_IMAGE_DATA"


class PhilipsLevel(TiffLevel):
    """A level: what the scanner left out of it is glass at every level."""

    gaps_are_glass = True


class PhilipsReader(ScanReader):
    """Reads TIFF files of Philips scanners."""

    maker = "philips"

    def __init__(self, path: Path) -> None:
        self._file = open_tiff(path)

    @classmethod
    def recognise(cls, path: Path) -> str | None:
        """Say None if the first directory names Philips' software and describes the slide in its XML."""
        with open_tiff(path) as file:
            first = file.pages.first
            if not first.software.startswith("Philips"):
                return "no software of Philips"
            return None if _root(first.description) is not None else "no XML of Philips"

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def scan(self) -> Scan:
        """Tell levels, associated images and facts."""
        tiled = [page for page in self._pages if page.is_tiled]
        if not self._pages[0].is_tiled or not all(int(page.subfiletype) & REDUCED for page in tiled[1:]):
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        spacings = self._spacings()
        if len(spacings) != len(tiled):
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        levels = [PhilipsLevel(page, size) for page, size in zip(tiled, _sizes(tiled, spacings), strict=True)]
        if any(one.size.width <= other.size.width for one, other in pairwise(levels)):
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        return Scan(
            self.maker,
            tuple(levels),
            tuple(image for image, _ in self._associated()),
            bounded({**self._facts(spacings[0]), **text_properties(self._pages)}),
            self._pages[0].iccprofile,
        )

    def pictures(self, kind: AssociatedKind) -> Iterator[Pixels]:
        """Decode the associated images of a kind."""
        for image, source in self._associated():
            if image.kind is not kind:
                continue
            if isinstance(source, bytes):
                yield from _decoded(source, image.size)
            else:
                yield from decoded_picture(source)

    @cached_property
    def _pages(self) -> list[tifffile.TiffPage]:
        return [page for page in self._file.pages if isinstance(page, tifffile.TiffPage)]

    @cached_property
    def _xml(self) -> ElementTree.Element:
        root = _root(self._pages[0].description)
        if root is None:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        return root

    def _scanned(self, kind: str) -> list[ElementTree.Element]:
        """Find the pictures of a kind that the XML describes: ``WSI`` is the slide itself."""
        found = self._xml.findall("./Attribute[@Name='PIM_DP_SCANNED_IMAGES']/Array/DataObject")
        return [picture for picture in found if _text(picture, "PIM_DP_IMAGE_TYPE") == kind]

    def _slide(self) -> ElementTree.Element:
        slides = self._scanned("WSI")
        if len(slides) != 1:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE if slides else Reason.NOT_A_WHOLE_SLIDE)
        return slides[0]

    def _spacings(self) -> list[tuple[float, float]]:
        """Read the width and height of a pixel in millimetres, level by level."""
        levels = self._slide().findall(
            "./Attribute[@Name='PIIM_PIXEL_DATA_REPRESENTATION_SEQUENCE']/Array"
            "/DataObject[@ObjectType='PixelDataRepresentation']"
        )
        return [_spacing(_text(level, "DICOM_PIXEL_SPACING")) for level in levels]

    def _associated(self) -> Iterator[tuple[AssociatedImage, tifffile.TiffPage | bytes]]:
        """Tell what is no level, and what holds it; the XML's pictures only where no directory has one of the kind."""
        seen = set()
        for page in self._pages:
            if not page.is_tiled:
                kind = next((k for word, k in IN_STRIPS.items() if page.description.startswith(word)), None)
                seen.add(kind)
                yield AssociatedImage(kind or AssociatedKind.UNKNOWN, "directory in strips", page_size(page)), page
        for word, kind in IN_XML.items():
            for picture in self._scanned(word)[:1] if kind not in seen else ():
                stream = _from_base64(_text(picture, PICTURE_DATA))
                size = _jpeg_size(stream)
                if size:
                    yield AssociatedImage(kind, "picture in the XML", size), stream

    def _facts(self, spacing: tuple[float, float]) -> dict[str, str]:
        """Read what the XML says, pictures apart: the size of a pixel, the objective, and words for the auditor."""
        found = {"philips.pixel-width": f"{spacing[0]:.9f}", "philips.pixel-height": f"{spacing[1]:.9f}"}
        power = _objective_power(_text(self._slide(), "DICOM_DERIVATION_DESCRIPTION"))
        if power:
            found["philips.objective-power"] = str(power)
        count: Counter[str] = Counter()
        for attribute in self._xml.iter("Attribute"):
            name, text = attribute.get("Name", ""), (attribute.text or "").strip()
            if text and len(attribute) == 0 and name != PICTURE_DATA:
                found[f"philips.{name}[{count[name]}]" if count[name] else f"philips.{name}"] = text
                count[name] += 1
        barcode = _from_base64(found.get("philips.PIM_DP_UFS_BARCODE", ""))
        if barcode:
            found["philips.barcode"] = barcode.decode("utf-8", "replace")
        return found


def _root(description: str) -> ElementTree.Element | None:
    """Parse Philips' XML; None of any other text."""
    try:
        root = ElementTree.fromstring(description)  # noqa: S314 - in the jail, and expat bounds what entities become
    except (ElementTree.ParseError, ValueError):
        return None
    return root if root.tag == "DataObject" and root.get("ObjectType") == "DPUfsImport" else None


def _text(element: ElementTree.Element, name: str) -> str:
    """Give the text of an attribute, or nothing."""
    found = element.find(f"./Attribute[@Name='{name}']")
    return (found.text or "").strip() if found is not None else ""


def _spacing(text: str) -> tuple[float, float]:
    """Read ``"height" "width"`` of a pixel: its width and its height."""
    try:
        height, width = (float(part.strip('"')) for part in text.split())
    except ValueError as error:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE) from error
    if not (0 < width < 1 and 0 < height < 1):
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    return width, height


def _sizes(pages: list[tifffile.TiffPage], spacings: list[tuple[float, float]]) -> list[Size]:
    """Work out the levels' sizes without what fills them up; their downsamples are whole numbers."""
    base, (width, height) = page_size(pages[0]), spacings[0]
    sizes = []
    for page, (wide, high) in zip(pages, spacings, strict=True):
        factor = max(1, round((wide / width + high / height) / 2))
        full, size = page_size(page), (base.width // factor, base.height // factor)
        if not (0 < size[0] <= full.width and 0 < size[1] <= full.height):
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        sizes.append(Size(*size))
    return sizes


def _objective_power(derivation: str) -> int | None:
    """Read the objective from such as ``tiff-useBigTIFF=1-levels=40,10000-q80-sourceFilename="a name"``."""
    for part in derivation.partition("sourceFilename")[0].split("-"):
        key, _, value = part.partition("=")
        first = value.split(",")[0]
        if key == "levels" and first.isascii() and first.isdigit() and 0 < int(first[:9]) <= HIGHEST_POWER:
            return int(first)
    return None


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return b""


def _jpeg_size(stream: bytes) -> Size | None:
    try:
        header = HeaderReader().read(stream)
    except NotPlainJpeg:
        return None
    return Size(header.width, header.height)


def _decoded(stream: bytes, size: Size) -> Iterator[Pixels]:
    """Decode a picture of the XML, unless it is without end or damaged."""
    if size.pixels <= MAX_PICTURE_PIXELS:
        channels = len(HeaderReader().read(stream).components)
        try:
            yield np.asarray(decode_jpeg(stream, width=size.width, height=size.height, channels=channels))
        except ValueError:
            return
