"""What was put into the catalogue comes out as it went in, in the order of random codes."""

import dataclasses
from collections.abc import Callable

import pytest
from sqlalchemy import text

from archive.catalogue import Catalogue, codes, slides
from archive.codes import Code, InternalKey, Kind, new_key
from archive.consent import Facts, MightIdentify
from archive.consent.terms import Consent, TissueSource
from archive.errors import FactsConflict, InvalidValue, UnknownCode
from archive.records import (
    CaseRecord,
    Concept,
    Fidelity,
    ScanRecord,
    ScanStatus,
    Scheme,
    SlideRecord,
    Stain,
)

Chain = tuple[CaseRecord, SlideRecord, ScanRecord]
LIVING = Facts(source=TissueSource.LIVING)


def put_in(catalogue: Catalogue, case: CaseRecord, slide: SlideRecord, *scans: ScanRecord, project: int = 1) -> Code:
    with catalogue.writing() as writing:
        slides.add_case(writing.connection, case)
        slides.add_slide(writing.connection, slide)
        for scan in scans:
            slides.add_scan(writing.connection, scan)
            codes.add_code(writing.connection, project, Kind.SCAN, scan.key)
        codes.add_code(writing.connection, project, Kind.PATIENT, case.patient)
        codes.add_code(writing.connection, project, Kind.CASE, case.key)
        writing.tell("commit")
        return codes.add_code(writing.connection, project, Kind.SLIDE, slide.key)


def test_every_field_of_every_record_comes_back(catalogue: Catalogue, make_chain: Callable[..., Chain]) -> None:
    case, slide, scan = make_chain(LIVING)
    slide = dataclasses.replace(
        slide, organ=Concept(Scheme.SNOMED_CT, "76752008"), diagnosis=Concept(Scheme.ICD_O_3, "8500/3")
    )
    scan = dataclasses.replace(
        scan,
        fidelity=Fidelity.LOSSY,
        quality=90,
        levels_added=2,
        might_identify=MightIdentify.screened("structure-1"),
        rescreen=True,
        deidentified=True,
        status=ScanStatus.DAMAGED,
    )
    bare = dataclasses.replace(
        scan, key=new_key(), mpp=None, objective_power=None, scanner_maker=None, scanner_model=None
    )
    put_in(catalogue, case, slide, scan, bare)
    with catalogue.reading() as connection:
        assert slides.case_of(connection, slide.key) == case
        assert slides.find_slide(connection, slide.key) == slide
        assert set(slides.scans_of(connection, slide.key)) == {scan, bare}


def test_a_slide_is_listed_with_its_codes_and_scans(catalogue: Catalogue, make_chain: Callable[..., Chain]) -> None:
    chains = [make_chain() for _ in range(8)]
    made = {put_in(catalogue, *chain): chain for chain in chains}
    with catalogue.reading() as connection:
        listed = slides.held(connection, 1)
        assert [slide.code for slide in listed] == sorted(made)
        for slide in listed:
            _, record, scan = made[slide.code]
            assert slide.record == record
            assert [held.record for held in slide.scans] == [scan]
            assert slides.held(connection, 1, record.key) == (slide,)


def test_the_scan_with_most_pixels_comes_first(catalogue: Catalogue, make_chain: Callable[..., Chain]) -> None:
    case, slide, scan = make_chain()
    small = dataclasses.replace(scan, key=new_key(), size=dataclasses.replace(scan.size, width=10))
    put_in(catalogue, case, slide, small, scan)
    with catalogue.reading() as connection:
        assert slides.scans_of(connection, slide.key) == (scan, small)


def test_a_patient_has_one_code_in_a_project_and_another_in_the_next(
    catalogue: Catalogue, make_chain: Callable[..., Chain]
) -> None:
    case, slide, scan = make_chain()
    put_in(catalogue, case, slide, scan)
    with catalogue.writing() as writing:
        study = codes.add_project(writing.connection, "study")
        assert codes.add_project(writing.connection, "study") == study
        first = codes.add_code(writing.connection, 1, Kind.PATIENT, case.patient)
        assert codes.add_code(writing.connection, 1, Kind.PATIENT, case.patient) == first
        second = codes.add_code(writing.connection, study, Kind.PATIENT, case.patient)
        writing.tell("project")
    assert first != second
    with catalogue.reading() as connection:
        assert codes.key_of(connection, 1, first) == codes.key_of(connection, study, second) == case.patient
        with pytest.raises(UnknownCode):
            codes.key_of(connection, study, first)
        with pytest.raises(UnknownCode):
            codes.project_number(connection, "another")


def test_a_code_that_is_taken_is_not_given_again(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    taken, free = Code.random(Kind.SLIDE), Code.random(Kind.SLIDE)
    drawn = iter([taken, taken, free])
    monkeypatch.setattr(Code, "random", lambda kind: next(drawn))
    with catalogue.writing() as writing:
        assert codes.add_code(writing.connection, 1, Kind.SLIDE, new_key()) == taken
        assert codes.add_code(writing.connection, 1, Kind.SLIDE, new_key()) == free
        writing.tell("codes")


def test_a_delivery_cannot_undo_a_withdrawal(catalogue: Catalogue, make_chain: Callable[..., Chain]) -> None:
    case, slide, scan = make_chain(LIVING)
    put_in(catalogue, case, slide, scan)
    withdrawn = dataclasses.replace(LIVING, consent=Consent.WITHDRAWN)
    with catalogue.writing() as writing:
        slides.set_facts(writing.connection, case.key, withdrawn)
        writing.tell("facts")
    with pytest.raises(FactsConflict), catalogue.writing() as writing:
        slides.add_case(writing.connection, case)
    with catalogue.reading() as connection:
        known = slides.find_case(connection, case.key)
        assert known is not None
        assert known.facts == withdrawn


def test_a_case_stays_with_its_patient_and_a_slide_with_its_case(
    catalogue: Catalogue, make_chain: Callable[..., Chain]
) -> None:
    case, slide, scan = make_chain()
    put_in(catalogue, case, slide, scan)
    with catalogue.writing() as writing:
        with pytest.raises(InvalidValue):
            slides.add_case(writing.connection, dataclasses.replace(case, patient=new_key()))
        with pytest.raises(InvalidValue):
            slides.add_slide(writing.connection, dataclasses.replace(slide, case=new_key()))


def test_a_slide_can_be_described_anew_and_keeps_what_is_not_told(
    catalogue: Catalogue, make_chain: Callable[..., Chain]
) -> None:
    case, slide, scan = make_chain()
    put_in(catalogue, case, slide, scan)
    organ = Concept(Scheme.ICD_O_3, "C50.9")
    put_in(catalogue, case, SlideRecord(slide.key, slide.case, stain=Stain.PAS, organ=organ))
    with catalogue.reading() as connection:
        assert slides.find_slide(connection, slide.key) == dataclasses.replace(slide, stain=Stain.PAS, organ=organ)


def test_what_is_not_there_is_none(catalogue: Catalogue) -> None:
    nobody = InternalKey("0" * 32)
    with catalogue.reading() as connection:
        assert slides.find_case(connection, nobody) is None
        assert slides.find_slide(connection, nobody) is None
        assert slides.find_scan(connection, nobody) is None
        assert slides.case_of(connection, nobody) is None
        assert slides.scans_of(connection, nobody) == ()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT key FROM codes WHERE code = 'S-00000-00000'",
        "SELECT code FROM codes WHERE project = 1 AND kind = 'S' AND key = 'x'",
        "SELECT * FROM scans WHERE slide_key = 'x'",
        "SELECT * FROM collection_slides WHERE handle = 'x'",
        "SELECT * FROM collection_slides WHERE collection = 'x' ORDER BY position",
        "SELECT * FROM collections WHERE name = 'x'",
    ],
)
def test_look_ups_use_an_index(catalogue: Catalogue, query: str) -> None:
    with catalogue.reading() as connection:
        if connection.dialect.name == "sqlite":
            plan = str(connection.execute(text(f"EXPLAIN QUERY PLAN {query}")).all())
            assert "SEARCH" in plan
        else:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            plan = str(connection.execute(text(f"EXPLAIN {query}")).all())
            assert "Index" in plan
        assert "SCAN " not in plan
