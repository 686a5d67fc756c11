"""An entry is found by whatever it names, and a reader sees at once what it is about."""

from datetime import UTC, datetime
from typing import Any

import pytest

from archive.auditchain.told import Question, Told

ONE, OTHER = "S-7K3QF-2M9XT", "S-9RK7W-56WKV"


def told(**details: Any) -> Told:
    return Told("catalogue", 1, "0" * 64, "withdraw", "custodian", datetime(2026, 1, 2, tzinfo=UTC), details)


@pytest.mark.parametrize(
    "details",
    [
        {"slide": ONE},
        {"slides": [OTHER, ONE]},
        {"decisions": {ONE: {"verdict": "allow"}}},
        {"scans": {OTHER: ["kept", "withdrawn"], ONE: ["kept", "withdrawn"]}},
        {"taken_out": [[ONE, "Skin", 3]]},
    ],
)
def test_an_entry_is_found_by_each_code_wherever_it_stands(details: dict[str, Any]) -> None:
    assert Question(frozenset({ONE})).fits(told(**details))
    assert not Question(frozenset({"S-00000-00000"})).fits(told(**details))


@pytest.mark.parametrize(
    ("details", "about"),
    [
        ({"slide": ONE, "collection": "x"}, ONE),
        ({"patient": "P-1", "scans": {OTHER: []}}, "P-1"),
        ({"collection": None, "decisions": {ONE: {}}}, ONE),
        ({"slides": [ONE, OTHER], "scans": 2}, f"{ONE} and 1 more"),
        ({"cases": {}, "scans": {ONE: []}}, ONE),
        ({"action": "find case"}, "find case"),
        ({"scans": 500}, ""),
        ({}, ""),
    ],
)
def test_a_reader_sees_what_an_entry_is_about(details: dict[str, Any], about: str) -> None:
    assert told(**details).about == about
