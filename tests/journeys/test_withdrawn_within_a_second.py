"""A slide that is withdrawn while two workers serve it to many is gone within a second: by the clock, and byte by byte.

Several browsers ask for all its pictures without a pause, on connections that are new each time and so reach both
workers. Another process watches when the act is committed. Whatever was asked for later than a second after that is
looked through for every byte by which the slide could be known; so is what a project is given, and every file of the
archive but the scan's own.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest

from archive.holdings import Archive
from tests.journeys.laboratory import Laboratory, row_of, write_list
from tests.slides.svs import make_svs

BROWSERS = 4
LEVEL_0 = [(column, row) for row in range(2) for column in range(2)]
WATCHED_SECONDS = 0.002
"""How often it is looked whether the act is committed."""

PICTURES = (
    *(f"/slides/{{handle}}/tiles/0/{column}_{row}.jpg" for column, row in LEVEL_0),
    *("/slides/{handle}/thumbnail.jpg", "/slides/{handle}_files/9/0_0.jpeg", "/slides/{handle}_files/7/0_0.jpeg"),
)
PAGES = ("/", "/collections/{collection}", "/api/collections", "/api/collections/{collection}", "/api/slides/{handle}")


@dataclass(frozen=True)
class Asked:
    """One request: when it was sent and answered, what for, and the answer."""

    sent: float
    answered: float
    handle: str
    address: str
    status: int
    body: bytes


@dataclass
class Load:
    """Several browsers that ask without a pause."""

    base: str
    collection: str
    handles: list[str]
    asked: list[Asked] = field(default_factory=list)
    failed: list[BaseException] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
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

    def _browse(self) -> None:
        try:
            with httpx.Client(base_url=self.base, headers={"connection": "close"}, timeout=30) as client:
                while not self._ended.is_set():
                    for address in (*PICTURES, *PAGES):
                        for handle in self.handles:
                            self._ask(client, handle, address)
        except httpx.HTTPError as error:
            self.failed.append(error)

    def _ask(self, client: httpx.Client, handle: str, address: str) -> None:
        sent = time.monotonic()
        answer = client.get(address.format(handle=handle, collection=self.collection))
        told = Asked(sent, time.monotonic(), handle, address, answer.status_code, answer.content)
        self.asked.append(told)

    def pictures_of(self, handle: str) -> list[Asked]:
        """Give the pictures of a slide that were shown."""
        return [one for one in self.asked if one.handle == handle and one.address in PICTURES and one.status == 200]


@dataclass
class Withdrawing:
    """A laboratory with slides that go, one after the other, and one that stays."""

    laboratory: Laboratory
    codes: dict[str, str]
    collection: str

    def handles(self, base: str) -> dict[str, str]:
        told = httpx.get(f"{base}/api/collections/{self.collection}").json()["slides"]
        return dict(zip(self.codes, (slide["handle"] for slide in told), strict=True))

    def withdraw(self, case: str) -> float:
        """Withdraw a case in a process of its own; gives the moment at which that could first be seen."""
        with Archive.open(self.laboratory.archive, read_only=True) as looking:
            before, seen = looking.newest_withdrawal(), []
            ended = threading.Event()

            def watch() -> None:
                while not seen and not ended.is_set():
                    if looking.newest_withdrawal() != before:
                        seen.append(time.monotonic() - WATCHED_SECONDS)
                    time.sleep(WATCHED_SECONDS)

            watcher = threading.Thread(target=watch)
            watcher.start()
            try:
                self.laboratory.run("consent", "withdraw", case, "--from", "self", "--reason", "a letter came")
            finally:
                watcher.join(5)
                ended.set()
            return seen[0]


CASES = ("S26-0001", "S26-0002", "S26-0003", "S26-0004")
GOING, STAYING = CASES[:3], CASES[3]


@pytest.fixture(scope="module")
def withdrawing(tmp_path_factory: pytest.TempPathFactory) -> Withdrawing:
    home = tmp_path_factory.mktemp("withdrawing")
    slides, rows = home / "delivery", []
    slides.mkdir()
    for seed, case in enumerate(CASES, 11):
        slide = make_svs(slides / f"{case}.svs", width=500, height=460, factors=(1, 2), seed=seed).path
        rows.append(row_of(slide, case))
    laboratory = Laboratory(home / "laboratory")
    laboratory.home.mkdir()
    laboratory.declare_feed()
    taken = laboratory.take_in(slides, write_list(slides / "list.csv", *rows), "--screen", "now")
    codes = {case: taken.slides[number] for number, case in enumerate(CASES, 2)}
    laboratory.run("project", "add", "Colon")
    return Withdrawing(laboratory, codes, laboratory.teach("Colon", *codes.values()))


def given(laboratory: Laboratory, path: Path) -> list[str]:
    """Ask for a cohort, and give the lines that the project gets."""
    laboratory.run("cohort", "stain = HE", "--project", "Colon", "--csv", path)
    return path.read_text().splitlines()[1:]


def telling(bodies: list[bytes], others: bytes) -> list[bytes]:
    """Cut from pictures what is theirs alone: runs of compressed data that no other slide's pictures have."""
    runs = {body[start : start + 48] for body in bodies for start in range(len(body) // 3, len(body) - 48, 48)}
    return [run for run in sorted(runs) if len(set(run)) > 30 and run not in others]


def workers_of(port: str) -> list[psutil.Process]:
    """Find the processes that serve on a port."""
    for process in psutil.process_iter(["cmdline"]):
        if process.info["cmdline"] and {"serve", port} <= set(process.info["cmdline"]):
            return [child for child in process.children(recursive=True) if child.num_threads()]
    return []


def test_it_is_gone_within_a_second_on_two_workers_under_load(
    withdrawing: Withdrawing, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    laboratory = withdrawing.laboratory
    before = given(laboratory, tmp_path / "before.csv")
    assert len(before) == len(CASES)
    latest: dict[str, float] = {}
    with laboratory.serving(workers=2) as base:
        handles = withdrawing.handles(base)
        load = Load(base, withdrawing.collection, list(handles.values()))
        workers = workers_of(base.rsplit(":", 1)[1])
        busy = {worker.pid: sum(worker.cpu_times()[:2]) for worker in workers}
        committed: dict[str, float] = {}
        with load.running():
            time.sleep(1.5)
            for case in GOING:
                committed[case] = withdrawing.withdraw(case)
                time.sleep(max(0.0, committed[case] + 2 - time.monotonic()))
        used = [sum(worker.cpu_times()[:2]) - busy[worker.pid] for worker in workers]
    assert sum(seconds > 0.05 for seconds in used) >= 2, used  # both workers answered

    staying = b"".join({one.body for one in load.pictures_of(handles[STAYING])})
    for case in GOING:
        handle, moment = handles[case], committed[case]
        shown = load.pictures_of(handle)
        assert len([one for one in shown if one.sent < moment]) > 20
        latest[case] = max(one.answered for one in shown) - moment
        assert [one for one in shown if one.sent > moment + 1] == []
        later = [one for one in load.asked if one.sent > moment + 1]
        assert len(later) > 20
        assert {one.status for one in later if one.handle == handle and one.address in PICTURES} == {404}

        others = staying + b"".join(
            {one.body for name in CASES if name != case for one in load.pictures_of(handles[name])}
        )
        needles = telling(sorted({one.body for one in shown}), others)
        assert len(needles) > 100
        answered = b"".join({one.body for one in later})
        assert [run for run in needles if run in answered] == []
        assert handle.encode() not in answered
        assert_only_the_scan_has(laboratory.archive, withdrawing.codes[case], needles)
    assert {one.status for one in load.asked if one.handle == handles[STAYING]} == {200}
    record_property("requests", len(load.asked))
    record_property("shown for seconds after the act", latest)


def assert_only_the_scan_has(root: Path, code: str, needles: list[bytes]) -> None:
    """See that no file of the archive has a picture of a slide but those of its own scan."""
    with Archive.open(root, read_only=True) as archive:
        (scan,) = archive.slide(code).scans
        own = archive.place.of_scan(scan.record.key)
    some = needles[:: max(1, len(needles) // 50)]
    found = set()
    for path in (path for path in root.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if any(run in content for run in some):
            found.add(path.is_relative_to(own))
    assert found == {True}


def test_neither_cohort_nor_export_gives_it_any_more_and_the_report_names_what_was_given(
    withdrawing: Withdrawing, tmp_path: Path
) -> None:
    laboratory, case = withdrawing.laboratory, STAYING
    (line,) = given(laboratory, tmp_path / "before.csv")
    project_code = line.split(",")[2]
    said = laboratory.run("consent", "withdraw", case, "--from", "self", "--reason", "a letter came").out
    plain = " ".join(said.split())
    assert f"{withdrawing.codes[case]}: taken out of the collection 'Colon', number 4" in plain
    assert f"given before to the project 'Colon': {project_code} (its cohorts: entries" in plain
    assert "make one now (coverslip backup)" in plain
    assert "Withdrawn. It is entry" in plain
    assert given(laboratory, tmp_path / "after.csv") == []
    assert project_code not in (tmp_path / "after.csv").read_text()
    again = laboratory.run("consent", "withdraw", case, "--from", "self", "--reason", "a letter came").out
    assert "All of this was so already." in again


def test_no_name_and_no_number_is_in_what_was_said(withdrawing: Withdrawing) -> None:
    for said in withdrawing.laboratory.said:
        if "withdraw" in said.words:
            assert [case for case in CASES if case in said.everything] == []
