"""An answer as people type it: words of closed lists, flags and days, read into a record."""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from archive.consent import Purpose
from archive.consent.records import ConsentRecord, Said
from archive.consent.terms import Answer
from archive.errors import InvalidValue
from ingest.delivery.cells import choice, choices, day
from ingest.delivery.vocabulary import PURPOSES, aliases_of

E = TypeVar("E", bound=StrEnum)


def answer_of(by: str, told: Said | None, **parts: Any) -> ConsentRecord | None:
    """Make the record of an answer; None where nothing but a finding is recorded."""
    given = {name: value for name, value in parts.items() if value not in (None, False, Answer.UNKNOWN, frozenset())}
    if told is None:
        if given:
            raise InvalidValue(
                "say what was answered: --answer given, refused, 'not foreseen' or 'foreseen, not asked'"
            )
        return None
    return ConsentRecord(by=by, said=told, **given)


def word_of(kind: type[E], option: str, text: str | None) -> E | None:
    """Read a word of a closed vocabulary; a withdrawal is no answer to be recorded here."""
    if text is None:
        return None
    words = tuple(word for word in kind if word is not Said.WITHDRAWN)
    try:
        return choice(words, {})(text)
    except InvalidValue as error:
        more = "; for a withdrawal: coverslip consent withdraw" if kind is Said else ""
        raise InvalidValue(f"{option}: expected {error}{more}") from None


def purposes_of(texts: Iterable[str]) -> frozenset[Purpose]:
    """Read purposes, each cell one or several."""
    read = choices(PURPOSES, aliases_of(PURPOSES))
    try:
        return frozenset(Purpose(purpose) for text in texts for purpose in read(text))
    except InvalidValue as error:
        raise InvalidValue(f"--purpose: expected {error}") from None


def day_of(text: str | None) -> date | None:
    """Read the day of an answer."""
    try:
        return None if text is None else day(text)
    except InvalidValue as error:
        raise InvalidValue(f"--on: expected {error}") from None


def yes_no(flag: bool | None) -> Answer:
    """Read a pair of flags, of which neither need be given."""
    return Answer.UNKNOWN if flag is None else Answer.YES if flag else Answer.NO
