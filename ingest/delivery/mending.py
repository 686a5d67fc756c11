"""What is recorded of a case is mended in the words of the delivery list: ``consent=refused``, ``covers=teaching``.

Only what a case's facts are about can be set; who attested what goes to the key vault, as with a list.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import PurePosixPath
from typing import Any

from archive.consent import Facts
from archive.consent.terms import Consent, TissueSource
from archive.errors import InvalidValue
from archive.records import Stain
from ingest.delivery.checks import against_feed, within
from ingest.delivery.columns import BY_NAME
from ingest.delivery.evidence import speaks_of_post_mortem
from ingest.delivery.faults import Fault, described
from ingest.delivery.feed import Feed
from ingest.delivery.rows import Row, row_of

_FACT_OF = {"tissue": "source", "assessed_also_by": "second_person"}
"""Columns whose fact has another name."""

_FACTS = frozenset(fact.name for fact in fields(Facts))
_ATTESTING = ("not_foreseen_by", "not_foreseen_on", "not_foreseen_why", "assessed_by", "assessed_also_by")

SETTABLE = tuple(name for name in BY_NAME if _FACT_OF.get(name, name) in _FACTS or name in _ATTESTING)
"""The columns that can be set."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Columns that were set, with their values; ``emptied`` ones are as if the list had never told them."""

    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    emptied: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.values or self.emptied)

    @property
    def evidence(self) -> tuple[str, ...]:
        """Sentences that say who attested what, for the key vault."""
        return self._row("-").evidence

    def facts_of_new(self, patient: str, case: str, stain: Stain, feed: Feed | None) -> Facts:
        """Give the facts of a case that is new, as if a list of the feed had told them.

        Raises
        ------
        InvalidValue
            If they contradict each other or the feed.
        """
        row = self._row(case, patient, stain)
        _refuse([*within(0, self.values), *against_feed(row, feed)])
        return row.facts(feed)

    def mended(self, before: Facts, case: str, feed: Feed | None) -> Facts:
        """Give the facts of a known case after what was set.

        Raises
        ------
        InvalidValue
            If they contradict each other or what the case's number tells.
        """
        recorded = {} if before.consent in (Consent.UNKNOWN, Consent.NOT_FORESEEN) else {"consent": before.consent}
        _refuse(within(0, {**recorded, **self.values}))
        stated = self._row(case).stated
        told = {_FACT_OF.get(name, name) for name in self.values if _FACT_OF.get(name, name) in _FACTS}
        if "might_identify" in told:
            told.add("second_person")  # a new look is another person's
        after = replace(before, **{name: getattr(stated, name) for name in told})
        after = replace(after, **{name: getattr(Facts(), name) for name in map(_fact_of, self.emptied)})
        _refuse(_contradictions(after, names_post_mortem=feed is not None and feed.is_post_mortem(case)))
        return after

    def _row(self, case: str, patient: str = "-", stain: Stain = Stain.HE) -> Row:
        own = {"file": PurePosixPath("-"), "patient": patient, "case": case, "block": "-", "stain": stain}
        return row_of(0, {**self.values, **own})


def read_settings(texts: Iterable[str]) -> Settings:
    """Read settings such as ``consent=refused``; nothing behind the sign empties a column.

    Raises
    ------
    InvalidValue
        With every fault. What was given is not repeated unless it is nearly a word of the column.
    """
    values: dict[str, Any] = {}
    emptied: set[str] = set()
    faults: list[Fault] = []
    for text in texts:
        name, sign, cell = (part.strip() for part in text.partition("="))
        if not sign or name not in SETTABLE:
            faults.append(Fault(0, "a setting", described(name, SETTABLE), f"COLUMN=VALUE, with {', '.join(SETTABLE)}"))
        elif not cell:
            emptied.add(name)
        else:
            try:
                values[name] = BY_NAME[name].read(cell)
            except InvalidValue as error:
                faults.append(Fault(0, name, described(cell, BY_NAME[name].vocabulary), str(error)))
    _refuse(faults)
    return Settings(values, frozenset(emptied))


def _fact_of(column: str) -> str:
    fact = _FACT_OF.get(column, column)
    if fact not in _FACTS:
        raise InvalidValue("what somebody attested is never taken back; record what is true now")
    return fact


def _contradictions(facts: Facts, *, names_post_mortem: bool) -> Iterator[Fault]:
    living = facts.source is TissueSource.LIVING
    if living and (names_post_mortem or speaks_of_post_mortem(facts)):
        expected = "'post-mortem': the case's number or another fact is a post-mortem's; mend or empty that as well"
        yield Fault(0, "tissue", "'living'", expected)
    if not living and facts.consent is Consent.OBTAINED and facts.source is TissueSource.POST_MORTEM:
        expected = f"for a post-mortem '{Consent.WITH_POST_MORTEM}' or '{Consent.SEPARATELY}'"
        yield Fault(0, "consent", f"'{Consent.OBTAINED}'", expected)


def _refuse(faults: Iterable[Fault]) -> None:
    found = tuple(faults)
    if found:
        raise InvalidValue(
            "; ".join(f"{fault.column}: found {fault.found}; expected {fault.expected}" for fault in found)
        )
