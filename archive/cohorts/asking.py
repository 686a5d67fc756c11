"""What a query asks of the catalogue: which scans it fits, and which of these the rules allow.

Everything that a decision depends on is a scan's situation, and a million slides share a few of them; so each situation
is decided once, and the answers are part of what is asked.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from archive.catalogue import counting, ruling, searching
from archive.catalogue.counting import Tally
from archive.cohorts.query import Comparison, Condition, Joined, Not, Query
from archive.cohorts.words import Value
from archive.consent import Decision, Purpose, Recipient
from archive.consent.shown import decide_copy, facts_as_shown
from archive.consent.terms import TissueSource

_FIRST = ("diagnosis", "organ")
"""Fields of many values, none of which is very frequent: what they fit is looked up, and the rest is compared."""
_ALONE = ("stain", "scanner", "objective")
"""Fields that have an index, which only helps where nothing else is asked."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The answers of the decision table to all situations, for one purpose and recipient."""

    decisions: Mapping[int, Decision]

    @classmethod
    def ask(cls, connection: Connection, purpose: Purpose, recipient: Recipient) -> "Rules":
        """Decide every situation that the catalogue knows.

        Raises
        ------
        RulesNotInForce
            If this program has other rules than those in force.
        """
        ruling.require_in_force(connection)
        return cls(
            {
                number: decide_copy(facts_as_shown(facts, grade, report_bound=bound), purpose, recipient)
                for number, (facts, grade, bound) in searching.all_situations(connection).items()
            }
        )

    @property
    def allowed(self) -> frozenset[int]:
        """The situations that are allowed."""
        return frozenset(number for number, decision in self.decisions.items() if decision.allowed)

    def sentence(self, row: str) -> str:
        """Give what a row says."""
        return next(decision.sentence for decision in self.decisions.values() if decision.row == row)

    def tissues(self) -> dict[TissueSource, frozenset[int]]:
        """Give the situations by where the tissue is from."""
        by_source: dict[TissueSource, set[int]] = {source: set() for source in TissueSource}
        for number, decision in self.decisions.items():
            by_source[decision.question.facts.source].add(number)
        return {source: frozenset(numbers) for source, numbers in by_source.items()}


class Asking:
    """A query put to one catalogue.

    Parameters
    ----------
    connection
        The catalogue, in a transaction.
    query
        What is asked.
    rules
        The answers of the decision table.
    """

    def __init__(self, connection: Connection, query: Query, rules: Rules) -> None:
        self.connection = connection
        self.query = query
        self.rules = rules
        self._tissues = rules.tissues()

    def usable(self) -> Tally:
        """Count what is allowed."""
        numbers = self.rules.allowed
        plain = counting.all_of(self._said(self.query.condition, None), counting.situated(numbers))
        return counting.tally(self.connection, self.where(numbers), plain)

    def refused(self) -> dict[str, Tally]:
        """Count what is refused, by the row that says so."""
        rows = {number: decision.row for number, decision in self.rules.decisions.items() if not decision.allowed}
        return counting.tallies_by_situation(self.connection, self.where(rows.keys()), rows) if rows else {}

    def where(self, numbers: Collection[int]) -> counting.Condition:
        """Give the condition for what the query fits in some situations."""
        if set(numbers) >= set(self.rules.decisions):
            return self._said(self.query.condition, self._first())
        among = counting.situated(numbers, indexed=True)
        if counting.are_few(self.connection, among):
            return counting.all_of(self._said(self.query.condition, None), among)
        return counting.all_of(self._said(self.query.condition, self._first()), counting.situated(numbers))

    def _first(self) -> Comparison | None:
        """Choose the comparison that is looked up by its index: what all others have to fit as well."""
        condition = self.query.condition
        parts = condition.parts if isinstance(condition, Joined) and condition.word == "and" else (condition,)
        able = {
            part.field: part
            for part in parts
            if isinstance(part, Comparison) and part.sign in ("=", "in") and not any(v.unknown for v in part.values)
        }
        names = _FIRST + (_ALONE if len(parts) == 1 else ())
        return next((able[name] for name in names if name in able), None)

    def _said(self, condition: Condition, first: Comparison | None) -> counting.Condition:
        if isinstance(condition, Not):
            return counting.none_of(self._said(condition.part, None))
        if isinstance(condition, Joined):
            join = counting.all_of if condition.word == "and" else counting.any_of
            return join(*(self._said(part, first) for part in condition.parts))
        equal = "=" if condition.sign in ("=", "!=", "in") else condition.sign
        each = [self._fits(condition.field, equal, value, indexed=condition is first) for value in condition.values]
        fits = counting.any_of(*each) if len(each) > 1 else each[0]
        return counting.none_of(fits) if condition.sign == "!=" else fits

    def _fits(self, field: str, sign: str, value: Value, *, indexed: bool) -> counting.Condition:
        if field == "tissue":
            unknown = self._tissues[TissueSource.UNKNOWN]
            if value.unknown:
                return counting.situated(unknown)
            return counting.situated(self._tissues[TissueSource(*value.terms)], unknown)
        column = "model" if field == "scanner" else field
        if value.unknown:
            return counting.unrecorded(column)
        if value.number is not None:
            return counting.compares(column, sign, value.number, indexed=indexed)
        if field == "scanner" and not self._is_model(value):
            column = "maker"
        return counting.fits(column, value.terms, indexed=indexed)

    def _is_model(self, value: Value) -> bool:
        return counting.is_there(self.connection, counting.fits("model", value.terms, indexed=True))
