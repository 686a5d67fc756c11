"""What ``python -m tests.deep`` does for hours works: here with the smallest counts."""

from pathlib import Path

import pytest

from tests.deep import parts
from tests.journeys.mutating import SEEDS, Mutated


def test_mutants_are_counted_by_kind_and_together(tmp_path: Path) -> None:
    *kinds, every = parts.mutants(tmp_path, len(SEEDS))
    assert [told.what for told in kinds] == [f"damaged slides, {kind}" for kind in SEEDS]
    assert every.how_many == str(len(SEEDS))
    assert "the slowest took" in every.seen
    assert "jails had" in every.seen


@pytest.mark.parametrize(
    "wrong",
    [
        {"slowest_seconds": 31.0},
        {"grown_bytes": 257 << 20},
        {"jail_bytes": (2 << 30) + 1},
        {"jail_bytes": 0},
        {"faults": ["missing-file"]},
    ],
    ids=lambda wrong: " and ".join(wrong),
)
def test_a_fuzz_that_breaks_a_limit_or_leaves_a_fault_fails(wrong: dict[str, object]) -> None:
    sound = {"slowest_seconds": 1.0, "grown_bytes": 0, "jails": 2, "jail_bytes": 1 << 20}
    parts.judge("Aperio", mutated(**sound), 1)
    with pytest.raises(SystemExit, match="Aperio"):
        parts.judge("Aperio", mutated(**(sound | wrong)), 1)


def mutated(**told: object) -> Mutated:
    one = Mutated(**told)  # type: ignore[arg-type]
    one.by_way["zeros"]["truncated"] = 1
    return one


def test_changed_bits_are_counted(tmp_path: Path) -> None:
    (told,) = parts.flips(tmp_path, 14)
    assert told.what == "changed bits in 7 kinds of stored files"
    assert "none shown wrongly" in told.seen


def test_bits_that_a_check_names_are_counted(tmp_path: Path) -> None:
    (told,) = parts.named(tmp_path, 15)
    assert told.what == "changed bits in 15 kinds of kept files"
    assert "their file named" in told.seen


def test_tamperings_are_counted(tmp_path: Path) -> None:
    (told,) = parts.tamperings(tmp_path, 12)
    assert (told.how_many, told.seen) == ("12", "all seen")


def test_what_is_written_is_counted(tmp_path: Path) -> None:
    (told,) = parts.composites(tmp_path, 1)
    assert told.how_many == "1"
    assert told.seen.startswith("1, 100.0%; ")


def test_clean_fields_are_counted(tmp_path: Path) -> None:
    (told,) = parts.clean_fields(tmp_path, 1)
    assert told.seen.startswith("0, 0.0%; 1 looked at whole; ")
