"""The table is walked from the top; the first row that allows or denies ends it, and each row touched is remembered."""

from dataclasses import dataclass, replace

from archive.consent.rules import CONDITIONS
from archive.consent.situation import Situation
from archive.consent.table import TABLE, Effect, Row, Verdict
from archive.consent.terms import Record

_STEPS = tuple((row, CONDITIONS[row.key]) for row in TABLE if row.effect is not Effect.GLASS)
_STRICTNESS = (Verdict.ALLOW, Verdict.REQUIRES, Verdict.DENY)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict, the row that gave it, all rows touched on the way, and the records that are still missing."""

    verdict: Verdict
    row: Row
    trail: tuple[Row, ...]
    missing: tuple[Record, ...] = ()


def evaluate(situation: Situation) -> Outcome:
    """Walk the table. The last row, *default*, always applies, so that there is always an outcome."""
    trail: list[Row] = []
    asked: list[Record] = []
    for row, applies in _STEPS:
        if not applies(situation):
            continue
        trail.append(row)
        asked += row.records
        if row.effect is Effect.DENY:
            return Outcome(Verdict.DENY, row, tuple(trail))
        if row.effect in (Effect.ALLOW, Effect.REQUIRE):
            missing = tuple(record for record in asked if record not in situation.facts.records)
            return Outcome(Verdict.REQUIRES if missing else Verdict.ALLOW, row, tuple(trail), missing)
        if row.id == "K3":
            break
    return _strictest_use(situation, tuple(trail))


def _strictest_use(situation: Situation, trail: tuple[Row, ...]) -> Outcome:
    """Row K3: kept as it may be used for what it was made for; where that is not known, for the strictest of all."""
    outcomes = [evaluate(use) for use in situation.as_made_for()]
    strictest = max(outcomes, key=lambda outcome: _STRICTNESS.index(outcome.verdict))
    return replace(strictest, trail=trail + strictest.trail)
