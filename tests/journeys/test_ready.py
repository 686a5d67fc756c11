"""A command that a process becomes is like one that was started: its words, its settings, its end."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.journeys.laboratory import ROOT
from tests.journeys.ready import run_anew, run_ready

PROBE = "tests.journeys.probe"


@pytest.mark.parametrize(
    "words",
    [["says"], ["reads"], ["ends", "3"], ["fails"], ["dies"], ["folder"], ["session"], ["threads"], ["nothing"]],
)
def test_it_says_and_ends_as_one_that_was_started(words: list[str]) -> None:
    environment = {"PATH": os.environ["PATH"], "COVERSLIP_PROBE": "grüße", "TMPDIR": "/nowhere"}
    command = [sys.executable, "-m", PROBE, *words]
    ready = run_ready(command, environment, "typed\n", 60, ROOT)
    assert ready == run_anew(command, environment, "typed\n", 60, ROOT)


def test_many_at_once_are_told_apart() -> None:
    def run(number: int) -> tuple[int, str, str]:
        return run_ready([sys.executable, "-m", PROBE, "ends", str(number)], dict(os.environ), None, 60, ROOT)

    with ThreadPoolExecutor(4) as crew:
        assert [code for code, _, _ in crew.map(run, range(12))] == list(range(12))


def test_one_that_never_ends_is_ended_with_what_it_started(tmp_path: Path) -> None:
    command = [sys.executable, "-m", PROBE, "waits", str(tmp_path / "child")]
    with pytest.raises(subprocess.TimeoutExpired):
        run_ready(command, dict(os.environ), None, 5, ROOT)
    child = Path("/proc", (tmp_path / "child").read_text())
    until = time.monotonic() + 30
    while is_running(child):
        assert time.monotonic() < until
        time.sleep(0.05)


def is_running(process: Path) -> bool:
    try:
        return "\nState:\tZ" not in (process / "status").read_text()
    except OSError:
        return False
