"""What is recorded about a slide is read back as it was, and nothing else is accepted."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.consent import Facts, MightIdentify, Purpose
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
from archive.errors import InvalidValue
from tests.archive.consent.cases import from_life

PURPOSES = st.sampled_from(sorted(SECONDARY))
GRADES = st.sampled_from([grade for grade in Grade if grade is not Grade.NO_SCREENED]).map(
    MightIdentify
) | st.from_regex(r"[a-z][a-z0-9.-]{0,31}", fullmatch=True).map(MightIdentify.screened)
FACTS = st.builds(
    Facts,
    source=st.sampled_from(TissueSource),
    authority=st.sampled_from(Authority),
    authority_open=st.sampled_from(Answer),
    recorded=st.sampled_from(Recorded),
    recorded_for=st.none() | PURPOSES,
    consent=st.sampled_from(Consent),
    covers=st.frozensets(PURPOSES),
    covers_identifiable=st.sampled_from(Answer),
    covers_publication=st.sampled_from(Answer),
    giver_entitled=st.sampled_from(Answer),
    refused_for=st.frozensets(PURPOSES),
    refused_publication=st.booleans(),
    vital=st.sampled_from(Vital),
    maturity=st.sampled_from(Maturity),
    had_capacity=st.sampled_from(Answer),
    pre_1997_collection=st.booleans(),
    state=st.sampled_from(State),
    report_bound=st.booleans(),
    might_identify=GRADES,
    second_person=st.booleans(),
    records=st.frozensets(st.sampled_from(Record)),
    jurisdiction=st.sampled_from(Jurisdiction),
    fiscal_notice=st.sampled_from(Answer),
    glass_held_before_2006=st.sampled_from(Answer),
    glass_covers=st.frozensets(PURPOSES),
)


@given(FACTS)
def test_facts_come_back_from_json_as_they_were(facts):
    data = facts.to_json()
    assert list(data) == [field.name for field in fields(Facts)]
    assert all(type(value) in (str, bool, list, type(None)) for value in data.values())
    assert Facts.from_json(data) == facts


@given(GRADES)
def test_a_grade_comes_back_from_its_text(grade):
    assert MightIdentify.parse(str(grade)) == grade


def test_a_fact_that_is_not_there_is_unknown():
    assert Facts.from_json({}) == Facts()
    assert Facts.from_json({"source": "living"}) == from_life()


def test_every_fact_starts_as_unknown_or_as_its_strictest_value():
    started = Facts()
    for field in fields(Facts):
        value = getattr(started, field.name)
        assert str(value) in ("unknown", "identifiable", "unassessed", "False", "None", "frozenset()"), field.name


@pytest.mark.parametrize(
    "data",
    [
        {"name": "Mary Miller"},
        {"source": "Mary Miller"},
        {"source": None},
        {"source": "LIVING"},
        {"covers": "teaching"},
        {"covers": ["Mary Miller"]},
        {"covers": ["keep"]},
        {"glass_covers": ["care"]},
        {"recorded_for": "care"},
        {"recorded_for": "Mary Miller"},
        {"records": ["Mary Miller"]},
        {"records": [["coroner's agreement"]]},
        {"report_bound": "true"},
        {"report_bound": 1},
        {"might_identify": "no"},
        {"might_identify": "no (screened)"},
        {"might_identify": "no (screened, Mary Miller)"},
        {"might_identify": 7},
        [["source", "living"]],
    ],
)
def test_anything_else_is_refused_without_being_repeated(data):
    with pytest.raises(InvalidValue) as refused:
        Facts.from_json(data)
    assert "Mary" not in str(refused.value)


@pytest.mark.parametrize(
    "known",
    [
        {"source": "living"},
        {"consent": Vital.ALIVE},
        {"report_bound": 1},
        {"might_identify": "unassessed"},
        {"covers": {Purpose.TEACHING}},
        {"covers": frozenset({Purpose.CARE})},
        {"recorded_for": Purpose.KEEP},
        {"records": frozenset({"coroner's agreement"})},
    ],
)
def test_a_value_of_another_kind_is_refused_at_birth(known):
    with pytest.raises(InvalidValue):
        Facts(**known)
    with pytest.raises(InvalidValue):
        replace(Facts(), **known)


@pytest.mark.parametrize(
    ("grade", "screening"),
    [(Grade.NO_SCREENED, ""), (Grade.NO_PERSON, "structure-1"), (Grade.NO_SCREENED, "Mary Miller"), ("yes", "")],
    ids=["no version", "a version too many", "a name", "plain text"],
)
def test_only_a_screening_has_a_version_and_it_is_a_short_word(grade, screening):
    with pytest.raises(InvalidValue):
        MightIdentify(grade, screening)
