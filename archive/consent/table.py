"""The decision table of RULES section 2: what each row says, and on whose word. The rows themselves are ``table.toml``.

A row that rests on nothing but our own inference says so: it is shown as policy, never as the guidance. The conditions
under which rows apply are in `archive.consent.rules`, in the order in which they are tried.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from archive.consent.terms import Record


class Verdict(StrEnum):
    """The answer. ``REQUIRES`` refuses until the records that it names exist."""

    ALLOW = "allow"
    DENY = "deny"
    REQUIRES = "requires"


class Effect(StrEnum):
    """What a row does once its condition holds."""

    ALLOW = "allow"
    DENY = "deny"
    REQUIRE = "require"
    """Ask for the records; with them, allow."""
    GATE = "gate"
    """Ask for the records, and go on to the rows below."""
    READ = "read"
    """Say how the facts are read, and go on."""
    GLASS = "glass"
    """Answer another question, about the glass slide: shown, never decides on the picture."""


class Mark(StrEnum):
    """On whose word a row rests, as RULES marks it."""

    STATED = "S"
    """The summary edition of the GMC guidance states it."""
    FULLER = "G"
    """The fuller GMC guidance states it."""
    REGULATOR = "H"
    """The Human Tissue Authority, statute, the ICO or another regulator."""
    POLICY = "I"
    """Our inference; no source states it."""

    @property
    def basis(self) -> str:
        """The mark in one word for people."""
        return {Mark.REGULATOR: "regulator", Mark.POLICY: "policy"}.get(self, "guidance")


@dataclass(frozen=True, slots=True)
class Obligation:
    """What somebody has to do: a stable code, the deed, and whose it is."""

    code: str
    what: str
    by_whom: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row; a row that RULES lets end in two ways, or ask two things, comes in two halves."""

    id: str
    stage: str
    says: str
    paragraph: str
    marks: tuple[Mark, ...]
    effect: Effect
    records: tuple[Record, ...] = ()
    duties: tuple[Obligation, ...] = ()
    remark: str = ""
    half: int = 1

    @property
    def key(self) -> str:
        """The id, and for a second half ``/2``."""
        return self.id if self.half == 1 else f"{self.id}/{self.half}"

    @property
    def basis(self) -> str:
        """Guidance, regulator or policy, or several of them, the weightiest first."""
        return " and ".join(dict.fromkeys(mark.basis for mark in self.marks))


def _row(entry: Mapping[str, Any]) -> Row:
    parts = {
        "marks": tuple(Mark(letter) for letter in entry["marks"]),
        "effect": Effect(entry["effect"]),
        "records": tuple(Record(name) for name in entry.get("records", ())),
        "duties": tuple(Obligation(**duty) for duty in entry.get("duties", ())),
    }
    return Row(**{**entry, **parts})


_SOURCE = tomllib.loads(Path(__file__).with_name("table.toml").read_text("utf-8"))

RULES_VERSION: str = _SOURCE["version"]
"""Written into every decision."""

TABLE = tuple(_row(entry) for entry in _SOURCE["row"])
"""Every row, in the order in which they are tried."""

ROWS = {row.key: row for row in TABLE}

DONE = {Record(entry["code"]): str(entry.pop("done")) for entry in _SOURCE["record"]}
"""For each record, how to say that it exists now, as the end of "if ..."."""

RECORDS = {Record(entry["code"]): Obligation(**entry) for entry in _SOURCE["record"]}
"""What each record asks for, and of whom."""
