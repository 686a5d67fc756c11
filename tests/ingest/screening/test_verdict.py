"""A verdict says where and how surely, grades a slide as row Z3 asks, and holds no text."""

import dataclasses

import pytest

from archive.consent import MightIdentify
from archive.consent.terms import Grade
from archive.errors import InvalidValue
from archive.geometry import Size
from ingest.screening import VERSION, Finding, Kind, Place, Screening
from ingest.screening.verdict import is_of_this_version

HERE = Place(10, 20, 30, 40)
PEN = Finding(Kind.PEN, HERE, 0.5)


def test_a_slide_that_was_seen_whole_and_shows_nothing_is_graded_by_the_version() -> None:
    assert Screening(complete=True).grade == MightIdentify.screened(VERSION)


def test_a_slide_that_was_not_seen_whole_is_not_assessed() -> None:
    assert Screening(complete=False).grade.grade is Grade.UNASSESSED


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.BARCODE, Kind.STICKER])
@pytest.mark.parametrize("complete", [True, False])
def test_text_a_barcode_or_a_sticker_might_identify(kind: Kind, complete: bool) -> None:
    screening = Screening((Finding(kind, HERE, 0.9), PEN), complete)
    assert screening.grade.grade is Grade.YES
    assert [finding.kind for finding in screening.alarms] == [kind]


def test_a_pen_mark_alone_is_told_in_the_grade_and_is_no_alarm() -> None:
    screening = Screening((PEN,), complete=True)
    assert not screening.alarms
    assert str(screening.grade) == f"no (screened, {VERSION}-pen)"
    assert is_of_this_version(screening.grade)


@pytest.mark.parametrize(
    "grade", [MightIdentify(), MightIdentify(Grade.NO_PERSON), MightIdentify.screened("structure-1")]
)
def test_other_grades_are_not_of_this_version(grade: MightIdentify) -> None:
    assert not is_of_this_version(grade)


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_confidence_is_from_0_to_1(confidence: float) -> None:
    with pytest.raises(InvalidValue):
        Finding(Kind.TEXT, HERE, confidence)


@pytest.mark.parametrize("numbers", [(-1, 0, 1, 1), (0, -1, 1, 1), (0, 0, 0, 1), (0, 0, 1, 0)])
def test_a_place_is_on_the_slide_and_has_an_extent(numbers: tuple[int, int, int, int]) -> None:
    with pytest.raises(InvalidValue):
        Place(*numbers)


def test_a_place_is_cut_off_at_the_slides_edge() -> None:
    assert Place(90, 95, 50, 50).within(Size(100, 100)) == Place(90, 95, 10, 5)


def test_nothing_in_a_finding_can_hold_a_text() -> None:
    kinds = {field.type for value in (Finding, Place) for field in dataclasses.fields(value)}
    assert kinds == {Kind, Place, float, int}
