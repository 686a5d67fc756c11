"""``coverslip desk`` in a process of its own: it prints an address, serves this machine, and ends when told to."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from archive.consent.terms import Vital
from archive.holdings import Archive
from tests.archive.server.taught import free_port
from tests.ingest.desk.furnished import CASE, Furnished
from tests.journeys.laboratory import ROOT

ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/enter/[\w-]{43}")
KEY = re.compile(r'name="key" value="([^"]+)"')

READERS = ("openslide", "tifffile", "pydicom", "zxingcpp", "cv2")


@pytest.fixture
def furnished(furnished: Furnished, tmp_path: Path) -> Furnished:
    """Copy the laboratory, for what runs there changes it, and others are told of it as it was furnished."""
    for name in ("archive", "archive-vault", "archive-key"):
        shutil.copytree(furnished.home / name, tmp_path / name)
    return replace(furnished, home=tmp_path)


class Running:
    """A desk in a process of its own, and what it said."""

    def __init__(self, process: "subprocess.Popen[str]", address: str) -> None:
        self.process = process
        self.address = address
        self.said = ""

    @property
    def base(self) -> str:
        return self.address.split("/enter/")[0]


@contextmanager
def running(furnished: Furnished, *more: str, ends: signal.Signals = signal.SIGINT) -> Iterator[Running]:
    """Run the desk of a laboratory, and see that it ends well when it is told to."""
    command = [sys.executable, "-m", "ingest", "desk", "--port", str(free_port()), *more]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERSLIP_")}
    environment |= {"COVERSLIP_ARCHIVE": str(furnished.home / "archive"), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        said = ""
        assert process.stdout is not None
        while not (found := ADDRESS.search(said)):
            line = process.stdout.readline()
            assert line, f"the desk ended at once: {said}"
            said += line
        desk = Running(process, found[0])
        yield desk
        process.send_signal(ends)
        rest, _ = process.communicate(timeout=30)
        desk.said = said + rest
        assert process.returncode == 0, desk.said
        assert "Traceback" not in desk.said
    finally:
        process.kill()
        process.wait()


def search(client: httpx.Client, base: str) -> httpx.Response:
    found = KEY.search(client.get(base).text)
    assert found
    fields = {"key": found[1], "accession": CASE, "purpose": "review"}
    return client.post(f"{base}/find", data=fields, headers={"origin": base}, follow_redirects=True)


def test_the_printed_address_opens_the_desk_once_and_nothing_that_was_asked_is_printed(furnished: Furnished) -> None:
    with running(furnished) as desk:
        with httpx.Client() as client:
            assert client.get(desk.base).status_code == 403
            assert client.get(desk.address, follow_redirects=True).status_code == 200
            assert CASE in search(client, desk.base).text
            assert client.get(f"{desk.base}/report").status_code == 200
            assert client.get(f"{desk.base}/nothing").status_code == 404
        assert httpx.get(desk.address).status_code == 403
    assert len(ADDRESS.findall(desk.said)) == 2, "whoever knocked after the first address was used got no new one"
    for secret in furnished.secrets:
        assert secret not in desk.said


def test_it_acts_in_the_name_that_it_was_started_with(furnished: Furnished) -> None:
    with running(furnished, "--who", "j.curator") as desk, httpx.Client() as client:
        assert ">j.curator</span>" in client.get(desk.address, follow_redirects=True).text


def known_alive(archive: Path) -> int:
    """Count the slides of patients who are known to be alive."""
    with Archive.open(archive, read_only=True) as holdings:
        facts = [holdings.facts_of(slide.record.key) for slide in holdings.slides()]
    return [one.vital for one in facts].count(Vital.ALIVE)


def test_what_interrupted_commands_left_is_put_right_first(furnished: Furnished) -> None:
    archive = furnished.home / "archive"
    half_written = archive / "staging" / "half-written"
    words = ("correct", "case", CASE, "--set", "vital=alive", "--reason", "seen in clinic")
    killed = subprocess.run(
        [sys.executable, "-m", "tests.journeys.dying_correcting", "begun", *words],
        cwd=ROOT,
        env=os.environ | {"COVERSLIP_ARCHIVE": str(archive)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    half_written.mkdir()
    (half_written / "tile").write_bytes(b"half")
    assert known_alive(archive) == 0
    with running(furnished) as desk:
        assert not half_written.exists()
        assert known_alive(archive) == 2
        assert httpx.get(desk.base).status_code == 403
    assert "0 slides completed, 1 half-written ones removed, 0 set aside" in " ".join(desk.said.split())


def test_it_ends_on_sigterm_too(furnished: Furnished) -> None:
    with running(furnished, ends=signal.SIGTERM) as desk:
        assert httpx.get(desk.base).status_code == 403


def test_no_slide_reader_is_loaded_and_nobody_else_is_started_until_a_picture_is_wanted(furnished: Furnished) -> None:
    with running(furnished) as desk, httpx.Client() as client:
        client.get(desk.address)
        search(client, desk.base)
        process = Path("/proc", str(desk.process.pid))
        if process.is_dir():  # Linux
            mapped = (process / "maps").read_text()
            for reader in ("openslide", "zxing", "cv2"):
                assert reader not in mapped
            assert (process / "task" / str(desk.process.pid) / "children").read_text().split() == []
    program = f"import ingest.desk.run, sys; print([reader for reader in {READERS} if reader in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert loaded.stdout.strip() == "[]"


def refused(furnished: Furnished, *words: str, **settings: str) -> str:
    environment = os.environ | {"COVERSLIP_ARCHIVE": str(furnished.home / "archive"), **settings}
    ended = subprocess.run(
        [sys.executable, "-m", "ingest", "desk", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    return " ".join(ended.stderr.split())


def test_it_listens_to_this_machine_only(furnished: Furnished) -> None:
    assert "listens on this machine only" in refused(furnished, COVERSLIP_DESK_HOST="0.0.0.0")


def test_a_port_that_is_taken_is_told(furnished: Furnished) -> None:
    with running(furnished) as desk:
        port = desk.base.rsplit(":", 1)[1]
        assert f"port {port} of this machine is taken" in refused(furnished, "--port", port)


def test_without_a_laboratory_it_says_so(furnished: Furnished) -> None:
    said = refused(furnished, "--archive", str(furnished.home / "elsewhere"))
    assert "coverslip:" in said
