"""A class looks at slides without a pause, while it is decided elsewhere that something must not be seen any more.

Several browsers ask a server for all its pictures, on connections that are new each time and so reach every worker.
Each picture is asked for twice: by somebody who never saw it, and by somebody who has the first that there was and only
asks whether that still holds (``If-None-Match``). Whatever was answered is kept with the moment.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from archive.holdings import Archive
from tests.journeys.laboratory import Laboratory, row_of, write_list
from tests.slides.svs import make_svs

BROWSERS = 4
WORKERS = 2
WATCHED_SECONDS = 0.002
"""How often it is looked whether an act is committed."""

PATIENCE_SECONDS = 120.0
"""How long browsers may take for a round, on a machine that does much else."""


@dataclass(frozen=True)
class Asked:
    """One request: when it was sent and answered, what for, and the answer."""

    sent: float
    answered: float
    handle: str
    address: str
    known_tag: str | None
    status: int
    tag: str | None
    body: bytes


@dataclass
class Browsing:
    """Several browsers that ask for each slide's pictures, and for pages, over and over.

    In addresses, ``{handle}`` and ``{collection}`` stand for those of a slide and of the collection.
    """

    base: str
    collection: str
    handles: Sequence[str]
    pictures: Sequence[str]
    pages: Sequence[str] = ()
    pause_seconds: float = 0.0
    asked: list[Asked] = field(default_factory=list)
    failed: list[BaseException] = field(default_factory=list)
    _tags: dict[tuple[str, str], str] = field(default_factory=dict)
    _rounds: list[float] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Ask meanwhile; in the end, see that every request was answered and that every worker answered some."""
        workers = workers_of(self.base.rsplit(":", 1)[1])
        busy = [sum(worker.cpu_times()[:2]) for worker in workers]
        browsers = [threading.Thread(target=self._browse) for _ in range(BROWSERS)]
        for browser in browsers:
            browser.start()
        try:
            yield
        finally:
            self._ended.set()
            for browser in browsers:
                browser.join(60)
        assert self.failed == []
        used = [sum(worker.cpu_times()[:2]) - before for worker, before in zip(workers, busy, strict=True)]
        assert sum(seconds > 0.05 for seconds in used) >= WORKERS, used

    def wait_for_rounds(self, after: float) -> None:
        """Wait until as many rounds as there are browsers, which began later than a moment, are over."""
        limit = time.monotonic() + PATIENCE_SECONDS
        while sum(began > after for began in self._rounds) < BROWSERS:
            assert self.failed == []
            assert time.monotonic() < limit, "the browsers are too slow"
            time.sleep(0.02)

    def of(self, handle: str, *, before: float = float("inf"), after: float = 0.0) -> list[Asked]:
        """Give what was answered to those who asked for a slide's pictures in a time."""
        return [
            one
            for one in self.asked
            if one.handle == handle and one.address in self.pictures and after < one.sent < before
        ]

    def _browse(self) -> None:
        try:
            with httpx.Client(base_url=self.base, headers={"connection": "close"}, timeout=30) as client:
                while not self._ended.is_set():
                    began = time.monotonic()
                    for address in (*self.pictures, *self.pages):
                        for handle in self.handles:
                            self._ask(client, handle, address)
                    self._rounds.append(began)
        except httpx.HTTPError as error:
            self.failed.append(error)

    def _ask(self, client: httpx.Client, handle: str, address: str) -> None:
        first = self._tags.get((handle, address))
        for known_tag in (None, first) if first else (None,):
            sent = time.monotonic()
            headers = {"if-none-match": known_tag} if known_tag else {}
            answer = client.get(address.format(handle=handle, collection=self.collection), headers=headers)
            answered, tag = time.monotonic(), answer.headers.get("etag")
            told = Asked(sent, answered, handle, address, known_tag, answer.status_code, tag, answer.content)
            self.asked.append(told)
            if tag is not None:
                self._tags.setdefault((handle, address), tag)
            time.sleep(self.pause_seconds)


@dataclass(frozen=True)
class Taught:
    """A laboratory with slides that a class is shown, by the numbers of their cases."""

    laboratory: Laboratory
    codes: dict[str, str]
    collection: str

    def handles(self, base: str) -> dict[str, str]:
        """Ask the server under which handle it shows each slide."""
        told = httpx.get(f"{base}/api/collections/{self.collection}").json()["slides"]
        return dict(zip(self.codes, (slide["handle"] for slide in told), strict=True))


def teach(home: Path, cases: Sequence[str], **options: Any) -> Taught:
    """Take in a slide of each case, made with `options`, and put them into a collection.

    They are of 500 x 460 px.
    """
    slides, rows = home / "delivery", []
    slides.mkdir()
    for seed, case in enumerate(cases, 11):
        slide = make_svs(slides / f"{case}.svs", width=500, height=460, seed=seed, **options).path
        rows.append(row_of(slide, case))
    laboratory = Laboratory(home / "laboratory")
    laboratory.home.mkdir()
    laboratory.declare_feed()
    taken = laboratory.take_in(slides, write_list(slides / "list.csv", *rows))
    laboratory.grade_as_clean()
    codes = {case: taken.slides[number] for number, case in enumerate(cases, 2)}
    return Taught(laboratory, codes, laboratory.teach("Colon", *codes.values()))


def moment_of(root: Path, newest: Callable[[Archive], int], act: Callable[[], object]) -> float:
    """Do something to an archive, and give the last moment at which somebody looked and did not see it yet."""
    with Archive.open(root, read_only=True) as archive:
        before, unseen, ended = newest(archive), [time.monotonic()], threading.Event()

        def watch() -> None:
            while not ended.is_set():
                looked = time.monotonic()
                if newest(archive) != before:
                    return
                unseen.append(looked)
                time.sleep(WATCHED_SECONDS)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            act()
        finally:
            assert newest(archive) != before, "nothing was done"
            ended.set()
            watcher.join(60)
        return unseen[-1]


def workers_of(port: str) -> list[psutil.Process]:
    """Find the processes that serve on a port."""
    for process in psutil.process_iter(["cmdline"]):
        if process.info["cmdline"] and {"serve", port} <= set(process.info["cmdline"]):
            return [child for child in process.children(recursive=True) if child.num_threads()]
    return []


def telling(bodies: Sequence[bytes], others: bytes) -> list[bytes]:
    """Cut from pictures what is theirs alone: runs of compressed data that no other slide's pictures have."""
    runs = {body[start : start + 48] for body in bodies for start in range(len(body) // 3, len(body) - 48, 48)}
    return [run for run in sorted(runs) if len(set(run)) > 30 and run not in others]


def files_with(root: Path, needles: Sequence[bytes]) -> list[Path]:
    """Find the files below a folder that have some of these runs of bytes."""
    some = needles[:: max(1, len(needles) // 50)]
    files = ((path, path.read_bytes()) for path in root.rglob("*") if path.is_file())
    return [path for path, content in files if any(run in content for run in some)]
