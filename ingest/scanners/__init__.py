"""Readers of what scanners write, asked in a declared order; the first that recognises a file reads it."""

from pathlib import Path

from ingest.errors import Reason, SlideRefused
from ingest.scanners.aperio import AperioReader
from ingest.scanners.base import (
    AssociatedImage,
    AssociatedKind,
    EncodedTile,
    Scan,
    ScanReader,
    SourceLevel,
)
from ingest.scanners.plain_tiff import PlainTiffReader
from ingest.scanners.through_openslide import OpenSlideReader

__all__ = [
    "AssociatedImage",
    "AssociatedKind",
    "EncodedTile",
    "Scan",
    "ScanReader",
    "SourceLevel",
    "open_scan",
]

TIFF_READERS: tuple[type[ScanReader], ...] = (AperioReader,)
"""Makers whose TIFF files are read by their structure."""

OPENSLIDE_TIFF_MAKERS = frozenset({"hamamatsu", "leica", "philips", "ventana", "trestle", "huron", "argos"})
"""TIFF makers that OpenSlide knows and that have no module of their own: their pages are not plain levels."""


def open_scan(path: Path) -> ScanReader:
    """Open a slide with the first reader that recognises it.

    Raises
    ------
    SlideRefused
        If none does.
    """
    for reader in _readers(path):
        if reader.recognise(path) is None:
            return reader(path)
    raise SlideRefused(Reason.NOT_A_SLIDE)


def _readers(path: Path) -> tuple[type[ScanReader], ...]:
    with path.open("rb") as file:
        magic = file.read(4)
    if magic[:2] not in (b"II", b"MM"):
        return (OpenSlideReader,)
    if OpenSlideReader.vendor(path) in OPENSLIDE_TIFF_MAKERS:
        return (OpenSlideReader,)
    return (*TIFF_READERS, PlainTiffReader, OpenSlideReader)
