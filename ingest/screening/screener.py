"""One jailed process looks at slide after slide; it is made anew when it fails, and after many slides anyway."""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, Final

from archive.errors import InvalidValue
from archive.geometry import Size
from ingest.errors import Reason, SlideRefused
from ingest.sandbox import Jail, Limits
from ingest.sandbox.limits import MIB
from ingest.screening.verdict import Finding, Kind, Screening
from ingest.screening.views import Pixels, SlideLevel, View, borders, closer, draw, overview

CPU_SECONDS: Final = 6.0
"""On one slide; a view is not begun when so much has been used. Eight views of bounded size take two to three where
nothing else is done; on processors that others use as well, the same work counts up to twice as much."""

VIEW_CPU_SECONDS: Final = 30.0
"""A view takes one to two; whatever takes so long will never end."""

SLIDES_A_PROCESS: Final = 200
"""After so many the process is made anew, so that nothing can gather in it."""

MOST_DOUBTFUL: Final = 3
"""Places of one slide that are looked at more closely."""

MOST_FINDINGS: Final = 64

LIMITS: Final = Limits(
    memory_bytes=900 * MIB,
    library_bytes=512 * MIB,
    cpu_seconds=SLIDES_A_PROCESS * 24,
    wall_seconds=48 * 3600.0,
    written_bytes=MIB,
    message_bytes=MIB,
)

FARTHEST: Final = 1e5
"""In pixels of a picture; whatever lies farther out lies on none."""

Drawn = Callable[[View], Pixels]
"""Draws a view."""

_MODULE: Final = "ingest.screening.inspecting"
_DOUBTFUL: Final = "doubtful"
_UNFIT: Final = (KeyError, TypeError, ValueError, OverflowError, InvalidValue)


class Screener:
    """Looks at the pixels of slides, in a process of its own. Safe to use from several threads, one slide at a time.

    Parameters
    ----------
    limits_only
        Whether to go on where the system has no walls, only limits.
    """

    def __init__(self, *, limits_only: bool = False) -> None:
        self._limits_only = limits_only
        self._jail: Jail | None = None
        self._slides = 0
        self._one_at_a_time = threading.Lock()

    def __enter__(self) -> "Screener":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def process(self) -> int | None:
        """Its process number; None before the first slide."""
        return self._jail.process if self._jail else None

    @property
    def peak_rss_anon_bytes(self) -> int | None:
        """Most memory of its own that the process was seen with; None before the first slide."""
        return self._jail.peak_rss_anon_bytes if self._jail else None

    def close(self) -> None:
        """End the process; the next slide makes another one."""
        with self._one_at_a_time:
            self._end()

    def screen(self, levels: Sequence[SlideLevel]) -> Screening:
        """Look at a slide.

        Parameters
        ----------
        levels : sequence of SlideLevel
            From full resolution to the smallest.

        Returns
        -------
        Screening
            Not complete if it took too long, or if the process failed twice.

        Raises
        ------
        JailUnavailable
            If no jail can be made here.
        DamagedPyramid
            If the levels cannot be read.
        """
        return self.screen_drawn(levels[0].size, lambda view: draw(levels, view))

    def screen_drawn(self, slide: Size, drawn: Drawn, settled: Collection[Kind] = ()) -> Screening:
        """Look at a slide whose views somebody else draws.

        Parameters
        ----------
        slide : Size
            Of level 0.
        drawn : callable
            Gives a view's pixels, ``(height, width, 3)`` uint8 RGB; if it raises `SlideRefused`, the slide cannot be
            looked at whole.
        settled : collection of Kind
            What a person has seen on this slide and judged already: finding it again does not end the search for more.

        Returns
        -------
        Screening
            Not complete if it took too long, or if the process or whoever draws failed twice.

        Raises
        ------
        JailUnavailable
            If no jail can be made here.
        """
        with self._one_at_a_time:
            for _ in range(2):
                with suppress(SlideRefused):
                    verdict = _Look(slide, drawn, self._call, settled).verdict()
                    self._slides += 1
                    return verdict
                self._end()
        return Screening()

    def _call(self, *arguments: Any) -> Any:
        return self._process().call(_in_jail, "inspect", *arguments)

    def _process(self) -> Jail:
        if self._slides >= SLIDES_A_PROCESS:
            self._end()
        if self._jail is None:
            jail = Jail(read=[], limits=LIMITS, allow_limits_only=self._limits_only)
            self._jail = jail.__enter__()
            self._jail.call(_in_jail, "warm_up")
        return self._jail

    def _end(self) -> None:
        if self._jail is not None:
            self._jail.close()
        self._jail, self._slides = None, 0


class _Look:
    """One slide while it is looked at."""

    def __init__(self, slide: Size, drawn: Drawn, call: Callable[..., Any], settled: Collection[Kind]) -> None:
        self._slide, self._drawn, self._call, self._settled = slide, drawn, call, settled
        self._findings: list[Finding] = []
        self._cpu_seconds = 0.0
        self._views = 0

    def verdict(self) -> Screening:
        """Look at every view that is to be looked at."""
        whole = overview(self._slide)
        doubtful = self._look(whole)
        complete = True
        for view in self._rest(whole, doubtful):
            if any(self._is_for_a_person(finding) for finding in self._findings):
                break  # a person looks at the slide anyway, and the screening has no more to say
            if self._cpu_seconds >= CPU_SECONDS:
                complete = False
                break
            self._look(view)
        # What a person must judge comes first, so that no number of other findings can crowd it out.
        findings = tuple(sorted(self._findings, key=self._is_of_less_weight)[:MOST_FINDINGS])
        return Screening(findings, complete, self._views, self._cpu_seconds)

    def _is_for_a_person(self, finding: Finding) -> bool:
        return not finding.kind.is_only_told and finding.kind not in self._settled

    def _is_of_less_weight(self, finding: Finding) -> tuple[bool, bool]:
        return finding.kind.is_only_told, finding.kind in self._settled

    def _rest(self, whole: View, doubtful: list[list[float]]) -> Iterator[View]:
        for x, y, width, height, _ in doubtful[:MOST_DOUBTFUL]:
            view = closer(whole.on_slide(x, y, width, height, self._slide), self._slide)
            if view is not None:
                yield view
        yield from borders(self._slide)

    def _look(self, view: View) -> list[list[float]]:
        """Look at one view, keep what is found there, and give the doubtful places."""
        answer = self._call(self._drawn(view), view.look.value, VIEW_CPU_SECONDS)
        self._views += 1
        try:
            self._cpu_seconds += _seconds(answer["cpu_seconds"])
            for kind in Kind:
                self._findings += _findings(kind, answer[kind.value], view, self._slide)
            return [_numbers(one) for one in answer[_DOUBTFUL]]
        except _UNFIT:
            self._findings.clear()
            raise SlideRefused(Reason.READER_CRASHED) from None


def _findings(kind: Kind, told: list[Any], view: View, slide: Size) -> list[Finding]:
    found = []
    for x, y, width, height, confidence in map(_numbers, told):
        found.append(Finding(kind, view.on_slide(x, y, width, height, slide), confidence))
    return found


def _numbers(told: Any) -> list[float]:
    x, y, width, height, confidence = (float(number) for number in told)
    if not all(abs(number) < FARTHEST for number in (x, y, width, height)):
        raise ValueError("no place in a picture")
    return [x, y, width, height, confidence]


def _seconds(told: Any) -> float:
    seconds = float(told)
    if not 0 <= seconds < LIMITS.wall_seconds:
        raise ValueError("no duration")
    return seconds


def _in_jail(tell: Any, name: str, *arguments: Any) -> Any:
    """Call a function of a module that only the jail imports."""
    return getattr(import_module(_MODULE), name)(tell, *arguments)
