"""What was said is recorded once and for good; facts, scans and the trail follow in the same act."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import update

from archive.catalogue import audit, checking, consents, searching, slides
from archive.catalogue.schema import cases
from archive.codes import InternalKey, new_key
from archive.consent import Facts, Purpose, Recipient
from archive.consent.records import ConsentRecord, Giver, Said
from archive.consent.terms import Answer, Authority, Consent, Record, Recorded, TissueSource, Vital
from archive.errors import FactsConflict, FreeTextRefused, InvalidValue, UnknownCode
from archive.holdings import Archive
from archive.holdings.consenting import Handled, Subject, annul, case_if, handle, of_case, of_patient, record
from archive.holdings.correction import Correction, carry_out
from archive.holdings.obligations import open_obligations
from archive.records import CaseRecord, HeldSlide, ScanStatus
from tests.archive.holdings.committing import commit_one

WHY = "form received"
REFUSAL = ConsentRecord(by="j.doe", said=Said.REFUSED, giver=Giver.SELF)
CONSENT = ConsentRecord(by="j.doe", said=Said.GIVEN, giver=Giver.SELF, purposes=frozenset({Purpose.TEACHING}))
DEAD = ConsentRecord(by="j.doe", established=Facts(vital=Vital.DEAD), tells=frozenset({"vital"}))
MADE_FOR_TEACHING = Facts(
    source=TissueSource.POST_MORTEM,
    authority=Authority.CORONER,
    authority_open=Answer.NO,
    recorded=Recorded.FOR_SECONDARY_PURPOSE,
    recorded_for=Purpose.TEACHING,
    consent=Consent.SEPARATELY,
    giver_entitled=Answer.YES,
    covers=frozenset({Purpose.TEACHING}),
    covers_identifiable=Answer.YES,
)


@pytest.fixture
def held(archive: Archive) -> HeldSlide:
    return archive.slide(commit_one(archive).slide_code)


def case_of(archive: Archive, slide: HeldSlide) -> CaseRecord:
    case = archive.case(slide.record.case)
    assert case is not None
    return case


def row(archive: Archive, slide: HeldSlide) -> str:
    return archive.decide(slide.record.key, Purpose.TEACHING, Recipient.CLASS).row


def said_of(archive: Archive, slide: HeldSlide, *said: ConsentRecord) -> None:
    for one in said:
        record(archive, Subject(case=slide.record.case), new_key(), one, reason=WHY)


def assert_sound(archive: Archive) -> None:
    """See that facts follow from records, that what cohorts search is not stale, and that the trail is whole."""
    with archive.catalogue.reading() as connection:
        assert list(checking.consent_faults(connection)) == []
        assert searching.stale(connection) == 0
    assert archive.audit_faults() == ()


def test_an_answer_counts_from_its_act_on_and_the_trail_tells_it_in_codes(archive: Archive, held: HeldSlide) -> None:
    key = new_key()
    outcome = record(archive, Subject(case=held.record.case), key, REFUSAL, reason=WHY)
    assert (outcome.subject, row(archive, held)) == (held.case_code, "N1")
    assert outcome.changed == {str(held.case_code): {"consent": ["unknown", "refused"]}}
    with archive.catalogue.reading() as connection:
        told = json.loads(audit.newest_text(connection) or "")
    assert (told["act"], told["case"], told["record"]) == ("record consent", str(held.case_code), REFUSAL.to_json())
    assert not [one for one in (key, held.record.case, held.record.key) if one in json.dumps(told)]
    assert_sound(archive)


def test_what_a_patient_said_is_of_all_cases_and_of_those_that_come_later(archive: Archive, held: HeldSlide) -> None:
    patient = case_of(archive, held).patient
    outcome = record(archive, Subject(patient=patient), new_key(), REFUSAL, reason=WHY)
    assert (outcome.subject, row(archive, held)) == (held.patient_code, "N1")
    later = archive.slide(commit_one(archive).slide_code)
    assert row(archive, later) != "N1"
    carry_out(archive, Correction(replace(case_of(archive, later), patient=patient), None, WHY))
    assert row(archive, later) == "N1"
    assert_sound(archive)


def test_a_patient_of_whom_there_is_no_case_yet_is_heard(archive: Archive) -> None:
    patient = new_key()
    outcome = record(archive, Subject(patient=patient), new_key(), REFUSAL, reason=WHY)
    assert (outcome.changed, len(of_patient(archive, patient))) == ({}, 1)
    told = Facts(source=TissueSource.LIVING)
    assert case_if(archive, new_key(), patient, told).facts.consent is Consent.REFUSED
    with archive.catalogue.reading() as connection:
        assert list(checking.code_faults(connection)) == []


def test_a_slide_that_is_delivered_for_a_case_that_refused_says_the_same_as_before(
    archive: Archive, held: HeldSlide
) -> None:
    case = case_of(archive, held)
    said_of(archive, held, REFUSAL)
    with archive.catalogue.writing() as writing:
        slides.add_case(writing.connection, case)
        with pytest.raises(FactsConflict):
            slides.add_case(writing.connection, replace(case, facts=Facts(source=TissueSource.POST_MORTEM)))
    assert row(archive, held) == "N1"


def test_recording_facts_anew_keeps_what_was_said_since(archive: Archive, held: HeldSlide) -> None:
    said_of(archive, held, REFUSAL, DEAD)
    archive.record_facts(held.record.case, Facts(source=TissueSource.LIVING, vital=Vital.ALIVE), reason=WHY)
    case = case_of(archive, held)
    assert (case.facts.consent, case.facts.vital) == (Consent.REFUSED, Vital.DEAD)
    assert case.told == Facts(source=TissueSource.LIVING, vital=Vital.ALIVE)
    assert_sound(archive)


def test_a_mistake_is_annulled_and_stays_to_be_seen(archive: Archive, held: HeldSlide) -> None:
    before = case_of(archive, held)
    said_of(archive, held, REFUSAL)
    ((kept,), _) = of_case(archive, held.record.case)
    annul(archive, Subject(case=held.record.case), kept.number, reason="another patient's form")
    assert case_of(archive, held) == before
    ((kept,), _) = of_case(archive, held.record.case)
    assert (kept.annulled, kept.record) == (True, REFUSAL)
    with pytest.raises(UnknownCode):
        annul(archive, Subject(case=held.record.case), kept.number, reason=WHY)
    assert_sound(archive)


def test_a_case_cannot_annul_what_its_patient_said_of_all_cases(archive: Archive, held: HeldSlide) -> None:
    record(archive, Subject(patient=case_of(archive, held).patient), new_key(), REFUSAL, reason=WHY)
    ((kept,), _) = of_case(archive, held.record.case)
    with pytest.raises(UnknownCode):
        annul(archive, Subject(case=held.record.case), kept.number, reason=WHY)
    assert row(archive, held) == "N1"


def test_a_scan_that_may_not_be_kept_any_more_is_quarantined_and_kept_again(archive: Archive, held: HeldSlide) -> None:
    archive.record_facts(held.record.case, MADE_FOR_TEACHING, reason=WHY)
    (scan,) = archive.scans_of(held.record.key)
    outcome = record(archive, Subject(case=held.record.case), new_key(), REFUSAL, reason=WHY)
    assert outcome.scans == {str(held.scans[0].code): ["kept", "quarantined"]}
    ((kept,), _) = of_case(archive, held.record.case)
    annul(archive, Subject(case=held.record.case), kept.number, reason=WHY)
    (again,) = archive.scans_of(held.record.key)
    assert (scan.status, again.status) == (ScanStatus.KEPT, ScanStatus.KEPT)


def test_documents_are_done_and_open_again(archive: Archive, held: HeldSlide) -> None:
    for is_done in (True, False, True):
        handled = Handled(Record.FAMILY_CONSULTATION, is_done, "j.doe", WHY)
        handle(archive, held.record.case, handled)
        assert (Record.FAMILY_CONSULTATION in case_of(archive, held).facts.records) is is_done
        assert of_case(archive, held.record.case)[1] == (handled,)
    assert_sound(archive)


def test_the_work_list_asks_for_what_the_rules_ask(archive: Archive, held: HeldSlide) -> None:
    assert open_obligations(archive) == ()
    archive.record_facts(
        held.record.case,
        Facts(
            source=TissueSource.POST_MORTEM,
            authority=Authority.CORONER,
            recorded=Recorded.AS_PART_OF_EXAMINATION,
            consent=Consent.NOT_FORESEEN,
        ),
        reason=WHY,
    )
    (owed,) = open_obligations(archive)
    assert (owed.case, owed.obligation.code) == (held.case_code, "coroner's agreement")
    assert owed.uses == ("teaching for the class", "research for the project")
    published = {one.obligation.code for one in open_obligations(archive, publication=True)}
    assert published == {"coroner's agreement", "governance sign-off", "family consultation"}
    handle(archive, held.record.case, Handled(Record.CORONERS_AGREEMENT, True, "j.doe", WHY))
    assert open_obligations(archive) == ()


@pytest.mark.parametrize("reason", ["", "patient H-0011223344", "letter of 5 July 1948"])
def test_a_reason_that_could_name_a_patient_records_nothing(archive: Archive, held: HeldSlide, reason: str) -> None:
    with pytest.raises(FreeTextRefused):
        record(archive, Subject(case=held.record.case), new_key(), REFUSAL, reason=reason)
    with pytest.raises(FreeTextRefused):
        handle(archive, held.record.case, Handled(Record.BEST_INTERESTS, True, "j.doe", reason))
    assert of_case(archive, held.record.case) == ((), ())
    assert row(archive, held) != "N1"


def test_a_record_is_of_a_known_case_or_of_a_patient(archive: Archive) -> None:
    with pytest.raises(UnknownCode):
        record(archive, Subject(case=new_key()), new_key(), REFUSAL, reason=WHY)
    for both in ({}, {"case": InternalKey("a" * 32), "patient": InternalKey("b" * 32)}):
        with pytest.raises(InvalidValue):
            Subject(**both)


def test_facts_that_were_changed_past_their_records_are_found(archive: Archive, held: HeldSlide) -> None:
    said_of(archive, held, REFUSAL)
    with archive.catalogue.writing() as writing:
        row_ = update(cases).where(cases.c.key == held.record.case)
        writing.connection.execute(row_.values(facts=cases.c.told))
        writing.tell("a test")
    with archive.catalogue.reading() as connection:
        assert list(consents.underived(connection)) == [held.record.case]
        assert [fault.table for fault in checking.consent_faults(connection)] == ["cases"]
