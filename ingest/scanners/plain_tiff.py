"""Tiled, pyramidal or plain TIFF and BigTIFF without a maker's mark, OME-TIFF in RGB included.

The first directory is the slide. Levels are the directories of the same proportions in its SubIFDs (OME-TIFF), smaller
each time; where it has none, those that follow it. Everything else is left behind as unknown, such as the further
images of an OME-TIFF: converters write label and overview so. QuPath's OME-TIFF files say Photometric RGB over YCbCr
streams: the stream's own evidence decides.

A file whose first picture is not its largest is none of these: makers' files that are damaged begin with the picture of
the label. Nor is one that says it is a maker's, and is not as that maker writes.

In fluorescence each channel is a page of the chain, and its smaller levels are the SubIFDs of that page. The OME-XML
says which page is which channel; without one, a slide of 16 bits has one channel.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from pathlib import Path

import tifffile

from ingest.errors import Reason, SlideRefused
from ingest.scanners._fluorescence import fluorescence_levels
from ingest.scanners._ome import channels_of, ome_pixels, page_numbers, pixel_sizes, plane_count
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

MAKERS_OWN = ("leica-microsystems.com/scn", "DPUfsImport", "<iScan")
"""Words in the first description or the XMP (tag 700) of Leica's, Philips's and Ventana's files."""

XMP = 700


class PlainTiffReader(ScanReader):
    """Reads TIFF files by their structure alone."""

    maker = "generic"

    def __init__(self, path: Path) -> None:
        self._file = open_tiff(path)

    @classmethod
    def recognise(cls, path: Path) -> str | None:
        """Say None for any TIFF whose first directory holds pixels that can be stored."""
        with open_tiff(path) as file:
            first = file.pages.first
            return None if is_simple(first) or is_plane(first) else "its pixels are not 8-bit RGB, nor grey"

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def scan(self) -> Scan:
        """Tell levels, associated images and facts."""
        pixels, chain = ome_pixels(self._first.description), [self._first, *self._following()]
        levels, others = self._told_apart()
        associated = (AssociatedImage(AssociatedKind.UNKNOWN, "no mark of a level", page_size(page)) for page in others)
        facts = {} if pixels is None else pixel_sizes(pixels)
        return Scan(
            self.maker if pixels is None else "ome",
            tuple(levels),
            tuple(associated),
            bounded({**facts, **text_properties([*chain, *(nested for page in chain for nested in _below(page))])}),
            self._first.iccprofile,
            _channels(pixels, levels[0]),
        )

    def pictures(self, kind: AssociatedKind) -> Iterator[Pixels]:
        """Decode the associated images of a kind; no mark tells one from another here."""
        if kind is AssociatedKind.UNKNOWN:
            for page in self._told_apart()[1]:
                yield from decoded_picture(page)

    def _following(self) -> list[tifffile.TiffPage]:
        """List the directories that follow the first."""
        return [page for page in list(self._file.pages)[1:] if isinstance(page, tifffile.TiffPage)]

    @property
    def _first(self) -> tifffile.TiffPage:
        return self._file.pages.first

    def _told_apart(self) -> tuple[Sequence[SourceLevel], list[tifffile.TiffPage]]:
        """Tell the levels from all other pictures.

        Raises
        ------
        SlideRefused
            If the slide has more planes than its pages can be told to hold, or the first picture may be no slide.
        """
        pixels = ome_pixels(self._first.description)
        if pixels is None and _is_a_makers(self._first):
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        if any(page.imagewidth * page.imagelength > page_size(self._first).pixels for page in self._following()):
            raise SlideRefused(Reason.NOT_A_WHOLE_SLIDE)
        planes = 1 if pixels is None else plane_count(pixels)
        if is_simple(self._first) and planes <= self._first.samplesperpixel:
            levels, others = self._bright_field()
        elif is_plane(self._first):
            levels, others = self._fluorescence(pixels)
        else:
            raise SlideRefused(Reason.UNSUPPORTED_PIXELS)
        return levels, [page for page in others if page.imagewidth and page.imagelength]

    def _bright_field(self) -> tuple[Sequence[SourceLevel], list[tifffile.TiffPage]]:
        below, following = _below(self._first), self._following()
        levels, others = [TiffLevel(self._first)], [] if not below else following
        for page in below or following:
            if self._is_level(page, levels[-1]):
                levels.append(TiffLevel(page))
            else:
                others.append(page)
        return levels, others

    def _fluorescence(
        self, pixels: ElementTree.Element | None
    ) -> tuple[Sequence[SourceLevel], list[tifffile.TiffPage]]:
        """Gather the pages of each level."""
        if pixels is None:
            return self._one_channel()
        chain, numbers = [self._first, *self._following()], page_numbers(pixels)
        if max(numbers) >= len(chain):
            raise SlideRefused(Reason.UNSUPPORTED_PIXELS)
        channels = [chain[number] for number in numbers]
        below = [_below(channel) for channel in channels]
        if len({len(pages) for pages in below}) != 1:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        others = [page for number, page in enumerate(chain) if number not in numbers]
        return fluorescence_levels([channels, *map(list, zip(*below, strict=True))]), others

    def _one_channel(self) -> tuple[Sequence[SourceLevel], list[tifffile.TiffPage]]:
        """Gather the levels of one channel; several pictures of one size may be channels or focal planes."""
        below, following = _below(self._first), self._following()
        if any(page_size(page) == page_size(self._first) for page in following):
            raise SlideRefused(Reason.UNSUPPORTED_PIXELS)
        levels, others = [self._first], [] if not below else following
        for page in below or following:
            is_level = page.dtype == self._first.dtype and is_plane(page) and page.imagewidth < levels[-1].imagewidth
            (levels if is_level and same_shape(page_size(page), page_size(levels[-1])) else others).append(page)
        return fluorescence_levels([[page] for page in levels]), others

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


def _is_a_makers(page: tifffile.TiffPage) -> bool:
    """Tell whether a directory says that a maker wrote it whose files are more than their pages."""
    xmp = page.tags.valueof(XMP, default=b"")
    words = page.description + (xmp.decode("latin-1") if isinstance(xmp, bytes) else str(xmp))
    return any(word in words for word in MAKERS_OWN)


def _below(page: tifffile.TiffPage) -> list[tifffile.TiffPage]:
    """List the directories that are nested in one."""
    return [nested for nested in page.pages or () if isinstance(nested, tifffile.TiffPage)]


def _channels(pixels: ElementTree.Element | None, level: SourceLevel) -> tuple[SourceChannel, ...]:
    """Tell what the XML says of as many channels as there are."""
    said = () if pixels is None else channels_of(pixels)
    count = len(level.planes)
    return (*said[:count], *[SourceChannel()] * (count - len(said)))
