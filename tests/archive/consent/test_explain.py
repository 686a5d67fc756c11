"""A refusal says why and what would change it, and what it says is true."""

from dataclasses import replace

import pytest

from archive.consent import Facts, Purpose, Recipient, Verdict, decide, explain, what_would_change
from archive.consent.changes import apply, possible_changes
from archive.consent.evaluate import evaluate
from archive.consent.explain import WAYS_SHOWN
from archive.consent.situation import Situation
from archive.consent.terms import Authority, Consent, Grade, Recorded, TissueSource, Vital
from archive.consent.ways import ways_to_yes
from tests.archive.consent.cases import ANONYMISED, CODED, SCREENED, agreed_separately, coroners, from_life, post_mortem

TEACHING, CLASS, PUBLIC = Purpose.TEACHING, Recipient.CLASS, Recipient.PUBLIC

REFUSED = [
    (from_life(), TEACHING, CLASS),
    (from_life(vital=Vital.DEAD), Purpose.CARE, Recipient.CARE_TEAM),
    (from_life(**CODED), TEACHING, PUBLIC),
    (post_mortem(**CODED), TEACHING, CLASS),
    (post_mortem(**CODED | {"might_identify": SCREENED}, consent=Consent.NOT_FORESEEN), TEACHING, CLASS),
    (post_mortem(**CODED, **agreed_separately(Purpose.RESEARCH)), TEACHING, CLASS),
    (post_mortem(recorded=Recorded.LATER), Purpose.KEEP, Recipient.LABORATORY),
    (coroners(**CODED), Purpose.RESEARCH, Recipient.PROJECT),
    (coroners(**ANONYMISED), TEACHING, PUBLIC),
    (Facts(), Purpose.KEEP, Recipient.LABORATORY),
    (Facts(), TEACHING, CLASS),
    (Facts(), TEACHING, PUBLIC),
]


@pytest.mark.parametrize(("facts", "purpose", "recipient"), REFUSED)
def test_each_way_to_a_yes_is_enough_and_no_part_of_it_is(facts, purpose, recipient):
    question = Situation(facts, purpose, recipient, holds_key=True)
    ways = ways_to_yes(question)
    assert ways
    for changes, outcome in ways:
        for left_out in (None, *changes):
            there = question
            for change in changes:
                there = there if change is left_out else apply(change, there)
            if left_out is None:
                assert evaluate(there) == outcome
            assert (evaluate(there).verdict is Verdict.ALLOW) == (left_out is None)
    lengths = [len(changes) for changes, _ in ways]
    assert lengths == sorted(lengths)


@pytest.mark.parametrize(("facts", "purpose", "recipient"), REFUSED)
def test_each_way_is_told_with_the_row_that_would_allow(facts, purpose, recipient):
    told = what_would_change(facts, purpose, recipient)
    found = ways_to_yes(Situation(facts, purpose, recipient, holds_key=True))
    assert len(told) == len(found)
    for line, (changes, outcome) in zip(told, found, strict=True):
        assert all(change.says in line for change in changes)
        assert line.endswith(f"allowed by row {outcome.row.id}.")


def test_what_is_allowed_needs_no_change():
    decision = decide(from_life(**CODED), TEACHING, CLASS, holds_key=False)
    assert decision.what_would_change_it == ()
    assert "What would change it" not in explain(decision)


@pytest.mark.parametrize("consent", [Consent.REFUSED, Consent.WITHDRAWN])
@pytest.mark.parametrize("tissue", [from_life, post_mortem, coroners])
def test_nothing_is_suggested_to_get_round_a_refusal(consent, tissue):
    assert what_would_change(tissue(consent=consent), TEACHING, CLASS) == ()
    assert what_would_change(tissue(consent=consent), TEACHING, PUBLIC) == ()


def test_nobody_is_asked_to_look_again_at_a_picture_that_might_identify():
    facts = post_mortem(**CODED | {"might_identify": replace(SCREENED, grade=Grade.YES, screening="")})
    changes = possible_changes(Situation(facts, TEACHING, CLASS, holds_key=True))
    assert not any("might_identify" in change.sets for change in changes)


def test_known_history_is_never_changed():
    facts = post_mortem(recorded=Recorded.LATER, vital=Vital.DEAD)
    for change in possible_changes(Situation(facts, TEACHING, CLASS, holds_key=True)):
        assert not change.sets.keys() & {"source", "authority", "recorded", "vital"}


def test_a_change_changes_something():
    for facts, purpose, recipient in REFUSED:
        question = Situation(facts, purpose, recipient, holds_key=True)
        for change in possible_changes(question):
            assert apply(change, question) != question


def test_an_explanation_names_verdict_row_source_and_version_and_stays_within_a_screen():
    text = explain(decide(post_mortem(**CODED), TEACHING, CLASS, holds_key=False))
    lines = text.splitlines()
    assert lines[0] == "Refused: teaching, for a named class."
    assert "row M11; policy; para 51, 23" in text
    assert "To do:\n  curator: establish" in text
    assert "that this purpose was not foreseen: allowed by row M5." in text
    assert lines[-1] == "Rules version 1. This is not legal advice."
    assert len(lines) < 25


def test_policy_is_never_shown_as_guidance():
    decision = decide(from_life(**CODED, consent=Consent.REFUSED), TEACHING, CLASS, holds_key=False)
    assert decision.basis == "policy and guidance"
    assert "honouring a refusal there is policy" in explain(decision)
    assert decide(Facts(), Purpose.KEEP, Recipient.LABORATORY).basis == "policy"


def test_defaults_that_a_yes_leans_on_are_said():
    text = explain(decide(from_life(**CODED), TEACHING, CLASS, holds_key=False))
    assert "not known whether the patient is dead: counted as alive" in text
    assert "No refusal or opt-out is recorded: counted as none" in text
    public = explain(decide(from_life(**ANONYMISED, consent=Consent.NOT_RECORDED), TEACHING, PUBLIC))
    assert "counted as dead" in public
    assert "No refusal" not in public
    known = from_life(**CODED, vital=Vital.ALIVE, consent=Consent.NOT_RECORDED)
    assert "Taken for granted" not in explain(decide(known, TEACHING, CLASS, holds_key=False))


def test_a_long_list_of_ways_is_cut_and_says_so():
    question = (Facts(), TEACHING, CLASS)
    ways = what_would_change(*question)
    assert len(ways) > WAYS_SHOWN
    text = explain(decide(*question))
    assert text.count(": allowed by row") == WAYS_SHOWN
    assert f"There are {len(ways) - WAYS_SHOWN} further ways" in text


def test_what_cannot_be_had_is_said_plainly():
    facts = Facts(source=TissueSource.POST_MORTEM, authority=Authority.NONE)
    assert "Nothing that can be obtained." in explain(decide(facts, TEACHING, CLASS))
