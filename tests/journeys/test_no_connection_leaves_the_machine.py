"""A laboratory's whole day, looked at from the kernel: nothing is asked of any other machine, not even a name."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from archive.accounts import AccountStore, Grant, Role
from tests.archive.server.taught import free_port
from tests.journeys.laboratory import ROOT, Laboratory, Said, row_of, write_list
from tests.journeys.tracing import TRIES, Trace, is_whole, left, trying
from tests.slides.planted import Plant
from tests.slides.svs import make_svs

ENTRANCE = r"http://127\.0\.0\.1:\d+/enter/[\w-]+"
PASSWORD = "violin grape umbrella"
KEY = re.compile(r'name="key" value="([^"]+)"')


@pytest.fixture(scope="module", autouse=True)
def tracer() -> None:
    """Need strace, which is of Linux."""
    if shutil.which("strace") is None or not traceable():
        absent = pytest.fail if os.environ.get("COVERSLIP_TEST_REQUIRE") == "all" else pytest.skip
        absent("strace is missing or may not trace here: apt-get install strace")


def traceable() -> bool:
    return subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0


@dataclass
class TracedLaboratory(Laboratory):
    """A laboratory each of whose commands is traced, and logs as much as it ever does."""

    traces: dict[str, str] = field(default_factory=dict)

    def _run(self, command: Sequence[str], ends: int, settings: Mapping[str, str] | None) -> Said:
        trace = Trace(self.home / f"trace-{len(self.traces)}")
        said = super()._run(trace.command(command), ends, settings)
        self.traces[f"{len(self.traces)} {command[3]}"] = trace.whole()
        return said

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {"COVERSLIP_LOG_FORM": "json", "COVERSLIP_LOG_LEVEL": "info"}

    @contextmanager
    def running(self, *words: str, ready: str) -> Iterator[str]:
        """Run a server until the block ends, and give what it said of where it is."""
        trace = Trace(self.home / f"trace-{len(self.traces)}")
        command = trace.command([sys.executable, "-u", "-m", *words, "--port", str(free_port())])
        log = self.home / f"{words[1]}.log"
        with log.open("w") as err:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment(), stdout=subprocess.PIPE, stderr=err, text=True
            )
        try:
            said = ""
            while (found := re.search(ready, said)) is None:
                assert process.stdout is not None
                line = process.stdout.readline()
                assert line, f"the server ended at once: {said}{log.read_text()}"
                said += line
            yield found[0]
        finally:
            process.terminate()
            rest, _ = process.communicate(timeout=60)
        self.traces[f"{len(self.traces)} {words[1]}"] = trace.whole()
        self.said.append(Said(words, process.returncode, said + rest, log.read_text()))


@pytest.fixture(scope="module")
def names() -> Plant:
    return Plant()


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory, names: Plant) -> TracedLaboratory:
    """Spend a day: set up, take slides in, show them to a class, look a case up, count, check, back up."""
    home = tmp_path_factory.mktemp("day")
    folder = home / names("folder")
    folder.mkdir()
    slides = [
        make_svs(folder / f"{names(f'file {n}')}.svs", width=600, height=500, factors=(1, 2), seed=n, plant=names).path
        for n in range(2)
    ]
    rows = [
        row_of(slide, names(f"case {n}"), patient=names(f"patient {n}"), patient_name=names("name"))
        for n, slide in enumerate(slides)
    ]
    laboratory = TracedLaboratory(home / "laboratory")
    laboratory.home.mkdir()
    laboratory.declare_feed()
    codes = laboratory.take_in(folder, write_list(home / "list.csv", *rows), "--workers", 2).slides
    laboratory.grade_as_clean()
    handle = laboratory.teach("Week 1", *codes.values())
    with laboratory.running("archive", "serve", ready=r"http://127\.0\.0\.1:\d+") as base:
        look_at_every_page(base, handle)
    with laboratory.running("ingest", "desk", ready=ENTRANCE) as entrance:
        find_at_the_desk(entrance, names("case 0"))
    laboratory.run("cohort", "stain = HE", "--count")
    laboratory.run("check")
    laboratory.run("backup", home / "backup")
    laboratory.run("inspect", slides[0])
    go_on_with_accounts(laboratory, names("case 0"))
    return laboratory


def go_on_with_accounts(laboratory: TracedLaboratory, case: str) -> None:
    """Give people accounts; a teacher signs in, consent is recorded, and withdrawn while the teacher looks."""
    laboratory.typed = f"{PASSWORD}\n"
    laboratory.run("setup", "carol")
    with AccountStore.open(laboratory.archive) as store:
        store.add("eva", PASSWORD, [Grant(Role.EDUCATOR)])
    consent = (case, "--from", "self", "--reason", "a form came", "--who", "carol")
    laboratory.run("consent", "record", "--answer", "given", "--purpose", "teaching", *consent)
    serving = laboratory.running("archive", "serve", ready=r"http://127\.0\.0\.1:\d+")
    with serving as base, httpx.Client(base_url=base, transport=httpx.HTTPTransport(retries=6)) as browser:
        typed = {"name": "eva", "password": PASSWORD, "next": "/"}
        assert browser.post("/sign-in", data=typed, headers={"origin": base}).status_code == 303
        (collection,) = browser.get("/api/collections").json()
        slides = browser.get(f"/api/collections/{collection['handle']}").json()["slides"]
        tiles = [f"/slides/{slide['handle']}/tiles/0/0_0.jpg" for slide in slides]
        assert [browser.get(tile).status_code for tile in tiles] == [200, 200]
        laboratory.run("consent", "withdraw", *consent)
        time.sleep(1)
        assert sorted(browser.get(tile).status_code for tile in tiles) == [200, 404]


def look_at_every_page(base: str, handle: str) -> None:
    """Ask for pages, tiles and pictures that are made, and for what is not there."""
    with httpx.Client(base_url=base, transport=httpx.HTTPTransport(retries=6)) as client:
        slides = client.get(f"/api/collections/{handle}").json()["slides"]
        first = slides[0]["handle"]
        for path in ("/", f"/collections/{handle}", f"/slides/{first}", f"/slides/{first}/tiles/0/0_0.jpg"):
            assert client.get(path).status_code == 200
        assert client.get(f"/slides/{first}/thumbnail.jpg").headers["content-type"] == "image/jpeg"
        assert client.get("/slides/nothing").status_code == 404


def find_at_the_desk(entrance: str, case: str) -> None:
    """Look a case up, as a pathologist does."""
    base = entrance.split("/enter/")[0]
    with httpx.Client() as client:
        assert client.get(entrance, follow_redirects=True).status_code == 200
        key = KEY.search(client.get(base).text)
        assert key is not None
        asked = {"key": key[1], "accession": case, "purpose": "review"}
        found = client.post(f"{base}/find", data=asked, headers={"origin": base}, follow_redirects=True)
        assert case in found.text


def test_nothing_of_a_laboratorys_day_reaches_another_machine_or_asks_for_a_name(day: TracedLaboratory) -> None:
    assert len(day.traces) >= 13
    assert {name: out for name, trace in day.traces.items() if (out := left(trace))} == {}


def test_the_day_was_really_traced_into_its_workers(day: TracedLaboratory) -> None:
    bound = {name.split()[1] for name, trace in day.traces.items() if "bind(" in trace and "127.0.0.1" in trace}
    assert {"serve", "desk", "ingest"} <= bound
    served = [trace for name, trace in day.traces.items() if name.endswith("serve")]
    assert len(served) == 2
    for trace in served:
        assert len({line.split()[0] for line in trace.splitlines() if "+++ exited" in line}) >= 3


def test_no_name_of_the_day_is_in_what_was_logged(day: TracedLaboratory, names: Plant) -> None:
    logged = [line for said in day.said for line in said.err.splitlines() if line.startswith("{")]
    assert names.survivors("\n".join([said.err for said in day.said]).encode()) == []
    assert all(json.loads(line)["logger"] for line in logged)


def test_a_trace_is_whole_when_everything_has_ended_that_it_tells_of() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    ended = "7  bind(3, 28) = 0\n7  +++ exited with 0 +++\n"
    assert is_whole(ended)
    assert is_whole(f"{ended}{gone.pid}  ???( <detached ...>\n")
    assert not is_whole(f"{ended}{os.getpid()}  ???( <detached ...>\n"), "it lives, and nobody looks at it"
    assert not is_whole(f"{ended}8  bind(3, 28) = 0\n")
    assert not is_whole("")


@pytest.mark.parametrize("what", TRIES)
def test_every_way_out_would_have_been_seen(what: str, tmp_path: Path) -> None:
    trace = Trace(tmp_path / "trace")
    subprocess.run(trace.command(trying(TRIES[what])), check=True, timeout=60)
    assert left(trace.whole()) != []


def test_what_stays_on_this_machine_is_no_way_out(tmp_path: Path) -> None:
    trace = Trace(tmp_path / "trace")
    line = "socket.socket().connect_ex(('127.0.0.1', 9)); socket.socket().bind(('127.0.0.1', 0))"
    subprocess.run(trace.command(trying(line)), check=True, timeout=60)
    text = trace.whole()
    assert "connect(" in text
    assert left(text) == []
