"""Aperio SVS (Leica Biosystems; also written by KFBIO and Motic converters).

A TIFF or BigTIFF file whose first ImageDescription begins with ``Aperio``. Tiled directories are levels, from the
largest down; the directory after the first is a thumbnail in strips; the last ones are the slide label (NewSubfileType
1) and the macro (NewSubfileType 9). A GT 450 writes no word into the label's description, so only the type tells. The
description holds ``key = value`` pairs between bars; before the first bar stands free text.

Tiles are JPEG with shared tables (tag 347), 240 or 256 px. Photometric RGB means that the stream holds RGB: no colour
transform; a byte count of 0 is white glass.
"""

from collections.abc import Iterator
from pathlib import Path

import tifffile

from ingest.errors import Reason, SlideRefused
from ingest.scanners._shapes import same_shape
from ingest.scanners._tiff import TiffLevel, decoded_picture, open_tiff, page_size, text_properties
from ingest.scanners.base import AssociatedImage, AssociatedKind, Pixels, Scan, ScanReader, bounded

LABEL_TYPE, MACRO_TYPE = 1, 9


class AperioReader(ScanReader):
    """Reads SVS files."""

    maker = "aperio"

    def __init__(self, path: Path) -> None:
        self._file = open_tiff(path)

    @classmethod
    def recognise(cls, path: Path) -> str | None:
        """Say None if the first directory's description begins as Aperio's does."""
        with open_tiff(path) as file:
            return None if file.pages.first.description.startswith("Aperio") else "no Aperio description"

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def scan(self) -> Scan:
        """Tell levels, associated images and facts."""
        pages = self._pages()
        base = page_size(pages[0])
        associated = dict(self._associated_pages())
        levels = [TiffLevel(page) for number, page in enumerate(pages) if number not in associated]
        if not pages[0].is_tiled:
            raise SlideRefused(Reason.NOT_A_WHOLE_SLIDE)
        levels = [level for level in levels if same_shape(level.size, base)]
        levels.sort(key=lambda level: -level.size.width)
        return Scan(
            self.maker,
            tuple(levels),
            tuple(associated.values()),
            bounded({**_fields(pages[0].description), **text_properties(pages)}),
            pages[0].iccprofile,
        )

    def pictures(self, kind: AssociatedKind) -> Iterator[Pixels]:
        """Decode the associated images of a kind."""
        pages = self._pages()
        for number, image in self._associated_pages():
            if image.kind is kind:
                yield from decoded_picture(pages[number])

    def _pages(self) -> list[tifffile.TiffPage]:
        return [page for page in self._file.pages if isinstance(page, tifffile.TiffPage)]

    def _associated_pages(self) -> Iterator[tuple[int, AssociatedImage]]:
        """Tell which directories are no levels, by their number."""
        pages = self._pages()
        for number, page in enumerate(pages[1:], 1):
            if not self._is_level(page, pages[0]):
                yield number, self._associated(number, page)

    @staticmethod
    def _is_level(page: tifffile.TiffPage, first: tifffile.TiffPage) -> bool:
        return bool(page.is_tiled) and int(page.subfiletype) == 0 and same_shape(page_size(page), page_size(first))

    @staticmethod
    def _associated(number: int, page: tifffile.TiffPage) -> AssociatedImage:
        kinds = {LABEL_TYPE: AssociatedKind.LABEL, MACRO_TYPE: AssociatedKind.MACRO}
        subtype = int(page.subfiletype)
        if subtype in kinds:
            return AssociatedImage(kinds[subtype], f"subfile type {subtype}", page_size(page))
        if number == 1 and not page.is_tiled:
            return AssociatedImage(AssociatedKind.THUMBNAIL, "second directory, in strips", page_size(page))
        return AssociatedImage(AssociatedKind.UNKNOWN, "no mark of a level", page_size(page))


def _fields(description: str) -> dict[str, str]:
    """Split ``key = value`` pairs between bars; a value may itself hold an equals sign."""
    found = {}
    for part in description.split("|")[1:]:
        key, _, value = part.partition("=")
        found[f"aperio.{key.strip()}"] = value.strip()
    return found
