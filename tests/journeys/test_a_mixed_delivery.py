"""Two hundred files of every kind end exactly as they must, in one go and when the ingest is killed again and again."""

import signal
import time
from pathlib import Path

import numpy as np
import pytest

from tests.journeys.killing import Killings
from tests.journeys.laboratory import Laboratory
from tests.journeys.mixing import KINDS, Mixture, differences, how_it_ended, mix

KILLS = 20
MOST_KEPT = 7
"""Slides that are kept before the next kill: 20 times as many are fewer than all, so that there is always work left."""


@pytest.fixture(scope="module")
def mixture(tmp_path_factory: pytest.TempPathFactory) -> Mixture:
    return mix(tmp_path_factory.mktemp("monday") / "delivered")


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    laboratory = Laboratory(tmp_path)
    laboratory.declare_feed()
    return laboratory


def test_the_mixture_has_two_hundred_files_of_every_kind(mixture: Mixture) -> None:
    assert sum(KINDS.values()) == len(mixture.expected) == 200
    assert set(mixture.expected.values()) == {
        *("kept", "known", "truncated", "unreadable-pixels", "no-row", "wrong-barcode", "unknown-authority")
    }


@pytest.mark.parametrize("workers", [1, 2])
def test_each_file_ends_as_it_must(mixture: Mixture, laboratory: Laboratory, workers: int) -> None:
    said = laboratory.take_in(mixture.folder, mixture.list, "--workers", workers, ends=3)
    ended = how_it_ended(laboratory, mixture)
    assert differences(mixture, ended) == {}
    assert (ended.slides, ended.scans, ended.tidy) == (mixture.slides, mixture.scans, True)
    assert not any(str(row["case"]) in said.everything for row in mixture.rows)
    assert not any(name in said.everything for name in mixture.expected)


@pytest.mark.timeout(1800)  # 20 starts of an ingest with workers, on a machine that may be busy
def test_each_file_ends_as_it_must_when_the_ingest_is_killed_on_the_way(mixture: Mixture, tmp_path: Path) -> None:
    killings = Killings(tmp_path)
    killings.laboratory.declare_feed()
    rng = np.random.default_rng(7)
    killed = 0
    for _ in range(KILLS):
        killed += kill_on_the_way(killings, mixture, int(rng.integers(1, MOST_KEPT)), float(rng.uniform(0, 0.5)))
    assert killed == KILLS
    killings.laboratory.take_in(mixture.folder, mixture.list, "--workers", 2, ends=3)
    ended = how_it_ended(killings.laboratory, mixture)
    assert differences(mixture, ended) == {}
    assert (ended.slides, ended.scans, ended.tidy) == (mixture.slides, mixture.scans, True)


def kill_on_the_way(killings: Killings, mixture: Mixture, kept: int, seconds: float) -> bool:
    """Start the ingest, and kill its first process so long after it told of so many slides; false if it was done."""
    delivery = "--delivery", str(mixture.list)
    process = killings.start("-m", "ingest", "ingest", str(mixture.folder), *delivery, "--workers", "2")
    assert process.stdout is not None
    for line in process.stdout:
        kept -= line.startswith("kept")
        if not kept:
            time.sleep(seconds)
            process.kill()
            break
    process.communicate(timeout=600)
    killings.wait_for_the_rest()
    return process.returncode == -signal.SIGKILL
