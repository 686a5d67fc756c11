"""A consent record says who answered what, or what was found out, and nothing that does not go together."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.consent import Facts, MightIdentify, Purpose
from archive.consent.records import ANSWERS, ESTABLISHED, ConsentRecord, Giver, Said
from archive.consent.terms import SECONDARY, Answer, Consent, Grade, TissueSource, Vital
from archive.errors import InvalidValue

TEACHING = frozenset({Purpose.TEACHING})
PURPOSES = st.frozensets(st.sampled_from(sorted(SECONDARY)))


@st.composite
def records(draw: st.DrawFn) -> ConsentRecord:
    """Draw any record that can be."""
    said = draw(st.sampled_from(Said))
    giver = draw(st.sampled_from(Giver)) if said in ANSWERS else None
    given_ = said is Said.GIVEN
    told = draw(st.frozensets(st.sampled_from(["vital", "source"])))
    finding = Facts(
        **({"vital": draw(st.sampled_from(Vital))} if "vital" in told else {}),
        **({"source": draw(st.sampled_from(TissueSource))} if "source" in told else {}),
    )
    return ConsentRecord(
        by=draw(st.sampled_from(["j.doe", "curator-2"])),
        said=said,
        giver=giver,
        rank=draw(st.integers(1, 11)) if giver is Giver.RELATION else None,
        purposes=draw(PURPOSES.filter(bool)) if given_ else draw(PURPOSES),
        identifiable=draw(st.sampled_from(Answer)) if given_ else Answer.UNKNOWN,
        publication=draw(st.sampled_from(Answer)) if given_ else Answer.UNKNOWN,
        with_examination=given_ and draw(st.booleans()),
        entitled=draw(st.sampled_from(Answer)) if given_ else Answer.UNKNOWN,
        established=finding,
        tells=told,
    )


@given(records())
def test_a_record_comes_back_from_json_as_it_was(record: ConsentRecord) -> None:
    assert ConsentRecord.from_json(json.loads(json.dumps(record.to_json()))) == record


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"said": Said.GIVEN, "purposes": TEACHING},
        {"said": Said.GIVEN, "giver": Giver.SELF},
        {"said": Said.GIVEN, "giver": Giver.SELF, "purposes": frozenset({Purpose.CARE})},
        {"said": Said.NOT_ASKED, "giver": Giver.SELF},
        {"said": Said.REFUSED, "giver": Giver.RELATION},
        {"said": Said.REFUSED, "giver": Giver.RELATION, "rank": 12},
        {"said": Said.REFUSED, "giver": Giver.SELF, "rank": 1},
        {"said": Said.REFUSED, "giver": Giver.SELF, "publication": Answer.YES},
        {"said": Said.NOT_FORESEEN, "with_examination": True},
        {"tells": frozenset({"consent"}), "established": Facts(consent=Consent.OBTAINED)},
        {"tells": frozenset({"vital"}), "established": Facts(source=TissueSource.LIVING)},
        {
            "tells": frozenset({"might_identify"}),
            "established": Facts(might_identify=MightIdentify.screened("structure-1")),
        },
        {"purposes": TEACHING, "tells": frozenset({"vital"})},
        {"by": "Mary Miller", "said": Said.NOT_ASKED},
    ],
)
def test_parts_that_do_not_go_together_are_refused_without_repeating_them(parts: dict[str, object]) -> None:
    with pytest.raises(InvalidValue) as refusal:
        ConsentRecord(**{"by": "j.doe", **parts})  # type: ignore[arg-type]
    assert "Miller" not in str(refusal.value)


@pytest.mark.parametrize(
    "data",
    [
        [],
        {},
        {"said": "refused"},
        {"by": "j.doe", "said": "Mary Miller"},
        {"by": "j.doe", "name": "Mary Miller"},
        {"by": "j.doe", "said": "refused", "giver": "self", "rank": True},
        {"by": "j.doe", "established": {"vital": "Mary Miller"}},
    ],
)
def test_json_of_another_form_is_refused_without_repeating_it(data: object) -> None:
    with pytest.raises(InvalidValue) as refusal:
        ConsentRecord.from_json(data)  # type: ignore[arg-type]
    assert "Miller" not in str(refusal.value)


def test_a_refusal_that_names_no_purpose_is_of_all() -> None:
    refusal = ConsentRecord(by="j.doe", said=Said.REFUSED, giver=Giver.SELF)
    assert refusal.scope == SECONDARY
    assert replace(refusal, purposes=TEACHING).scope == TEACHING


def test_what_can_be_established_is_known_to_the_table_and_is_no_consent_and_no_copy() -> None:
    of_answers = {"consent", "covers", "covers_identifiable", "covers_publication", "giver_entitled"}
    of_parts = {"refused_for", "refused_publication", "records", "second_person"}
    of_copies = {"state", "report_bound"}
    assert set(Facts().to_json()) - of_answers - of_parts - of_copies == set(ESTABLISHED)


def test_only_patients_answer_without_being_said_to_be_entitled() -> None:
    for giver in Giver:
        rank = 1 if giver is Giver.RELATION else None
        consent = ConsentRecord(by="j.doe", said=Said.GIVEN, giver=giver, rank=rank, purposes=TEACHING)
        assert consent.may_answer == (giver is Giver.SELF)
        assert replace(consent, entitled=Answer.YES).may_answer


def test_words_stand_from_the_patients_own_down_to_the_last_relation() -> None:
    order = [
        (Giver.SELF, None),
        (Giver.REPRESENTATIVE, None),
        (Giver.DECIDER, None),
        (Giver.PARENT, None),
        *((Giver.RELATION, rank) for rank in range(1, 12)),
    ]
    standings = [ConsentRecord(by="j.doe", said=Said.REFUSED, giver=one, rank=rank).standing for one, rank in order]
    assert standings == sorted(set(standings))


def test_a_persons_assessment_is_established_and_a_screening_is_not() -> None:
    looked = Facts(might_identify=MightIdentify(Grade.NO_PERSON))
    record = ConsentRecord(by="j.doe", established=looked, tells=frozenset({"might_identify"}))
    assert record.scope == frozenset()
