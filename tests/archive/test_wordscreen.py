"""Free text that looks as if it named a patient is refused, and the refusal does not repeat it."""

import string
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from archive.errors import FreeTextRefused
from archive.wordscreen import LONGEST, screen

around = st.text(string.ascii_letters + " ,;", max_size=20)


@pytest.mark.parametrize(
    "text",
    [
        "Breast teaching set",
        "Year 3, autumn term 2026",
        "Course 2025/26",
        "Terms 2024-2025",
        "Ki-67 and CD3/CD20, x40",
        "HER2 3+ cases",
        "pT3N1 carcinoma, ISUP 2",
        "Färbung: Elastika-van-Gieson",
        "C50.9 and 8500/3",
        "GI 24/25",
        "Dermatopathology (part 2 of 12)",
        "12 March meeting",
    ],
)
def test_everyday_names_pass_unchanged(text: str) -> None:
    assert screen(text, "the name") == text


@pytest.mark.parametrize(
    "text",
    [
        "case 48213",
        "S25-10432",
        "s25-432 second opinion",
        "25-S-1043",
        "H24/1234 B",
        "NHS 943 476 5919",
        "943-476-5919",
        "tel. (020) 7946-0018",
        "DOE^JANE",
        "jane.doe@example.org",
        "born 5/7/48",
        "born 05.07.1948",
        "1948-07-05",
        "5 July 1948",
        "5th of the month, 05-JUL-1948",
        "July 5th, 1948",
        "３４５６７",
        "٣٤٥٦٧",
        "123-45-6789",
    ],
)
def test_the_shapes_of_identifiers_are_refused(text: str) -> None:
    with pytest.raises(FreeTextRefused) as refusal:
        screen(text, "the name of a collection")
    assert str(refusal.value).startswith("the name of a collection ")
    assert text not in str(refusal.value)


@pytest.mark.parametrize("text", ["", "   ", "two\nlines", "hid\u200bden", "x" * (LONGEST + 1), "tab\there"])
def test_empty_long_and_invisible_text_is_refused(text: str) -> None:
    with pytest.raises(FreeTextRefused):
        screen(text, "a reason")


def test_spaces_around_are_trimmed() -> None:
    assert screen("  Liver  ", "a reason") == "Liver"


@given(before=around, number=st.integers(10_000, 10**15), after=around)
def test_a_long_number_is_refused_wherever_it_stands(before: str, number: int, after: str) -> None:
    refused(f"{before}{number}{after}")


@given(before=around, day=st.dates(date(1900, 1, 1), date(2030, 1, 1)), after=around, data=st.data())
def test_a_date_is_refused_however_it_is_written(before: str, day: date, after: str, data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%y", "%d %b %Y", "%d-%B-%Y", "%B %d, %Y"]))
    assume(not before[-1:].isalpha() or form[1] != "B")
    refused(f"{before}{day.strftime(form)}{after}")


@given(
    letters=st.text(string.ascii_uppercase, min_size=1, max_size=3), year=st.integers(0, 99), number=st.integers(100)
)
def test_a_case_number_is_refused(letters: str, year: int, number: int) -> None:
    refused(f"see {letters}{year:02}-{number}")


def refused(text: str) -> None:
    with pytest.raises(FreeTextRefused):
        screen(text, "a reason")
