"""A JPEG picture can be cut at whole MCU without loss: its coefficients are read, and coded anew.

libjpeg-turbo's library for such transforms is a part of the system and not of any Python package. Where it is missing,
nothing is cut. It is looked for when this module is imported, because in the jail no library can be.
"""

import warnings
from typing import Final

from turbojpeg import TurboJPEG

from archive.holdings.pixels import NotPlainJpeg


def _find() -> TurboJPEG | None:
    try:
        return TurboJPEG()
    except (RuntimeError, OSError):
        return None


_TURBO: Final = _find()


def can_cut() -> bool:
    """Whether this machine has the library."""
    return _TURBO is not None


def cut(stream: bytes, *, width: int, height: int, parts: int) -> list[bytes]:
    """Cut a JPEG picture into columns of the same width.

    Parameters
    ----------
    stream : bytes
        A whole JPEG file, `width` x `height` px.
    width, height : int
        Its size in pixels; a part's width is a whole number of MCU.
    parts : int
        How many columns.

    Returns
    -------
    list of bytes
        A JPEG file each, from left to right, without any comment or application segment of the source.

    Raises
    ------
    NotPlainJpeg
        If the library is missing, or the stream damaged.
    """
    if _TURBO is None:
        raise NotPlainJpeg("the library that cuts JPEG pictures is not on this machine")
    wide = width // parts
    places = [(number * wide, 0, wide, height) for number in range(parts)]
    try:
        with warnings.catch_warnings():  # of damaged data it only warns
            warnings.simplefilter("error")
            return [bytes(part) for part in _TURBO.crop_multiple(stream, places, copynone=True)]
    except (OSError, RuntimeError, ValueError, UserWarning) as error:
        raise NotPlainJpeg("it cannot be cut") from error
