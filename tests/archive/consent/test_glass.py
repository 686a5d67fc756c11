"""The glass and its picture have different law, and different answers (rows R3 and R4)."""

import itertools

import pytest

from archive.consent import Facts, Purpose
from archive.consent.glass import glass_gates
from archive.consent.terms import Answer, Authority, Jurisdiction, TissueSource

ENGLAND, WALES, NORTHERN_IRELAND, SCOTLAND, UNKNOWN = Jurisdiction
AGREED = {"glass_covers": frozenset({Purpose.TEACHING})}
NOTICE = {"fiscal_notice": Answer.YES, "authority": Authority.CORONER}


@pytest.mark.parametrize(
    ("row", "jurisdiction", "purpose", "known", "met"),
    [
        ("R3", ENGLAND, Purpose.TEACHING, {}, False),
        ("R3", WALES, Purpose.TEACHING, AGREED, True),
        ("R3", NORTHERN_IRELAND, Purpose.RESEARCH, AGREED, False),
        ("R3", ENGLAND, Purpose.AUDIT, {"glass_held_before_2006": Answer.YES}, True),
        ("R3", ENGLAND, Purpose.AUDIT, NOTICE, False),
        ("R3", ENGLAND, Purpose.TEACHING, {"authority": Authority.CORONER, "authority_open": Answer.YES}, False),
        ("R4", SCOTLAND, Purpose.AUDIT, NOTICE, True),
        ("R4", SCOTLAND, Purpose.AUDIT, NOTICE | {"fiscal_notice": Answer.UNKNOWN}, False),
        ("R4", SCOTLAND, Purpose.AUDIT, NOTICE | {"authority": Authority.HOSPITAL}, False),
        ("R4", SCOTLAND, Purpose.TEACHING, NOTICE, False),
        ("R4", SCOTLAND, Purpose.TEACHING, NOTICE | AGREED, True),
        ("R4", SCOTLAND, Purpose.RESEARCH, {"glass_held_before_2006": Answer.YES}, False),
    ],
)
def test_the_law_of_the_jurisdiction_is_shown(row, jurisdiction, purpose, known, met):
    facts = Facts(source=TissueSource.POST_MORTEM, jurisdiction=jurisdiction, **known)
    assert [(gate.row.id, gate.met) for gate in glass_gates(facts, purpose)] == [(row, met)]


def test_where_the_jurisdiction_is_unknown_both_laws_are_shown():
    assert [gate.row.id for gate in glass_gates(Facts(), Purpose.AUDIT)] == ["R3", "R4"]


def test_tissue_from_life_and_other_purposes_are_not_answered_here():
    assert glass_gates(Facts(source=TissueSource.LIVING), Purpose.RESEARCH) == ()
    for purpose, jurisdiction in itertools.product([Purpose.KEEP, Purpose.CARE, Purpose.CAUSE_OF_DEATH], Jurisdiction):
        assert glass_gates(Facts(jurisdiction=jurisdiction), purpose) == ()
