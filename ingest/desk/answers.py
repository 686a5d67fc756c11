"""What somebody answered, and what proves it, as it is filled into the desk's form: read into a record."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from archive.consent.records import ESTABLISHED, ConsentRecord, Giver, Said
from archive.consent.terms import SECONDARY, Answer, Purpose
from archive.errors import InvalidValue
from ingest.desk.fields import Field, fields_of
from ingest.pipeline.consenting import Proof

E = TypeVar("E", bound=StrEnum)

ANSWERS = (Said.GIVEN, Said.REFUSED, Said.NOT_ASKED, Said.NOT_FORESEEN)
"""What can be recorded with this form; a withdrawal ends more than an answer, and has a page of its own."""

PURPOSES = tuple(purpose for purpose in Purpose if purpose in SECONDARY)

CHOICES: Mapping[str, Any] = {
    "answers": ANSWERS,
    "givers": tuple(Giver),
    "purposes": PURPOSES,
    "yes_or_no": (Answer.YES, Answer.NO),
}
"""What the form of an answer lets a person choose from, by the names that its template uses."""

_COLUMNS = {"tissue" if name == "source" else name for name in ESTABLISHED}


def answer_in(form: Mapping[str, str], by: str) -> ConsentRecord | None:
    """Read an answer; None where nothing but a finding was filled in.

    Raises
    ------
    InvalidValue
        If the parts contradict each other.
    """
    parts: dict[str, Any] = {
        "giver": chosen(Giver, form, "giver"),
        "rank": rank_in(form),
        "purposes": frozenset(purpose for purpose in PURPOSES if form.get(f"for {purpose}")),
        "identifiable": chosen(Answer, form, "identifiable"),
        "publication": chosen(Answer, form, "publication"),
        "entitled": chosen(Answer, form, "entitled"),
        "with_examination": bool(form.get("with_examination")),
    }
    given = {name: value for name, value in parts.items() if value}
    said = chosen(Said, form, "answer")
    if said is None and given:
        raise InvalidValue("choose what was answered")
    return None if said is None else ConsentRecord(by=by, said=said, **given)


def proof_in(form: Mapping[str, str]) -> Proof:
    """Read what proves an answer.

    Raises
    ------
    InvalidValue
        If the day is none.
    """
    return Proof(form.get("name", ""), day_in(form), form.get("document", ""), form.get("why", ""))


def findings_in(form: Mapping[str, str]) -> dict[str, str]:
    """Take what was found out from the form, and nothing else that a correction could set."""
    return {name: form[name] for name in _COLUMNS if form.get(name)}


def finding_fields(form: Mapping[str, str], facts: Any) -> list[Field]:
    """Lay out the fields of what can be found out, with what is recorded now."""
    return [field for _, fields in fields_of(facts, form) for field in fields if field.column.name in _COLUMNS]


def chosen(kind: type[E], form: Mapping[str, str], name: str) -> E | None:
    """Read a choice of a list; None where nothing was chosen.

    Raises
    ------
    InvalidValue
        If it is none of the list.
    """
    text = form.get(name)
    if not text:
        return None
    for word in kind:
        if word.value == text:
            return word
    raise InvalidValue(f"{name.replace('_', ' ')}: choose from the list")


def rank_in(form: Mapping[str, str]) -> int | None:
    """Read the rank of a relation; raises InvalidValue if it is no whole number."""
    text = form.get("rank")
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 2:
        raise InvalidValue("the rank is a whole number; 1 is the highest")
    return int(text)


def day_in(form: Mapping[str, str]) -> date | None:
    """Read the day; raises InvalidValue if it is none, or is still to come."""
    text = form.get("on")
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidValue("the day: expected one such as 2026-01-31") from None
    if day > date.today():
        raise InvalidValue("the day is still to come; check the year")
    return day
