"""Killed at any moment, an ingest leaves whole slides only, and the next one makes all as if nothing had happened."""

from pathlib import Path

import pytest

from archive.holdings import Step
from tests.journeys.dying import MOMENTS, SETTING_UP, UNCONFIRMED
from tests.journeys.killing import Content, Delivery, Killings, kill_at_random_times

RANDOM_KILLS = 5

AFTERWARDS = {Step.COMMITTED, UNCONFIRMED, "confirmed"}
"""Moments at which the slide is in the archive."""


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Delivery:
    return Delivery(tmp_path_factory.mktemp("delivery")).make(len(MOMENTS) + 1)


@pytest.fixture(scope="module")
def killings(tmp_path_factory: pytest.TempPathFactory) -> Killings:
    return Killings(tmp_path_factory.mktemp("laboratory"))


@pytest.fixture(scope="module")
def undisturbed(killings: Killings, delivery: Delivery) -> Content:
    """Ingest the first slide without any disturbance; all others are copies of it."""
    killings.ingest(delivery.files[0], delivery)
    (content,) = killings.contents().values()
    assert len(content.scans) == 1
    return content


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at(moment: str, killings: Killings, delivery: Delivery, undisturbed: Content) -> None:
    file = delivery.files[1 + MOMENTS.index(moment)]
    before = killings.contents()

    killings.kill_at(moment, file, delivery)

    left = killings.contents()
    assert sorted(left) == killings.listed()
    assert len(left) == len(before) + (moment in AFTERWARDS)

    said = killings.ingest(file, delivery)

    (code,) = said.slides.values()
    after = killings.contents()
    assert after.keys() == before.keys() | left.keys() | {code}
    assert len(after) == len(before) + 1
    assert after[code] == undisturbed
    killings.assert_tidy()


def test_afterwards_every_file_is_known_by_its_code(killings: Killings, delivery: Delivery) -> None:
    said = killings.laboratory.take_in(delivery.folder, delivery.list)
    assert sorted(said.slides.values()) == sorted(killings.contents())
    assert said.out.endswith(f"0 kept, {len(delivery.files)} known already, 0 refused.\n")


@pytest.mark.parametrize("moment", SETTING_UP)
def test_killed_while_the_laboratory_is_set_up(
    moment: str, tmp_path: Path, delivery: Delivery, undisturbed: Content
) -> None:
    killings = Killings(tmp_path)
    killings.kill_at(moment, delivery.files[0], delivery)
    killings.ingest(delivery.files[0], delivery)
    assert list(killings.contents().values()) == [undisturbed]
    killings.assert_tidy()


def test_killed_at_random_times(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path / "delivery").make(1 + RANDOM_KILLS)
    killed, kept = kill_at_random_times(Killings(tmp_path / "laboratory"), delivery)
    assert killed >= RANDOM_KILLS / 2
    assert len(kept) == 1 + RANDOM_KILLS
    assert len(set(kept.values())) == 1
