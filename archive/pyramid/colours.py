"""Equal numbers are not equal colours: a scanner's profile says which colours its numbers are.

With it a tile can be turned into sRGB, which screens and browsers expect, by Little CMS. What is stored stays as the
scanner wrote it; colours are turned where somebody looks.

The intent is relative colorimetric without black point compensation: what was measured is shown, and glass is white
(decision 0021).
"""

import hashlib
import io
import logging
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from archive.errors import ArchiveError, ColoursUnknown, DamagedPyramid
from archive.pyramid.jpeg_pixels import Pixels

INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC

LARGEST_BYTES = 16 << 20
"""Scanners' profiles have 0.5 KB to 13 MB."""

TRANSFORMS = 16
"""Transforms that are kept, one for each profile; one takes 0.3 MB. Slides of one scanner have one profile."""

_MODES = {"RGB": "RGB", "GRAY": "L"}
"""How Pillow calls the pixels that a profile is for."""

_log = logging.getLogger(__name__)


class Profile(StrEnum):
    """Whether a scan's colours can be turned into sRGB."""

    NONE = "none"
    """The scanner did not say which colours its numbers are."""
    USABLE = "usable"
    UNUSABLE = "unusable"
    """There is a profile, and it is damaged or not understood."""


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """A profile beside a scan's pixels: size and SHA-256 as the scan's manifest has them, which make it what it is."""

    size_bytes: int
    sha256: str
    path: Path = field(compare=False)

    def read(self) -> bytes:
        """Read it.

        Raises
        ------
        DamagedPyramid
            If it is not what was stored.
        """
        wanted = f"SHA-256 {self.sha256[:8]}"
        if self.size_bytes > LARGEST_BYTES:
            raise DamagedPyramid(self.path.name, f"at most {LARGEST_BYTES} bytes", f"{self.size_bytes} bytes")
        try:
            with self.path.open("rb") as file:
                content = file.read(self.size_bytes + 1)
        except OSError as error:
            raise DamagedPyramid(self.path.name, wanted, "nothing that can be read") from error
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise DamagedPyramid(self.path.name, wanted, "other content")
        return content


class ToSrgb:
    """Turns pixels of one scanner into sRGB.

    Parameters
    ----------
    profile : bytes
        An ICC profile for RGB or grey.

    Raises
    ------
    ColoursUnknown
        If Little CMS does not understand it.
    """

    def __init__(self, profile: bytes) -> None:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            self._mode = _MODES[source.profile.xcolor_space.strip()]
            target = ImageCms.createProfile("sRGB")
            self._transform = ImageCms.buildTransform(source, target, self._mode, "RGB", INTENT)
        except (ImageCms.PyCMSError, OSError, KeyError, ValueError) as error:
            raise ColoursUnknown("the scan's colour profile is not understood; its colours stay as scanned") from error

    @property
    def is_grey(self) -> bool:
        """Whether the profile is for grey pixels."""
        return self._mode == "L"

    def __call__(self, pixels: Pixels) -> Pixels:
        """Turn ``(height, width, 3)`` uint8 pixels of the scanner, grey ones repeated, into as many of sRGB."""
        seen = pixels[..., 0] if self.is_grey else pixels
        picture = Image.fromarray(np.ascontiguousarray(seen))
        return np.asarray(self._transform.apply(picture))


class Colours:
    """The colours of one scan: as they were scanned, and in sRGB where its profile says how.

    Parameters
    ----------
    stored : StoredProfile or None
        The profile, if the scan has one.
    grey : bool
        Whether the scan's pixels are grey.
    """

    def __init__(self, stored: StoredProfile | None = None, *, grey: bool = False) -> None:
        self._stored = stored
        self._grey = grey

    @cached_property
    def profile(self) -> Profile:
        """Whether they can be turned into sRGB; found out when it is first asked. Why not is told in the log, once."""
        if self._stored is None:
            return Profile.NONE
        try:
            self._to_srgb()
        except ArchiveError as error:
            _log.error("A scan's colours stay as scanned because of %s: run coverslip check.", type(error).__name__)
            return Profile.UNUSABLE
        return Profile.USABLE

    def to_srgb(self, pixels: Pixels) -> Pixels:
        """Turn pixels of this scan into sRGB: ``(height, width, 3)`` uint8 to the same.

        Raises
        ------
        ColoursUnknown
            If the scan has no profile, or none that is understood.
        DamagedPyramid
            If its profile is not what was stored.
        """
        return self._to_srgb()(pixels)

    def _to_srgb(self) -> ToSrgb:
        if self._stored is None:
            raise ColoursUnknown("the scanner did not say which colours its numbers are; they stay as scanned")
        transform = _transform(self._stored)
        if transform.is_grey and not self._grey:
            raise ColoursUnknown("the scan's colour profile is one for grey pixels; its colours stay as scanned")
        return transform


@lru_cache(maxsize=TRANSFORMS)
def _transform(stored: StoredProfile) -> ToSrgb:
    """Build the transform of a profile, and read its file, once for all scans that have an equal one."""
    return ToSrgb(stored.read())
