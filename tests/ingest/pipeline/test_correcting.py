"""A correction is planned, shown and carried out; a plan that is out of date undoes nothing."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from archive.consent import Facts
from archive.consent.terms import Consent, Jurisdiction, TissueSource, Vital
from archive.errors import FreeTextRefused, InvalidValue, UnknownCode
from archive.records import Concept, HeldSlide, Scheme, Stain
from ingest.delivery import Feed
from ingest.delivery.mending import read_settings
from ingest.pipeline.correcting import NOTHING, SlideWords, carry_out, finish_begun, plan_case, plan_slide
from tests.ingest.pipeline.conftest import LIVING, Laboratory
from tests.slides.svs import make_svs

OLD, NEW, CASE = "H-0011223344", "H-0055667788", "S26-0012345"
SAID = {"who": "a.clinician", "reason": "wrong row on the list"}


@pytest.fixture
def held(laboratory: Laboratory, tmp_path: Path) -> HeldSlide:
    file = make_svs(tmp_path / "one.svs", width=300, height=200, tile=(128, 128), factors=(1,)).path
    return laboratory.archive.slide(laboratory.take_in(file, patient=OLD, case=CASE).slide_code)


def correct(laboratory: Laboratory, held: HeldSlide, words: SlideWords, *settings: str) -> HeldSlide:
    both = laboratory.archive, laboratory.vault
    carry_out(plan_slide(*both, str(held.code), words, read_settings(settings), **SAID), *both, who=SAID["who"])
    return laboratory.archive.slide(held.code)


def mend(laboratory: Laboratory, *settings: str) -> None:
    both = laboratory.archive, laboratory.vault
    carry_out(plan_case(*both, CASE, read_settings(settings), **SAID), *both, who=SAID["who"])


def test_a_new_case_has_the_facts_that_a_list_of_the_default_feed_would_tell(
    laboratory: Laboratory, held: HeldSlide
) -> None:
    feed = Feed(
        name="surgical",
        source=TissueSource.LIVING,
        jurisdiction=Jurisdiction.SCOTLAND,
        attested_by="Dr A. Curator",
        review_date=date(2030, 1, 1),
        post_mortem_patterns=("PM*",),
        default=True,
    )
    laboratory.vault.declare("feed", feed.name, feed.to_json(), who="laboratory")
    after = correct(laboratory, held, SlideWords(case="S26-2", patient=NEW), "vital=dead")
    told = Facts(source=TissueSource.LIVING, jurisdiction=Jurisdiction.SCOTLAND, vital=Vital.DEAD)
    assert laboratory.archive.facts_of(after.record.key) == told
    assert laboratory.archive.facts_of(after.record.key) != LIVING


def test_a_known_case_brings_its_patient_and_its_facts(laboratory: Laboratory, held: HeldSlide, tmp_path: Path) -> None:
    file = make_svs(tmp_path / "two.svs", width=310, height=200, tile=(128, 128), factors=(1,)).path
    refused = replace(LIVING, consent=Consent.REFUSED)
    other = laboratory.take_in(file, refused, patient=NEW, case="S26-2", block="B7")
    with pytest.raises(InvalidValue, match="coverslip correct case"):
        correct(laboratory, held, SlideWords(case="S26-2"), "vital=dead")
    after = correct(laboratory, held, SlideWords(case="s26-2", block="B7", number="2"))
    assert (after.case_code, after.patient_code) == (other.case_code, other.patient_code)
    assert laboratory.archive.facts_of(after.record.key) == refused
    taken = SlideWords(number="1")
    with pytest.raises(InvalidValue, match="another slide's"):
        correct(laboratory, held, taken)


def test_a_number_that_two_patients_have_is_asked_about(
    laboratory: Laboratory, held: HeldSlide, tmp_path: Path
) -> None:
    for number, patient in enumerate((OLD, NEW)):
        file = make_svs(tmp_path / f"{number}.svs", width=310, height=210 + number, tile=(128, 128), factors=(1,)).path
        laboratory.take_in(file, patient=patient, case="S26-2")
    with pytest.raises(InvalidValue, match="several patients"):
        correct(laboratory, held, SlideWords(case="S26-2", number="7"))
    with pytest.raises(InvalidValue, match="--now-under"):
        plan_case(laboratory.archive, laboratory.vault, "S26-2", read_settings(["vital=dead"]), **SAID)
    asked = read_settings(["vital=dead"])
    plan = plan_case(laboratory.archive, laboratory.vault, "S26-2", asked, now_under=NEW, **SAID)
    carry_out(plan, laboratory.archive, laboratory.vault, who="a.clinician")
    found = laboratory.vault.directory.find_case("S26-2", who="a.clinician", purpose="a test")
    told = {case.patient: laboratory.archive.case(case.key) for case in found}
    new = laboratory.vault.directory.patient_of(NEW)
    assert {key == new: case.facts.vital for key, case in told.items() if case} == {
        True: Vital.DEAD,
        False: Vital.UNKNOWN,
    }
    with pytest.raises(InvalidValue, match="one by one"):
        plan_case(laboratory.archive, laboratory.vault, "S26-2", patient=OLD, now_under=NEW, **SAID)


@pytest.mark.parametrize(
    ("word", "command"), [("withdrawn", "coverslip consent withdraw"), ("refused", "coverslip consent record")]
)
def test_what_ends_use_is_an_act_of_its_own_and_no_correction(
    laboratory: Laboratory, held: HeldSlide, word: str, command: str
) -> None:
    both, asked = (laboratory.archive, laboratory.vault), read_settings([f"consent={word}", "vital=dead"])
    with pytest.raises(InvalidValue, match=command):
        plan_case(*both, CASE, asked, **SAID)
    assert laboratory.archive.facts_of(held.record.key) == LIVING


def test_a_case_that_a_list_told_to_have_refused_can_be_corrected_otherwise(
    laboratory: Laboratory, tmp_path: Path
) -> None:
    file = make_svs(tmp_path / "two.svs", width=310, height=200, tile=(128, 128), factors=(1,)).path
    code = laboratory.take_in(file, replace(LIVING, consent=Consent.REFUSED), case=CASE).slide_code
    slide = laboratory.archive.slide(code)
    mend(laboratory, "vital=dead")
    facts = laboratory.archive.facts_of(slide.record.key)
    assert (facts.consent, facts.vital) == (Consent.REFUSED, Vital.DEAD)
    mend(laboratory, "consent=")
    assert laboratory.archive.facts_of(slide.record.key).consent is Consent.UNKNOWN


@pytest.mark.parametrize("later", [("consent=obtained", "covers=teaching"), ("vital=dead",)])
def test_a_plan_that_is_out_of_date_undoes_nothing(
    laboratory: Laboratory, held: HeldSlide, later: tuple[str, ...]
) -> None:
    both = laboratory.archive, laboratory.vault
    of_case = plan_case(*both, CASE, read_settings(["vital=alive"]), **SAID)
    of_slide = plan_slide(*both, str(held.code), SlideWords(organ=Concept(Scheme.ICD_O_3, "C18.9")), **SAID)
    mend(laboratory, *later)
    recorded = laboratory.archive.facts_of(held.record.key)
    for plan in (of_case, of_slide):
        with pytest.raises(InvalidValue, match="plan it again"):
            carry_out(plan, *both, who="a.clinician")
    assert laboratory.archive.facts_of(held.record.key) == recorded
    assert laboratory.vault.corrections.begun() == ()


def test_a_plan_is_carried_out_once(laboratory: Laboratory, held: HeldSlide) -> None:
    both = laboratory.archive, laboratory.vault
    plan = plan_slide(*both, str(held.code), SlideWords(stain=Stain.PAS), **SAID)
    carry_out(plan, *both, who="a.clinician")
    with pytest.raises(InvalidValue, match="plan it again"):
        carry_out(plan, *both, who="a.clinician")


def test_what_is_stored_is_searched_when_and_only_when_somebody_else_is_meant(
    laboratory: Laboratory, held: HeldSlide
) -> None:
    both, stored = (laboratory.archive, laboratory.vault), sum(scan.record.stored_bytes for scan in held.scans)
    moves = plan_slide(*both, str(held.code), SlideWords(patient=NEW), **SAID)
    assert (moves.searched.stored_bytes, moves.searched.found_in) == (stored, frozenset())
    stays = plan_slide(*both, str(held.code), SlideWords(block="B7"), **SAID)
    assert stays.searched.stored_bytes == 0
    owned = plan_case(*both, CASE, patient=NEW, **SAID)
    assert owned.searched.stored_bytes == stored


def test_to_plan_makes_no_patient_and_no_case(laboratory: Laboratory, held: HeldSlide) -> None:
    plan_slide(laboratory.archive, laboratory.vault, str(held.code), SlideWords(patient=NEW, case="S26-2"), **SAID)
    assert laboratory.vault.directory.patient_of(NEW) is None
    assert laboratory.vault.directory.case_of(OLD, "S26-2") is None


def test_what_was_begun_is_finished_before_anything_else_is_planned(laboratory: Laboratory, held: HeldSlide) -> None:
    both = laboratory.archive, laboratory.vault
    plan_slide(*both, str(held.code), SlideWords(patient=NEW), **SAID).begin(*both, "a.clinician")
    assert laboratory.archive.slide(held.code) == held
    plan = plan_slide(*both, str(held.code), SlideWords(block="B7"), **SAID)
    after = laboratory.archive.slide(held.code)
    assert after.patient_code != held.patient_code
    assert plan.correction.case.key == after.record.case
    assert finish_begun(*both) == 0


def test_nothing_is_planned_without_a_reason_that_names_nobody(laboratory: Laboratory, held: HeldSlide) -> None:
    both, head = (laboratory.archive, laboratory.vault), laboratory.vault.trail_head()
    for reason in ("", f"was {CASE}"):
        with pytest.raises(FreeTextRefused):
            plan_slide(*both, str(held.code), SlideWords(patient=NEW), who="a.clinician", reason=reason)
        with pytest.raises(FreeTextRefused):
            plan_case(*both, CASE, read_settings(["vital=dead"]), who="a.clinician", reason=reason)
    assert laboratory.vault.trail_head() == head


def test_what_is_not_there_or_changes_nothing_is_told(laboratory: Laboratory, held: HeldSlide) -> None:
    both = laboratory.archive, laboratory.vault
    with pytest.raises(UnknownCode):
        plan_case(*both, "S99-1", read_settings(["vital=dead"]), **SAID)
    with pytest.raises(InvalidValue, match="recorded so already"):
        plan_case(*both, CASE, NOTHING, **SAID)
    with pytest.raises(InvalidValue, match="recorded so already"):
        plan_slide(*both, str(held.code), SlideWords(case=CASE.lower(), block="a1", stain=Stain.HE), **SAID)
