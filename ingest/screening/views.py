"""What is looked at of a slide: all of it at a size for a screen, its borders at twice, doubtful places at four times.

Writing on a glass is made to be read by people: on the overview of a whole slide its letters are some tens of pixels
high. Print on the edge of a label that the scanner caught is finer, and lies at the border.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from archive.geometry import Size
from ingest.screening.verdict import Place

Pixels = npt.NDArray[np.uint8]
"""(height, width, 3) uint8, RGB."""

OVERVIEW_PX: Final = 1280
"""Longest side of the overview."""

OVERVIEW_PIXELS: Final = 1_200_000
"""Most pixels of the overview: what a screening costs goes with them."""

BORDER_SHARE: Final = 1 / 16
"""How far in from each side a border goes, of that extent: print that is too fine for the overview is far less high."""

BORDER_CLOSER: Final = 2.0
PLACE_CLOSER: Final = 4.0

PLACE_PX: Final = 512
"""Longest side of the picture of a doubtful place."""

NEARLY: Final = 1.25
"""A level that shows so much less than is asked for will do: the next one has up to sixteen times the pixels."""

MARGIN: Final = 0.25
"""How much is shown around a doubtful place, of its longer side."""


class Look(StrEnum):
    """How a picture is gone through."""

    WHOLE = "whole"
    """The whole slide: in four orientations, for writing of every size, for ink and stickers."""
    CLOSE = "close"
    """A part of it, in four orientations."""
    ALONG = "along"
    """A border, for what stands along it, either way up."""


class SlideLevel(Protocol):
    """One level of a slide."""

    @property
    def size(self) -> Size:
        """Its extent in its own pixels."""

    def read_region(self, x: int, y: int, width: int, height: int) -> Pixels:
        """Give a rectangle of it, ``(height, width, 3)`` uint8 RGB."""


@dataclass(frozen=True, slots=True)
class View:
    """A rectangle of the slide, how many pixels of level 0 become one of the picture each way, and how to look."""

    place: Place
    reduced: float
    look: Look

    def on_slide(self, x: float, y: float, width: float, height: float, slide: Size) -> Place:
        """Say where a rectangle of the picture lies on the slide; what lies outside is cut off."""
        left, top = max(0.0, x) * self.reduced, max(0.0, y) * self.reduced
        right, bottom = max(0.0, x + width) * self.reduced, max(0.0, y + height) * self.reduced
        left, right = min(left, self.place.width - 1), min(right, self.place.width)
        top, bottom = min(top, self.place.height - 1), min(bottom, self.place.height)
        across, down = max(1, round(right - left)), max(1, round(bottom - top))
        return Place(self.place.x + int(left), self.place.y + int(top), across, down).within(slide)


def overview(slide: Size) -> View:
    """Give the view of the whole slide."""
    reduced = max(1.0, max(slide.width, slide.height) / OVERVIEW_PX, (slide.pixels / OVERVIEW_PIXELS) ** 0.5)
    return View(Place(0, 0, slide.width, slide.height), reduced, Look.WHOLE)


def borders(slide: Size) -> tuple[View, ...]:
    """Give the views of the four borders; none where the overview shows the slide's own pixels already."""
    whole = overview(slide)
    if whole.reduced <= 1.0:
        return ()
    reduced = max(1.0, whole.reduced / BORDER_CLOSER)
    across, down = max(1, round(slide.width * BORDER_SHARE)), max(1, round(slide.height * BORDER_SHARE))
    return (
        View(Place(0, 0, slide.width, down), reduced, Look.ALONG),
        View(Place(0, slide.height - down, slide.width, down), reduced, Look.ALONG),
        View(Place(0, 0, across, slide.height), reduced, Look.ALONG),
        View(Place(slide.width - across, 0, across, slide.height), reduced, Look.ALONG),
    )


def closer(doubtful: Place, slide: Size) -> View | None:
    """Give the view of a doubtful place; None where the overview shows as much of it already."""
    whole = overview(slide)
    margin = int(MARGIN * max(doubtful.width, doubtful.height))
    left, top = max(0, doubtful.x - margin), max(0, doubtful.y - margin)
    width, height = doubtful.width + 2 * margin, doubtful.height + 2 * margin
    place = Place(left, top, width, height).within(slide)
    reduced = max(1.0, whole.reduced / PLACE_CLOSER, max(place.width, place.height) / PLACE_PX)
    return View(place, reduced, Look.CLOSE) if reduced < whole.reduced else None


def draw(levels: Sequence[SlideLevel], view: View) -> Pixels:
    """Draw a view from the smallest level that shows as much, or nearly.

    Parameters
    ----------
    levels : sequence of SlideLevel
        From full resolution to the smallest, none over four times as wide as the next: so what is read has at most
        four times the view's width and height.
    view : View
        What to draw.

    Returns
    -------
    numpy.ndarray
        ``(height, width, 3)`` uint8 RGB.
    """
    full = levels[0].size
    level = max(
        (one for one in levels if full.width / one.size.width <= NEARLY * view.reduced or one is levels[0]),
        key=lambda one: full.width / one.size.width,
    )
    across, down = level.size.width / full.width, level.size.height / full.height
    place = view.place
    left, top = min(int(place.x * across), level.size.width - 1), min(int(place.y * down), level.size.height - 1)
    width = max(1, min(round(place.width * across), level.size.width - left))
    height = max(1, min(round(place.height * down), level.size.height - top))
    pixels = level.read_region(left, top, width, height)
    wanted = (max(1, round(place.width / view.reduced)), max(1, round(place.height / view.reduced)))
    if wanted == (width, height):
        return pixels
    enlarged = wanted[0] > width
    resampling = Image.Resampling.BILINEAR if enlarged else Image.Resampling.BOX
    return np.asarray(Image.fromarray(pixels).resize(wanted, resampling))
