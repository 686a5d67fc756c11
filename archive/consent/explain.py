"""A decision in lines that a tired pathologist can read: the answer first, then why, then what would change it."""

from collections.abc import Iterator, Sequence

from archive.consent.decide import Decision, decide
from archive.consent.facts import Facts
from archive.consent.table import Row, Verdict
from archive.consent.terms import Purpose, Recipient

_HEADLINES = {Verdict.ALLOW: "Allowed", Verdict.DENY: "Refused", Verdict.REQUIRES: "Not yet"}

_MET = {True: "satisfied", False: "not shown to be satisfied"}

_WHO = {
    Recipient.LABORATORY: "the laboratory",
    Recipient.CARE_TEAM: "the care team",
    Recipient.PROJECT: "a named project",
    Recipient.CLASS: "a named class",
    Recipient.PUBLIC: "the public",
}

WAYS_SHOWN = 4
"""The smallest ones; more would not be read."""


def what_would_change(
    facts: Facts, purpose: Purpose, recipient: Recipient, *, holds_key: bool = True
) -> tuple[str, ...]:
    """Say what, found out, obtained or prepared, would turn a refusal into a yes; empty if nothing would."""
    return decide(facts, purpose, recipient, holds_key=holds_key).what_would_change_it


def explain(decision: Decision) -> str:
    """Write a decision out, one thing a line."""
    return "\n".join(_lines(decision))


def _lines(decision: Decision) -> Iterator[str]:
    question = decision.question
    yield f"{_HEADLINES[decision.verdict]}: {question.purpose}, for {_WHO[question.recipient]}."
    yield decision.sentence
    yield f"This is {_source(decision.decided_by)}."
    yield from _section("On the way", [f"{row.says} ({_source(row)})" for row in decision.trail[:-1]])
    yield from _section("Taken for granted (policy)", decision.assumed)
    yield from _section("To do", [f"{duty.by_whom}: {duty.what}" for duty in decision.obligations])
    if not decision.allowed:
        yield from _section("What would change it", _ways(decision.what_would_change_it))
    gates = [f"{gate.row.says} ({_source(gate.row)}; {_MET[gate.met]})" for gate in decision.glass]
    yield from _section("The glass slide itself is another question, which does not change this answer", gates)
    yield f"Rules version {decision.rules_version}. This is not legal advice."


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"{title}:"
        yield from (f"  {line}" for line in lines)


def _ways(ways: Sequence[str]) -> Sequence[str]:
    if len(ways) <= WAYS_SHOWN:
        return ways or ["Nothing that can be obtained."]
    further = len(ways) - WAYS_SHOWN
    last = "There is 1 further way, no shorter." if further == 1 else f"There are {further} further ways, none shorter."
    return [*ways[:WAYS_SHOWN], last]


def _source(row: Row) -> str:
    """Where a row comes from: its id, guidance or policy, its paragraphs, and which part is policy."""
    paragraphs = f"para {row.paragraph}" if row.paragraph[:1].isdigit() else row.paragraph
    return "; ".join(part for part in (f"row {row.id}", row.basis, paragraphs, row.remark) if part)
