"""An opt-out list is read whole, all its faults are told at once, and none of them repeats what was found."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from archive.consent import Purpose
from ingest.delivery.optouts import OptOut, read_opt_outs
from ingest.errors import DeliveryListInvalid


@pytest.fixture
def opt_outs(tmp_path: Path) -> Callable[[str], tuple[OptOut, ...]]:
    def read(text: str) -> tuple[OptOut, ...]:
        path = tmp_path / "opt-outs.csv"
        path.write_text(text)
        return read_opt_outs(path)

    return read


@pytest.mark.parametrize("header", ["patient", "Patient number", "MRN", "Hospital Number"])
def test_a_column_of_patients_is_enough(opt_outs: Callable[[str], tuple[OptOut, ...]], header: str) -> None:
    assert opt_outs(f"{header}\nH-1\nH-2\n") == (OptOut(2, "H-1"), OptOut(3, "H-2"))


def test_purposes_and_day_are_read(opt_outs: Callable[[str], tuple[OptOut, ...]]) -> None:
    (one, two) = opt_outs("patient;purposes;on\nH-1;research, audit;05/07/2025\nH-2;;\n")
    assert one == OptOut(2, "H-1", frozenset({Purpose.RESEARCH, Purpose.AUDIT}), date(2025, 7, 5))
    assert two == OptOut(3, "H-2")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("patient,purposes\n,research\nH-1,Planted^Jane\nH-2,care\n", [2, 3, 4]),
        ("patient,on\nH-1,2999-01-01\n", [2]),
        ("patient,unless\nH-1,Planted^Jane\n", [0]),
        ("patient,patient\nH-1,H-2\n", [0]),
        ("purposes\nresearch\n", [0]),
        ("patient,on\nH-1\n", [2]),
        ("", [0]),
    ],
)
def test_every_fault_is_told_and_nothing_is_repeated(
    opt_outs: Callable[[str], tuple[OptOut, ...]], text: str, rows: list[int]
) -> None:
    with pytest.raises(DeliveryListInvalid) as refusal:
        opt_outs(text)
    assert [fault.row for fault in refusal.value.faults] == rows
    assert "Planted" not in "".join(map(str, refusal.value.faults))


def test_a_line_shows_no_patient() -> None:
    assert "H-1" not in repr(OptOut(2, "H-1", on=date(2025, 7, 5)))


def test_a_list_that_is_missing_is_told_as_an_opt_out_list(tmp_path: Path) -> None:
    with pytest.raises(DeliveryListInvalid, match="^the opt-out list has 1 fault"):
        read_opt_outs(tmp_path / "nowhere.csv")
