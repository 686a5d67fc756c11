"""The table is whole, says on what each row rests, and its page says the same."""

import subprocess
import sys
from pathlib import Path

import pytest

from archive.consent.page import decision_table_page
from archive.consent.rules import CONDITIONS
from archive.consent.table import DONE, RECORDS, ROWS, TABLE, Effect, Mark
from archive.consent.terms import Record

ROOT = Path(__file__).parents[3]

RULES_SECTION_2 = """
Z1 Z2 Z3 Z4 Z5 Z6 K1 K2 K3 K4 N1 N2 M12 M13 P1 P3 P4 P5 P6 P7 L1 L2 L3 L4 L5 L6 L9 L10 L11 D0 D1 D2 D3
M1 M15 M2 M2b M3 M4 M5 M6 M7 M10 M11 M14 R1 R2 R3 R4 default
"""


def test_the_table_has_every_row_of_the_rules_and_no_other():
    assert {row.id for row in TABLE} == set(RULES_SECTION_2.split())
    assert len(ROWS) == len(TABLE)


def test_each_row_about_the_picture_has_one_condition_and_the_default_comes_last():
    assert CONDITIONS.keys() == {row.key for row in TABLE if row.effect is not Effect.GLASS}
    assert TABLE[-1].id == "default"


def test_stages_are_tried_in_the_order_of_the_rules():
    order = [row.key for row in TABLE]
    pairs = "Z4 K1, K4 N1, N1 M12, N2 M13, M13 P1, P7 L1, L11 L2, L9 L5, L10 L5, D3 M1"
    for earlier, later in (pair.split() for pair in pairs.split(", ")):
        assert order.index(earlier) < order.index(later)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.key)
def test_a_row_says_on_what_it_rests(row):
    assert row.marks
    assert ("policy" in row.basis) == (Mark.POLICY in row.marks)
    assert row.says.endswith(".")
    assert bool(row.records) == (row.effect in (Effect.REQUIRE, Effect.GATE))
    if set(row.marks) != {Mark.POLICY} and Mark.POLICY in row.marks:
        assert "policy" in row.remark, "a mixed row says which part is policy"
    if Mark.POLICY not in row.marks:
        assert row.paragraph


def test_every_record_is_asked_for_by_a_row_and_says_who_does_what():
    assert {record for row in TABLE for record in row.records} == set(Record) == set(RECORDS) == set(DONE)


def test_no_row_claims_a_paragraph_that_nobody_could_read():
    unread = {*range(18, 22), *range(41, 47), *range(52, 56)}
    for row in TABLE:
        numbers = {
            int(number) for number in row.paragraph.replace("-", " ").replace(",", " ").split() if number.isdigit()
        }
        assert not numbers & unread, row.key


def test_the_reference_page_is_what_the_table_says():
    assert (ROOT / "docs/reference/decision-table.md").read_text("utf-8") == decision_table_page()


def test_the_module_prints_the_page():
    command = [sys.executable, "-m", "archive.consent"]
    printed = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True, timeout=60
    )
    assert printed.stdout == decision_table_page()
