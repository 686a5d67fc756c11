"""A day can be looked back on: on the first page in short, on its own page, and as a table."""

import csv
import io
from datetime import date, timedelta

import pytest

from tests.ingest.desk.conftest import Browser, OpenDesk
from tests.ingest.desk.furnished import CASE


def test_the_first_page_tells_what_waits_and_what_came_today(browser: Browser) -> None:
    page = browser.get("/").text
    assert '<span class="number">1</span> <span>wrong-barcode</span>' in page
    assert '<span class="number">1</span> <span>truncated</span>' in page
    assert "<dt>arrived</dt><dd>5</dd>" in page
    assert "<dt>kept</dt><dd>3</dd>" in page


def test_a_days_page_has_its_figures_and_its_files(desk: OpenDesk, browser: Browser) -> None:
    page = browser.get(f"/report/{date.today()}").text
    assert browser.get("/report").text == page
    assert "<dt>arrived</dt><dd>5</dd>" in page
    assert "<dt>sources that may be deleted</dt><dd>3</dd>" in page
    assert str(desk.slide_code(CASE)) in page
    assert "the day after" not in page
    assert page.count("<tr><td>") == 5


def test_a_day_on_which_nothing_came_says_so(browser: Browser) -> None:
    page = browser.get(f"/report/{date.today() - timedelta(400)}").text
    assert "<dt>arrived</dt><dd>0</dd>" in page
    assert "the day after" in page


def test_the_table_has_a_row_for_each_file_and_names_nobody(desk: OpenDesk, browser: Browser) -> None:
    answer = browser.get(f"/report/{date.today()}/table.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="report-{date.today()}.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 5
    assert sorted(row["state"] for row in rows) == ["kept", "kept", "kept", "waits", "waits"]
    assert str(desk.slide_code(CASE)) in {row["code"] for row in rows}
    for secret in desk.furnished.secrets:
        assert secret not in answer.text


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "0", "2026-1-1"])
def test_what_is_no_day_leads_nowhere(browser: Browser, day: str) -> None:
    assert browser.get(f"/report/{day}").status_code == 404
