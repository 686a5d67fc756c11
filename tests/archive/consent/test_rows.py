"""Each row of RULES section 2, with the least that brings it about."""

from dataclasses import replace
from typing import NamedTuple

import pytest

from archive.consent import Facts, MightIdentify, Purpose, Recipient, Verdict, decide
from archive.consent.table import TABLE, Effect
from archive.consent.terms import (
    Answer,
    Authority,
    Consent,
    Grade,
    Maturity,
    Record,
    Recorded,
    TissueSource,
    Vital,
)
from tests.archive.consent.cases import (
    ANONYMISED,
    CLOSED,
    CODED,
    GROWN_UP,
    LOOKED_AT,
    SCREENED,
    agreed,
    agreed_separately,
    coroners,
    from_life,
    post_mortem,
)

ALLOW, DENY, REQUIRES = Verdict
KEEP, CARE, CAUSE_OF_DEATH, AUDIT, RESEARCH, TEACHING, OTHER = Purpose
LABORATORY, CARE_TEAM, PROJECT, CLASS, PUBLIC = Recipient

IDENTIFIABLY = {"covers_identifiable": Answer.YES}
PUBLICLY = {"covers_publication": Answer.YES}


class Case(NamedTuple):
    """A row that must be touched, the question, and the verdict with the row that gives it."""

    touched: str
    facts: Facts
    purpose: Purpose
    recipient: Recipient
    verdict: Verdict
    decided_by: str
    holds_key: bool = False


CASES = [
    # How the facts are read
    Case("Z1", from_life(**CODED | {"report_bound": False}), TEACHING, CLASS, DENY, "L4"),
    Case("Z1", from_life(**ANONYMISED | {"report_bound": False}), TEACHING, PUBLIC, DENY, "P1"),
    Case("Z2", from_life(**CODED), TEACHING, CLASS, DENY, "L4", holds_key=True),
    Case("Z3", from_life(**CODED | {"might_identify": MightIdentify()}), TEACHING, CLASS, DENY, "L4"),
    Case("Z3", from_life(**CODED | {"might_identify": MightIdentify(Grade.YES)}), TEACHING, CLASS, DENY, "L4"),
    Case(
        "Z3",
        post_mortem(**CODED | {"might_identify": SCREENED}, **agreed_separately(TEACHING)),
        TEACHING,
        CLASS,
        DENY,
        "M3/2",
    ),
    Case("Z3", from_life(**ANONYMISED | {"second_person": False}, vital=Vital.ALIVE), TEACHING, PUBLIC, DENY, "P1"),
    Case("Z4", post_mortem(authority=Authority.UNKNOWN), CARE, CARE_TEAM, DENY, "Z4"),
    Case("Z4", post_mortem(authority=Authority.NONE), KEEP, LABORATORY, DENY, "Z4"),
    Case(
        "Z4", post_mortem(authority=Authority.NONE, **CODED, **agreed_separately(TEACHING)), TEACHING, CLASS, DENY, "Z4"
    ),
    Case(
        "Z5",
        replace(post_mortem(**CODED, **agreed_separately(TEACHING)), source=TissueSource.UNKNOWN),
        TEACHING,
        CLASS,
        DENY,
        "Z4",
    ),
    Case("Z5", post_mortem(**CODED), TEACHING, CLASS, DENY, "M11"),
    Case("Z6", from_life(), CAUSE_OF_DEATH, LABORATORY, DENY, "Z6"),
    # Keeping
    Case("K1", from_life(), KEEP, LABORATORY, ALLOW, "K1"),
    Case("K1", from_life(consent=Consent.REFUSED, vital=Vital.DEAD), KEEP, LABORATORY, ALLOW, "K1"),
    Case("K2", post_mortem(), KEEP, LABORATORY, ALLOW, "K2"),
    Case("K2", coroners(consent=Consent.WITHDRAWN), KEEP, LABORATORY, ALLOW, "K2"),
    Case(
        "K3",
        post_mortem(
            recorded=Recorded.FOR_SECONDARY_PURPOSE, recorded_for=TEACHING, **CODED, consent=Consent.NOT_FORESEEN
        ),
        KEEP,
        LABORATORY,
        ALLOW,
        "M5",
        holds_key=True,
    ),
    Case(
        "K3",
        post_mortem(
            recorded=Recorded.FOR_SECONDARY_PURPOSE, recorded_for=TEACHING, **CODED, **agreed_separately(RESEARCH)
        ),
        KEEP,
        LABORATORY,
        DENY,
        "M4",
    ),
    Case(
        "K3",
        post_mortem(recorded=Recorded.FOR_SECONDARY_PURPOSE, **CODED, **agreed_separately(TEACHING)),
        KEEP,
        LABORATORY,
        DENY,
        "M4",
    ),
    Case(
        "K3", coroners(recorded=Recorded.LATER, **CODED, consent=Consent.NOT_FORESEEN), KEEP, LABORATORY, REQUIRES, "M5"
    ),
    Case("K3", post_mortem(recorded=Recorded.UNKNOWN), KEEP, LABORATORY, DENY, "M10"),
    Case("K4", post_mortem(authority=Authority.UNKNOWN), KEEP, LABORATORY, DENY, "K4"),
    Case("K4", Facts(), KEEP, LABORATORY, DENY, "K4"),
    Case("K4", replace(post_mortem(), source=TissueSource.UNKNOWN), KEEP, LABORATORY, DENY, "K4"),
    # Refusal and withdrawal
    Case("N1", from_life(**CODED, consent=Consent.REFUSED), TEACHING, CLASS, DENY, "N1"),
    Case("N1", post_mortem(**ANONYMISED, consent=Consent.REFUSED), TEACHING, PUBLIC, DENY, "N1"),
    Case("N2", from_life(**CODED, consent=Consent.WITHDRAWN), RESEARCH, PROJECT, DENY, "N2"),
    Case("N2", post_mortem(**ANONYMISED, consent=Consent.WITHDRAWN), AUDIT, LABORATORY, DENY, "N2"),
    # Coroner's cases
    Case(
        "M12",
        coroners(**CODED, **CLOSED, consent=Consent.WITH_POST_MORTEM, covers=frozenset({TEACHING})),
        TEACHING,
        CLASS,
        DENY,
        "M12",
    ),
    Case("M12", coroners(**ANONYMISED, consent=Consent.WITH_POST_MORTEM), TEACHING, PUBLIC, DENY, "M12"),
    Case("M13", coroners(**CODED, consent=Consent.NOT_FORESEEN), TEACHING, CLASS, REQUIRES, "M5"),
    Case(
        "M13",
        coroners(**CODED, consent=Consent.NOT_FORESEEN, authority_open=Answer.YES),
        TEACHING,
        CLASS,
        REQUIRES,
        "M5",
    ),
    Case(
        "M13",
        coroners(**CODED, consent=Consent.NOT_FORESEEN, records=frozenset({Record.CORONERS_AGREEMENT})),
        TEACHING,
        CLASS,
        ALLOW,
        "M5",
    ),
    Case("M13", coroners(**CODED), TEACHING, CLASS, DENY, "M11"),
    Case(
        "M13",
        coroners(
            **ANONYMISED,
            consent=Consent.NOT_FORESEEN,
            records=frozenset({Record.GOVERNANCE_SIGN_OFF, Record.FAMILY_CONSULTATION}),
        ),
        TEACHING,
        PUBLIC,
        REQUIRES,
        "P6",
    ),
    # Publication
    Case(
        "P1",
        from_life(**CODED, second_person=True, vital=Vital.ALIVE, **agreed(TEACHING, **PUBLICLY)),
        TEACHING,
        PUBLIC,
        DENY,
        "P1",
    ),
    Case(
        "P1", from_life(vital=Vital.ALIVE, **agreed(TEACHING, **PUBLICLY, **IDENTIFIABLY)), TEACHING, PUBLIC, DENY, "P1"
    ),
    Case("P3", from_life(**ANONYMISED, vital=Vital.ALIVE), TEACHING, PUBLIC, ALLOW, "P3"),
    Case("P4", from_life(**ANONYMISED, vital=Vital.DEAD), TEACHING, PUBLIC, REQUIRES, "P4"),
    Case("P4", from_life(**ANONYMISED), RESEARCH, PUBLIC, REQUIRES, "P4"),
    Case(
        "P4",
        from_life(**ANONYMISED, vital=Vital.DEAD, records=frozenset({Record.FAMILY_CONSULTATION})),
        TEACHING,
        PUBLIC,
        ALLOW,
        "P4",
    ),
    Case("P5", post_mortem(**ANONYMISED, **agreed_separately(TEACHING, **PUBLICLY)), TEACHING, PUBLIC, REQUIRES, "P5"),
    Case(
        "P5",
        post_mortem(
            **ANONYMISED, **agreed_separately(TEACHING, **PUBLICLY), records=frozenset({Record.FAMILY_CONSULTATION})
        ),
        TEACHING,
        PUBLIC,
        ALLOW,
        "P5",
    ),
    Case(
        "P6",
        post_mortem(**ANONYMISED, consent=Consent.NOT_FORESEEN, records=frozenset({Record.FAMILY_CONSULTATION})),
        TEACHING,
        PUBLIC,
        REQUIRES,
        "P6",
    ),
    Case(
        "P6",
        post_mortem(
            **ANONYMISED,
            consent=Consent.NOT_FORESEEN,
            records=frozenset({Record.FAMILY_CONSULTATION, Record.GOVERNANCE_SIGN_OFF}),
        ),
        TEACHING,
        PUBLIC,
        ALLOW,
        "P6",
    ),
    Case("P7", post_mortem(**ANONYMISED, consent=Consent.FORESEEN_NOT_ASKED), TEACHING, PUBLIC, DENY, "P7"),
    Case("P7", post_mortem(**ANONYMISED, consent=Consent.NOT_RECORDED), TEACHING, PUBLIC, DENY, "P7"),
    Case("P7", post_mortem(**ANONYMISED), TEACHING, PUBLIC, DENY, "P7"),
    Case("P7", post_mortem(**ANONYMISED, **agreed_separately(TEACHING)), TEACHING, PUBLIC, DENY, "P7"),
    Case("P7", post_mortem(**ANONYMISED, **agreed_separately(RESEARCH, **PUBLICLY)), TEACHING, PUBLIC, DENY, "P7"),
    # Tissue taken in life
    Case("L1", from_life(), CARE, CARE_TEAM, ALLOW, "L1"),
    Case("L1", from_life(consent=Consent.REFUSED), CARE, LABORATORY, ALLOW, "L1", holds_key=True),
    Case("L2", from_life(**ANONYMISED), AUDIT, LABORATORY, ALLOW, "L2", holds_key=True),
    Case("L3", from_life(**CODED), RESEARCH, PROJECT, ALLOW, "L3"),
    Case("L3", from_life(**CODED | {"might_identify": SCREENED}), TEACHING, CLASS, ALLOW, "L3"),
    Case("L4", from_life(might_identify=LOOKED_AT), TEACHING, CLASS, DENY, "L4"),
    Case("L4", from_life(consent=Consent.NOT_FORESEEN), OTHER, PROJECT, DENY, "L4"),
    Case("L5", from_life(**agreed(TEACHING, **IDENTIFIABLY), **GROWN_UP), TEACHING, CLASS, ALLOW, "L5"),
    Case("L6", from_life(**agreed(RESEARCH, **IDENTIFIABLY), **GROWN_UP), TEACHING, CLASS, DENY, "L6"),
    Case("L6", from_life(**agreed(TEACHING), **GROWN_UP), TEACHING, CLASS, DENY, "L6"),
    Case(
        "L9",
        from_life(**agreed(TEACHING, **IDENTIFIABLY), **GROWN_UP | {"maturity": Maturity.CHILD}),
        TEACHING,
        CLASS,
        REQUIRES,
        "L5",
    ),
    Case(
        "L9",
        from_life(
            **agreed(TEACHING, **IDENTIFIABLY),
            **GROWN_UP | {"maturity": Maturity.CHILD},
            records=frozenset({Record.CHILDS_CONSENT}),
        ),
        TEACHING,
        CLASS,
        ALLOW,
        "L5",
    ),
    Case(
        "L9/2",
        from_life(
            **agreed(TEACHING, **IDENTIFIABLY),
            **GROWN_UP | {"maturity": Maturity.CHILD_NOW_ADULT},
            records=frozenset({Record.CHILDS_CONSENT}),
        ),
        TEACHING,
        CLASS,
        REQUIRES,
        "L5",
    ),
    Case(
        "L9/2",
        from_life(
            **agreed(TEACHING, **IDENTIFIABLY),
            **GROWN_UP | {"maturity": Maturity.CHILD_NOW_ADULT},
            records=frozenset({Record.CHILDS_CONSENT, Record.OFFER_AT_MATURITY}),
        ),
        TEACHING,
        CLASS,
        ALLOW,
        "L5",
    ),
    Case(
        "L9/2",
        from_life(
            **agreed(TEACHING, **IDENTIFIABLY),
            **GROWN_UP | {"maturity": Maturity.UNKNOWN},
            records=frozenset({Record.CHILDS_CONSENT}),
        ),
        TEACHING,
        CLASS,
        REQUIRES,
        "L5",
    ),
    Case(
        "L10",
        from_life(**agreed(TEACHING, **IDENTIFIABLY), **GROWN_UP | {"had_capacity": Answer.NO}),
        TEACHING,
        CLASS,
        REQUIRES,
        "L5",
    ),
    Case(
        "L10",
        from_life(
            **agreed(TEACHING, **IDENTIFIABLY), maturity=Maturity.ADULT, records=frozenset({Record.BEST_INTERESTS})
        ),
        TEACHING,
        CLASS,
        ALLOW,
        "L5",
    ),
    Case("L11", from_life(**ANONYMISED, pre_1997_collection=True), TEACHING, CLASS, ALLOW, "L11"),
    Case("L11/2", from_life(pre_1997_collection=True), TEACHING, CLASS, DENY, "L11/2"),
    Case(
        "L5",
        from_life(pre_1997_collection=True, **agreed(TEACHING, **IDENTIFIABLY), **GROWN_UP),
        TEACHING,
        CLASS,
        ALLOW,
        "L5",
    ),
    Case("D0", from_life(vital=Vital.DEAD), CARE, CARE_TEAM, REQUIRES, "D0"),
    Case(
        "D0", from_life(vital=Vital.DEAD, records=frozenset({Record.CLINICAL_AUTHORITY})), CARE, CARE_TEAM, ALLOW, "D0"
    ),
    Case("D1", from_life(vital=Vital.DEAD, **agreed(TEACHING, **IDENTIFIABLY)), TEACHING, CLASS, REQUIRES, "D1"),
    Case(
        "D1",
        from_life(
            vital=Vital.DEAD, **agreed(TEACHING, **IDENTIFIABLY), records=frozenset({Record.FAMILY_CONSULTATION})
        ),
        TEACHING,
        CLASS,
        ALLOW,
        "D1",
    ),
    Case("D2", from_life(vital=Vital.DEAD, **CODED), TEACHING, CLASS, ALLOW, "D2"),
    Case("D2", from_life(vital=Vital.DEAD, **ANONYMISED), RESEARCH, PROJECT, ALLOW, "D2"),
    Case("D3", from_life(vital=Vital.DEAD, **agreed(TEACHING)), TEACHING, CLASS, DENY, "D3"),
    Case("D3", from_life(vital=Vital.DEAD), TEACHING, CLASS, DENY, "D3"),
    # Post-mortem tissue
    Case("M1", post_mortem(), CAUSE_OF_DEATH, LABORATORY, ALLOW, "M1", holds_key=True),
    Case("M1", coroners(consent=Consent.REFUSED), CAUSE_OF_DEATH, CARE_TEAM, ALLOW, "M1"),
    Case("M15", post_mortem(), CARE, CARE_TEAM, REQUIRES, "M15"),
    Case("M15", coroners(records=frozenset({Record.CLINICAL_AUTHORITY})), CARE, CARE_TEAM, ALLOW, "M15"),
    Case(
        "M2",
        post_mortem(**CODED, consent=Consent.WITH_POST_MORTEM, covers=frozenset({RESEARCH})),
        RESEARCH,
        PROJECT,
        ALLOW,
        "M2",
    ),
    Case("M2b", post_mortem(**CODED, **agreed_separately(TEACHING)), TEACHING, CLASS, ALLOW, "M2b"),
    Case("M2b", coroners(**ANONYMISED, **CLOSED, **agreed_separately(AUDIT)), AUDIT, LABORATORY, ALLOW, "M2b"),
    Case("M3", post_mortem(**agreed_separately(TEACHING, **IDENTIFIABLY)), TEACHING, CLASS, ALLOW, "M3"),
    Case("M3/2", post_mortem(**agreed_separately(TEACHING)), TEACHING, CLASS, DENY, "M3/2"),
    Case("M3/2", post_mortem(**agreed_separately(TEACHING, **IDENTIFIABLY)), TEACHING, LABORATORY, DENY, "M3/2"),
    Case("M4", post_mortem(**CODED, **agreed_separately(RESEARCH)), TEACHING, CLASS, DENY, "M4"),
    Case("M4", post_mortem(consent=Consent.WITH_POST_MORTEM), AUDIT, PROJECT, DENY, "M4"),
    Case("M5", post_mortem(**CODED, consent=Consent.NOT_FORESEEN), TEACHING, CLASS, ALLOW, "M5"),
    Case("M6", post_mortem(consent=Consent.NOT_FORESEEN), TEACHING, CLASS, DENY, "M6"),
    Case(
        "M6",
        post_mortem(**CODED | {"might_identify": MightIdentify(Grade.YES)}, consent=Consent.NOT_FORESEEN),
        TEACHING,
        CLASS,
        DENY,
        "M6",
    ),
    Case("M7", post_mortem(**ANONYMISED, consent=Consent.FORESEEN_NOT_ASKED), RESEARCH, PROJECT, DENY, "M7"),
    Case("M10", post_mortem(consent=Consent.NOT_RECORDED), TEACHING, CLASS, DENY, "M10"),
    Case("M11", post_mortem(**ANONYMISED, consent=Consent.NOT_RECORDED), TEACHING, CLASS, DENY, "M11"),
    Case("M14", post_mortem(**CODED, consent=Consent.NOT_FORESEEN), TEACHING, CLASS, ALLOW, "M5"),
    # When it was recorded
    Case("R1", post_mortem(**CODED, recorded=Recorded.FOR_SECONDARY_PURPOSE), TEACHING, CLASS, DENY, "M11"),
    Case("R2", post_mortem(**CODED, recorded=Recorded.LATER), TEACHING, CLASS, DENY, "M11"),
    # No row
    Case("default", from_life(**ANONYMISED, vital=Vital.ALIVE), CARE, PUBLIC, DENY, "default"),
    Case("default", from_life(), KEEP, PROJECT, DENY, "default"),
    Case("default", from_life(), CARE, CLASS, DENY, "default"),
    Case("default", post_mortem(), CAUSE_OF_DEATH, PROJECT, DENY, "default"),
    Case(
        "default",
        post_mortem(**CODED, **agreed_separately(TEACHING, giver_entitled=Answer.UNKNOWN)),
        TEACHING,
        CLASS,
        DENY,
        "default",
    ),
    Case("default", post_mortem(**CODED, **agreed(TEACHING)), TEACHING, CLASS, DENY, "default"),
]

NEXT_DOOR = [
    # Each stands just outside of the row that it is named after, which must not reach that far.
    Case("N1", from_life(**ANONYMISED, consent=Consent.REFUSED), CARE, PUBLIC, DENY, "N1"),
    Case("N2", post_mortem(consent=Consent.WITHDRAWN), CAUSE_OF_DEATH, CARE_TEAM, ALLOW, "M1"),
    Case("N2", from_life(consent=Consent.WITHDRAWN), CARE, CARE_TEAM, ALLOW, "L1"),
    Case("M12", coroners(consent=Consent.WITH_POST_MORTEM), CARE, CARE_TEAM, REQUIRES, "M15"),
    Case("M12", coroners(**ANONYMISED, consent=Consent.WITH_POST_MORTEM), CARE, PUBLIC, DENY, "M12"),
    Case(
        "M12",
        from_life(**CODED, authority=Authority.CORONER, consent=Consent.WITH_POST_MORTEM),
        TEACHING,
        CLASS,
        ALLOW,
        "L3",
    ),
    Case(
        "M13",
        post_mortem(**CODED, consent=Consent.NOT_FORESEEN, authority_open=Answer.YES),
        TEACHING,
        CLASS,
        ALLOW,
        "M5",
    ),
    Case("P1", from_life(**ANONYMISED | {"might_identify": SCREENED}, vital=Vital.ALIVE), TEACHING, PUBLIC, DENY, "P1"),
    Case(
        "P5",
        post_mortem(**ANONYMISED, **agreed_separately(TEACHING, **PUBLICLY, giver_entitled=Answer.NO)),
        TEACHING,
        PUBLIC,
        DENY,
        "default",
    ),
    Case("P6", post_mortem(**ANONYMISED, consent=Consent.NOT_FORESEEN), CARE, PUBLIC, DENY, "default"),
    Case("L11", from_life(**ANONYMISED, pre_1997_collection=True), CARE, CLASS, DENY, "default"),
    Case("L11", from_life(**CODED, pre_1997_collection=True), TEACHING, CLASS, ALLOW, "L3"),
    Case("L11/2", from_life(pre_1997_collection=True, vital=Vital.DEAD), CARE, CARE_TEAM, REQUIRES, "D0"),
    Case("D1", from_life(**CODED, vital=Vital.DEAD, **agreed(TEACHING, **IDENTIFIABLY)), TEACHING, CLASS, ALLOW, "D2"),
    Case(
        "D1", post_mortem(vital=Vital.DEAD, **agreed_separately(TEACHING, **IDENTIFIABLY)), TEACHING, CLASS, ALLOW, "M3"
    ),
    Case("D2", post_mortem(**CODED, vital=Vital.DEAD), CARE, CARE_TEAM, REQUIRES, "M15"),
    Case("D3", post_mortem(vital=Vital.DEAD), CAUSE_OF_DEATH, LABORATORY, ALLOW, "M1"),
    Case("M15", post_mortem(), CARE, CLASS, DENY, "default"),
    Case(
        "M2",
        post_mortem(**CODED, consent=Consent.WITH_POST_MORTEM, covers=frozenset({RESEARCH})),
        TEACHING,
        CLASS,
        DENY,
        "M4",
    ),
    Case(
        "M2", post_mortem(consent=Consent.WITH_POST_MORTEM, covers=frozenset({TEACHING})), TEACHING, CLASS, DENY, "M3/2"
    ),
    Case(
        "M3",
        post_mortem(consent=Consent.NOT_RECORDED, covers=frozenset({TEACHING}), **IDENTIFIABLY),
        TEACHING,
        CLASS,
        DENY,
        "M10",
    ),
    Case("M3/2", post_mortem(consent=Consent.NOT_FORESEEN, covers=frozenset({TEACHING})), TEACHING, CLASS, DENY, "M6"),
    Case("M4", post_mortem(**agreed_separately(RESEARCH)), CAUSE_OF_DEATH, PROJECT, DENY, "default"),
    Case("M5", post_mortem(**CODED, consent=Consent.NOT_FORESEEN), CARE, PROJECT, DENY, "default"),
    Case("M6", post_mortem(consent=Consent.NOT_FORESEEN), CARE, PROJECT, DENY, "default"),
    Case("M7", post_mortem(consent=Consent.FORESEEN_NOT_ASKED), CARE, PROJECT, DENY, "default"),
]


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.touched}-{case.purpose}-{case.recipient}".replace(" ", "_")
)
def test_row(case):
    decision = decide(case.facts, case.purpose, case.recipient, holds_key=case.holds_key)
    assert (decision.verdict, decision.decided_by.key) == (case.verdict, case.decided_by)
    assert case.touched in [row.key for row in decision.trail]
    assert decision.row == case.decided_by.partition("/")[0]


@pytest.mark.parametrize("case", NEXT_DOOR, ids=lambda case: f"next_to_{case.touched}-{case.decided_by}")
def test_a_row_reaches_no_further_than_it_says(case):
    decision = decide(case.facts, case.purpose, case.recipient, holds_key=case.holds_key)
    assert (decision.verdict, decision.decided_by.key) == (case.verdict, case.decided_by)


def test_every_row_about_the_picture_has_its_case():
    assert {case.touched for case in CASES} == {row.key for row in TABLE if row.effect is not Effect.GLASS}


def test_every_record_that_a_row_asks_for_lifts_exactly_its_requirement():
    for case in CASES:
        decision = decide(case.facts, case.purpose, case.recipient, holds_key=case.holds_key)
        if decision.verdict is not REQUIRES:
            continue
        missing = {Record(obligation.code) for obligation in decision.obligations if obligation.code in set(Record)}
        assert missing
        assert not missing & case.facts.records
        granted = replace(case.facts, records=case.facts.records | missing)
        assert decide(granted, case.purpose, case.recipient, holds_key=case.holds_key).allowed
        for record in missing:
            partial = replace(granted, records=granted.records - {record})
            again = decide(partial, case.purpose, case.recipient, holds_key=case.holds_key)
            assert again.verdict is REQUIRES
            assert [obligation.code for obligation in again.obligations if obligation.code in set(Record)] == [record]
