"""How often the screening finds what is written, and how often it finds something where nothing is.

The pictures are those of real slides where there are any, and of tissue that is drawn where there are none; the same
every time, so that a larger count has all of a smaller one.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from ingest.screening import Place, Screener, Screening
from tests.slides.real_pictures import OneLevel, fields, real_pictures
from tests.slides.tissue import Picture, tissue
from tests.slides.written import Written, written

RECALL: Final = 0.95
"""Share of composites in which what is written is found, at least."""

FALSE_ALARMS: Final = 0.02
"""Share of clean fields in which something is found, at most."""

FIELD_PX: Final = 1280

TEST_CHARTS: Final = ("grey10kx5k.tif", "yb10kx5k.zstd.tiff")
"""Among the real slides; what stands on them was drawn, and they are nobody's tissue."""

REPOSITORY: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ground:
    """Pictures to write on and to cut fields from, ``(height, width, 3)`` uint8 RGB, and what they are."""

    what: str
    pictures: tuple[Picture, ...] = field(repr=False)

    @classmethod
    def of(cls, folder: Path | None) -> Self:
        """Take the pictures of the real slides in a folder; draw some if there is none, or none in it."""
        named = [] if folder is None else list(real_pictures(folder))
        real = tuple(picture for path, picture in named if path.name not in TEST_CHARTS)
        if real:
            return cls(f"{len(real)} real slides", real)
        sizes = ((1100, 800), (900, 1200), (2400, 1800), (1500, 2100))
        drawn = tuple(tissue(width, height, seed=seed) for seed, (width, height) in enumerate(sizes, 3))
        return cls("drawn tissue, for there are no real slides here", drawn)


@dataclass(frozen=True)
class Counted:
    """In how many pictures something was seen.

    Attributes
    ----------
    pictures, seen, whole
        How many were looked at, in how many of them something was seen, and how many were looked at whole.
    wrong
        Which of them went wrong.
    cpu_seconds
        What each cost in the jail.
    """

    pictures: int
    seen: int
    whole: int
    wrong: tuple[str, ...]
    cpu_seconds: tuple[float, ...]

    @property
    def share(self) -> float:
        """Share of the pictures in which something was seen."""
        return self.seen / self.pictures


def folder_of_real_slides() -> Path | None:
    """Name the folder of real slides, or None."""
    folder = Path(os.environ.get("COVERSLIP_TEST_SLIDES", REPOSITORY / "../shared/slides")).resolve()
    return folder if folder.is_dir() else None


def recall(screener: Screener, ground: Ground, count: int) -> Counted:
    """Write so many lines, and count those that raise an alarm where they stand."""
    told, missed = [], []
    for number in range(count):
        one = written(ground.pictures[number % len(ground.pictures)], number)
        told.append(screener.screen([OneLevel(one.picture)]))
        if not any(overlap(finding.place, one.place) for finding in told[-1].alarms):
            missed.append(_composite(number, one))
    return _counted(told, count - len(missed), missed)


def false_alarms(screener: Screener, ground: Ground, count: int) -> Counted:
    """Cut so many fields on which nothing is written, and count those that raise an alarm."""
    told, false = [], []
    for number, picture in enumerate(fields(ground.pictures, count, FIELD_PX)):
        told.append(screener.screen([OneLevel(picture)]))
        if told[-1].alarms:
            false.append(f"field {number}: {', '.join(map(str, told[-1].alarms))}")
    return _counted(told, len(false), false)


def _counted(told: Sequence[Screening], seen: int, wrong: Sequence[str]) -> Counted:
    whole = sum(screening.complete for screening in told)
    return Counted(len(told), seen, whole, tuple(wrong), tuple(screening.cpu_seconds for screening in told))


def overlap(place: Place, written_at: tuple[int, int, int, int]) -> bool:
    """Whether a place meets a rectangle ``(x, y, width, height)``."""
    x, y, width, height = written_at
    return place.x < x + width and x < place.x + place.width and place.y < y + height and y < place.y + place.height


def _composite(number: int, one: Written) -> str:
    """Tell of a line that was missed; it is made up, and so can be named."""
    return f"composite {number}: {one.text!r} at {one.place} of {one.picture.shape[1]} x {one.picture.shape[0]} px"
