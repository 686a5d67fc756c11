"""Tiled, pyramidal or plain TIFF and BigTIFF without a maker's mark, OME-TIFF in RGB included.

The first directory is the slide. Levels are the directories of the same proportions that are marked as reduced (bit 0
of NewSubfileType) or simply follow, smaller each time, and those in its SubIFDs (OME-TIFF). Everything else is left
behind as unknown. QuPath's OME-TIFF files say Photometric RGB over YCbCr streams: the stream's own evidence decides.
"""

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
        first, pages = self._file.pages.first, self._other_pages()
        ome = _ome(first.description)
        if ome.pop("planes", "1") != "1":
            raise SlideRefused(Reason.UNSUPPORTED_PIXELS)
        levels, others = self._told_apart()
        associated = (AssociatedImage(AssociatedKind.UNKNOWN, "no mark of a level", page_size(page)) for page in others)
        return Scan(
            "ome" if ome else self.maker,
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

    def _other_pages(self) -> list[tifffile.TiffPage]:
        """List the directories after the first: those nested in it, then those that follow."""
        first = self._file.pages.first
        pages = [*(first.pages or ()), *list(self._file.pages)[1:]]
        return [page for page in pages if isinstance(page, tifffile.TiffPage)]

    def _told_apart(self) -> tuple[list[TiffLevel], list[tifffile.TiffPage]]:
        """Tell the levels from all other pictures."""
        levels, others = [TiffLevel(self._file.pages.first)], []
        for page in self._other_pages():
            if self._is_level(page, levels[-1]):
                levels.append(TiffLevel(page))
            elif page.imagewidth and page.imagelength:
                others.append(page)
        return levels, others

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


def _ome(description: str) -> dict[str, str]:
    """Read the pixel size of the first image of an OME-XML text, and its number of planes."""
    if "<OME" not in description[:4096] or len(description) > MAX_OME_XML_BYTES:
        return {}
    try:
        pixels = ElementTree.fromstring(description).find(".//{*}Pixels")  # noqa: S314 - in the jail, expat is bounded
    except ElementTree.ParseError as error:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE) from error
    if pixels is None:
        return {}
    found = {f"ome.{key}": value for key, value in pixels.attrib.items() if key.startswith("PhysicalSize")}
    found["planes"] = "1" if pixels.get("SizeZ", "1") == pixels.get("SizeT", "1") == "1" else "many"
    if pixels.get("SizeC", "1") not in ("1", "3"):
        found["planes"] = "many"
    return found
