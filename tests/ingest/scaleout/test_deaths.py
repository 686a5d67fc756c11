"""Workers and coordinators die at any moment: a worker costs its slide a second try, a coordinator what was in hand."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from archive.holdings import Archive
from ingest.errors import Reason
from ingest.quarantine.waiting import Quarantine
from ingest.scaleout.bench import BEGUN
from ingest.scaleout.crew import Crew
from tests.ingest.scaleout.conftest import Laboratory
from tests.journeys.killing import Delivery, Killings

Find = Callable[[], list[psutil.Process]]


@contextmanager
def killing(laboratory: Laboratory, workers: Find, times: int) -> Iterator[list[int]]:
    """Kill the worker that has begun to make a scan, so many times. A crew of two has one at it if it has one slide."""
    killed: list[int] = []
    seen: set[Path] = set()
    over = threading.Event()

    def kill() -> None:
        while not over.is_set() and len(killed) < times:
            begun = set(laboratory.archive.place.staging.glob(f"*/notes/{BEGUN}")) - seen
            if begun:
                seen.update(begun)
                for process in workers():
                    process.send_signal(signal.SIGKILL)
                    killed.append(process.pid)
                killed[times:] = killed[times:]
            time.sleep(0.001)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def test_a_worker_that_dies_costs_its_slide_a_second_try(laboratory: Laboratory, crew: Crew, workers: Find) -> None:
    delivery = laboratory.deliver(6)
    with killing(laboratory, workers, 1) as killed:
        outcomes = laboratory.take_in(crew, delivery)
    assert killed
    assert [one.reason for one in outcomes.values()] == [None] * 6
    laboratory.assert_whole(6)


def test_a_slide_that_takes_two_workers_along_waits_and_the_rest_is_kept(
    laboratory: Laboratory, crew: Crew, workers: Find
) -> None:
    fatal, *others = laboratory.deliver(4)
    with killing(laboratory, workers, 4) as killed:
        outcomes = laboratory.take_in(crew, [fatal])
    assert len(killed) == 4
    assert outcomes[fatal.path].reason is Reason.READER_CRASHED
    (entry,) = Quarantine(laboratory.vault).entries()
    assert entry.path == fatal.path
    assert laboratory.staging == []
    assert all(one.receipt for one in laboratory.take_in(crew, others).values())
    laboratory.assert_whole(3)


def test_a_coordinator_that_is_killed_leaves_whole_scans_and_the_next_does_what_is_left(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path / "delivery").make(10)
    killings = Killings(tmp_path / "laboratory")
    laboratory = killings.laboratory
    words = ("ingest", str(delivery.folder), "--delivery", str(delivery.list), "--workers", "2")
    process = killings.start("-m", "ingest", *words)
    for _ in range(6000):
        kept = list(laboratory.archive.glob("scans/??/*"))
        if len(kept) >= 3 or process.poll() is not None:
            break
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    killings.wait_for_the_rest()
    before = killings.contents()
    assert 1 <= len(before) < 10

    said = laboratory.run(*words, settings=killings.settings)

    assert len(said.slides) == 10
    assert before.items() <= killings.contents().items()
    with Archive.open(laboratory.archive, read_only=True) as archive:
        assert len(archive.slides()) == 10
        assert list(archive.place.staging.iterdir()) == []


def test_an_interrupted_ingest_ends_after_the_slides_in_hand_and_says_how_to_go_on(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path / "delivery").make(12)
    killings = Killings(tmp_path / "laboratory")
    words = ("ingest", str(delivery.folder), "--delivery", str(delivery.list), "--workers", "2")
    process = killings.start("-m", "ingest", *words)
    for _ in range(6000):
        if list(killings.laboratory.archive.glob("scans/??/*")) or process.poll() is not None:
            break
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGINT)
    out, error = process.communicate(timeout=120)
    assert process.returncode == 130, error
    assert out.endswith("Ended before all slides were taken. The same command goes on with what is left.\n")
    assert "Traceback" not in error
    killings.wait_for_the_rest()
    kept = len(killings.contents())
    assert 1 <= kept < 12
    killings.assert_tidy()
    assert len(killings.laboratory.run(*words, settings=killings.settings).slides) == 12
