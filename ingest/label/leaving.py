"""The slide label names the patient, the macro shows the label, and a thumbnail may show either.

Which picture is which is told by the file's structure, never by the words in a description: some scanners write none,
and words can say anything. None of these pictures travels on, and neither does a picture that structure does not
tell. What structure leaves open is a question for a person, and stands in the receipt.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Associated(Protocol):
    """A picture in a slide's file that is no level of tissue, as a reader found it."""

    @property
    def kind(self) -> str:
        """``label``, ``macro``, ``thumbnail`` or ``unknown``."""

    @property
    def found_by(self) -> str:
        """The mark in the file's structure that told."""


class Picture(StrEnum):
    """What is left behind, in the words of a receipt."""

    LABEL = "label"
    MACRO = "macro"
    THUMBNAIL = "thumbnail"
    MAP = "map of the glass"
    UNKNOWN = "picture of unknown kind"


class Question(StrEnum):
    """What structure leaves open."""

    UNKNOWN_PICTURE = "a picture that is neither marked as a level nor as label, macro or thumbnail was left behind"
    NO_LABEL = "no label was found in a format that has one: look whether the scanned area shows it"
    SEVERAL_LABELS = "more than one label was found: look whether the file holds more than one slide"


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """How many pictures of each kind were left behind, and what a person may want to look at."""

    pictures: tuple[tuple[Picture, int], ...]
    questions: tuple[Question, ...]

    @property
    def count(self) -> int:
        """All pictures together."""
        return sum(count for _, count in self.pictures)


def leave_behind(associated: Sequence[Associated], *, label_expected: bool = False) -> LeftBehind:
    """Account for the pictures that do not travel on: all of them.

    Parameters
    ----------
    associated
        Every picture of the file that is no level of tissue. A kind that is not known here counts as unknown.
    label_expected
        Whether this format has a label, so that its absence is a question and not a success.
    """
    kinds = {str(picture.name).lower(): picture for picture in Picture}
    counted = Counter(kinds.get(str(one.kind), Picture.UNKNOWN) for one in associated)
    asked = {
        Question.UNKNOWN_PICTURE: counted[Picture.UNKNOWN] > 0,
        Question.NO_LABEL: label_expected and counted[Picture.LABEL] == 0,
        Question.SEVERAL_LABELS: counted[Picture.LABEL] > 1,
    }
    return LeftBehind(
        pictures=tuple((picture, counted[picture]) for picture in Picture if counted[picture]),
        questions=tuple(question for question, open_ in asked.items() if open_),
    )
