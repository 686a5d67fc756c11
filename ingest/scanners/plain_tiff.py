"""Tiled, pyramidal or plain TIFF and BigTIFF without a maker's mark, OME-TIFF in RGB included.

The first directory is the slide. Levels are the directories of the same proportions in its SubIFDs (OME-TIFF), smaller
each time; where it has none, those that follow it. Everything else is left behind as unknown, such as the further
images of an OME-TIFF: converters write label and overview so. QuPath's OME-TIFF files say Photometric RGB over YCbCr
streams: the stream's own evidence decides.
"""

import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import tifffile

from ingest.errors import Reason, SlideRefused
from ingest.scanners._tiff import (
    TiffLevel,
    decoded_picture,
    is_simple,
    open_tiff,
    page_size,
    same_shape,
    text_properties,
)
from ingest.scanners.base import AssociatedImage, AssociatedKind, Pixels, Scan, ScanReader, bounded

MAX_OME_XML_BYTES = 16 << 20


class PlainTiffReader(ScanReader):
    """Reads TIFF files by their structure alone."""

    maker = "generic"

    def __init__(self, path: Path) -> None:
        self._file = open_tiff(path)

    @classmethod
    def recognise(cls, path: Path) -> str | None:
        """Say None for any TIFF whose first directory holds pixels that can be stored."""
        with open_tiff(path) as file:
            return None if is_simple(file.pages.first) else "its pixels are not 8-bit grey or RGB"

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def scan(self) -> Scan:
        """Tell levels, associated images and facts."""
        first, pages = self._file.pages.first, [*self._below(), *self._following()]
        pixels = _ome_pixels(first.description)
        if pixels is not None and _planes(pixels) > first.samplesperpixel:
            raise SlideRefused(Reason.UNSUPPORTED_PIXELS)
        ome = {} if pixels is None else _sizes(pixels)
        levels, others = self._told_apart()
        associated = (AssociatedImage(AssociatedKind.UNKNOWN, "no mark of a level", page_size(page)) for page in others)
        return Scan(
            self.maker if pixels is None else "ome",
            tuple(levels),
            tuple(associated),
            bounded({**ome, **text_properties([first, *pages])}),
            first.iccprofile,
        )

    def pictures(self, kind: AssociatedKind) -> Iterator[Pixels]:
        """Decode the associated images of a kind; no mark tells one from another here."""
        if kind is AssociatedKind.UNKNOWN:
            for page in self._told_apart()[1]:
                yield from decoded_picture(page)

    def _below(self) -> list[tifffile.TiffPage]:
        """List the directories that are nested in the first."""
        return [page for page in self._file.pages.first.pages or () if isinstance(page, tifffile.TiffPage)]

    def _following(self) -> list[tifffile.TiffPage]:
        """List the directories that follow the first."""
        return [page for page in list(self._file.pages)[1:] if isinstance(page, tifffile.TiffPage)]

    def _told_apart(self) -> tuple[list[TiffLevel], list[tifffile.TiffPage]]:
        """Tell the levels from all other pictures."""
        below, following = self._below(), self._following()
        levels, others = [TiffLevel(self._file.pages.first)], [] if not below else following
        for page in below or following:
            if self._is_level(page, levels[-1]):
                levels.append(TiffLevel(page))
            else:
                others.append(page)
        return levels, [page for page in others if page.imagewidth and page.imagelength]

    @staticmethod
    def _is_level(page: tifffile.TiffPage, larger: TiffLevel) -> bool:
        if not page.imagewidth or not page.imagelength or not is_simple(page):
            return False
        size = page_size(page)
        return (
            page.samplesperpixel == larger.channels
            and bool(page.is_tiled) == larger.in_tiles
            and size.width < larger.size.width
            and same_shape(size, larger.size)
        )


def _ome_pixels(description: str) -> ElementTree.Element | None:
    """Find what the first image of an OME-XML text says of its pixels.

    Raises
    ------
    SlideRefused
        If the text breaks off.
    """
    if "<OME" not in description[:4096] or len(description) > MAX_OME_XML_BYTES:
        return None
    try:
        return ElementTree.fromstring(description).find(".//{*}Pixels")  # noqa: S314 - in the jail, expat is bounded
    except ElementTree.ParseError as error:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE) from error


def _sizes(pixels: ElementTree.Element) -> dict[str, str]:
    """Tell the sizes of a pixel."""
    return {f"ome.{key}": value for key, value in pixels.attrib.items() if key.startswith("PhysicalSize")}


def _planes(pixels: ElementTree.Element) -> int:
    """Count the grey planes of an image: its channels, at every depth and point in time.

    Raises
    ------
    SlideRefused
        If they are no numbers.
    """
    try:
        return math.prod(int(pixels.get(f"Size{axis}", "1")) for axis in "CZT")
    except ValueError as error:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE) from error
