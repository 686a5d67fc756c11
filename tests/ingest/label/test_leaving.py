"""Pictures that are not tissue are counted and left behind; what structure does not tell becomes a question."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.label import Picture, Question, leave_behind


@dataclass(frozen=True)
class Found:
    """A picture as a reader describes it."""

    kind: str
    found_by: str = "subfile type 1"


def test_label_macro_and_thumbnail_are_counted():
    left = leave_behind([Found("label"), Found("thumbnail"), Found("macro")], label_expected=True)
    assert left.pictures == ((Picture.LABEL, 1), (Picture.MACRO, 1), (Picture.THUMBNAIL, 1))
    assert left.count == 3
    assert left.questions == ()


def test_a_picture_that_structure_does_not_tell_is_left_behind_and_asked_about():
    left = leave_behind([Found("unknown"), Found("a kind that nobody has heard of")])
    assert left.pictures == ((Picture.UNKNOWN, 2),)
    assert left.questions == (Question.UNKNOWN_PICTURE,)


def test_no_label_where_scanners_write_one_is_a_question():
    assert leave_behind([], label_expected=True).questions == (Question.NO_LABEL,)
    assert leave_behind([]).questions == ()


def test_two_labels_are_a_question():
    assert leave_behind([Found("label")] * 2, label_expected=True).questions == (Question.SEVERAL_LABELS,)


@settings(deadline=None)
@given(st.lists(st.text(max_size=12).map(Found), max_size=20))
def test_no_picture_is_lost_whatever_it_is_called(associated):
    assert leave_behind(associated).count == len(associated)
