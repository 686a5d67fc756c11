"""One of a thing is not told in the plural, and few bytes are not told as 0.0 MB."""

import re
from pathlib import Path

import pytest

from archive.amounts import bytes_told, counted

ROOT = Path(__file__).parents[2]
WITHOUT_ONE = re.compile(
    r"\{[^{}]*(?:len\(|count|done\.|rebuilt\.)[^{}]*\} (?:slides|scans|files|faults|levels|entries|copies)\b"
)
"""A number and a plural in one f-string: wrong as soon as the number is one."""


def test_one_is_told_in_the_singular_and_none_and_many_in_the_plural() -> None:
    assert [counted(number, "scan") for number in (0, 1, 2, 1200)] == ["0 scans", "1 scan", "2 scans", "1,200 scans"]
    assert counted(1, "copy is", "copies are") == "1 copy is"
    assert counted(2, "copy is", "copies are") == "2 copies are"


@pytest.mark.parametrize(("count", "told"), [(0, "0.0 kB"), (2600, "2.6 kB"), (18_200_000, "18.2 MB"), (2e9, "2.0 GB")])
def test_bytes_are_told_in_a_unit_in_which_they_are_not_nothing(count: float, told: str) -> None:
    assert bytes_told(count) == told


@pytest.mark.parametrize("folder", ["archive/cli", "ingest/cli"])
def test_no_sentence_tells_a_number_with_a_plural_that_it_may_not_have(folder: str) -> None:
    found = [
        f"{file.relative_to(ROOT)}: {match[0]}"
        for file in sorted((ROOT / folder).rglob("*.py"))
        for match in WITHOUT_ONE.finditer(file.read_text("utf-8"))
    ]
    assert found == []
