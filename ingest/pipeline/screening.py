"""The pixels of a slide that is being taken in are looked at before it is kept; see `ingest.screening`.

They came in with a stranger's file. So one jail decodes them, which reaches the staged pyramid and nothing else, and
another looks at what the first one drew, which reaches nothing at all.
"""

import base64
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from archive.consent import MightIdentify
from archive.geometry import Rectangle
from archive.holdings.pixels import LevelLayout
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.answers import UNFIT, level_to_json
from ingest.pipeline.jailed import show
from ingest.sandbox import Jail, Limits
from ingest.sandbox.limits import MIB
from ingest.screening import Finding, Kind, Pixels, Screener, Screening, View, shared

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

LIMITS: Final = Limits(cpu_seconds=120, wall_seconds=900.0, written_bytes=MIB, message_bytes=64 * MIB)


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
    told: list[dict[str, Any]] = [level_to_json(level) for level in levels]
    with Jail(read=[folder], limits=LIMITS, keep_out=keep_out, allow_limits_only=limits_only) as jail:

        def drawn(view: View) -> Pixels:
            return _pixels(jail.call(show, str(folder), told, list(view.place.sides), view.reduced))

        looking = screener or shared(limits_only=limits_only)
        screening = looking.screen_drawn(levels[0].size, drawn, settled)
    findings = tuple(one for one in screening.findings if not (one.kind is Kind.PEN and _is_in(one.place, black_out)))
    return Screened(replace(screening, findings=findings), time.monotonic() - began, frozenset(settled))


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
