"""What is known of a case is what its list told and what was said since; a no is heard at once, and silence is none."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.consent import Facts, MightIdentify, Purpose, Recipient, decide
from archive.consent.facts import Json
from archive.consent.recorded import facts_of, in_force
from archive.consent.records import ANSWERS, ConsentRecord, Giver, Said
from archive.consent.terms import SECONDARY, Answer, Authority, Consent, Grade, Maturity, Record, Vital
from tests.archive.consent.cases import CLOSED, CODED, GROWN_UP, SCREENED, coroners, from_life, post_mortem
from tests.archive.consent.test_records import records

AUDIT, RESEARCH, TEACHING = Purpose.AUDIT, Purpose.RESEARCH, Purpose.TEACHING
LOOKED: dict[str, Any] = {"might_identify": MightIdentify(Grade.NO_PERSON)}


def consent(*purposes: Purpose, giver: Giver = Giver.SELF, **more: object) -> ConsentRecord:
    return ConsentRecord(by="j.doe", said=Said.GIVEN, giver=giver, purposes=frozenset(purposes), **more)  # type: ignore[arg-type]


def relatives(*purposes: Purpose, rank: int = 1, entitled: Answer = Answer.YES, **more: object) -> ConsentRecord:
    return consent(*purposes, giver=Giver.RELATION, rank=rank, entitled=entitled, **more)


def refusal(*purposes: Purpose, giver: Giver = Giver.SELF, said: Said = Said.REFUSED, **more: object) -> ConsentRecord:
    return ConsentRecord(by="j.doe", said=said, giver=giver, purposes=frozenset(purposes), **more)  # type: ignore[arg-type]


def unanswered(said: Said, *purposes: Purpose) -> ConsentRecord:
    return ConsentRecord(by="j.doe", said=said, purposes=frozenset(purposes))


def found(by: str = "j.doe", **facts: object) -> ConsentRecord:
    return ConsentRecord(by=by, established=Facts(**facts), tells=frozenset(facts))  # type: ignore[arg-type]


def row(facts: Facts, purpose: Purpose = TEACHING, recipient: Recipient = Recipient.CLASS, **copy: object) -> str:
    shown = replace(facts, **{**CODED, "might_identify": facts.might_identify, **copy})
    decision = decide(shown, purpose, recipient, holds_key=False)
    return f"{decision.verdict} {decision.row}"


TOLD = st.sampled_from(
    [
        from_life(),
        from_life(consent=Consent.OBTAINED, covers=frozenset({TEACHING}), covers_identifiable=Answer.YES),
        post_mortem(**LOOKED),
        post_mortem(consent=Consent.NOT_FORESEEN, **LOOKED),
        post_mortem(consent=Consent.WITH_POST_MORTEM, covers=frozenset({TEACHING}), **LOOKED),
        coroners(consent=Consent.FORESEEN_NOT_ASKED, **LOOKED, **CLOSED),
        post_mortem(consent=Consent.REFUSED, **LOOKED),
        from_life(consent=Consent.WITHDRAWN),
        Facts(),
    ]
)


@given(TOLD)
def test_without_records_what_was_told_stands(told: Facts) -> None:
    assert facts_of(told, []) == told


@settings(max_examples=300)
@given(TOLD, st.lists(records(), max_size=5), st.sampled_from(sorted(SECONDARY)), st.data())
def test_after_a_refusal_by_the_patient_only_the_patients_own_consent_allows(
    told: Facts, earlier: list[ConsentRecord], purpose: Purpose, data: st.DataObject
) -> None:
    others = records().filter(lambda one: not (one.said is Said.GIVEN and one.giver is Giver.SELF))
    later = data.draw(st.lists(others, max_size=5))
    said = data.draw(st.sampled_from([Said.REFUSED, Said.WITHDRAWN]))
    facts = facts_of(told, [*earlier, refusal(purpose, said=said), *later])
    shown = replace(facts, **CODED)
    for recipient in Recipient:
        assert not decide(shown, purpose, recipient, holds_key=False).allowed


@settings(max_examples=300)
@given(TOLD, st.lists(records(), max_size=6))
def test_nothing_post_mortem_is_allowed_that_no_record_and_no_list_speaks_of(
    told: Facts, said: list[ConsentRecord]
) -> None:
    facts = facts_of(told, said)
    for purpose in SECONDARY - told.covers if told.consent is not Consent.NOT_FORESEEN else ():
        spoken = [one for one in said if purpose in one.scope and one.said in (Said.GIVEN, Said.NOT_FORESEEN)]
        if not spoken and facts.source is not from_life().source:
            shown = replace(facts, **CODED)
            assert not decide(shown, purpose, Recipient.PROJECT, holds_key=False).allowed


@settings(max_examples=300)
@given(TOLD, st.lists(records(), max_size=6))
def test_identifiable_use_needs_a_record_or_a_list_that_covers_it(told: Facts, said: list[ConsentRecord]) -> None:
    covering = [one for one in said if one.said is Said.GIVEN and one.identifiable is Answer.YES]
    facts = facts_of(told, said)
    if not covering and told.covers_identifiable is not Answer.YES:
        assert facts.covers_identifiable is not Answer.YES


@given(st.lists(records(), max_size=6), st.sampled_from([Consent.REFUSED, Consent.WITHDRAWN]))
def test_a_no_that_the_list_told_stands_whatever_is_recorded(said: list[ConsentRecord], consent_: Consent) -> None:
    assert facts_of(post_mortem(consent=consent_), said).consent is consent_


@given(TOLD, st.lists(records().filter(lambda one: one.said not in ANSWERS), max_size=4))
def test_nobody_was_asked_is_never_read_as_a_yes_or_a_no(told: Facts, said: list[ConsentRecord]) -> None:
    facts = facts_of(told, said)
    if told.consent in (Consent.OBTAINED, Consent.WITH_POST_MORTEM) and facts.source is told.source:
        assert (facts.consent, facts.covers) == (told.consent, told.covers)
    assert facts.refused_for == frozenset()


def test_the_familys_consent_lets_post_mortem_slides_be_taught_and_nothing_else() -> None:
    facts = facts_of(post_mortem(**LOOKED), [relatives(TEACHING)])
    assert row(facts) == "allow M2b"
    assert row(facts, RESEARCH) == "deny M4"
    assert row(facts_of(post_mortem(**LOOKED), [relatives(TEACHING, with_examination=True)])) == "allow M2"


def test_a_coroners_case_has_no_consent_to_ride_on() -> None:
    told = coroners(**LOOKED, **CLOSED)
    assert row(facts_of(told, [relatives(TEACHING, with_examination=True)])) == "deny M12"
    assert row(facts_of(told, [relatives(TEACHING, with_examination=True), relatives(TEACHING)])) == "allow M2b"


def test_a_consent_of_somebody_not_known_to_be_entitled_does_not_count() -> None:
    not_known = relatives(TEACHING, rank=4, entitled=Answer.UNKNOWN)
    assert row(facts_of(post_mortem(**LOOKED), [not_known])).startswith("deny")
    assert row(facts_of(post_mortem(**LOOKED), [relatives(TEACHING), not_known])) == "allow M2b"


def test_of_the_living_nobody_else_consents() -> None:
    told = from_life(**GROWN_UP)
    facts = facts_of(told, [relatives(TEACHING, entitled=Answer.UNKNOWN, identifiable=Answer.YES)])
    assert facts == told


def test_a_living_patient_may_refuse_research_and_have_slides_taught() -> None:
    facts = facts_of(from_life(), [refusal(RESEARCH)])
    assert row(facts, RESEARCH, Recipient.PROJECT, might_identify=SCREENED) == "deny N1"
    assert row(facts, might_identify=SCREENED) == "allow L3"


def test_consent_to_one_purpose_and_refusal_of_another_hold_side_by_side() -> None:
    facts = facts_of(post_mortem(**LOOKED), [relatives(TEACHING, RESEARCH), refusal(RESEARCH, giver=Giver.PARENT)])
    assert row(facts) == "allow M2b"
    assert row(facts, RESEARCH) == "deny N1"


def test_a_refusal_of_everything_is_a_refusal_and_a_withdrawal_of_everything_a_withdrawal() -> None:
    assert facts_of(from_life(), [refusal()]).consent is Consent.REFUSED
    ended = facts_of(from_life(), [consent(TEACHING), refusal(said=Said.WITHDRAWN)])
    assert (ended.consent, ended.covers) == (Consent.WITHDRAWN, frozenset())


def test_a_consent_that_excepts_publication_is_heard_before_the_public() -> None:
    anonymised: dict[str, Json] = {
        "state": "anonymised",
        "second_person": True,
        "might_identify": "no (person)",
        "report_bound": True,
    }
    for publication, answer in ((Answer.NO, "deny N1"), (Answer.UNKNOWN, "allow P3")):
        facts = facts_of(from_life(vital=Vital.ALIVE), [consent(TEACHING, publication=publication)])
        shown = Facts.from_json({**facts.to_json(), **anonymised})
        decision = decide(shown, TEACHING, Recipient.PUBLIC)
        assert f"{decision.verdict} {decision.row}" == answer


@pytest.mark.parametrize(
    ("later", "lifted"),
    [
        (consent(TEACHING), True),
        (consent(TEACHING, giver=Giver.REPRESENTATIVE, entitled=Answer.YES), True),
        (relatives(TEACHING, rank=2), True),
        (relatives(TEACHING, rank=3), False),
        (relatives(TEACHING, rank=2, entitled=Answer.NO), False),
        (unanswered(Said.NOT_FORESEEN), False),
    ],
)
def test_a_refusal_is_lifted_by_a_consent_that_stands_as_high_and_by_nothing_else(
    later: ConsentRecord, lifted: bool
) -> None:
    no = refusal(giver=Giver.RELATION, rank=2)
    assert row(facts_of(post_mortem(**LOOKED), [no, later])) == ("allow M2b" if lifted else "deny N1")


def test_what_is_not_recorded_is_never_not_foreseen() -> None:
    told = post_mortem(consent=Consent.NOT_RECORDED, **LOOKED)
    assert facts_of(told, [found(vital=Vital.DEAD)]).consent is Consent.NOT_RECORDED
    assert row(facts_of(told, [unanswered(Said.NOT_FORESEEN, TEACHING)])).startswith("deny")
    assert row(facts_of(told, [unanswered(Said.NOT_FORESEEN)])) == "allow M5"
    assert row(facts_of(told, [unanswered(Said.NOT_FORESEEN), unanswered(Said.NOT_ASKED, AUDIT)])) == "deny M7"


def test_a_newer_consent_overtakes_an_older_one_for_the_purposes_it_names() -> None:
    older = relatives(TEACHING, RESEARCH, identifiable=Answer.YES)
    newer = relatives(TEACHING, identifiable=Answer.NO)
    both = facts_of(post_mortem(**LOOKED), [older, newer])
    assert (both.covers, both.covers_identifiable) == (frozenset({TEACHING, RESEARCH}), Answer.NO)
    wider = relatives(TEACHING, RESEARCH, identifiable=Answer.YES)
    assert facts_of(post_mortem(**LOOKED), [older, newer, wider]).covers_identifiable is Answer.YES


def test_the_newest_finding_counts() -> None:
    facts = facts_of(from_life(), [found(vital=Vital.ALIVE), found(vital=Vital.DEAD, maturity=Maturity.ADULT)])
    assert (facts.vital, facts.maturity) == (Vital.DEAD, Maturity.ADULT)
    established = found(authority=Authority.HOSPITAL)
    assert facts_of(post_mortem(authority=Authority.UNKNOWN), [established]).authority is Authority.HOSPITAL


@pytest.mark.parametrize(
    ("looks", "second"),
    [
        ([("j.doe", Grade.NO_PERSON)], False),
        ([("j.doe", Grade.NO_PERSON), ("j.doe", Grade.NO_PERSON)], False),
        ([("j.doe", Grade.NO_PERSON), ("r.roe", Grade.NO_PERSON)], True),
        ([("j.doe", Grade.NO_PERSON), ("r.roe", Grade.YES)], False),
        ([("j.doe", Grade.NO_PERSON), ("r.roe", Grade.YES), ("j.doe", Grade.NO_PERSON)], False),
    ],
)
def test_a_second_look_is_another_persons(looks: list[tuple[str, Grade]], second: bool) -> None:
    said = [found(by=by, might_identify=MightIdentify(grade)) for by, grade in looks]
    facts = facts_of(from_life(), said)
    assert facts.second_person is second
    assert facts.might_identify.grade is looks[-1][1]


def test_documents_that_exist_are_known_and_those_that_do_not_after_all_are_not() -> None:
    told = post_mortem(records=frozenset({Record.FAMILY_CONSULTATION}))
    facts = facts_of(told, [], done=[Record.CORONERS_AGREEMENT], reopened=[Record.FAMILY_CONSULTATION])
    assert facts.records == {Record.CORONERS_AGREEMENT}


@pytest.mark.parametrize("said", [Said.REFUSED, Said.WITHDRAWN])
def test_a_relatives_no_and_then_yes_does_not_lift_the_patients_own_no(said: Said) -> None:
    theirs = refusal(TEACHING, giver=Giver.RELATION, rank=1, said=said)
    facts = facts_of(post_mortem(**LOOKED), [refusal(TEACHING), theirs, relatives(TEACHING)])
    assert row(facts).startswith("deny")
    assert row(facts_of(post_mortem(**LOOKED), [theirs, relatives(TEACHING)])) == "allow M2b"


# Which of the records count

NOTHING: frozenset[str] = frozenset()


@settings(max_examples=300)
@given(TOLD, records(), st.lists(records(), max_size=5))
def test_a_record_counts_for_nothing_that_it_does_not_speak_of(
    told: Facts, one: ConsentRecord, others: list[ConsentRecord]
) -> None:
    assert in_force(told, [*others, one])[-1] <= {*map(str, one.scope), *one.tells}


def test_what_counts_is_the_newest_answer_whose_word_stands_high_enough() -> None:
    told = post_mortem(**LOOKED)
    assert in_force(told, [relatives(TEACHING), refusal(TEACHING)]) == (NOTHING, frozenset({"teaching"}))
    assert in_force(told, [refusal(TEACHING), relatives(TEACHING, RESEARCH)]) == (
        frozenset({"teaching"}),
        frozenset({"research"}),
    )
    assert in_force(post_mortem(consent=Consent.REFUSED), [relatives(TEACHING)]) == (NOTHING,)


def test_a_second_look_counts_beside_the_first_and_a_doubt_ends_both() -> None:
    first, second, doubt = (
        found("a.one", **LOOKED),
        found("b.two", **LOOKED),
        found(might_identify=MightIdentify(Grade.YES)),
    )
    both = frozenset({"might_identify"})
    assert in_force(Facts(), [first, second]) == (both, both)
    assert in_force(Facts(), [first, second, doubt]) == (NOTHING, NOTHING, both)
