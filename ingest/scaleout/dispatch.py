"""Many stories are told at once: each slide's is a generator that says what is to be done next, and where.

What needs the key vault is done here, one thing after the other, by one clerk; everything else by the crew. No more
slides are in hand than keep both busy, so neither memory nor the staging folder grows with the length of a delivery.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias

from distributed import KilledWorker

from archive.errors import ArchiveError
from ingest.errors import SlideRefused
from ingest.pipeline.noting import Outcome
from ingest.scaleout.bench import Abandoned, Failure, Refusal
from ingest.scaleout.crew import Crew

LOOK_SECONDS = 5.0
"""How often to look whether anybody is left to wait for."""

PATIENCE_SECONDS = 120.0
"""How long the whole crew may be away."""

LOST = "the scheduler or all its workers are gone; start them again, and the same command does only what is left"


class WorkerDied(Exception):
    """The worker that had this slide in its hands is gone."""


@dataclass(frozen=True)
class Here:
    """To be done here."""

    act: Callable[[], Any]


@dataclass(frozen=True)
class There:
    """To be done by the crew; what is `begun` goes before what is new."""

    act: Callable[[Any], Any]
    order: object
    begun: bool = False


Story: TypeAlias = Generator[Here | There, Any, Outcome]


class Dispatch:
    """Goes on with every story as soon as what it waited for is done."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._clerk = ThreadPoolExecutor(1, thread_name_prefix="clerk")
        self._done: SimpleQueue[tuple[Story, Any]] = SimpleQueue()
        self._ready: deque[tuple[Story, There]] = deque()
        self._away: set[Any] = set()
        self._in_hand: set[Story] = set()
        self._waited = 0.0

    def run(self, stories: Iterable[Story]) -> Iterator[Outcome]:
        """Tell all stories; give each one's outcome when it has ended.

        Raises
        ------
        ArchiveError
            If archive, vault, disk or the whole crew fail; all slides in hand are given up then.
        """
        waiting = iter(stories)
        more = True
        try:
            while more or self._in_hand:
                while more and len(self._in_hand) <= 2 * self._crew.size:
                    story = next(waiting, None)
                    more = story is not None
                    if story is not None:
                        self._in_hand.add(story)
                        yield from self._go_on(partial(next, story), story)
                self._send()
                if self._in_hand:
                    yield from self._next()
        finally:
            self._clerk.shutdown(cancel_futures=True)
            for future in self._away:
                future.cancel()
            for story in self._in_hand:
                story.close()

    def _go_on(self, step: Callable[[], Here | There], story: Story) -> Iterator[Outcome]:
        try:
            wanted = step()
        except StopIteration as end:
            self._in_hand.discard(story)
            yield end.value
            return
        if isinstance(wanted, Here):
            self._clerk.submit(wanted.act).add_done_callback(lambda future: self._done.put((story, future)))
        elif wanted.begun:
            self._ready.appendleft((story, wanted))
        else:
            self._ready.append((story, wanted))

    def _send(self) -> None:
        """Send as much away as there are hands; the rest waits here, where no dead worker takes it along."""
        while self._ready and len(self._away) < max(1, self._crew.size):
            story, wanted = self._ready.popleft()
            future = self._crew.send(wanted.act, wanted.order)
            self._away.add(future)
            future.add_done_callback(partial(self._came_back, story))

    def _came_back(self, story: Story, future: Any) -> None:
        self._done.put((story, future))

    def _next(self) -> Iterator[Outcome]:
        try:
            story, future = self._done.get(timeout=LOOK_SECONDS)
        except Empty:
            self._require_crew()
            return
        self._waited = 0.0
        try:
            answer = self._answer(future)
        except (SlideRefused, WorkerDied) as error:
            yield from self._go_on(partial(story.throw, error), story)
        else:
            yield from self._go_on(partial(story.send, answer), story)

    def _answer(self, future: Any) -> Any:
        if future not in self._away:
            return future.result()
        self._away.discard(future)
        try:
            answer = future.result()
        except KilledWorker:
            raise WorkerDied from None
        except (CancelledError, OSError, TimeoutError):
            raise ArchiveError(LOST) from None
        finally:
            future.release()
        if isinstance(answer, Refusal):
            raise SlideRefused(answer.reason, answer.sentence)
        if isinstance(answer, Failure):
            raise ArchiveError(answer.sentence)
        if isinstance(answer, Abandoned):
            raise WorkerDied
        return answer

    def _require_crew(self) -> None:
        self._waited = 0.0 if self._crew.size else self._waited + LOOK_SECONDS
        if self._waited >= PATIENCE_SECONDS:
            raise ArchiveError(LOST)
