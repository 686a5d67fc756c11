"""The pixels of a slide that is being taken in are looked at before it is kept; see `ingest.screening`.

They came in with a stranger's file. So one jail decodes them, which reaches the staged pyramid and nothing else, and
another looks at what the first one drew, which reaches nothing at all.
"""

import base64
import math
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from archive.consent import MightIdentify
from archive.geometry import Rectangle, Size
from archive.holdings.pixels import LevelLayout
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.answers import UNFIT, level_to_json
from ingest.pipeline.jailed import show
from ingest.sandbox import Jail, Limits
from ingest.sandbox.limits import MIB
from ingest.screening import Finding, Kind, Pixels, Screener, Screening, View, overview, shared

REASONS: Final = {
    Kind.TEXT: Reason.WRITING_IN_PICTURE,
    Kind.BARCODE: Reason.BARCODE_IN_PICTURE,
    Kind.STICKER: Reason.STICKER_IN_PICTURE,
}
"""Why a slide waits on which such a thing is seen."""

KINDS: Final = {reason: kind for kind, reason in REASONS.items()}

MOST_SIDE: Final = 4096
"""Pixels of a view each way: the largest has 1,280 x 4, for borders are looked at twice as large."""

MOSTLY: Final = 0.8
"""Share of what looks like ink that lies in what was made black: edges are blurred on a small picture."""

BEYOND_PX: Final = 24
"""As far as black reaches beyond a place in a JPEG tile whose colours are halved, at most."""

LIMITS: Final = Limits(cpu_seconds=120, wall_seconds=900.0, written_bytes=512 * MIB, message_bytes=64 * MIB)
"""What is answered counts as written; into files it can write nothing at all."""


@dataclass(frozen=True)
class Screened:
    """What was seen on a slide, what of it a person had judged before, and what it took."""

    screening: Screening
    seconds: float
    settled: frozenset[Kind] = frozenset()

    @property
    def for_a_person(self) -> tuple[Finding, ...]:
        """What nobody has judged yet."""
        return tuple(finding for finding in self.screening.alarms if finding.kind not in self.settled)

    @property
    def grade(self) -> MightIdentify:
        """The grade of a slide that is kept; where a person judged what is there, that is no attestation."""
        return MightIdentify() if self.screening.alarms else self.screening.grade

    @property
    def rescreen(self) -> bool:
        """Whether it is to be looked at again, because not everything was."""
        return not self.screening.complete


def screen_staged(
    folder: Path,
    levels: Sequence[LevelLayout],
    *,
    settled: Collection[Kind] = (),
    black_out: Sequence[Rectangle] = (),
    keep_out: Sequence[Path] = (),
    limits_only: bool = False,
    screener: Screener | None = None,
) -> Screened:
    """Look at the pixels of a staged scan.

    Parameters
    ----------
    folder : Path
        Its pyramid; nobody writes there any more.
    levels : sequence of LevelLayout
        From full resolution to the smallest.
    settled : collection of Kind
        What a person saw on it and judged.
    black_out : sequence of Rectangle
        What was made black, which is no marker's ink.
    keep_out : sequence of Path
        Folders that whoever decodes must have no way into.
    limits_only : bool
        Whether to go on where the system has no walls, only limits.
    screener : Screener
        Who looks; that of this process unless given.

    Raises
    ------
    JailUnavailable
        If no jail can be made here.
    """
    began = time.monotonic()
    with Drawing(folder, levels, keep_out, limits_only) as drawing:
        looking = screener or shared(limits_only=limits_only)
        screening = looking.screen_drawn(levels[0].size, drawing.draw, settled)
    screening = without_black(screening, black_out, levels[0].size)
    return Screened(screening, time.monotonic() - began, frozenset(settled))


def without_black(screening: Screening, black_out: Sequence[Rectangle], slide: Size) -> Screening:
    """Leave out what was taken for a marker's ink and was made black by order."""
    black = [_grown(place, slide) for place in black_out]
    findings = tuple(one for one in screening.findings if not (one.kind is Kind.PEN and _is_in(one.place, black)))
    return replace(screening, findings=findings)


class Drawing:
    """Draws views of one staged scan in a jail; one that failed is not asked again, but made anew.

    Parameters
    ----------
    folder, levels, keep_out, limits_only
        As for `screen_staged`.
    """

    def __init__(
        self, folder: Path, levels: Sequence[LevelLayout], keep_out: Sequence[Path], limits_only: bool
    ) -> None:
        self._folder = folder
        self._levels: list[dict[str, Any]] = [level_to_json(level) for level in levels]
        self._keep_out, self._limits_only = keep_out, limits_only
        self._jail: Jail | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def draw(self, view: View) -> Pixels:
        """Draw a view, ``(height, width, 3)`` uint8 RGB.

        Raises
        ------
        SlideRefused
            If it cannot be drawn.
        """
        if self._jail is None:
            jail = Jail(
                read=[self._folder], limits=LIMITS, keep_out=self._keep_out, allow_limits_only=self._limits_only
            )
            self._jail = jail.__enter__()
        try:
            told = self._jail.call(show, str(self._folder), self._levels, list(view.place.sides), view.reduced)
            return _pixels(told)
        except SlideRefused:
            self._end()
            raise

    def _end(self) -> None:
        if self._jail is not None:
            self._jail.close()
        self._jail = None


def _grown(place: Rectangle, slide: Size) -> Rectangle:
    """Say how far the black of a place may reach: in a JPEG tile of the level that the overview shows."""
    margin = math.ceil(BEYOND_PX * overview(slide).reduced)
    x, y = max(0, place.x - margin), max(0, place.y - margin)
    return Rectangle(x, y, place.right + margin - x, place.bottom + margin - y)


def _is_in(place: Rectangle, rectangles: Sequence[Rectangle]) -> bool:
    """Whether most of a place lies in one of some rectangles."""
    return any(_common(place, one) >= MOSTLY * place.width * place.height for one in rectangles)


def _common(one: Rectangle, other: Rectangle) -> int:
    """Count the pixels that two rectangles share."""
    across = min(one.right, other.right) - max(one.x, other.x)
    down = min(one.bottom, other.bottom) - max(one.y, other.y)
    return max(0, across) * max(0, down)


def _pixels(told: Any) -> Pixels:
    try:
        height, width = int(told["height"]), int(told["width"])
        if not (1 <= height <= MOST_SIDE and 1 <= width <= MOST_SIDE):
            raise ValueError("no view is so large")
        pixels = np.frombuffer(base64.b64decode(told["pixels"], validate=True), np.uint8)
        return pixels.reshape(height, width, 3)
    except UNFIT:
        raise SlideRefused(Reason.READER_CRASHED) from None
