"""A feed's values are its rows' defaults, and no default ever lets a post-mortem through."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.consent import Facts, Purpose, Recipient, decide
from archive.consent.terms import Answer, Authority, Consent, Grade, Jurisdiction, Record, Recorded, TissueSource
from archive.errors import InvalidValue
from ingest.delivery import Feed, Row, default_of, feeds_of
from ingest.delivery.rows import _SAME_NAME
from tests.ingest.delivery.conftest import SURGICAL

One = Callable[..., Row]
AUTOPSIES = replace(SURGICAL, name="Autopsies", source=TissueSource.POST_MORTEM, post_mortem_patterns=())


def test_a_surgical_row_of_a_feed_is_kept_without_another_question(one: One) -> None:
    facts = one().facts(SURGICAL)
    assert facts == Facts(source=TissueSource.LIVING, jurisdiction=Jurisdiction.ENGLAND)
    assert decide(facts, Purpose.KEEP, Recipient.LABORATORY).allowed


def test_without_feed_and_column_the_source_is_unknown(one: One) -> None:
    assert one().facts() == Facts()
    assert not decide(one().facts(), Purpose.KEEP, Recipient.LABORATORY).allowed


def test_a_row_says_otherwise_than_its_feed(one: One) -> None:
    row = one(tissue="living", jurisdiction="Wales")
    assert row.facts(AUTOPSIES).source is TissueSource.LIVING
    assert row.facts(AUTOPSIES).jurisdiction is Jurisdiction.WALES
    assert one(tissue="post mortem").facts(SURGICAL).source is TissueSource.POST_MORTEM


POST_MORTEM = [
    {"case": "PM26-0001"},
    {"case": "pm 26-0001"},
    {"case": "A26-0001"},
    {"procedure": "Post-mortem examination"},
    {"procedure": "POSTMORTEM"},
    {"procedure": "Coroner's case"},
    {"procedure": "Consented hospital PM"},
    {"procedure": "autopsy, limited"},
    {"procedure": "Necropsy"},
    {"location": "City Mortuary"},
    {"location": "MORTUARY_2"},
    {"location": "Morgue"},
    {"authority": "hospital"},
    {"consent": "obtained with the post-mortem consent"},
    {"recorded": "later"},
]


@pytest.mark.parametrize("cells", POST_MORTEM)
def test_a_row_that_tells_of_a_post_mortem_is_one_whatever_the_default(one: One, cells: dict[str, str]) -> None:
    facts = one(**cells).facts(SURGICAL)
    assert facts.source is TissueSource.POST_MORTEM
    kept = decide(facts, Purpose.KEEP, Recipient.LABORATORY)
    assert not kept.allowed, "it needs its own columns"


@pytest.mark.parametrize(
    "cells",
    [
        {"case": "S26-PM01"},
        {"case": "A2-0001"},
        {"case": "AB6-0001"},
        {"procedure": "Excision of naevus"},
        {"location": "Theatre 2"},
        {"location": "Ward 3, 2 April"},
        {"procedure": "Mastectomy, sentinel node"},
        {"procedure": "Coronary artery biopsy"},
        {"authority": "unknown"},
    ],
)
def test_a_row_that_does_not_tell_of_one_keeps_the_default(one: One, cells: dict[str, str]) -> None:
    assert one(**cells).facts(SURGICAL).source is TissueSource.LIVING


def test_a_post_mortem_with_its_own_columns_has_its_facts(one: One) -> None:
    row = one(
        case="PM26-0001",
        authority="procurator fiscal",
        authority_open="no",
        recorded="as part of the examination",
        consent="obtained separately",
        covers="teaching; research",
        covers_identifiable="n",
        covers_publication="Y",
        giver_entitled="yes",
        records="coroner's agreement; family consultation",
        jurisdiction="Scotland",
        might_identify="no",
        assessed_by="Dr A. Curator",
        assessed_also_by="Dr B. Reader",
    )
    facts = row.facts(SURGICAL)
    assert (facts.source, facts.authority, facts.authority_open) == (
        TissueSource.POST_MORTEM,
        Authority.CORONER,
        Answer.NO,
    )
    assert facts.recorded is Recorded.AS_PART_OF_EXAMINATION
    assert (facts.consent, facts.covers) == (Consent.SEPARATELY, {Purpose.TEACHING, Purpose.RESEARCH})
    assert (facts.covers_identifiable, facts.covers_publication) == (Answer.NO, Answer.YES)
    assert facts.records == {Record.CORONERS_AGREEMENT, Record.FAMILY_CONSULTATION}
    assert (facts.jurisdiction, facts.giver_entitled) == (Jurisdiction.SCOTLAND, Answer.YES)
    assert (facts.might_identify.grade, facts.second_person) == (Grade.NO_PERSON, True)
    assert row.evidence == (
        "might not identify, said by Dr A. Curator",
        "might not identify, said by Dr B. Reader",
    )
    assert decide(facts, Purpose.KEEP, Recipient.LABORATORY).allowed


def test_a_purpose_that_was_not_foreseen_is_attested_by_whom_when_and_why(one: One) -> None:
    cells = {"not_foreseen_by": "Dr A. Curator", "not_foreseen_on": "2026-03-01", "not_foreseen_why": "planned later"}
    row = one(case="PM26-0001", authority="hospital", consent="not foreseen", **cells)
    assert row.facts(SURGICAL).consent is Consent.NOT_FORESEEN
    assert row.evidence == ("not foreseen, attested by Dr A. Curator on 2026-03-01: planned later",)


@pytest.mark.parametrize(
    ("column", "cell", "field", "value"),
    [
        ("tissue", "In life", "source", TissueSource.LIVING),
        ("consent", "opt-out", "consent", Consent.REFUSED),
        ("consent", "Withdrawn", "consent", Consent.WITHDRAWN),
        ("pre_1997_collection", "1", "pre_1997_collection", True),
        ("glass_held_before_2006", "true", "glass_held_before_2006", Answer.YES),
        ("glass_covers", "teaching", "glass_covers", {Purpose.TEACHING}),
        ("fiscal_notice", "yes", "fiscal_notice", Answer.YES),
        ("had_capacity", "no", "had_capacity", Answer.NO),
    ],
)
def test_plain_words_become_facts(one: One, column: str, cell: str, field: str, value: object) -> None:
    assert getattr(one(**{column: cell}).facts(), field) == value


def test_every_fact_that_a_list_may_state_can_be_stated() -> None:
    of_one_copy = {"state", "report_bound"}
    by_other_columns = {"source", "might_identify", "second_person"}
    by_consent_records_alone = {"refused_for", "refused_publication"}
    assert set(_SAME_NAME) | of_one_copy | by_other_columns | by_consent_records_alone == set(Facts().to_json())


FEEDS_THAT_CANNOT_BE: list[dict[str, Any]] = [
    {"post_mortem_patterns": ()},
    {"name": ""},
    {"name": "two\nlines"},
    {"name": "x" * 61},
    {"attested_by": " "},
    {"post_mortem_patterns": ("*",)},
    {"post_mortem_patterns": ("",)},
    {"post_mortem_patterns": ("PM[",)},
    {"post_mortem_patterns": ("(PM)+",)},
    {"post_mortem_patterns": ("P" * 41,)},
    {"post_mortem_patterns": tuple(f"PM{number}*" for number in range(21))},
    {"post_mortem_patterns": (), "no_post_mortems": "x" * 501},
]


@pytest.mark.parametrize("changed", FEEDS_THAT_CANNOT_BE)
def test_a_feed_without_what_it_needs_cannot_be(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        replace(SURGICAL, **changed)


def test_a_feed_that_cannot_contain_post_mortems_needs_a_statement_and_no_pattern() -> None:
    feed = replace(SURGICAL, post_mortem_patterns=(), no_post_mortems="Dermatology clinic only.")
    assert not feed.is_post_mortem("PM26-0001")


def test_a_feed_survives_being_declared() -> None:
    statement = replace(AUTOPSIES, no_post_mortems="žádné", default=True)
    for feed in (SURGICAL, AUTOPSIES, statement):
        assert Feed.from_json(feed.name, feed.to_json()) == feed


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"source": "living"}', SURGICAL.to_json().replace("living", "dead")]
)
def test_what_is_no_feed_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        Feed.from_json("Surgical", text)


def test_one_feed_may_be_the_default() -> None:
    declared = {"Surgical": SURGICAL.to_json(), "Autopsies": replace(AUTOPSIES, default=True).to_json()}
    feeds = feeds_of(declared)
    chosen = default_of(feeds)
    assert chosen is not None
    assert chosen.name == "Autopsies"
    assert default_of({"Surgical": SURGICAL}) is None
    with pytest.raises(InvalidValue, match="default"):
        default_of({"a": replace(SURGICAL, default=True), "b": replace(AUTOPSIES, default=True)})


def test_a_feed_is_overdue_after_the_day_of_its_review() -> None:
    assert not SURGICAL.is_overdue(date(2027, 1, 1))
    assert SURGICAL.is_overdue(date(2027, 1, 2))


def test_a_feed_does_not_show_who_attested_it() -> None:
    assert "Curator" not in repr(SURGICAL)


@given(st.text(max_size=200))
def test_a_pattern_takes_any_case_number_and_no_time(case: str) -> None:
    feed = replace(SURGICAL, post_mortem_patterns=("*a*a*a*a*a*a*a*a*a*a*a*b",))
    begun = time.perf_counter()
    feed.is_post_mortem(case)
    feed.is_post_mortem("a" * 200)
    assert time.perf_counter() - begun < 1
