"""A withdrawal ends every use but keeping and care in one act, takes away what came of use, and lists what had left."""

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from archive.catalogue import audit, consents, tombstones
from archive.catalogue.schema import tombstones as tombstone_table
from archive.catalogue.tombstones import Scope, Tombstone
from archive.codes import InternalKey, Kind, new_key
from archive.cohorts import add_project, cohort
from archive.consent import Facts, MightIdentify, Purpose, Recipient
from archive.consent.records import ConsentRecord, Giver, Said
from archive.consent.terms import Answer, Authority, Consent, Grade, Recorded, TissueSource
from archive.errors import (
    CatalogueUnavailable,
    ConsentRefused,
    FactsConflict,
    FreeTextRefused,
    InvalidValue,
    UnknownCode,
)
from archive.holdings import Archive, consenting
from archive.holdings.consenting import Subject
from archive.holdings.correction import Correction, carry_out
from archive.holdings.rebuilding import rebuild_catalogue
from archive.holdings.withdrawal import Withdrawal
from archive.holdings.withdrawing import foresee, withdraw
from archive.records import CaseRecord, HeldSlide, ScanStatus
from archive.teaching import compose, find_slide, shown_collections
from tests.archive.holdings.committing import commit_one
from tests.archive.holdings.rows import rows_of

WHY = "a letter came"
ENDED = [
    (purpose, recipient)
    for purpose in (Purpose.AUDIT, Purpose.RESEARCH, Purpose.TEACHING, Purpose.OTHER_SECONDARY)
    for recipient in Recipient
]
MADE_FOR_TEACHING = Facts(
    source=TissueSource.POST_MORTEM,
    authority=Authority.HOSPITAL,
    recorded=Recorded.FOR_SECONDARY_PURPOSE,
    recorded_for=Purpose.TEACHING,
    consent=Consent.WITH_POST_MORTEM,
    covers=frozenset({Purpose.TEACHING}),
    might_identify=MightIdentify(Grade.NO_PERSON),
)


@pytest.fixture
def held(archive: Archive) -> HeldSlide:
    return archive.slide(commit_one(archive).slide_code)


def case_of(archive: Archive, slide: HeldSlide) -> CaseRecord:
    case = archive.case(slide.record.case)
    assert case is not None
    return case


def of_case(slide: HeldSlide, **more: Any) -> Withdrawal:
    told = {"case": slide.record.case, "giver": Giver.SELF, "by": "a.curator", "reason": WHY, "key": new_key()}
    return Withdrawal(**{**told, **more})


def of_patient(archive: Archive, slide: HeldSlide, **more: Any) -> Withdrawal:
    return of_case(slide, case=None, patient=case_of(archive, slide).patient, **more)


def told(archive: Archive) -> list[dict[str, Any]]:
    with archive.catalogue.reading() as connection:
        return [json.loads(entry.text) for entry in audit.entries(connection)]


def allowed(archive: Archive, slide: HeldSlide) -> set[tuple[Purpose, Recipient]]:
    return {asked for asked in ENDED if archive.decide(slide.record.key, *asked).allowed}


def test_every_use_ends_but_keeping_and_care(archive: Archive, held: HeldSlide) -> None:
    assert allowed(archive, held)
    withdraw(archive, of_case(held))
    assert not allowed(archive, held)
    for purpose, recipient in ((Purpose.KEEP, Recipient.LABORATORY), (Purpose.CARE, Recipient.CARE_TEAM)):
        assert archive.decide(held.record.key, purpose, recipient).allowed
    assert archive.slide(held.code).scans[0].record.status is ScanStatus.KEPT


@pytest.mark.parametrize(("given", "after", "row"), [(True, Consent.WITHDRAWN, "N2"), (False, Consent.REFUSED, "N1")])
def test_what_was_never_given_is_recorded_as_refused(
    archive: Archive, held: HeldSlide, given: bool, after: Consent, row: str
) -> None:
    if given:
        facts = Facts(source=TissueSource.LIVING, consent=Consent.OBTAINED, covers=frozenset({Purpose.TEACHING}))
        carry_out(archive, Correction(replace(case_of(archive, held), facts=facts), None, WHY))
    report = withdraw(archive, of_case(held))
    assert [one.after for one in report.ended] == [after]
    assert archive.decide(held.record.key, Purpose.TEACHING, Recipient.CLASS).row == row


def test_a_slide_is_taken_out_of_every_collection_and_its_handle_leads_nowhere(
    archive: Archive, held: HeldSlide
) -> None:
    other = archive.slide(commit_one(archive).slide_code)
    handles = [
        place.handle
        for name in ("Colon", "Mixed")
        if (shown := compose(archive, name, [held.code, other.code]).collection)
        for place in shown.places[:1]
    ]
    report = withdraw(archive, of_case(held))
    assert {(one.collection, one.slide, one.number) for one in report.taken_out} == {
        ("Colon", held.code, 1),
        ("Mixed", held.code, 1),
    }
    for handle in handles:
        with pytest.raises(UnknownCode):
            find_slide(archive, handle)
    assert [len(collection.places) for collection in shown_collections(archive)] == [1, 1]


def test_what_a_project_was_given_is_listed_under_its_own_codes_with_the_acts(
    archive: Archive, held: HeldSlide
) -> None:
    for project in ("Asked twice", "Never asked"):
        add_project(archive, project)
    rows = [cohort(archive, "stain = HE", project="Asked twice").rows for _ in range(2)]
    cohort(archive, "stain = PAS", project="Asked twice")
    report = withdraw(archive, of_case(held))
    (given,) = report.given_before
    assert (given.project, [str(code) for code in given.slides]) == ("Asked twice", [rows[0][0].slide])
    acts = [number for number, entry in enumerate(told(archive), 1) if entry["act"] == "cohort" and entry["scans"]]
    assert list(given.acts) == acts
    assert len(acts) == 2
    assert cohort(archive, "stain = HE", project="Asked twice").rows == ()


def test_a_cohort_opens_nothing_any_more_that_it_gave_before(archive: Archive, held: HeldSlide) -> None:
    add_project(archive, "Colon")
    given = cohort(archive, "stain = HE", project="Colon")
    withdraw(archive, of_case(held))
    with pytest.raises(ConsentRefused):
        given.open(given.rows[0])


def test_a_picture_that_was_made_for_the_purpose_is_not_even_kept(archive: Archive, held: HeldSlide) -> None:
    carry_out(archive, Correction(replace(case_of(archive, held), facts=MADE_FOR_TEACHING), None, WHY))
    assert archive.slide(held.code).scans[0].record.status is ScanStatus.KEPT
    (handling,) = withdraw(archive, of_case(held)).handlings
    assert (handling.before, handling.after) == (ScanStatus.KEPT, ScanStatus.QUARANTINED)
    (scan,) = archive.slide(held.code).scans
    assert scan.record.status is ScanStatus.QUARANTINED
    assert archive.place.of_scan(scan.record.key).is_dir()  # nothing is deleted
    with pytest.raises(UnknownCode):
        archive.open_pyramid(scan.record.key)


def test_a_tombstone_stays_that_names_nobody(archive: Archive, held: HeldSlide) -> None:
    report = withdraw(archive, of_case(held, giver=Giver.RELATION, rank=2))
    case = held.record.case
    with archive.catalogue.reading() as connection:
        assert tombstones.of_case(connection, case) == (Tombstone(case, report.act or 0, Giver.RELATION, Scope.CASE),)
        assert set(connection.execute(select(tombstone_table)).keys()) == {"case_key", "act", "by", "scope"}
    given = ConsentRecord(
        said=Said.GIVEN, giver=Giver.SELF, purposes=frozenset({Purpose.TEACHING}), entitled=Answer.YES, by="a.curator"
    )
    with archive.catalogue.writing() as writing:
        consents.add(writing.connection, new_key(), given, case=case)
        consents.derive(writing.connection, case)
        writing.tell("record consent")
    assert archive.facts_of(held.record.key).consent is not Consent.WITHDRAWN
    with archive.catalogue.reading() as connection:
        assert len(tombstones.of_case(connection, case)) == 1


def test_the_trail_tells_codes_roles_and_counts_only(archive: Archive, held: HeldSlide) -> None:
    compose(archive, "Colon", [held.code])
    report = withdraw(archive, of_case(held))
    entry = told(archive)[-1]
    assert report.act == len(told(archive))
    assert (entry["act"], entry["by"], entry["scope"], entry["reason"]) == ("withdraw", "self", "case", WHY)
    assert entry["cases"] == {str(held.case_code): ["unknown", "refused"]}
    assert entry["taken_out"] == [[str(held.code), "Colon", 1]]
    keys = {held.record.key, held.record.case, case_of(archive, held).patient, held.scans[0].record.key}
    assert not [key for key in keys if key in json.dumps(entry)]
    assert archive.audit_faults() == ()


def test_to_foresee_changes_nothing_and_tells_what_is_done_then(archive: Archive, held: HeldSlide) -> None:
    compose(archive, "Colon", [held.code])
    before, withdrawal = rows_of(archive), of_case(held)
    foreseen = foresee(archive, withdrawal)
    assert rows_of(archive) == before
    assert allowed(archive, held)
    done = withdraw(archive, withdrawal)
    assert replace(done, act=None) == foreseen
    assert done.act is not None


def test_the_same_withdrawal_twice_is_recorded_once(archive: Archive, held: HeldSlide) -> None:
    for withdrawal in (of_case(held), of_patient(archive, held)):
        assert withdraw(archive, withdrawal).act is not None
        before = rows_of(archive)
        assert withdraw(archive, replace(withdrawal, key=new_key())).act is None
        assert rows_of(archive) == before


def test_a_patient_who_withdraws_again_is_heard_of_a_case_that_was_consented_to_since(
    archive: Archive, held: HeldSlide
) -> None:
    withdraw(archive, of_patient(archive, held))
    case = Subject(case=held.record.case)
    teaching = frozenset({Purpose.TEACHING})
    consent = ConsentRecord(by="a.curator", said=Said.GIVEN, giver=Giver.SELF, purposes=teaching)
    consenting.record(archive, case, new_key(), consent, reason=WHY)
    assert allowed(archive, held)
    assert withdraw(archive, of_patient(archive, held)).act is not None
    assert not allowed(archive, held)


def test_a_patient_ends_the_use_of_all_cases_and_of_those_to_come(archive: Archive, held: HeldSlide) -> None:
    patient = case_of(archive, held).patient
    other = archive.slide(commit_one(archive).slide_code)
    carry_out(archive, Correction(replace(case_of(archive, other), patient=patient), None, WHY))
    unconcerned = archive.slide(commit_one(archive).slide_code)
    report = withdraw(archive, of_patient(archive, held))
    assert {one.case for one in report.ended} == {held.case_code, other.case_code}
    assert not allowed(archive, held)
    assert not allowed(archive, other)
    assert allowed(archive, unconcerned)
    carry_out(archive, Correction(replace(case_of(archive, unconcerned), patient=patient), None, WHY))
    assert not allowed(archive, unconcerned)


def test_a_patient_is_heard_of_whom_nothing_is_held_yet(archive: Archive) -> None:
    told_of = Withdrawal(patient=new_key(), giver=Giver.SELF, by="a.curator", reason=WHY, key=new_key())
    assert withdraw(archive, told_of).act == 1
    with archive.catalogue.reading() as connection:
        (kept,) = consents.of_patient(connection, told_of.patient or InternalKey(""))
    assert kept.record.said is Said.REFUSED


def test_a_case_that_is_not_held_is_not_known(archive: Archive, held: HeldSlide) -> None:
    before = rows_of(archive)
    with pytest.raises(UnknownCode):
        withdraw(archive, of_case(held, case=new_key()))
    assert rows_of(archive) == before


def test_nothing_is_done_at_all_if_the_catalogue_cannot_be_written(archive: Archive, held: HeldSlide) -> None:
    compose(archive, "Colon", [held.code])
    before = rows_of(archive)
    with Archive.open(archive.place.root, read_only=True) as looked, pytest.raises(CatalogueUnavailable):
        withdraw(looked, of_case(held))
    assert rows_of(archive) == before


def test_a_delivery_of_the_day_before_undoes_nothing(archive: Archive, held: HeldSlide) -> None:
    withdraw(archive, of_case(held))
    with archive.stage() as staged:
        (staged.folder / "zarr.json").write_text("{}")
        old = CaseRecord(held.record.case, case_of(archive, held).patient, Facts(source=TissueSource.LIVING))
        slide = replace(held.record, key=new_key(), block=None)
        scan = replace(held.scans[0].record, key=new_key(), slide=slide.key, manifest_sha256="", stored_bytes=0)
        try:
            archive.commit(staged, old, slide, scan)
        except FactsConflict:
            assert archive.scans_of(slide.key) == ()
        else:
            assert not allowed(archive, archive.held(slide.key))
    assert archive.facts_of(held.record.key).consent is Consent.REFUSED
    assert not allowed(archive, held)


def test_a_reason_that_seems_to_name_somebody_is_refused_before_anything_is_done(held: HeldSlide) -> None:
    with pytest.raises(FreeTextRefused):
        of_case(held, reason="letter of 1948-07-05")
    with pytest.raises(InvalidValue):
        of_case(held, rank=2)
    with pytest.raises(InvalidValue):
        of_case(held, patient=new_key())


def test_the_journal_gives_a_withdrawal_back(archive: Archive, held: HeldSlide) -> None:
    withdraw(archive, of_case(held))
    expected, root = rows_of(archive), archive.place.root
    archive.close()
    rebuild_catalogue(root, replace=True)
    with Archive.open(root) as again:
        assert rows_of(again) == expected
        assert not allowed(again, held)
        assert again.key_of(held.code, Kind.SLIDE) == held.record.key
