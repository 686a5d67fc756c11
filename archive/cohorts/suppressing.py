"""A small number points at people, and so does the difference of two numbers; what is counted before access is coarse.

RULES section 3: figures of seven patients or fewer are not told, and none is not told apart from few. Where figures
stand side by side, what is left untold adds up to more than seven patients, so that nobody finds it by subtraction.
What is told is rounded to five, so that two questions that differ by one patient get the same answer, or two that prove
nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from archive.catalogue.counting import Tally

FEWEST = 8
"""Patients of whom a figure is told."""
STEP = 5
"""What figures are rounded to."""

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Count:
    """How many patients, slides and scans there are, about."""

    patients: int
    slides: int
    scans: int

    def __str__(self) -> str:
        return f"about {self.patients:,} patients, {self.slides:,} slides, {self.scans:,} scans"


def told(tally: Tally) -> Count | None:
    """Give a figure as it may be told; None if it may not, for being small or nothing."""
    if tally.patients < FEWEST:
        return None
    return Count(*(STEP * round(number / STEP) for number in (tally.patients, tally.slides, tally.scans)))


def side_by_side(tallies: Mapping[K, Tally]) -> dict[K, Count]:
    """Give those figures that may be told together, the largest first."""
    by_size = sorted(tallies, key=lambda key: tallies[key].patients)
    untold = [key for key in by_size if tallies[key].patients < FEWEST]
    hidden = sum(tallies[key].patients for key in untold)
    for key in by_size[len(untold) :]:
        if not 0 < hidden < FEWEST:
            break
        untold.append(key)
        hidden += tallies[key].patients
    return {key: count for key in reversed(by_size) if key not in untold and (count := told(tallies[key]))}
