"""Reads DICOM whole-slide images (VL Whole Slide Microscopy Image Storage)."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final

from ingest.errors import Reason, SlideRefused
from ingest.scanners.base import (
    MAX_PICTURE_PIXELS,
    AssociatedImage,
    AssociatedKind,
    Pixels,
    Scan,
    ScanReader,
    bounded,
)
from ingest.scanners.dicom.files import Files
from ingest.scanners.dicom.header import MARK, META_AT, Header, value_of
from ingest.scanners.dicom.instance import Flavour, Instance
from ingest.scanners.dicom.level import DicomLevel
from ingest.scanners.dicom.series import instances_of, levels_of
from ingest.scanners.dicom.words import words_of

KINDS: Final = {
    Flavour.LABEL: AssociatedKind.LABEL,
    Flavour.OVERVIEW: AssociatedKind.MACRO,
    Flavour.THUMBNAIL: AssociatedKind.THUMBNAIL,
    Flavour.OTHER: AssociatedKind.UNKNOWN,
}


class DicomReader(ScanReader):
    """Reads a slide, whichever of its files it is named by."""

    maker = "dicom"

    def __init__(self, path: Path) -> None:
        self._files = Files()
        try:
            self._instances = instances_of(self._files, path)
        except SlideRefused:
            self._files.close()
            raise

    @classmethod
    def recognise(cls, path: Path) -> str | None:
        """Say None if the file has the mark of DICOM."""
        with path.open("rb") as file:
            return None if file.read(META_AT).endswith(MARK) else "no mark of DICOM"

    def close(self) -> None:
        """Close all files."""
        self._files.close()

    def scan(self) -> Scan:
        """Tell levels, associated images and facts."""
        instances, levels = self._instances, self._levels
        if not levels:
            raise SlideRefused(Reason.NOT_A_WHOLE_SLIDE)
        largest = levels[0][0].header
        return Scan(
            self.maker,
            tuple(DicomLevel(self._files, parts) for parts in levels),
            tuple(AssociatedImage(*_told(one), one.size) for one in self._others),
            bounded(_words(largest, instances)),
            _icc_profile(largest),
        )

    def pictures(self, kind: AssociatedKind) -> Iterator[Pixels]:
        """Decode the associated images of a kind."""
        for one in self._others:
            if _told(one)[0] is kind and one.size.pixels <= MAX_PICTURE_PIXELS:
                picture = DicomLevel(self._files, (one,)).whole()
                yield picture[..., 0] if one.channels == 1 else picture

    @cached_property
    def _levels(self) -> list[tuple[Instance, ...]]:
        return levels_of(self._instances)

    @property
    def _others(self) -> list[Instance]:
        """The files of what is no level."""
        of_levels = {one.uid for parts in self._levels for one in parts}
        return [one for one in self._instances if one.uid not in of_levels]


def _told(one: Instance) -> tuple[AssociatedKind, str]:
    """Tell what a picture that is no level shows, and by which mark."""
    if one.flavour is Flavour.VOLUME:
        return AssociatedKind.UNKNOWN, "ImageType VOLUME, of another shape"
    return KINDS[one.flavour], f"ImageType {one.flavour or 'of another kind'}"


def _words(largest: Header, instances: tuple[Instance, ...]) -> dict[str, str]:
    """Gather what the files say: all of the largest level's, and under its number what another says besides."""
    told = words_of(largest.dataset)
    for number, one in enumerate(instances):
        for key, text in words_of(one.header.dataset).items():
            if told.get(key) != text:
                told[f"dicom[{number}]{key.removeprefix('dicom')}"] = text
    return told


def _icc_profile(header: Header) -> bytes | None:
    """Give the colour profile of the optical path."""
    paths = header.value("OpticalPathSequence", ())
    profile = value_of(paths[0], "ICCProfile") if paths else None
    return profile if isinstance(profile, bytes) else None
