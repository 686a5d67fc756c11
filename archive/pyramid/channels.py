"""A channel is the light of one stain in grey; a viewer sees it in a colour, between the values that matter.

In bright field a pixel is one colour, and is stored as one. In fluorescence each channel was measured by itself, in 8
or 16 bits, and is stored by itself, value for value; the colour that it is shown in is a matter of taste. So the values
are kept apart from how they are shown: a name, a colour, and a window whose ends are black and full colour.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from archive.errors import InvalidValue
from archive.pyramid.jpeg_pixels import Pixels

MAX_CHANNELS = 64
"""Multiplexed fluorescence has up to about 60."""

Plane = npt.NDArray[np.unsignedinteger]
"""(height, width) uint8 or uint16: one channel's values."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .()/-]{0,46}[A-Za-z0-9)]", re.ASCII)
_COLOUR = re.compile(r"[0-9A-F]{6}", re.ASCII)


class PixelType(StrEnum):
    """What a channel's value is, by the name that Zarr has for it."""

    UINT8 = "uint8"
    UINT16 = "uint16"

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger]:
        """The same for NumPy; in files the lower byte comes first."""
        return np.dtype("<u2" if self is PixelType.UINT16 else "u1")

    @property
    def highest(self) -> int:
        """The highest value."""
        return int(np.iinfo(self.dtype).max)


@dataclass(frozen=True, slots=True)
class Channel:
    """How a channel is called and shown.

    Parameters
    ----------
    name
        A term from a closed list, such as ``"DAPI"``, or ``"channel 2"``: never a text out of a file.
    colour
        Red, green and blue in hexadecimal, such as ``"0000FF"``.
    low, high
        The values that are shown black and in full colour; what lies between is shown in proportion.
    """

    name: str
    colour: str
    low: int
    high: int

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidValue("a channel's name is a term of 2 to 48 plain letters")
        if not _COLOUR.fullmatch(self.colour):
            raise InvalidValue("a channel's colour is six hexadecimal digits")
        if not 0 <= self.low < self.high <= PixelType.UINT16.highest:
            raise InvalidValue("a channel's window begins below its end")

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Red, green and blue, 0 to 255 each."""
        red, green, blue = bytes.fromhex(self.colour)
        return red, green, blue


def unnamed(count: int, pixel_type: PixelType) -> tuple[Channel, ...]:
    """Give so many channels of which nothing is known: grey, from the lowest value to the highest."""
    return tuple(Channel(f"channel {number}", "FFFFFF", 0, pixel_type.highest) for number in range(1, count + 1))


def shown(planes: Iterable[Plane], channels: tuple[Channel, ...], out: Pixels) -> Pixels:
    """Draw channels as a viewer sees them: each in its colour, their light added up.

    Parameters
    ----------
    planes : iterable of numpy.ndarray
        Each channel's values, ``(height, width)`` uint8 or uint16.
    channels : tuple of Channel
        As many.
    out : numpy.ndarray
        Where to draw, ``(height, width, 3)`` uint8 RGB; it is given back.
    """
    light = np.zeros(out.shape, np.uint16)
    for plane, channel in zip(planes, channels, strict=True):
        light += _table(channel, int(np.iinfo(plane.dtype).max) + 1)[plane]
    np.minimum(light, 255, out=light)
    out[...] = light
    return out


@lru_cache(maxsize=MAX_CHANNELS)
def _table(channel: Channel, values: int) -> npt.NDArray[np.uint8]:
    """Give the colour of each value, ``(values, 3)`` uint8; 64 channels of it add up to less than 65,536."""
    share = np.clip((np.arange(values, dtype=np.float32) - channel.low) / (channel.high - channel.low), 0, 1)
    return np.asarray((share[:, None] * np.asarray(channel.rgb, np.float32)).round(), np.uint8)


DARK, BRIGHT = 1.0, 99.8
"""Percentiles of a channel's values at the ends of its window: the darkest are noise, the brightest are few."""


def window(values: Plane) -> tuple[int, int]:
    """Choose which values are shown black and in full colour, from those of a small level."""
    low, high = np.percentile(values, [DARK, BRIGHT])
    start = min(int(low), int(np.iinfo(values.dtype).max) - 1)
    return start, max(int(np.ceil(high)), start + 1)


def area_average_plane(plane: Plane, factor: int) -> Plane:
    """Average blocks of `factor` x `factor` values of one channel; a block cut by the edge averages those it has.

    Half a value is rounded up.
    """
    height, width = plane.shape
    rows, columns = np.arange(0, height, factor), np.arange(0, width, factor)
    sums = np.add.reduceat(np.add.reduceat(plane, rows, 0, dtype=np.uint64), columns, 1, dtype=np.uint64)
    counts = np.diff(rows, append=height)[:, None] * np.diff(columns, append=width)[None, :]
    return np.asarray((2 * sums + counts.astype(np.uint64)) // (2 * counts.astype(np.uint64)), plane.dtype)
