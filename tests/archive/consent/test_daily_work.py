"""What a laboratory does a thousand times a day needs no question; a post-mortem needs what RULES asks, and no more."""

from dataclasses import replace

import pytest

from archive.consent import Purpose, Recipient, Verdict, decide
from archive.consent.terms import Answer, Authority, Consent, Recorded, State
from tests.archive.consent.cases import ANONYMISED, CODED, LOOKED_AT, SCREENED, from_life, post_mortem

AS_INGESTED = {"state": State.CODED, "report_bound": True, "might_identify": SCREENED}
SURGICAL = from_life(**AS_INGESTED)


def test_a_surgical_slide_is_kept_without_a_question():
    decision = decide(SURGICAL, Purpose.KEEP, Recipient.LABORATORY)
    assert (decision.verdict, decision.row, decision.obligations) == (Verdict.ALLOW, "K1", ())


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose.secondary])
@pytest.mark.parametrize("recipient", [Recipient.CLASS, Recipient.PROJECT, Recipient.CARE_TEAM])
def test_a_surgical_slide_is_shown_coded_to_a_known_group_without_a_question(purpose, recipient):
    decision = decide(SURGICAL, purpose, recipient, holds_key=False)
    assert (decision.verdict, decision.row, decision.obligations) == (Verdict.ALLOW, "L3", ())
    assert (decision.basis, decision.paragraph) == ("guidance", "7, 17")


def test_only_what_bears_on_an_answer_is_told():
    plain = from_life()
    unheard = post_mortem(
        **ANONYMISED, consent=Consent.SEPARATELY, covers=frozenset({Purpose.TEACHING}), covers_publication=Answer.YES
    )
    for facts, purpose, recipient, rows in [
        (plain, Purpose.KEEP, Recipient.LABORATORY, ["K1"]),
        (replace(plain, state=State.CODED), Purpose.CARE, Recipient.CARE_TEAM, ["L1"]),
        (post_mortem(state=State.CODED), Purpose.CAUSE_OF_DEATH, Recipient.LABORATORY, ["M1"]),
        (post_mortem(), Purpose.KEEP, Recipient.LABORATORY, ["K2"]),
        (post_mortem(), Purpose.CARE, Recipient.CLASS, ["default"]),
        (post_mortem(recorded=Recorded.LATER), Purpose.CARE, Recipient.CLASS, ["default"]),
        (unheard, Purpose.TEACHING, Recipient.PUBLIC, ["default"]),
        (post_mortem(consent=Consent.NOT_RECORDED), Purpose.TEACHING, Recipient.CLASS, ["M14", "R1", "M10"]),
        (plain, Purpose.TEACHING, Recipient.CLASS, ["L4"]),
        (SURGICAL, Purpose.TEACHING, Recipient.CLASS, ["L3"]),
        (post_mortem(**CODED), Purpose.TEACHING, Recipient.CLASS, ["Z5", "M14", "R1", "M11"]),
        (post_mortem(recorded=Recorded.LATER, **CODED), Purpose.AUDIT, Recipient.PROJECT, ["Z5", "R2", "M11"]),
    ]:
        for holds_key in (False, facts.state is State.CODED and not purpose.secondary):
            decision = decide(facts, purpose, recipient, holds_key=holds_key)
            assert [row.key for row in decision.trail] == rows


def test_who_may_look_codes_up_is_taken_to_hold_the_key_unless_said_otherwise():
    assert not decide(SURGICAL, Purpose.TEACHING, Recipient.CLASS).allowed


def test_a_post_mortem_slide_is_kept_once_its_authority_is_known():
    slide = post_mortem(**AS_INGESTED)
    assert decide(slide, Purpose.KEEP, Recipient.LABORATORY).row == "K2"
    unknown = decide(replace(slide, authority=Authority.UNKNOWN), Purpose.KEEP, Recipient.LABORATORY)
    assert (unknown.allowed, unknown.row) == (False, "K4")
    assert "quarantine" in unknown.obligations[0].what


def test_a_post_mortem_slide_is_taught_with_an_attestation_and_one_look_for_the_case():
    slide = post_mortem(**AS_INGESTED)
    assert not decide(slide, Purpose.TEACHING, Recipient.CLASS, holds_key=False).allowed
    attested = replace(slide, consent=Consent.NOT_FORESEEN)
    assert decide(attested, Purpose.TEACHING, Recipient.CLASS, holds_key=False).row == "M6"
    seen = replace(attested, might_identify=LOOKED_AT)
    assert decide(seen, Purpose.TEACHING, Recipient.CLASS, holds_key=False).row == "M5"


def test_no_consent_of_any_kind_publishes_a_coded_slide():
    for consent in Consent:
        slide = from_life(**CODED, consent=consent)
        assert not decide(slide, Purpose.TEACHING, Recipient.PUBLIC, holds_key=False).allowed
