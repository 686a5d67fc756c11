"""What ``python -m tests.deep`` does for hours works: here with the smallest counts."""

from pathlib import Path

from tests.deep import parts
from tests.journeys.mutating import SEEDS


def test_mutants_are_counted(tmp_path: Path) -> None:
    told = parts.mutants(tmp_path, 2 * len(SEEDS))
    assert told.how_many == str(2 * len(SEEDS))
    assert "the slowest took" in told.seen


def test_changed_bits_are_counted(tmp_path: Path) -> None:
    told = parts.flips(tmp_path, 14)
    assert told.what == "changed bits in 7 kinds of stored files"
    assert "none shown wrongly" in told.seen


def test_bits_that_a_check_names_are_counted(tmp_path: Path) -> None:
    told = parts.named(tmp_path, 15)
    assert told.what == "changed bits in 15 kinds of kept files"
    assert "their file named" in told.seen


def test_tamperings_are_counted(tmp_path: Path) -> None:
    told = parts.tamperings(tmp_path, 12)
    assert (told.how_many, told.seen) == ("12", "all seen")
