"""How far a delivery is: one bar, one line a slide, and an end that waits for the slides in hand."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from archive.amounts import counted
from archive.cli.sentences import out
from ingest.cli.telling import tell_outcome
from ingest.pipeline.batch import Outcome

STEPS = ("receive", "recognise", "pixels", "prove", "screen", "commit")
WEIGHTS = {"receive": 0.05, "recognise": 0.10, "pixels": 0.15, "prove": 0.45, "screen": 0.65, "commit": 0.90}
"""How far a slide is when a step begins: about the share of time that the steps before it take."""

T = TypeVar("T")


class SlideProgress:
    """A bar over all slides of a delivery, which tells of each slide as it ends, and how fast they end.

    Where slides are taken in one after the other, it moves within each slide as its steps and tiles go by.
    """

    def __init__(self, count: int) -> None:
        self.kept = self.known = self.refused = 0
        self.source_bytes = 0
        self._began = time.monotonic()
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(table_column=Column(min_width=7, no_wrap=True)),
            console=out(),
            transient=True,
        )
        self._count_of_all = count
        self._task = self.progress.add_task("receive", total=count, told=self._told())

    @property
    def done(self) -> int:
        """Slides that have ended."""
        return self.kept + self.known + self.refused

    def watch(self, step: str, told: dict[str, int]) -> None:
        """Move the bar within the slide in hand."""
        within = WEIGHTS.get(step, 0.0)
        if step == "pixels" and told.get("of"):
            within += (WEIGHTS["prove"] - WEIGHTS["pixels"]) * min(1.0, told["tiles"] / told["of"])
        self.progress.update(self._task, description=f"{step:9}", completed=self.done + within)

    def ended(self, outcome: Outcome, receipts: Path | None = None) -> None:
        """Tell how a slide ended."""
        self._count(outcome)
        self.progress.update(self._task, completed=self.done, told=f"{self._told()}, {self._pace()}{self._failed()}")
        tell_outcome(outcome, self.progress.console)
        if receipts and outcome.receipt:
            with receipts.open("a") as file:
                file.write(json.dumps(outcome.receipt.as_json()) + "\n")

    @property
    def pace(self) -> str:
        """How fast slides end, in words."""
        return self._pace(" slides")

    def _pace(self, what: str = "") -> str:
        seconds = max(0.001, time.monotonic() - self._began)
        a_minute = 60 * self.done / seconds
        return f"{a_minute:,.{0 if a_minute >= 10 else 1}f}{what}/min, {self.source_bytes / 1e6 / seconds:,.1f} MB/s"

    def _told(self) -> str:
        return f"{self.done:,} of {counted(self._count_of_all, 'slide')}"

    def _failed(self) -> str:
        return f", {self.refused:,} refused" if self.refused else ""

    def _count(self, outcome: Outcome) -> None:
        if outcome.receipt is None:
            self.refused += 1
        elif outcome.receipt.wrote:
            self.kept += 1
            self.source_bytes += outcome.receipt.source_bytes
        else:
            self.known += 1


class Stop:
    """Whether somebody asked to end."""

    def __init__(self) -> None:
        self.asked = False

    def before(self, things: Iterable[T]) -> Iterator[T]:
        """Give one thing after the other, until somebody asks to end."""
        for thing in things:
            if self.asked:
                return
            yield thing


@contextmanager
def stop_on_interrupt() -> Iterator[Stop]:
    """Take the first Ctrl-C as a wish to end after what is in hand, and the second as it is usually meant."""
    stop = Stop()

    def interrupted(number: int, frame: object) -> None:
        stop.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.write(sys.stderr.fileno(), b"\nEnding after the slides in hand; press Ctrl-C again to end at once.\n")

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
