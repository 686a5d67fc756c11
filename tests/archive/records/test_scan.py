"""Records hold keys, words of closed lists and plausible numbers, or they are not made."""

from typing import Any

import pytest

from archive.codes import InternalKey, new_key
from archive.consent import Facts, MightIdentify
from archive.errors import InvalidValue
from archive.geometry import Size
from archive.records import CaseRecord, Fidelity, ScanRecord, SlideRecord


def scan(**differences: Any) -> ScanRecord:
    values: dict[str, Any] = {
        "key": new_key(),
        "slide": new_key(),
        "size": Size(40_000, 30_000),
        "level_count": 3,
        "objective_power": 20.0,
        "scanner_maker": "Aperio",
        "scanner_model": "GT 450 DX (2)",
        "fidelity": Fidelity.COPIED,
    }
    return ScanRecord(**values | differences)


@pytest.mark.parametrize(
    "differences",
    [
        {"key": "S25-10432"},
        {"slide": ""},
        {"level_count": 0},
        {"level_count": 33},
        {"levels_added": 3},
        {"levels_added": -1},
        {"objective_power": 0.0},
        {"objective_power": float("nan")},
        {"scanner_maker": ""},
        {"scanner_model": "DOE^JANE"},
        {"scanner_model": "a\nb"},
        {"scanner_model": "x" * 65},
        {"fidelity": Fidelity.LOSSY},
        {"fidelity": Fidelity.LOSSY, "quality": 101},
        {"quality": 90},
        {"stored_bytes": -1},
        {"manifest_sha256": "abc"},
    ],
    ids=str,
)
def test_impossible_scans_are_refused(differences: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        scan(**differences)


def test_an_unknown_scan_is_unassessed_and_to_be_screened() -> None:
    assert scan().might_identify == MightIdentify()
    assert scan().rescreen


def test_a_report_is_bound_only_to_bytes_that_have_a_digest() -> None:
    assert not scan(deidentified=True).report_bound
    assert not scan(manifest_sha256="a" * 64).report_bound
    assert scan(deidentified=True, manifest_sha256="a" * 64).report_bound


def test_a_case_claims_nothing_of_a_single_copy() -> None:
    with pytest.raises(InvalidValue, match="one scan"):
        CaseRecord(new_key(), new_key(), Facts(report_bound=True))


def test_a_stain_in_free_text_is_refused() -> None:
    with pytest.raises(InvalidValue, match="closed list"):
        SlideRecord(new_key(), new_key(), stain="H&E")  # type: ignore[arg-type]


def test_a_case_without_facts_is_refused() -> None:
    with pytest.raises(InvalidValue, match="facts"):
        CaseRecord(new_key(), new_key(), None)  # type: ignore[arg-type]


def test_a_laboratory_number_is_no_key() -> None:
    with pytest.raises(InvalidValue, match="internal key"):
        CaseRecord(InternalKey("S25-10432"), new_key(), Facts())
