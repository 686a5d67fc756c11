"""The fields of the two correction forms, and what was typed into them, in the words of the delivery list."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from archive.consent import Facts
from archive.consent.terms import Consent
from archive.errors import InvalidValue
from archive.records import Stain
from ingest.delivery.columns import BY_NAME, Column
from ingest.delivery.mending import SETTABLE, Settings, read_settings
from ingest.pipeline.correcting import SlideWords

NEVER_TOLD = "-"
"""What is typed or chosen to have a column as if no list had ever told it."""

NO_CORRECTION = frozenset({("consent", Consent.REFUSED), ("consent", Consent.WITHDRAWN)})
"""Words that a list may tell and no correction: they are acts of a person, with a page of their own."""

_RECORDED_AS = {"tissue": "source"}

_UNSAID = frozenset({"", "unknown", "no", "[]", "False", "None"})
"""Values that say nothing, so that the form does not tell them as if somebody had."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the case's form; ``words`` are its choices, none where it is typed."""

    column: Column
    recorded: str
    typed: str

    @property
    def words(self) -> tuple[str, ...]:
        """The closed list to choose from; empty where several may be given, or any text."""
        if "several" in self.column.values:
            return ()
        vocabulary = self.column.vocabulary
        terms = tuple(str(word) for word in vocabulary if isinstance(word, StrEnum))  # the others are their aliases
        return tuple(word for word in terms or vocabulary if (self.column.name, word) not in NO_CORRECTION)


def slide_words(form: Mapping[str, str]) -> SlideWords:
    """Read the slide's form.

    Raises
    ------
    InvalidValue
        If a word is none of its closed list.
    """

    def typed(name: str) -> str | None:
        return form.get(name) or None

    stain = typed("stain")
    known = Stain.parse(stain) if stain else None
    if stain and known is None:
        raise InvalidValue("choose the stain from the list")
    return SlideWords(
        patient=typed("patient"),
        case=typed("case"),
        block=typed("block"),
        stain=known,
        number=typed("number"),
        organ=_coded(form, "organ"),
        diagnosis=_coded(form, "diagnosis"),
    )


def _coded(form: Mapping[str, str], name: str) -> Any:
    text = form.get(name)
    return BY_NAME[name].read(text) if text else None


def settings_of(form: Mapping[str, str]) -> Settings:
    """Read the case's form.

    Raises
    ------
    InvalidValue
        With every fault.
    """
    told_of = ((name, form[name]) for name in SETTABLE if form.get(name))
    return read_settings([f"{name}={'' if value == NEVER_TOLD else value}" for name, value in told_of])


def fields_of(facts: Facts, form: Mapping[str, str], *, without: str = "") -> list[tuple[str, list[Field]]]:
    """Lay the case's form out: groups of fields, with what is recorded now and what was typed before."""
    recorded = facts.to_json()

    def said(name: str) -> str:
        value = recorded.get(_RECORDED_AS.get(name, name))
        text = "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        return "" if text in _UNSAID else text

    groups: dict[str, list[Field]] = {}
    for column in (BY_NAME[name] for name in SETTABLE if name != without):
        groups.setdefault(column.group.value, []).append(Field(column, said(column.name), form.get(column.name, "")))
    return list(groups.items())
