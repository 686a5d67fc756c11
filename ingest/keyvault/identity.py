"""What a laboratory knows a patient, a case and a slide by. These values are never shown by accident.

Their text form is empty, because values end up in logs and tracebacks. For look-ups, numbers are compared without
letter case, width, white space and invisible characters: ``943 476 5919`` and ``9434765919`` are one patient.
Punctuation counts, because to take two patients for one is the graver mistake.
"""

import unicodedata
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from archive.codes import InternalKey
from archive.errors import InvalidValue

LONGEST = 200
"""Characters of one identifier; a hospital's numbers and a person's full name are far shorter."""

LONGEST_EVIDENCE = 1000
"""Characters of a sentence that says who attested what, when and why."""


_CONTROL = ("Cc", "Cs")
"""Unicode's control characters, and halves of characters, which no text holds."""


class Kind(StrEnum):
    """What a sealed entry is; the value is stored."""

    PATIENT = "patient"
    NAME = "name"
    BIRTH_DATE = "birth date"
    CASE = "case"
    BLOCK = "block"
    SLIDE = "slide"
    EVIDENCE = "evidence"


@dataclass(frozen=True, slots=True)
class PersonalIdentity:
    """A patient as the delivery list names them: the number they are found by, and what else is known."""

    patient: str = field(repr=False)
    name: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Keys:
    """The internal keys of one glass slide and of what it comes from."""

    patient: InternalKey = field(repr=False)
    case: InternalKey = field(repr=False)
    block: InternalKey = field(repr=False)
    slide: InternalKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """The answer to an audited look-up: whom an internal key belongs to, as far down as the key goes."""

    patient: str = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    birth_dates: tuple[str, ...] = field(repr=False)
    case: str | None = field(default=None, repr=False)
    block: str | None = field(default=None, repr=False)
    slide: str | None = field(default=None, repr=False)
    file: str | None = field(default=None, repr=False)


def checked(text: str, what: str, longest: int = LONGEST) -> str:
    """Give a label back, trimmed.

    Raises
    ------
    InvalidValue
        If it is empty, too long or holds control characters; the text is not repeated.
    """
    plain = text.strip()
    if not _visible(plain):
        raise InvalidValue(f"the {what} is empty; give it")
    if len(plain) > longest:
        raise InvalidValue(f"the {what} has more than {longest} characters; write it shorter")
    if any(unicodedata.category(character) in _CONTROL for character in plain):
        raise InvalidValue(f"the {what} holds control characters; remove them")
    return plain


def compared(kind: Kind, text: str) -> str:
    """Give the form in which two labels of one kind are compared."""
    words = _visible(unicodedata.normalize("NFKC", text)).casefold().split()
    return ("" if kind in (Kind.PATIENT, Kind.CASE) else " ").join(words)


def _visible(text: str) -> str:
    # A zero-width space or a mark of writing direction, pasted along, does not make another patient.
    return "".join(character for character in text if unicodedata.category(character) != "Cf").strip()
