"""Which reader reads a file: they are asked in a declared order, and the first that recognises it does."""

from pathlib import Path

from ingest.errors import Reason, SlideRefused
from ingest.scanners.akoya import AkoyaReader
from ingest.scanners.aperio import AperioReader
from ingest.scanners.base import ScanReader
from ingest.scanners.dicom import DicomReader
from ingest.scanners.hamamatsu import HamamatsuReader
from ingest.scanners.leica import LeicaReader
from ingest.scanners.philips import PhilipsReader
from ingest.scanners.plain_tiff import PlainTiffReader
from ingest.scanners.through_openslide import OpenSlideReader

TIFF_READERS: tuple[type[ScanReader], ...] = (
    HamamatsuReader,
    AperioReader,
    PhilipsReader,
    LeicaReader,
    AkoyaReader,
)
"""Makers whose TIFF files are read by their structure; NDPI first, because above 4 GB it is no TIFF to the others."""

OPENSLIDE_TIFF_MAKERS = frozenset({"leica", "ventana", "trestle", "huron", "argos"})
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
    raise SlideRefused(Reason.UNSUPPORTED_PIXELS if _is_tiff(path) else Reason.NOT_A_SLIDE)


def _is_tiff(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) in (b"II", b"MM")


def _readers(path: Path) -> tuple[type[ScanReader], ...]:
    if DicomReader.recognise(path) is None:  # before all else: room is left in front of its mark for a TIFF's header
        return (DicomReader,)
    if not _is_tiff(path):
        return (OpenSlideReader,)
    if OpenSlideReader.vendor(path) in OPENSLIDE_TIFF_MAKERS:
        return (*TIFF_READERS, OpenSlideReader)
    return (*TIFF_READERS, PlainTiffReader)  # OpenSlide would show pixels of other kinds, cut down to 8 bits
