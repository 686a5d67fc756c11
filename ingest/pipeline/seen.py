"""What was seen in the picture of a slide that waits, and where: told to whoever judges it, and never what it says."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from archive.errors import InvalidValue
from archive.geometry import Rectangle, Size
from ingest.quarantine import Entry
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

    @property
    def places(self) -> tuple[Rectangle, ...]:
        """What to make black so that nothing of it is left: each place with a margin around it."""
        return tuple(dict.fromkeys(_widened(spot.place, self.size) for spot in self.spots))


def told(size: Size, findings: Sequence[Finding], region: int = 0) -> dict[str, str]:
    """Put what was seen into words that an entry in quarantine keeps."""
    spots = [[finding.kind.value, *finding.place.sides] for finding in findings]
    return {_SEEN: json.dumps({"size": [size.width, size.height], "spots": spots, "region": region})}


def seen_on(entry: Entry) -> Seen | None:
    """Read what was seen on a slide that waits; None if it waits for something else."""
    return _read(entry.told)


def _read(said: Mapping[str, str]) -> Seen | None:
    if _SEEN not in said:
        return None
    try:
        content: dict[str, Any] = json.loads(said[_SEEN])
        size = Size(*content["size"])
        spots = (Spot(Kind(kind), Place(*sides).within(size)) for kind, *sides in content["spots"])
        return Seen(size, tuple(spots), int(content["region"]))
    except _UNFIT:
        return None


def _widened(place: Place, size: Size) -> Rectangle:
    margin = int(MARGIN * max(place.width, place.height)) + 1
    x, y = max(0, place.x - margin), max(0, place.y - margin)
    right, bottom = min(size.width, place.right + margin), min(size.height, place.bottom + margin)
    return Rectangle(x, y, right - x, bottom - y)
