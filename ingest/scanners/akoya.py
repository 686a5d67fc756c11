"""QPTIFF (Vectra, Polaris and PhenoImager; PerkinElmer, since 2018 Akoya Biosciences).

A TIFF or BigTIFF file in which every directory has a description of its own, XML with the root
``PerkinElmer-QPI-ImageDescription``; its ``ImageType`` says what the directory is: FullResolution, ReducedResolution,
Thumbnail, Overview or Label. Large pictures lie in tiles, those below some 2,000 px in strips. A slide in bright field
has one RGB picture at full resolution; a fluorescent one has one in grey for each channel, and as many at each smaller
level, whose XML tells the channel's ``Name`` and ``Color``.

A directory is a level only if it says so and has the proportions and the pixels of the first one. Every other one is
left behind, whatever it says.

Sources: PerkinElmer's description of the format, as tifffile and Bio-Formats document it.
"""

import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path

import tifffile

from ingest.errors import Reason, SlideRefused
from ingest.scanners._fluorescence import fluorescence_levels
from ingest.scanners._shapes import same_shape
from ingest.scanners._tiff import (
    TiffLevel,
    decoded_picture,
    is_plane,
    is_simple,
    open_tiff,
    page_size,
    text_properties,
)
from ingest.scanners.base import (
    AssociatedImage,
    AssociatedKind,
    Pixels,
    Scan,
    ScanReader,
    SourceChannel,
    SourceLevel,
    bounded,
)

ROOT = "PerkinElmer-QPI-ImageDescription"

FULL, REDUCED = "FullResolution", "ReducedResolution"

KINDS = {
    "Thumbnail": AssociatedKind.THUMBNAIL,
    "Overview": AssociatedKind.MACRO,
    "Label": AssociatedKind.LABEL,
}

MAX_XML_CHARACTERS = 4 << 20
"""Scan profiles make the first description long: some hundred kilobytes."""

_COLOUR = re.compile(r"(\d{1,3}),\s?(\d{1,3}),\s?(\d{1,3})", re.ASCII)

_POWER = re.compile(r"(\d{1,3}(?:\.\d{1,2})?)\s?[xX]", re.ASCII)
"""How the objective is written: ``20x``."""


class AkoyaReader(ScanReader):
    """Reads QPTIFF files."""

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
        if self._types[0] != FULL:
            raise SlideRefused(Reason.NOT_A_WHOLE_SLIDE if self._types[0] in KINDS else Reason.DAMAGED_STRUCTURE)
        levels: Sequence[SourceLevel]
        if self._is_bright_field:
            levels = [TiffLevel(self._pages[number]) for (number,) in self._levels]
        else:
            levels = fluorescence_levels([[self._pages[number] for number in numbers] for numbers in self._levels])
        return Scan(
            self.maker,
            tuple(levels),
            tuple(image for _, image in self._associated()),
            bounded({**self._facts(), **text_properties(self._pages)}),
            self._pages[0].iccprofile,
            () if self._is_bright_field else tuple(_channel(self._roots[number]) for number in self._levels[0]),
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
    def _types(self) -> list[str]:
        return [_said(root, "ImageType") for root in self._roots]

    @cached_property
    def _is_bright_field(self) -> bool:
        return self._types.count(FULL) == 1 and is_simple(self._pages[0])

    @cached_property
    def _levels(self) -> list[list[int]]:
        """Name the directories of each level, one a channel: those at full resolution, and those reduced from them.

        Those of one level follow one another, and have one size.
        """
        found = [[number for number, kind in enumerate(self._types) if kind == FULL]]
        reduced = [number for number, kind in enumerate(self._types) if kind == REDUCED]
        for _, group in groupby(reduced, key=lambda number: page_size(self._pages[number])):
            numbers = list(group)
            if len(numbers) == len(found[0]) and self._is_level(numbers[0], found[-1][0]):
                found.append(numbers)
        return found

    def _is_level(self, number: int, larger: int) -> bool:
        """Whether a picture has the pixels and the proportions of a larger one, and is smaller."""
        page, above = self._pages[number], self._pages[larger]
        can_hold = is_simple if self._is_bright_field else is_plane
        return (
            can_hold(page)
            and (page.samplesperpixel, page.bitspersample) == (above.samplesperpixel, above.bitspersample)
            and page.imagewidth < above.imagewidth
            and same_shape(page_size(page), page_size(above))
        )

    def _associated(self) -> Iterator[tuple[int, AssociatedImage]]:
        """Tell which directories are no levels."""
        levels = {number for numbers in self._levels for number in numbers}
        for number, page in enumerate(self._pages):
            if number not in levels and page.imagewidth and page.imagelength:
                kind = KINDS.get(self._types[number])
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


def _channel(root: ElementTree.Element) -> SourceChannel:
    """Read a channel's name, and its colour as three numbers between commas."""
    numbers = _COLOUR.fullmatch(_said(root, "Color"))
    parts = [int(number) for number in numbers.groups()] if numbers else [256]
    return SourceChannel(_said(root, "Name"), bytes(parts).hex().upper() if max(parts) < 256 else None)
