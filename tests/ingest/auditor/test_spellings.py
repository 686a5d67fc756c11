"""Every identifier gives spellings, few enough to be searched for, whatever it looks like."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.auditor import IdentifierClass, KnownIdentifier
from ingest.auditor.spellings import FEWEST, spellings

Class = IdentifierClass


def spelt(kind: Class, text: str) -> set[tuple[str, ...]]:
    return {spelling.words for spelling in spellings(KnownIdentifier(kind, text))}


def test_a_name_is_spelt_in_words_pairs_and_initials():
    assert spelt(Class.NAME, "DOE^JANE") == {
        *(("DOE",), ("JANE",), ("DOE", "JANE"), ("JANE", "DOE")),
        *(("D", "JANE"), ("JANE", "D"), ("J", "DOE"), ("DOE", "J")),
    }


def test_a_name_of_many_words_is_spelt_in_every_pair():
    found = spelt(Class.NAME, "Maria del Carmen Garcia Lopez")
    assert {("Lopez", "Maria"), ("Garcia", "Lopez"), ("Carmen", "Garcia")} <= found
    assert ("Maria", "del", "Carmen", "Garcia", "Lopez") in found


@pytest.mark.parametrize("name", ["O'Brien", "O\N{RIGHT SINGLE QUOTATION MARK}Brien"])
def test_a_name_with_an_apostrophe_is_spelt_with_and_without(name):
    assert {("OBrien",), ("Brien",)} <= spelt(Class.NAME, name)


def test_a_number_is_spelt_in_its_parts_and_without_what_is_before_them():
    assert spelt(Class.CASE_NUMBER, "S25-010432") == {("S", "25", "010432"), ("25", "010432")}
    assert {("00123456",), ("123456",), ("00", "123", "456"), ("0012", "3456")} <= spelt(
        Class.PATIENT_NUMBER, "00123456"
    )
    assert ("943", "476", "5919") in spelt(Class.PATIENT_NUMBER, "9434765919")


@pytest.mark.parametrize("text", ["1961-02-03", "19610203", "1961:02:03 09:59:15", "1961-02-03T00:00:00Z"])
def test_a_date_is_spelt_in_every_order_however_it_was_delivered(text):
    found = spelt(Class.BIRTH_DATE, text)
    assert {("1961", "02", "03"), ("03", "02", "1961"), ("02", "03", "61"), ("3", "february", "1961")} <= found


def test_a_date_whose_day_and_month_cannot_be_told_apart_is_spelt_as_both():
    found = spelt(Class.BIRTH_DATE, "02/03/1961")
    assert {("1961", "02", "03"), ("1961", "03", "02")} <= found


def test_what_is_no_date_is_taken_for_a_number():
    assert spelt(Class.BIRTH_DATE, "1961-02-31") == spelt(Class.PATIENT_NUMBER, "1961-02-31")


def test_a_file_name_that_begins_with_a_date_is_still_a_file_name():
    found = spelt(Class.UNSORTED, "2010-01-12 13.24.05 CMU-1-40x.vms")
    assert ("CMU", "1", "40x", "vms") in found
    assert ("2010", "01", "12") in found


@settings(deadline=None)
@given(st.sampled_from(Class), st.text(max_size=400) | st.text("0123456789-./ ABC", max_size=400))
def test_any_text_gives_a_bounded_number_of_spellings_with_words_in_them(kind, text):
    found = list(spellings(KnownIdentifier(kind, text)))
    assert len(found) <= 400
    assert all(spelling.words and all(spelling.words) for spelling in found)
    if kind not in (Class.NAME, Class.UNSORTED, Class.BIRTH_DATE):
        assert all(spelling.weight >= FEWEST for spelling in found)
