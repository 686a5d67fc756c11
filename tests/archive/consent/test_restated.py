"""The table decides as RULES section 2 says, said a second time by somebody else: no combination differs.

Each space is a full product of what a list may tell of a case and of what is known of a copy, with every question that
makes a difference there. Verdict, row and missing records are compared; where the text does not say which row refuses,
the verdict.
"""

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

import pytest

from archive.consent import Facts, Purpose, Recipient, decide
from archive.consent.glass import glass_gates
from archive.consent.table import RECORDS, TABLE
from archive.consent.terms import SECONDARY as SECONDARY_TERMS
from archive.consent.terms import Consent, Record
from tests.archive.consent.restated import IDS, PURPOSES, RECIPIENTS, SECONDARY, Words, glass_restated, restated

ANSWERS = ("unknown", "no", "yes")
CONSENTS = (
    *("unknown", "not recorded", "obtained", "obtained with the post-mortem consent", "obtained separately"),
    *("not foreseen", "foreseen, not asked", "refused", "withdrawn"),
)
SCOPES: tuple[Words, ...] = (
    {},
    {"covers": ["teaching"]},
    {"covers": ["teaching"], "covers_identifiable": "yes"},
    {"covers": ["teaching"], "covers_publication": "yes", "covers_identifiable": "no"},
    {"covers": ["audit", "other secondary", "research"], "covers_identifiable": "yes", "covers_publication": "yes"},
)
COPIES: tuple[Words, ...] = (
    {},
    {"state": "coded", "report_bound": True},
    {"state": "anonymised", "report_bound": True},
    {"state": "anonymised", "report_bound": False},
)
LOOKS: tuple[Words, ...] = (
    {},
    {"might_identify": "yes"},
    {"might_identify": "no (screened, structure-1)", "second_person": True},
    {"might_identify": "no (person)"},
    {"might_identify": "no (person)", "second_person": True},
)
CLEAN: Words = {"state": "anonymised", "report_bound": True, **LOOKS[4]}
CODED: Words = {"state": "coded", "report_bound": True, **LOOKS[3]}
PLAIN: Words = {}

AGREEMENT, SIGN_OFF, FAMILY = "coroner's agreement", "governance sign-off", "family consultation"
CHILD, OFFER, INTERESTS = "child's or parent's consent", "offer at maturity", "best interests"

KEYS = (True, False)


def each(name: str, *words: object) -> tuple[Words, ...]:
    """One axis: an input with each of these words."""
    return tuple({name: word} for word in words)


def records(*names: str) -> tuple[Words, ...]:
    """One axis: every set of these records."""
    subsets = itertools.chain.from_iterable(itertools.combinations(names, n) for n in range(len(names) + 1))
    return tuple({"records": sorted(some)} for some in subsets)


@dataclass(frozen=True)
class Space:
    """A full product of axes, and the questions that are asked at each point."""

    axes: tuple[tuple[Words, ...], ...]
    purposes: tuple[str, ...]
    recipients: tuple[str, ...]

    def points(self) -> Iterator[dict[str, object]]:
        for parts in itertools.product(*self.axes):
            yield {name: word for part in parts for name, word in part.items()}


EXAMINED = (
    each("source", "post-mortem"),
    each("authority", "hospital", "coroner"),
    each("authority_open", *ANSWERS),
    each("consent", *CONSENTS),
    SCOPES,
    each("giver_entitled", *ANSWERS),
)
SPACES = {
    "from life": Space(
        (
            each("source", "living"),
            each("consent", *CONSENTS),
            SCOPES,
            each("vital", "unknown", "alive", "dead"),
            each("pre_1997_collection", False, True),
            COPIES,
            LOOKS,
            records(FAMILY),
        ),
        ("teaching",),
        RECIPIENTS,
    ),
    "from life, identifiably": Space(
        (
            each("source", "living"),
            each("consent", "obtained"),
            SCOPES,
            each("vital", "unknown", "dead"),
            each("maturity", "unknown", "adult", "child", "child, now adult"),
            each("had_capacity", *ANSWERS),
            (PLAIN, CODED),
            records(CHILD, OFFER, INTERESTS, FAMILY),
        ),
        ("teaching",),
        ("class", "laboratory"),
    ),
    "post-mortem": Space((*EXAMINED, COPIES, LOOKS), ("teaching",), ("class", "laboratory", "public")),
    "post-mortem, with records": Space(
        (*EXAMINED, (PLAIN, CODED, CLEAN), records(AGREEMENT, SIGN_OFF, FAMILY)), ("teaching",), ("project", "public")
    ),
    "kept": Space(
        (
            *EXAMINED[:5],
            each("giver_entitled", "unknown", "yes"),
            each("recorded", "unknown", "as part of the examination", "for a secondary purpose", "later"),
            each("recorded_for", None, "teaching", "research"),
            (PLAIN, CODED),
            records(AGREEMENT),
        ),
        ("keep",),
        ("laboratory",),
    ),
    "refused in part": Space(
        (
            each("source", "living", "post-mortem"),
            each("authority", "hospital"),
            each("consent", *CONSENTS),
            SCOPES,
            each("refused_for", [], ["teaching"], ["audit", "research"]),
            each("refused_publication", False, True),
            each("recorded", "as part of the examination", "later"),
            each("recorded_for", None, "teaching"),
            (PLAIN, CODED, CLEAN),
        ),
        ("teaching", "care", "keep"),
        ("class", "laboratory", "public"),
    ),
    "anything": Space(
        (
            each("source", "unknown", "living", "post-mortem"),
            each("authority", "unknown", "none", "hospital", "coroner"),
            each("recorded", "unknown", "as part of the examination"),
            each("vital", "unknown", "alive", "dead"),
            each("consent", "unknown", "obtained", "not foreseen", "refused"),
            (PLAIN, CODED, CLEAN),
            ({}, {"records": ["clinical authority"]}),
        ),
        PURPOSES,
        RECIPIENTS,
    ),
}


def difference(known: Words, facts: Facts, purpose: str, recipient: str, holds_key: bool) -> str:
    """Tell what the table says otherwise than the text; empty if nothing."""
    said = restated(known, purpose, recipient, holds_key=holds_key)
    decision = decide(facts, Purpose(purpose), Recipient(recipient), holds_key=holds_key)
    asked = {duty.code for duty in decision.obligations} & RECORD_CODES
    same = decision.verdict == said.verdict and (
        said.row is None or (decision.row == said.row and (asked == said.missing or said.verdict != "requires"))
    )
    found = f"{decision.verdict} by {decision.row} {sorted(asked)}"
    return "" if same else f"{known} {purpose} to {recipient}, key {holds_key}: {found}, the text says {said}"


RECORD_CODES = {str(record) for record in RECORDS}


@pytest.mark.parametrize("name", SPACES)
def test_nothing_is_decided_otherwise_than_the_text_says(name: str) -> None:
    space, asked, differences = SPACES[name], 0, []
    questions = list(itertools.product(space.purposes, space.recipients, KEYS))
    for known in space.points():
        facts = Facts.from_json(known)  # type: ignore[arg-type] # plain words
        found = (difference(known, facts, *question) for question in questions)
        differences += [one for one in found if one]
        asked += len(questions)
    assert asked > 5_000
    assert (len(differences), differences[:3]) == (0, [])


SHARE = {"refused_for": 0.1}
"""What is drawn more rarely than not, so that something is left to be allowed."""


def drawn(count: int) -> Iterator[dict[str, object]]:
    """Draw what may be known, without regard to what goes with what."""
    rng = random.Random(1951)
    for _ in range(count):
        known: dict[str, object] = {}
        for field in fields(Facts):
            default = getattr(Facts(), field.name)
            if isinstance(default, frozenset):
                words = sorted(RECORD_CODES) if field.name == "records" else list(SECONDARY)
                known[field.name] = [word for word in words if rng.random() < SHARE.get(field.name, 0.5)]
            elif field.name == "recorded_for":
                known[field.name] = rng.choice([None, *SECONDARY])
            elif field.name == "might_identify":
                known[field.name] = rng.choice([part.get(field.name, "unassessed") for part in LOOKS])
            else:
                known[field.name] = rng.choice(
                    [False, True] if isinstance(default, bool) else list(map(str, type(default)))
                )
        yield known


def test_nor_for_facts_that_contradict_each_other() -> None:
    rng, differences = random.Random(1952), []
    for known in drawn(25_000):
        facts = Facts.from_json(known)  # type: ignore[arg-type] # plain words
        question = rng.choice(PURPOSES), rng.choice(RECIPIENTS), rng.random() < 0.5
        differences += filter(None, [difference(known, facts, *question)])
    assert (len(differences), differences[:3]) == (0, [])


def test_the_glass_is_told_of_as_the_text_says() -> None:
    for known in drawn(5_000):
        facts = Facts.from_json(known)  # type: ignore[arg-type] # plain words
        for purpose in PURPOSES:
            told = {gate.row.id: gate.met for gate in glass_gates(facts, Purpose(purpose))}
            assert told == glass_restated(known, purpose), (known, purpose)


def test_the_table_has_the_rows_of_the_text_and_no_other() -> None:
    assert {row.id for row in TABLE} == {*IDS, "default"}


def test_the_text_and_the_code_have_the_same_words() -> None:
    assert set(PURPOSES) == set(Purpose)
    assert set(SECONDARY) == SECONDARY_TERMS
    assert set(RECIPIENTS) == set(Recipient)
    assert set(CONSENTS) == set(Consent)
    assert set(Record) >= {AGREEMENT, SIGN_OFF, FAMILY, CHILD, OFFER, INTERESTS}


def differing(known: Mapping[str, object]) -> bool:
    """Whether the comparison sees a fact that only one of the two is told of."""
    return bool(difference(known, Facts(), "care", "care team", False))


def test_the_comparison_can_fail() -> None:
    assert differing({"source": "living"})
    assert not differing({})
