"""The promises of RULES section 2, held over every combination of the inputs that the table reads.

Each space below is a full product: its axes are facts, the first value of an axis being the unknown one. The promises
are checked on the facts as given, with words of their own, never through the code that decides.
"""

import hashlib
import itertools
import random
from dataclasses import dataclass, field, fields, replace

import numpy as np
import pytest

from archive.consent import RULES_VERSION, Decision, Facts, MightIdentify, Purpose, Recipient, Verdict, decide, evaluate
from archive.consent.glass import glass_gates
from archive.consent.table import ROWS, Effect
from archive.consent.terms import (
    SECONDARY,
    Answer,
    Authority,
    Consent,
    Grade,
    Jurisdiction,
    Maturity,
    Record,
    Recorded,
    State,
    TissueSource,
    Vital,
)

TEACHING = Purpose.TEACHING
COVERS = {"covers": frozenset({TEACHING})}

GRADE = [
    {},
    {"might_identify": MightIdentify(Grade.YES)},
    {"might_identify": MightIdentify.screened("structure-1")},
    {"might_identify": MightIdentify(Grade.NO_PERSON)},
    {"might_identify": MightIdentify(Grade.NO_PERSON), "second_person": True},
]
COPY = [
    {},
    {"state": State.CODED, "report_bound": True},
    {"state": State.ANONYMISED, "report_bound": True},
    {"state": State.ANONYMISED},
]
SCOPE = [
    {},
    COVERS,
    COVERS | {"covers_identifiable": Answer.YES},
    COVERS | {"covers_publication": Answer.YES},
    {"covers": frozenset(SECONDARY - {TEACHING}), "covers_identifiable": Answer.YES},
]
RECORDED = [
    {},
    {"recorded": Recorded.AS_PART_OF_EXAMINATION},
    {"recorded": Recorded.LATER},
    {"recorded": Recorded.FOR_SECONDARY_PURPOSE},
    {"recorded": Recorded.FOR_SECONDARY_PURPOSE, "recorded_for": TEACHING},
]
NO_OR_ALL_RECORDS = [{}, {"records": frozenset(Record)}]


def each(name, values):
    """One axis: a single fact with each of its values, the unknown one first."""
    ordered = sorted(values, key=lambda value: value != getattr(Facts(), name))
    return [{name: value} for value in ordered]


def spaces():
    yield Space(
        "life, used",
        {
            "source": [{"source": TissueSource.LIVING}],
            "consent": each("consent", Consent),
            "scope": SCOPE,
            "vital": each("vital", Vital),
            "maturity": each("maturity", [Maturity.UNKNOWN, Maturity.ADULT]),
            "had capacity": each("had_capacity", [Answer.UNKNOWN, Answer.YES]),
            "old collection": each("pre_1997_collection", [False, True]),
            "copy": COPY,
            "grade": GRADE,
            "records": NO_OR_ALL_RECORDS,
        },
        [(TEACHING, Recipient.CLASS), (TEACHING, Recipient.PUBLIC)],
    )
    examined = {
        "source": [{"source": TissueSource.POST_MORTEM}],
        "authority": each("authority", Authority),
        "authority open": each("authority_open", Answer),
        "consent": each("consent", Consent),
        "scope": SCOPE,
        "giver": each("giver_entitled", [Answer.UNKNOWN, Answer.YES]),
    }
    yield Space(
        "post-mortem, used",
        {**examined, "copy": COPY, "grade": GRADE, "records": NO_OR_ALL_RECORDS},
        [(TEACHING, Recipient.CLASS), (TEACHING, Recipient.PUBLIC)],
    )
    yield Space(
        "post-mortem, kept",
        {
            **examined,
            "authority open": each("authority_open", [Answer.UNKNOWN, Answer.NO]),
            "recorded": RECORDED,
            "copy": COPY[:3],
            "grade": [GRADE[0], GRADE[2], GRADE[3]],
        },
        [(Purpose.KEEP, Recipient.LABORATORY)],
    )
    yield Space(
        "anything, asked anything",
        {
            "source": each("source", TissueSource),
            "authority": each("authority", Authority),
            "recorded": RECORDED[:2],
            "vital": each("vital", Vital),
            "consent": each("consent", [Consent.UNKNOWN, Consent.OBTAINED, Consent.NOT_FORESEEN, Consent.REFUSED]),
            "copy": COPY[:3],
            "grade": [GRADE[0], GRADE[4]],
        },
        list(itertools.product(Purpose, Recipient)),
    )


@dataclass
class Space:
    """A full product of axes, the questions asked at each point, and what came of it.

    ``allowed`` has an axis for each of ``axes``, then one for holding the key (yes, no), then one for the questions.
    """

    name: str
    axes: dict[str, list[dict]]
    questions: list[tuple[Purpose, Recipient]]
    yes: list[Decision] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    outcomes: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def __post_init__(self):
        self.axes["holds key"] = [{"holds_key": True}, {"holds_key": False}]
        for values in list(self.axes.values())[1:-1]:
            assert all(getattr(Facts(), name) == value for name, value in values[0].items())
        answers = [answer for point in itertools.product(*self.axes.values()) for answer in self.ask(point)]
        self.allowed = np.array(answers).reshape(*map(len, self.axes.values()), len(self.questions))

    def ask(self, point):
        known = {name: value for part in point for name, value in part.items()}
        holds_key = known.pop("holds_key")
        facts = Facts(**known)
        for purpose, recipient in self.questions:
            decision = decide(facts, purpose, recipient, holds_key=holds_key)
            assert isinstance(decision.verdict, Verdict)
            assert decision.trail[-1] is decision.decided_by
            self.touched.update(row.key for row in decision.trail)
            self.outcomes.update(outcome(decision))
            if decision.allowed:
                self.yes.append(decision)
            yield decision.allowed


def outcome(decision):
    """Tell what came of a question: verdict, every row on the way, and what somebody has to do."""
    rows = [row.key for row in decision.trail]
    return f"{decision.verdict} {rows} {[one.code for one in decision.obligations]}\n".encode()


@pytest.fixture(scope="module")
def walked():
    return list(spaces())


OUTCOMES = {"1": "d1bb4c22f9071797c31427ce7eb51713a58c013f35f49e79bdb43227f4daaa38"}
"""The digest of all outcomes, by the version of the rules. Where it is another one the rules changed, whatever was
changed: then raise the version in ``table.toml``, and add its digest here. Laboratories put rules in force by their
version, and are shown what a new one would change; a change under the old version would take effect unseen.
"""


def one_fact_away():
    """Every fact with each of its values alone, beside facts that cannot be told apart otherwise."""
    consents, grades = [Consent.UNKNOWN, Consent.SEPARATELY], [GRADE[0], GRADE[3]]
    for source, consent, grade in itertools.product(TissueSource, consents, grades):
        known = {"source": source, "consent": consent, "authority": Authority.CORONER, **COVERS, **COPY[1], **grade}
        for name, values in every_fact():
            for value in values:
                yield Facts(**(known | {name: value}))


def every_fact():
    for part in fields(Facts):
        default = getattr(Facts(), part.name)
        if isinstance(default, bool):
            yield part.name, [False, True]
        elif isinstance(default, frozenset):
            members = Record if part.name == "records" else SECONDARY
            yield part.name, [frozenset({one}) for one in sorted(members)]
        elif part.name == "recorded_for":
            yield part.name, [None, *sorted(SECONDARY)]
        elif part.name == "might_identify":
            yield part.name, [one.get(part.name, default) for one in GRADE]
        else:
            yield part.name, list(type(default))


def digest_of_outcomes(walked):
    found = hashlib.sha256()
    for facts, purpose, to in itertools.product(one_fact_away(), Purpose, Recipient):
        for holds_key in (False, True):
            found.update(outcome(decide(facts, purpose, to, holds_key=holds_key)))
    for facts, purpose in itertools.product(glass_facts(), Purpose):
        found.update(repr([gate.row.key for gate in glass_gates(facts, purpose)]).encode())
    for space in walked:
        found.update(space.outcomes.digest())
    return found.hexdigest()


def test_rules_that_decide_otherwise_have_another_version(walked):
    assert OUTCOMES[RULES_VERSION] == digest_of_outcomes(walked)


@pytest.mark.parametrize("key", ["N1", "L3", "M5", "Z2", "D0"])
def test_a_row_that_does_something_else_is_noticed(key, walked, monkeypatch):
    effect = Effect.DENY if ROWS[key].effect is not Effect.DENY else Effect.ALLOW
    steps = tuple((replace(row, effect=effect) if row.key == key else row, rule) for row, rule in evaluate._STEPS)
    monkeypatch.setattr(evaluate, "_STEPS", steps)
    assert digest_of_outcomes(walked) != OUTCOMES[RULES_VERSION]


# The promises: each says of one decision that allowed, on the facts as given, what must be so.


def asks_more_than_care(question):
    return question.purpose in SECONDARY or question.recipient is Recipient.PUBLIC


def tells_who_it_is(question):
    facts = question.facts
    good = [Grade.NO_PERSON, Grade.NO_SCREENED] if facts.source is TissueSource.LIVING else [Grade.NO_PERSON]
    return (
        facts.state is State.IDENTIFIABLE
        or not facts.report_bound
        or (facts.state is State.CODED and question.holds_key)
        or facts.might_identify.grade not in good
    )


def consented_to(question):
    facts = question.facts
    consent = {
        Consent.OBTAINED: facts.source is TissueSource.LIVING,
        Consent.WITH_POST_MORTEM: facts.authority is Authority.HOSPITAL,
        Consent.SEPARATELY: facts.giver_entitled is Answer.YES and facts.source is TissueSource.POST_MORTEM,
    }
    return consent.get(facts.consent, False) and question.purpose in facts.covers


def only_anonymised_pictures_seen_by_two_persons_are_published(question):
    facts = question.facts
    return question.recipient is not Recipient.PUBLIC or (
        (facts.state, facts.report_bound, facts.might_identify.grade, facts.second_person)
        == (State.ANONYMISED, True, Grade.NO_PERSON, True)
        and question.purpose in SECONDARY
    )


def nothing_that_might_identify_rests_on_not_foreseen(question):
    facts = question.facts
    made_anew = question.purpose is Purpose.KEEP and facts.recorded is not Recorded.AS_PART_OF_EXAMINATION
    if facts.source is TissueSource.LIVING or facts.consent is not Consent.NOT_FORESEEN:
        return True
    if asks_more_than_care(question):
        return not tells_who_it_is(question)
    return not made_anew or not tells_who_it_is(replace(question, holds_key=False))


def refusal_and_withdrawal_end_every_secondary_use(question):
    facts = question.facts
    refused_in_part = question.purpose in facts.refused_for or (
        question.recipient is Recipient.PUBLIC and facts.refused_publication
    )
    ended = facts.consent in (Consent.REFUSED, Consent.WITHDRAWN) or refused_in_part
    return not (asks_more_than_care(question) and ended)


def identifiable_use_has_a_consent_that_matches(question):
    if not (asks_more_than_care(question) and tells_who_it_is(question)):
        return True
    return consented_to(question) and question.facts.covers_identifiable is Answer.YES


def identifiable_post_mortem_pictures_stay_in_named_groups(question):
    if question.facts.source is TissueSource.LIVING or not asks_more_than_care(question):
        return True
    return not tells_who_it_is(question) or question.recipient in (Recipient.PROJECT, Recipient.CLASS)


def nothing_happens_without_known_source_and_authority(question):
    facts = question.facts
    return facts.source is TissueSource.LIVING or (
        facts.source is TissueSource.POST_MORTEM and facts.authority in (Authority.HOSPITAL, Authority.CORONER)
    )


def an_open_coroners_case_needs_the_coroner(question):
    facts = question.facts
    if facts.source is TissueSource.LIVING or facts.authority is not Authority.CORONER:
        return True
    agreed = facts.authority_open is Answer.NO or Record.CORONERS_AGREEMENT in facts.records
    return not asks_more_than_care(question) or (agreed and facts.consent is not Consent.WITH_POST_MORTEM)


def post_mortem_use_rests_on_consent_or_on_not_foreseen(question):
    if question.facts.source is TissueSource.LIVING or not asks_more_than_care(question):
        return True
    return consented_to(question) or question.facts.consent is Consent.NOT_FORESEEN


def the_dead_are_not_published_before_the_family_was_thought_of(question):
    facts = question.facts
    alive = facts.source is TissueSource.LIVING and facts.vital is Vital.ALIVE
    return question.recipient is not Recipient.PUBLIC or alive or Record.FAMILY_CONSULTATION in facts.records


def only_the_laboratory_keeps_and_only_those_who_treat_care(question):
    treating = (Recipient.LABORATORY, Recipient.CARE_TEAM)
    who = {Purpose.KEEP: (Recipient.LABORATORY,), Purpose.CARE: treating, Purpose.CAUSE_OF_DEATH: treating}
    return question.recipient in who.get(question.purpose, Recipient)


PROMISES = [
    only_anonymised_pictures_seen_by_two_persons_are_published,
    nothing_that_might_identify_rests_on_not_foreseen,
    refusal_and_withdrawal_end_every_secondary_use,
    identifiable_use_has_a_consent_that_matches,
    identifiable_post_mortem_pictures_stay_in_named_groups,
    nothing_happens_without_known_source_and_authority,
    an_open_coroners_case_needs_the_coroner,
    post_mortem_use_rests_on_consent_or_on_not_foreseen,
    the_dead_are_not_published_before_the_family_was_thought_of,
    only_the_laboratory_keeps_and_only_those_who_treat_care,
]


def test_the_spaces_hold_hundreds_of_thousands_of_combinations(walked):
    assert sum(space.allowed.size for space in walked) > 500_000
    assert all(space.yes for space in walked)
    assert not any(space.allowed.all() for space in walked)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_promise(promise, walked):
    broken = [decision.question for space in walked for decision in space.yes if not promise(decision.question)]
    assert broken[:1] == []


def test_every_row_is_reached(walked):
    reached = set().union(*(space.touched for space in walked))
    for facts, purpose in itertools.product(glass_facts(), Purpose):
        reached.update(gate.row.key for gate in glass_gates(facts, purpose))
    assert reached == set(ROWS)


def glass_facts():
    for source, jurisdiction in itertools.product(TissueSource, Jurisdiction):
        yield Facts(source=source, jurisdiction=jurisdiction)


LISTED_DEFAULTS = {
    ("living", "consent", "refused"),
    ("living", "consent", "withdrawn"),
    ("living", "vital", "dead"),
}
"""Where RULES itself reads the unknown as the milder value ("Defaults that keep daily work possible"): a living
patient's refusal is none known unless recorded, and not known to be dead counts as alive for care and known groups."""


def milder_when_unknown(space):
    """Every source, axis and value for which not knowing allows what knowing would refuse."""
    for number, (axis, values) in enumerate(space.axes.items()):
        unknown = space.allowed.take(0, axis=number)
        for place, value in enumerate(values):
            milder = unknown & ~space.allowed.take(place, axis=number)
            sources = space.axes["source"] if number else [{"source": "any"}]
            for source, found in zip(sources, milder if number else [milder], strict=True):
                if found.any():
                    yield source["source"].value, axis, ", ".join(map(str, value.values()))


def test_not_knowing_never_allows_what_knowing_refuses_but_for_the_listed_defaults(walked):
    assert {found for space in walked for found in milder_when_unknown(space)} == LISTED_DEFAULTS


def test_the_listed_defaults_serve_care_and_known_groups_only(walked):
    for space in walked:
        for decision in space.yes:
            facts = decision.question.facts
            if decision.question.recipient is Recipient.PUBLIC and facts.vital is Vital.UNKNOWN:
                assert Record.FAMILY_CONSULTATION in facts.records


def anything(name, rng):
    """Draw a value of any fact, without regard to what goes with it."""
    if name == "records":
        return frozenset(record for record in Record if rng.random() < 0.5)
    if name in ("covers", "refused_for", "glass_covers"):
        return frozenset(purpose for purpose in sorted(SECONDARY) if rng.random() < 0.5)
    if name == "recorded_for":
        return rng.choice([None, *sorted(SECONDARY)])
    if name == "might_identify":
        return rng.choice([part.get(name, MightIdentify()) for part in GRADE])
    default = getattr(Facts(), name)
    return rng.choice([False, True] if isinstance(default, bool) else list(type(default)))


def drawn(count):
    """Questions about facts that contradict each other as they like: nothing keeps them from being asked."""
    rng = random.Random(20)
    names = [part.name for part in fields(Facts)]
    for _ in range(count):
        facts = Facts(**{name: anything(name, rng) for name in names})
        yield decide(facts, rng.choice(list(Purpose)), rng.choice(list(Recipient)), holds_key=rng.random() < 0.5)


def test_the_promises_hold_for_facts_that_contradict_each_other():
    allowed = [decision for decision in drawn(60_000) if decision.allowed]
    assert len(allowed) > 1_000
    for decision in allowed:
        assert all(promise(decision.question) for promise in PROMISES)


def test_forgetting_any_one_fact_never_turns_a_no_into_a_yes_but_for_the_listed_defaults():
    # A refusal of a part stands beside the answer that it is excepted from: it is never unknown.
    parts_of_answers = {"refused_for", "refused_publication"}
    names = [part.name for part in fields(Facts) if part.name not in parts_of_answers]
    milder = set()
    for decision in drawn(6_000):
        question = decision.question
        for name in names:
            forgotten = replace(question.facts, **{name: getattr(Facts(), name)})
            again = decide(forgotten, question.purpose, question.recipient, holds_key=question.holds_key)
            if again.allowed and not decision.allowed:
                milder.add((question.facts.source.value, name, str(getattr(question.facts, name))))
    assert milder == LISTED_DEFAULTS


def test_facts_about_the_glass_never_change_the_decision_about_the_picture():
    rng = random.Random(51)
    glass = ("jurisdiction", "fiscal_notice", "glass_held_before_2006", "glass_covers")
    for decision in drawn(3_000):
        question = decision.question
        other = replace(question.facts, **{name: anything(name, rng) for name in glass})
        again = decide(other, question.purpose, question.recipient, holds_key=question.holds_key)
        assert (again.verdict, again.trail, again.obligations) == (
            decision.verdict,
            decision.trail,
            decision.obligations,
        )
