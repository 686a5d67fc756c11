"""What was recorded wrongly is recorded anew, once; the trail tells how it was; what may not be kept is put away."""

import json
from dataclasses import replace

import pytest

from archive.catalogue import LABORATORY, audit, codes, doubt, redactions, searching, slides
from archive.codes import Kind, new_key
from archive.consent import Facts, Purpose, Recipient
from archive.consent.terms import Authority, Consent, TissueSource, Vital
from archive.errors import FreeTextRefused, InvalidValue, UnknownCode
from archive.holdings import Archive
from archive.holdings.correction import Correction, carry_out
from archive.holdings.prospect import foresee
from archive.records import CaseRecord, Concept, HeldSlide, ScanStatus, Scheme, SlideRecord, Stain
from archive.teaching import compose, shown_collections
from tests.archive.holdings.committing import commit_one
from tests.archive.holdings.pictured import NAME, hold

WHY = "wrong patient on the list"
COLON = Concept(Scheme.ICD_O_3, "C18.9")
AUTOPSY = Facts(source=TissueSource.POST_MORTEM, authority=Authority.CORONER)
"""Nothing else is known of it: row K3 does not let the laboratory keep its picture."""


@pytest.fixture
def held(archive: Archive) -> HeldSlide:
    return archive.slide(commit_one(archive).slide_code)


def case_of(archive: Archive, slide: HeldSlide) -> CaseRecord:
    case = archive.case(slide.record.case)
    assert case is not None
    return case


def told(archive: Archive) -> list[dict[str, object]]:
    with archive.catalogue.reading() as connection:
        return [json.loads(entry.text) for entry in audit.entries(connection)]


def mended(archive: Archive, slide: HeldSlide, facts: Facts) -> Correction:
    return Correction(replace(case_of(archive, slide), facts=facts), None, WHY)


def moved(slide: HeldSlide, case: CaseRecord, **more: object) -> Correction:
    record = replace(slide.record, case=case.key, block=new_key(), **more)  # type: ignore[arg-type]
    return Correction(case, record, WHY)


def new_case(facts: Facts | None = None) -> CaseRecord:
    return CaseRecord(new_key(), new_key(), facts or Facts(source=TissueSource.LIVING))


def test_a_slide_moves_to_a_new_case_and_keeps_its_code_and_its_scans(archive: Archive, held: HeldSlide) -> None:
    case = new_case()
    assert carry_out(archive, moved(held, case))
    after = archive.slide(held.code)
    assert after.record.case == case.key
    assert (after.scans, after.record.stain) == (held.scans, held.record.stain)
    assert after.case_code != held.case_code
    assert after.patient_code != held.patient_code
    assert archive.case(case.key) == case
    assert archive.case(held.record.case) is not None  # what is recorded of its consent must not be forgotten
    assert archive.audit_faults() == ()


def test_the_trail_tells_each_field_as_it_was_in_codes_only(archive: Archive, held: HeldSlide) -> None:
    case = new_case()
    carry_out(archive, moved(held, case, stain=Stain.PAS, organ=COLON))
    after, entry = archive.slide(held.code), told(archive)[-1]
    assert (entry["act"], entry["slide"], entry["reason"]) == ("correct slide", str(held.code), WHY)
    assert entry["changed"] == {
        "case": [str(held.case_code), str(after.case_code)],
        "patient": [str(held.patient_code), str(after.patient_code)],
        "block": "another",
        "stain": ["H&E", "PAS"],
        "organ": [None, "ICD-O-3 C18.9"],
    }
    keys = {held.record.key, held.record.case, case.key, case.patient}
    assert not [key for key in keys if key in json.dumps(entry)]


def test_the_same_correction_twice_is_recorded_once(archive: Archive, held: HeldSlide) -> None:
    for correction in (moved(held, new_case()), mended(archive, held, AUTOPSY)):
        assert carry_out(archive, correction)
        before = told(archive)
        assert not carry_out(archive, correction)
        assert told(archive) == before


def test_a_slide_that_moves_changes_nothing_of_a_case_that_is_known(archive: Archive, held: HeldSlide) -> None:
    other = archive.slide(commit_one(archive).slide_code)
    facts = Facts(source=TissueSource.LIVING, consent=Consent.REFUSED)
    archive.record_facts(other.record.case, facts, reason="a letter")
    known = replace(case_of(archive, other), facts=Facts(source=TissueSource.LIVING))
    carry_out(archive, moved(held, known))
    assert archive.facts_of(held.record.key) == facts
    decision = archive.decide(held.record.key, Purpose.TEACHING, Recipient.CLASS)
    assert (decision.allowed, decision.row) == (False, "N1")


def test_a_case_moves_to_another_patient_with_all_its_slides(archive: Archive, held: HeldSlide) -> None:
    patient = new_key()
    carry_out(archive, Correction(replace(case_of(archive, held), patient=patient), None, WHY))
    after = archive.slide(held.code)
    assert (after.case_code, after.record) == (held.case_code, held.record)
    assert after.patient_code != held.patient_code
    assert told(archive)[-1]["changed"] == {"patient": [str(held.patient_code), str(after.patient_code)]}


def test_facts_are_mended_and_told_as_they_were_and_are(archive: Archive, held: HeldSlide) -> None:
    facts = Facts(source=TissueSource.LIVING, consent=Consent.REFUSED, vital=Vital.DEAD)
    carry_out(archive, mended(archive, held, facts))
    assert archive.facts_of(held.record.key) == facts
    entry = told(archive)[-1]
    assert (entry["act"], entry["case"]) == ("correct case", str(held.case_code))
    assert entry["changed"] == {"consent": ["unknown", "refused"], "vital": ["unknown", "dead"]}


def test_what_may_not_be_kept_is_quarantined_and_kept_again_once_it_may(archive: Archive, held: HeldSlide) -> None:
    scan = held.scans[0].record.key
    carry_out(archive, mended(archive, held, AUTOPSY))
    assert archive.scans_of(held.record.key)[0].status is ScanStatus.QUARANTINED
    assert told(archive)[-1]["scans"] == {str(held.scans[0].code): ["kept", "quarantined"]}
    with pytest.raises(UnknownCode):
        archive.open_pyramid(scan)
    with pytest.raises(UnknownCode):
        archive.decide(held.record.key, Purpose.CARE, Recipient.LABORATORY)
    assert archive.place.of_scan(scan).is_dir()  # nothing is deleted
    carry_out(archive, mended(archive, held, Facts(source=TissueSource.LIVING)))
    assert archive.scans_of(held.record.key)[0].status is ScanStatus.KEPT


@pytest.mark.parametrize("status", [ScanStatus.WITHDRAWN, ScanStatus.DAMAGED])
def test_what_was_put_away_for_another_reason_stays_so(archive: Archive, held: HeldSlide, status: ScanStatus) -> None:
    archive.set_status(held.scans[0].record.key, status, reason="a test")
    for facts in (AUTOPSY, Facts(source=TissueSource.LIVING)):
        carry_out(archive, mended(archive, held, facts))
        assert archive.scans_of(held.record.key)[0].status is status


def test_a_damaged_scan_that_may_not_be_kept_any_more_is_not_kept_again_once_it_is_whole(
    archive: Archive, held: HeldSlide
) -> None:
    (scan,) = held.scans
    archive.set_status(scan.record.key, ScanStatus.DAMAGED, reason="found by a check")
    carry_out(archive, mended(archive, held, AUTOPSY))
    archive.set_status(scan.record.key, ScanStatus.KEPT, reason="repaired")
    assert archive.scans_of(held.record.key)[0].status is ScanStatus.QUARANTINED


def test_what_is_made_black_meanwhile_does_not_open_for_a_patient_in_doubt(archive: Archive) -> None:
    one = hold(archive)
    with archive.catalogue.writing() as writing:
        doubt.record_loss(writing.connection)
        redactions.add(writing.connection, one.key, [NAME], act=1)
        slides.set_status(writing.connection, one.key, ScanStatus.REDACTING)
        writing.tell("a test")
    carry_out(archive, moved(archive.slide(one.slide), new_case()))
    assert archive.recover().redacted == (one.code,)
    scan = archive.scan(one.key)
    assert scan is not None
    assert scan.record.status is ScanStatus.UNREVIEWED


def test_a_scan_with_an_identifier_of_its_new_case_is_withdrawn_for_good(archive: Archive, held: HeldSlide) -> None:
    correction = replace(moved(held, new_case()), withhold=frozenset({held.scans[0].record.key}))
    carry_out(archive, correction)
    assert archive.scans_of(held.record.key)[0].status is ScanStatus.WITHDRAWN
    carry_out(archive, mended(archive, archive.slide(held.code), Facts(source=TissueSource.LIVING, vital=Vital.DEAD)))
    assert archive.scans_of(held.record.key)[0].status is ScanStatus.WITHDRAWN


def test_every_project_that_names_the_slide_can_name_its_new_case(archive: Archive, held: HeldSlide) -> None:
    with archive.catalogue.writing() as writing:
        number = codes.add_project(writing.connection, "trial")
        for kind, key in ((Kind.SLIDE, held.record.key), (Kind.CASE, held.record.case)):
            codes.add_code(writing.connection, number, kind, key)
        codes.add_code(writing.connection, number, Kind.PATIENT, case_of(archive, held).patient)
        writing.tell("a test")
    case = new_case()
    correction = moved(held, case)
    assert foresee(archive, correction).projects == ("trial",)
    carry_out(archive, correction)
    (in_trial,) = archive.slides("trial")
    assert in_trial.record.case == case.key
    assert in_trial.case_code != archive.slide(held.code, LABORATORY).case_code


def test_what_cohorts_ask_about_follows(archive: Archive, held: HeldSlide) -> None:
    for correction in (moved(held, new_case(), stain=Stain.PAS), mended(archive, held, AUTOPSY)):
        carry_out(archive, correction)
        with archive.catalogue.reading() as connection:
            assert searching.stale(connection) == 0


def test_a_prospect_is_what_comes_of_it(archive: Archive, held: HeldSlide) -> None:
    compose(archive, "Liver", [held.code])
    correction = moved(held, new_case(AUTOPSY))
    before = told(archive)
    prospect = foresee(archive, correction)
    assert told(archive) == before
    assert prospect.slides == (held.code,)
    assert prospect.changed["case"] == [str(held.case_code), "a new one"]
    answers = {(answer.purpose, answer.recipient): answer for answer in prospect.answers}
    assert {key: (one.before.allowed, one.after.allowed) for key, one in answers.items()} == {
        (Purpose.KEEP, Recipient.LABORATORY): (True, False),
        (Purpose.TEACHING, Recipient.CLASS): (True, False),
        (Purpose.RESEARCH, Recipient.PROJECT): (True, False),
    }
    assert [(one.collection, one.before, one.after) for one in prospect.showings] == [("Liver", True, False)]
    assert [(one.before, one.after) for one in prospect.put_away] == [(ScanStatus.KEPT, ScanStatus.QUARANTINED)]
    assert [one.name for one in shown_collections(archive)] == ["Liver"]
    carry_out(archive, correction)
    assert shown_collections(archive) == ()
    back = foresee(archive, Correction(new := new_case(), replace(held.record, case=new.key), WHY))
    assert [(one.before, one.after) for one in back.showings] == [(False, True)]
    assert back.put_away == ()


def test_nobody_foresees_what_is_not_there(archive: Archive) -> None:
    case = new_case()
    for slide in (None, SlideRecord(new_key(), case.key)):
        with pytest.raises(UnknownCode):
            foresee(archive, Correction(case, slide, WHY))
        assert not carry_out(archive, Correction(case, slide, WHY))


def test_a_correction_is_written_down_and_read_again(archive: Archive, held: HeldSlide) -> None:
    correction = replace(moved(held, new_case(AUTOPSY), organ=COLON), withhold=frozenset({new_key()}))
    assert Correction.from_json(correction.to_json()) == correction
    of_case = mended(archive, held, AUTOPSY)
    assert Correction.from_json(of_case.to_json()) == of_case


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"case": null, "slide": null, "reason": "x", "withhold": []}'])
def test_what_is_no_correction_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="restore the vault"):
        Correction.from_json(text)


def test_a_reason_names_nobody(held: HeldSlide) -> None:
    with pytest.raises(FreeTextRefused):
        Correction(new_case(), None, "was S26-0012345")
