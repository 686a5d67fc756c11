"""What was seen in the picture of a slide is shown where it is, and a person orders what to make black.

The picture is the slide's own pixels, all of level 0, so that a place on it is a place on the slide. Like the label's
it is drawn in the jail when somebody opens the page, and lies nowhere else.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from archive.errors import InvalidValue
from archive.geometry import Rectangle, Size
from ingest.desk.room import Room
from ingest.pipeline.pictures import closer_of
from ingest.pipeline.seen import Seen, seen_on
from ingest.quarantine.register import Entry
from ingest.screening import Kind, Place

ROWS: Final = 12
"""Places that one form tells at most."""

EMPTY: Final = 2
"""Rows of the form beyond what was seen, for whoever has no script that draws more."""

SIDES: Final = ("x", "y", "width", "height")

WORDS: Final = {
    Kind.TEXT: "writing that can be read",
    Kind.BARCODE: "a barcode",
    Kind.STICKER: "paper or tape",
    Kind.PEN: "a marker's ink",
}


@dataclass(frozen=True)
class Spot:
    """One thing that was seen: in words, where, and a picture of it as a data URL."""

    words: str
    place: Place
    picture: str = field(repr=False)


@dataclass(frozen=True)
class Stage:
    """A slide's picture as a data URL, how large the slide is, what was seen and ordered on it, and the form's rows."""

    picture: str = field(repr=False)
    size: Size
    spots: tuple[Spot, ...]
    ordered: tuple[Rectangle, ...]
    rows: tuple[Rectangle | None, ...]


def stage_of(room: Room, entry: Entry) -> Stage | None:
    """Draw what was seen on a slide that waits; None if it waits for something else.

    Raises
    ------
    SlideRefused
        If its file cannot be read.
    JailUnavailable
        If it cannot be read safely here.
    """
    seen = seen_on(entry)
    if seen is None:
        return None
    closer = closer_of(entry.path, seen, keep_out=room.secret, limits_only=room.limits_only)
    spots = (
        Spot(WORDS[spot.kind], spot.place, data_url(jpeg)) for spot, jpeg in zip(seen.spots, closer.places, strict=True)
    )
    black = tuple(place for region, place in entry.black_out if region == seen.region)
    return Stage(data_url(closer.whole), seen.size, tuple(spots), black, rows_of(seen))


def ordered(form: Mapping[str, str]) -> list[Rectangle]:
    """Read the places of a form, in pixels of level 0; rows that are empty are left out.

    Raises
    ------
    InvalidValue
        If a row tells something but no place.
    """
    places = []
    for number in range(1, ROWS + 1):
        sides = [form.get(f"{side}{number}", "") for side in SIDES]
        if any(sides):
            places.append(_rectangle(sides, number))
    return places


def data_url(jpeg: bytes) -> str:
    """Put a picture into the page itself."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _rectangle(sides: list[str], number: int) -> Rectangle:
    try:
        return Rectangle.parse(",".join(sides))
    except InvalidValue:
        raise InvalidValue(
            f"place {number} needs four whole numbers: left and top of 0 or more, width and height of 1 or more"
        ) from None


def rows_of(seen: Seen) -> tuple[Rectangle | None, ...]:
    """Give the rows of the form before anybody changed it: what was seen, with a margin, and empty ones."""
    return *seen.places(ROWS - EMPTY), *(None,) * EMPTY
