"""The words of a list's closed columns are the archive's own; people write them in other ways, too."""

from collections.abc import Mapping
from enum import StrEnum

from archive.consent.terms import (
    SECONDARY,
    Answer,
    Authority,
    Consent,
    Grade,
    Maturity,
    Purpose,
    Recorded,
    TissueSource,
    Vital,
)


class PersonsGrade(StrEnum):
    """What a person may say of a picture; a screening speaks for itself."""

    YES = "yes"
    NO = "no"
    UNASSESSED = "unassessed"


GRADES: Mapping[PersonsGrade, Grade] = {
    PersonsGrade.YES: Grade.YES,
    PersonsGrade.NO: Grade.NO_PERSON,
    PersonsGrade.UNASSESSED: Grade.UNASSESSED,
}

PURPOSES = tuple(purpose for purpose in Purpose if purpose in SECONDARY)

_SYNONYMS: Mapping[StrEnum, tuple[str, ...]] = {
    Answer.YES: ("y", "true", "1"),
    Answer.NO: ("n", "false", "0"),
    TissueSource.LIVING: ("life", "in life", "alive", "surgical", "biopsy"),
    TissueSource.POST_MORTEM: ("pm", "autopsy", "necropsy", "dead", "deceased"),
    Authority.HOSPITAL: ("hospital consent", "consented", "family"),
    Authority.CORONER: ("fiscal", "procurator fiscal", "coronial", "medical examiner"),
    Recorded.AS_PART_OF_EXAMINATION: ("examination", "part of the examination", "during the examination"),
    Recorded.FOR_SECONDARY_PURPOSE: ("secondary", "secondary purpose"),
    Recorded.LATER: ("afterwards", "retained tissue"),
    Consent.OBTAINED: ("given", "consented"),
    Consent.WITH_POST_MORTEM: ("with the post-mortem", "with post-mortem consent", "with pm consent"),
    Consent.SEPARATELY: ("separate", "separately"),
    Consent.NOT_FORESEEN: ("unforeseen",),
    Consent.FORESEEN_NOT_ASKED: ("not asked", "never asked"),
    Consent.NOT_RECORDED: ("no record",),
    Consent.REFUSED: ("refusal", "opted out", "opt-out"),
    Purpose.OTHER_SECONDARY: ("other",),
    Purpose.TEACHING: ("education", "training"),
    Vital.ALIVE: ("living",),
    Vital.DEAD: ("deceased", "died"),
    Maturity.CHILD_NOW_ADULT: ("now adult",),
}
"""Other ways in which people write a word of a vocabulary."""


def aliases_of(words: tuple[StrEnum, ...]) -> dict[str, StrEnum]:
    """Return the other ways to write these words."""
    return {alias: word for word in words for alias in _SYNONYMS.get(word, ())}
