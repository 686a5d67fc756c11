"""What was seen in the picture of a slide that waits, and where: told to whoever judges it, and never what it says."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from archive.errors import InvalidValue
from archive.geometry import Rectangle, Size
from ingest.quarantine.register import Entry
from ingest.quarantine.telling import on_region, region_of
from ingest.screening import Finding, Kind, Place

MARGIN: Final = 0.25
"""Around a place, of its longer side: a line of writing goes on where its finder stopped reading."""

_SEEN: Final = "seen"
_UNFIT: Final = (KeyError, TypeError, ValueError, InvalidValue)


@dataclass(frozen=True, slots=True)
class Spot:
    """One thing that was seen, and where on level 0."""

    kind: Kind
    place: Place


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was seen on one slide, how large its level 0 is, and which region of its file it is."""

    size: Size
    spots: tuple[Spot, ...]
    region: int = 0

    def places(self, at_most: int) -> tuple[Rectangle, ...]:
        """Give what to make black so that nothing of it is left: places with a margin, joined where that is no more.

        If there are more than `at_most`, those are joined that add the least.
        """
        found = [_widened(spot.place, self.size) for spot in self.spots]
        while len(found) > 1:
            added, first, second = min(
                (_added(one, other), one, other) for number, one in enumerate(found) for other in found[number + 1 :]
            )
            if added > 0 and len(found) <= at_most:
                break
            found.remove(first)
            found.remove(second)
            found.append(_both(first, second))
        return tuple(sorted(found))

    def require_on_slide(self, places: Sequence[Rectangle]) -> None:
        """See that each place is on the slide, at least in part; a hand may draw beyond the edge.

        Raises
        ------
        InvalidValue
            If one is not: nothing would be made black there.
        """
        for place in places:
            if place.x >= self.size.width or place.y >= self.size.height:
                raise InvalidValue(f"the place {place} lies beyond the slide, which is {self.size}")


def told(size: Size, findings: Sequence[Finding], region: int = 0) -> dict[str, str]:
    """Put what was seen into words that an entry in quarantine keeps."""
    spots = [[finding.kind.value, *finding.place.sides] for finding in findings]
    return {**on_region(region), _SEEN: json.dumps({"size": [size.width, size.height], "spots": spots})}


def seen_on(entry: Entry) -> Seen | None:
    """Read what was seen on a slide that waits; None if it waits for something else."""
    if _SEEN not in entry.told:
        return None
    try:
        content: dict[str, Any] = json.loads(entry.told[_SEEN])
        size = Size(*content["size"])
        spots = (Spot(Kind(kind), Place(*sides).within(size)) for kind, *sides in content["spots"])
        return Seen(size, tuple(spots), region_of(entry))
    except _UNFIT:
        return None


def _widened(place: Place, size: Size) -> Rectangle:
    margin = int(MARGIN * max(place.width, place.height)) + 1
    x, y = max(0, place.x - margin), max(0, place.y - margin)
    right, bottom = min(size.width, place.right + margin), min(size.height, place.bottom + margin)
    return Rectangle(x, y, right - x, bottom - y)


def _both(one: Rectangle, other: Rectangle) -> Rectangle:
    """Give the smallest rectangle that holds two."""
    x, y = min(one.x, other.x), min(one.y, other.y)
    return Rectangle(x, y, max(one.right, other.right) - x, max(one.bottom, other.bottom) - y)


def _added(one: Rectangle, other: Rectangle) -> int:
    """Tell how many pixels it adds to make one rectangle of two; less than none where that is smaller than both."""
    both = _both(one, other)
    return both.width * both.height - one.width * one.height - other.width * other.height
