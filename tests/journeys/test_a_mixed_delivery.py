"""Two hundred files of every kind end exactly as they must, in one go and when the ingest is killed again and again."""

from pathlib import Path

import pytest

from tests.journeys.killing import Killings, kill_on_the_way
from tests.journeys.laboratory import Laboratory
from tests.journeys.mixing import KINDS, Mixture, a_third, differences, how_it_ended, mix

KILLS = 4


@pytest.fixture(scope="module")
def mixture(tmp_path_factory: pytest.TempPathFactory) -> Mixture:
    return mix(tmp_path_factory.mktemp("monday") / "delivered")


@pytest.fixture(scope="module")
def smaller(tmp_path_factory: pytest.TempPathFactory) -> Mixture:
    return mix(tmp_path_factory.mktemp("tuesday") / "delivered", a_third())


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    laboratory = Laboratory(tmp_path)
    laboratory.declare_feed()
    return laboratory


def test_the_mixture_has_two_hundred_files_of_every_kind(mixture: Mixture, smaller: Mixture) -> None:
    assert sum(KINDS.values()) == len(mixture.expected) == 200
    assert (
        set(mixture.expected.values())
        == set(smaller.expected.values())
        == {*("kept", "known", "truncated", "unreadable-pixels", "no-row", "wrong-barcode", "unknown-authority")}
    )


@pytest.mark.parametrize(("workers", "delivered"), [(1, "smaller"), (2, "mixture")])
def test_each_file_ends_as_it_must(
    laboratory: Laboratory, workers: int, delivered: str, request: pytest.FixtureRequest
) -> None:
    mixture: Mixture = request.getfixturevalue(delivered)
    said = laboratory.take_in(mixture.folder, mixture.list, "--workers", workers, ends=3)
    ended = how_it_ended(laboratory, mixture)
    assert differences(mixture, ended) == {}
    assert (ended.slides, ended.scans, ended.tidy) == (mixture.slides, mixture.scans, True)
    assert not any(str(row["case"]) in said.everything for row in mixture.rows)
    assert not any(name in said.everything for name in mixture.expected)


def test_each_file_ends_as_it_must_when_the_ingest_is_killed_on_the_way(smaller: Mixture, tmp_path: Path) -> None:
    ended = kill_on_the_way(Killings(tmp_path), smaller, KILLS)
    assert differences(smaller, ended) == {}
    assert (ended.slides, ended.scans, ended.tidy) == (smaller.slides, smaller.scans, True)
