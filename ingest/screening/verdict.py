"""What a screening says: where on the slide something was seen, of which kind, how surely; never what it reads."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from archive.consent import MightIdentify
from archive.consent.terms import Grade
from archive.errors import InvalidValue
from archive.geometry import Rectangle, Size

VERSION: Final = "pixels-1"
"""Of what is looked at and how. Slides that were screened by another one are screened again."""

PEN: Final = "-pen"
"""Ends the version in the grade of a slide that has pen marks, so that who looks at it knows."""


class Kind(StrEnum):
    """What was seen."""

    TEXT = "text"
    """A line of writing that can be read."""
    BARCODE = "barcode"
    """A barcode that can be read."""
    STICKER = "sticker"
    """A plain, straight-edged area as paper or tape has."""
    PEN = "pen"
    """The ink of a marker, without writing that can be read."""

    @property
    def is_only_told(self) -> bool:
        """Whether it hinders nothing but publication, before which two persons look at every slide."""
        return self is Kind.PEN


@dataclass(frozen=True, slots=True)
class Place(Rectangle):
    """A rectangle on the slide, in pixels of level 0."""

    def within(self, size: Size) -> Self:
        """Cut off what lies beyond a slide of this size."""
        x, y = min(self.x, size.width - 1), min(self.y, size.height - 1)
        width, height = min(self.width, size.width - x), min(self.height, size.height - y)
        return type(self)(x, y, width, height)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was seen. ``confidence`` is from 0 to 1, as its finder gives it."""

    kind: Kind
    place: Place
    confidence: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.confidence) and 0 <= self.confidence <= 1):
            raise InvalidValue("a finding's confidence is from 0 to 1")


@dataclass(frozen=True, slots=True)
class Screening:
    """The verdict about one slide.

    Attributes
    ----------
    findings : tuple of Finding
        What was seen.
    complete : bool
        Whether everything was looked at that is to be; otherwise nothing is known but the findings.
    views : int
        Pictures that were looked at.
    cpu_seconds : float
        What it cost in the jail, as that tells.
    """

    findings: tuple[Finding, ...] = ()
    complete: bool = False
    views: int = 0
    cpu_seconds: float = 0.0

    @property
    def alarms(self) -> tuple[Finding, ...]:
        """Findings about which a person decides before the slide is kept."""
        return tuple(finding for finding in self.findings if not finding.kind.is_only_told)

    @property
    def has_pen_marks(self) -> bool:
        """Whether a marker was seen."""
        return any(finding.kind is Kind.PEN for finding in self.findings)

    @property
    def grade(self) -> MightIdentify:
        """What this screening alone makes of the question whether the picture might identify (row Z3)."""
        if self.alarms:
            return MightIdentify(Grade.YES)
        if not self.complete:
            return MightIdentify(Grade.UNASSESSED)
        return MightIdentify.screened(VERSION + PEN if self.has_pen_marks else VERSION)


def is_of_this_version(grade: MightIdentify) -> bool:
    """Whether a grade is a screening's, and the screening was done as it is done now."""
    return grade.screening in (VERSION, VERSION + PEN)
