"""Whatever else is recorded, a no never opens what was closed before it, and what nobody knows opens nothing."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.consent import Facts, MightIdentify, Purpose, Recipient, decide
from archive.consent.recorded import facts_of
from archive.consent.records import ConsentRecord, Giver, Said
from archive.consent.terms import SECONDARY, Answer, Consent, Grade, Record, State, Vital
from tests.archive.consent.cases import CLOSED, coroners, from_life, post_mortem
from tests.archive.consent.test_records import PURPOSES, records

TEACHING, RESEARCH = Purpose.TEACHING, Purpose.RESEARCH
CASES = (from_life(), from_life(vital=Vital.ALIVE), from_life(vital=Vital.DEAD), post_mortem(), coroners(**CLOSED))
LOOKED = {"might_identify": MightIdentify(Grade.NO_PERSON), "second_person": True}
COPIES = tuple({"state": state, "report_bound": True} for state in State)

Use = tuple[State, Purpose, Recipient]


def allowed(facts: Facts, *purposes: Purpose) -> set[Use]:
    """Give all that is allowed with a copy of each kind, for a recipient who cannot look codes up."""
    return {
        (shown.state, purpose, recipient)
        for shown in (replace(facts, **copy) for copy in COPIES)  # type: ignore[arg-type]
        for purpose in purposes or (*SECONDARY, Purpose.KEEP, Purpose.CARE)
        for recipient in Recipient
        if decide(shown, purpose, recipient, holds_key=False).allowed
    }


def public(facts: Facts) -> set[Use]:
    return {use for use in allowed(facts, *SECONDARY) if use[2] is Recipient.PUBLIC}


@st.composite
def told(draw: st.DrawFn) -> Facts:
    """Draw what a delivery list may have told."""
    return replace(
        draw(st.sampled_from(CASES)),
        consent=draw(st.sampled_from(Consent)),
        covers=draw(PURPOSES),
        covers_identifiable=draw(st.sampled_from(Answer)),
        covers_publication=draw(st.sampled_from(Answer)),
        giver_entitled=draw(st.sampled_from(Answer)),
        records=frozenset(draw(st.sets(st.sampled_from(Record)))),
        **(LOOKED if draw(st.booleans()) else {}),
    )


def no(*purposes: Purpose, giver: Giver = Giver.SELF, said: Said = Said.REFUSED) -> ConsentRecord:
    rank = 1 if giver is Giver.RELATION else None
    return ConsentRecord(by="j.doe", said=said, giver=giver, rank=rank, purposes=frozenset(purposes))


def yes(*purposes: Purpose, giver: Giver = Giver.SELF, **more: Answer) -> ConsentRecord:
    rank = 1 if giver is Giver.RELATION else None
    own = frozenset(purposes)
    return ConsentRecord(by="j.doe", said=Said.GIVEN, giver=giver, rank=rank, purposes=own, entitled=Answer.YES, **more)


NOES = st.builds(
    no,
    giver=st.sampled_from([Giver.SELF, Giver.PARENT, Giver.RELATION]),
    said=st.sampled_from([Said.REFUSED, Said.WITHDRAWN]),
).flatmap(lambda one: st.builds(lambda purposes: replace(one, purposes=purposes), PURPOSES))


@settings(max_examples=80)
@given(told(), st.lists(records(), max_size=4), NOES, st.lists(records(), max_size=3))
def test_a_no_opens_nothing_wherever_it_stands_among_the_records(
    told: Facts, before: list[ConsentRecord], said: ConsentRecord, after: list[ConsentRecord]
) -> None:
    assert allowed(facts_of(told, [*before, said, *after])) <= allowed(facts_of(told, [*before, *after]))


@settings(max_examples=80)
@given(told(), st.lists(records(), max_size=4), NOES)
def test_after_a_no_nothing_is_allowed_that_it_speaks_of(
    told: Facts, before: list[ConsentRecord], said: ConsentRecord
) -> None:
    assert not allowed(facts_of(told, [*before, said]), *said.scope)


@settings(max_examples=80)
@given(told(), st.lists(records(), max_size=4), st.sampled_from(["identifiable", "publication", "entitled"]), st.data())
def test_what_a_consent_leaves_open_opens_nothing(
    told: Facts, said: list[ConsentRecord], part: str, data: st.DataObject
) -> None:
    said.append(yes(*data.draw(PURPOSES.filter(bool)), **{"identifiable": Answer.YES, "publication": Answer.YES}))
    silent = [*said[:-1], replace(said[-1], **{part: Answer.UNKNOWN})]  # type: ignore[arg-type]
    assert allowed(facts_of(told, silent)) <= allowed(facts_of(told, said))


@settings(max_examples=80)
@given(told(), st.lists(records(), max_size=4), records())
def test_a_consent_that_does_not_speak_of_publication_publishes_nothing(
    told: Facts, before: list[ConsentRecord], said: ConsentRecord
) -> None:
    if said.said is Said.GIVEN and said.publication is not Answer.YES:
        said = replace(said, established=Facts(), tells=frozenset())
        assert public(facts_of(told, [*before, said])) <= public(facts_of(told, before))


@pytest.mark.parametrize(
    ("told", "before", "said"),
    [
        # Consent to teaching, and what else there could be was not foreseen: withdrawn teaching is not unforeseen use.
        (
            post_mortem(consent=Consent.WITH_POST_MORTEM, covers=frozenset({TEACHING}), **LOOKED),
            [ConsentRecord(by="j.doe", said=Said.NOT_FORESEEN)],
            no(TEACHING, said=Said.WITHDRAWN),
        ),
        # Publication was excepted when consent to teaching was given, and teaching is withdrawn later.
        (from_life(vital=Vital.ALIVE, **LOOKED), [yes(TEACHING, publication=Answer.NO)], no(TEACHING)),
        # Identifiable use was consented to for research, and excepted for teaching.
        (
            post_mortem(**LOOKED),
            [yes(TEACHING, identifiable=Answer.NO), yes(RESEARCH, identifiable=Answer.YES)],
            no(TEACHING),
        ),
    ],
)
def test_a_no_opens_nothing_by_leaving_less_to_be_read(
    told: Facts, before: list[ConsentRecord], said: ConsentRecord
) -> None:
    assert allowed(facts_of(told, [*before, said])) <= allowed(facts_of(told, before))


@pytest.mark.parametrize(
    ("later", "published"),
    [
        (yes(TEACHING, publication=Answer.YES), True),
        (yes(TEACHING), False),
        (yes(RESEARCH, publication=Answer.YES), False),
        (yes(TEACHING, giver=Giver.RELATION, publication=Answer.YES), False),
    ],
)
def test_publication_that_the_patient_excepted_is_the_patients_to_allow(later: ConsentRecord, published: bool) -> None:
    for case in (from_life(vital=Vital.ALIVE, **LOOKED), post_mortem(**LOOKED)):
        known = replace(case, records=frozenset({Record.FAMILY_CONSULTATION}))
        assert bool(public(facts_of(known, [yes(TEACHING, publication=Answer.NO), later]))) is published


def test_whoever_refused_everything_and_consents_to_teaching_has_not_agreed_to_publication() -> None:
    case = from_life(vital=Vital.ALIVE, **LOOKED)
    facts = facts_of(case, [no(), yes(TEACHING)])
    assert not public(facts)
    assert allowed(facts, TEACHING)
    assert public(facts_of(case, [no(), yes(TEACHING, publication=Answer.YES)]))


def test_whoever_refused_teaching_and_consents_to_it_again_has_not_agreed_to_publish_it() -> None:
    case = from_life(vital=Vital.ALIVE, **LOOKED)
    facts = facts_of(case, [no(TEACHING), yes(TEACHING)])
    assert allowed(facts, TEACHING)
    assert not public(facts)
    assert public(facts_of(case, [no(TEACHING)])) == public(facts_of(case, [])) - {
        use for use in public(facts_of(case, [])) if use[1] is TEACHING
    }
    assert public(facts_of(case, [no(TEACHING), yes(TEACHING, publication=Answer.YES)]))


def test_identifiable_use_that_the_patient_excepted_is_not_the_familys_to_allow() -> None:
    family = yes(TEACHING, giver=Giver.RELATION, identifiable=Answer.YES)
    facts = facts_of(post_mortem(**LOOKED), [yes(TEACHING, identifiable=Answer.NO), family])
    assert State.IDENTIFIABLE not in {state for state, _, _ in allowed(facts, TEACHING)}
    assert State.IDENTIFIABLE in {state for state, _, _ in allowed(facts_of(post_mortem(**LOOKED), [family]), TEACHING)}
