"""QPTIFF (Vectra, Polaris and PhenoImager; PerkinElmer, since 2018 Akoya Biosciences).

A TIFF or BigTIFF file in which every directory has a description of its own, XML with the root
``PerkinElmer-QPI-ImageDescription``; its ``ImageType`` says what the directory is: FullResolution, ReducedResolution,
Thumbnail, Overview or Label. Large pictures lie in tiles, those below some 2,000 px in strips. A slide in bright field
has one RGB picture at full resolution; a fluorescent one has as many as it has channels.

A directory is a level only if it says so and has the proportions and the pixels of the first one. Every other one is
left behind, whatever it says.

Sources: PerkinElmer's description of the format, as tifffile and Bio-Formats document it.
"""

import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
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

ROOT = "PerkinElmer-QPI-ImageDescription"

FULL, REDUCED = "FullResolution", "ReducedResolution"

KINDS = {
    "Thumbnail": AssociatedKind.THUMBNAIL,
    "Overview": AssociatedKind.MACRO,
    "Label": AssociatedKind.LABEL,
}

MAX_XML_CHARACTERS = 4 << 20
"""Scan profiles make the first description long: some hundred kilobytes."""

_POWER = re.compile(r"(\d{1,3}(?:\.\d{1,2})?)\s?[xX]", re.ASCII)
"""How the objective is written: ``20x``."""


class AkoyaReader(ScanReader):
    """Reads QPTIFF files of slides in bright field."""

    maker = "akoya"

    def __init__(self, path: Path) -> None:
        self._file = open_tiff(path)

    @classmethod
    def recognise(cls, path: Path) -> str | None:
        """Say None if the first directory's description is QPTIFF's."""
        with open_tiff(path) as file:
            return None if ROOT in file.pages.first.description[:1024] else "no description of QPTIFF"

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def scan(self) -> Scan:
        """Tell levels, associated images and facts."""
        types = [_said(root, "ImageType") for root in self._roots]
        if types[0] != FULL:
            raise SlideRefused(Reason.NOT_A_WHOLE_SLIDE if types[0] in KINDS else Reason.DAMAGED_STRUCTURE)
        if types.count(FULL) > 1 or not is_simple(self._pages[0]):
            raise SlideRefused(Reason.UNSUPPORTED_PIXELS)
        levels = [TiffLevel(page) for number, page in enumerate(self._pages) if number in self._levels]
        return Scan(
            self.maker,
            tuple(levels),
            tuple(image for _, image in self._associated()),
            bounded({**self._facts(), **text_properties(self._pages)}),
            self._pages[0].iccprofile,
        )

    def pictures(self, kind: AssociatedKind) -> Iterator[Pixels]:
        """Decode the associated images of a kind."""
        for number, image in self._associated():
            if image.kind is kind:
                yield from decoded_picture(self._pages[number])

    @cached_property
    def _pages(self) -> list[tifffile.TiffPage]:
        return [page for page in self._file.pages if isinstance(page, tifffile.TiffPage)]

    @cached_property
    def _roots(self) -> list[ElementTree.Element]:
        """Read the description of each directory; of one that has none, nothing is known."""
        return [_root(page.description) for page in self._pages]

    @cached_property
    def _levels(self) -> set[int]:
        """Name the directories that are levels: the first, and those reduced from it, smaller each time."""
        found, larger = {0}, self._pages[0]
        for number, page in enumerate(self._pages):
            if _said(self._roots[number], "ImageType") == REDUCED and _is_smaller(page, larger):
                found.add(number)
                larger = page
        return found

    def _associated(self) -> Iterator[tuple[int, AssociatedImage]]:
        """Tell which directories are no levels."""
        for number, page in enumerate(self._pages):
            if number not in self._levels and page.imagewidth and page.imagelength:
                kind = KINDS.get(_said(self._roots[number], "ImageType"))
                found_by = "ImageType in its XML" if kind else "no mark of a level"
                yield number, AssociatedImage(kind or AssociatedKind.UNKNOWN, found_by, page_size(page))

    def _facts(self) -> dict[str, str]:
        """Tell every text of the XML by itself, and the objective's power as a number."""
        counted: Counter[str] = Counter()
        facts: dict[str, str] = {}
        for root in self._roots:
            for element in root.iter():
                text = (element.text or "").strip()
                if text:
                    counted[element.tag] += 1
                    facts[f"akoya.{element.tag}[{counted[element.tag]}]"] = text
        power = _POWER.fullmatch(_said(self._roots[0], "Objective"))
        return facts | ({"akoya.objective-power": power[1]} if power else {})


def _root(description: str) -> ElementTree.Element:
    """Read a description; one that is no XML of QPTIFF is empty.

    Raises
    ------
    SlideRefused
        If it is QPTIFF's and breaks off.
    """
    if ROOT not in description[:1024] or len(description) > MAX_XML_CHARACTERS:
        return ElementTree.Element(ROOT)
    try:
        return ElementTree.fromstring(description)  # noqa: S314 - in the jail, expat is bounded
    except ElementTree.ParseError as error:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE) from error


def _said(root: ElementTree.Element, name: str) -> str:
    """Give the first text of a name, wherever in the description it stands."""
    return (root.findtext(f".//{name}") or "").strip()


def _is_smaller(page: tifffile.TiffPage, larger: tifffile.TiffPage) -> bool:
    if not page.imagewidth or not page.imagelength or not is_simple(page):
        return False
    return (
        page.samplesperpixel == larger.samplesperpixel
        and page.imagewidth < larger.imagewidth
        and same_shape(page_size(page), page_size(larger))
    )
