"""A project is given what fits and what consent allows now, and nothing that leads elsewhere."""

import csv
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pyarrow import parquet

from archive.catalogue import audit, searching, slides
from archive.codes import InternalKey
from archive.cohorts import add_project, all_projects, cohort, open_scan, projects_with
from archive.consent import MightIdentify, Purpose, Recipient
from archive.consent.terms import Authority, Consent, Grade, Recorded, TissueSource, Vital
from archive.errors import ConsentRefused, FreeTextRefused, InvalidValue, UnknownCode
from archive.holdings import Archive
from archive.records import Fidelity, ScanStatus, SlideRecord, Stain
from tests.archive.cohorts.conftest import CANCER, COLON, LIVING, LUNG, Put
from tests.archive.server.taught import TaughtArchive

SlideOf = Callable[[str, str], InternalKey]
CORONERS = replace(
    LIVING,
    source=TissueSource.POST_MORTEM,
    authority=Authority.CORONER,
    recorded=Recorded.AS_PART_OF_EXAMINATION,
    consent=Consent.NOT_RECORDED,
)


@pytest.fixture
def fits(archive: Archive, slide_of: SlideOf) -> Callable[[str], set[InternalKey]]:
    """Give the slides of a query's cohort."""
    add_project(archive, "grading")

    def fitting(query: str) -> set[InternalKey]:
        return {slide_of(row.slide, "grading") for row in cohort(archive, query, project="grading")}

    return fitting


def test_what_fits_is_found_by_every_field(put: Put, fits: Callable[[str], set[InternalKey]]) -> None:
    (first,) = put(diagnosis=CANCER)
    (other,) = put(
        organ=LUNG,
        stain=Stain.KI67,
        mpp=0.5,
        objective=20.0,
        maker="Hamamatsu",
        model="S360",
        width=90_000,
        fidelity=Fidelity.LOSSY,
        scans=2,
    )
    (bare,) = put(organ=None, stain=None, mpp=None, objective=None, maker=None, model=None)
    everything = {first, other, bare}
    for query, expected in {
        "organ = colon": {first},
        "organ = C18": {first},
        "organ = C18.3": set(),
        "organ = lung": {other},
        "organ in (colon, lung)": {first, other},
        "organ != colon": {other},
        "organ = unknown": {bare},
        "not organ = unknown": {first, other},
        "not organ = colon": {other},
        "diagnosis = adenocarcinoma": {first},
        "diagnosis = 8140": {first},
        "diagnosis = unknown": {other, bare},
        "stain = HE": {first},
        "stain in (HE, Ki-67)": {first, other},
        "scanner = gt450": {first},
        "scanner = HAMAMATSU": {other},
        "scanner in (GT450, Hamamatsu)": {first, other},
        "scanner != GT450": {other},
        "scanner = unknown": {bare},
        "mpp < 0.3": {first},
        "mpp >= 0.25": {first, other},
        "mpp = unknown": {bare},
        "objective = 40x": {first},
        "objective in (20, 40)": {first, other},
        "width > 50000 and height <= 30000": {other},
        "scans > 1": {other},
        "fidelity = copied": {first, bare},
        "fidelity != copied": {other},
        "tissue = living": everything,
        "tissue = post-mortem": set(),
        "organ = colon or scans = 2": {first, other},
        "organ = colon and stain = HE and scanner = GT450 and mpp < 0.3 and objective = 40": {first},
        "organ = colon and (stain = Ki-67 or mpp > 1)": set(),
        "not (organ = lung and stain = Ki-67)": {first},
    }.items():
        assert fits(query) == expected, query


def test_what_is_unknown_of_the_tissue_is_neither_said_nor_denied(
    put: Put, fits: Callable[[str], set[InternalKey]]
) -> None:
    (living,) = put()
    put(facts=replace(LIVING, source=TissueSource.UNKNOWN))
    assert fits("tissue = living") == {living}
    assert fits("not tissue = post-mortem") == {living}
    assert fits("tissue = unknown") == set()  # it fits, and the rules refuse it


@pytest.mark.parametrize(
    "differences",
    [
        {"facts": replace(LIVING, consent=Consent.REFUSED)},
        {"facts": replace(LIVING, consent=Consent.WITHDRAWN)},
        {"facts": replace(LIVING, source=TissueSource.UNKNOWN)},
        {"facts": CORONERS},
        {"grade": MightIdentify(Grade.YES)},
        {"grade": MightIdentify()},
        {"status": ScanStatus.WITHDRAWN},
        {"status": ScanStatus.DAMAGED},
    ],
)
def test_what_consent_does_not_allow_is_not_in_it(
    put: Put, fits: Callable[[str], set[InternalKey]], differences: dict[str, object]
) -> None:
    (allowed,) = put()
    put(3, **differences)
    assert fits("organ = colon") == {allowed}


def test_each_row_is_decided_as_the_slide_alone_would_be(archive: Archive, put: Put, slide_of: SlideOf) -> None:
    add_project(archive, "grading")
    known = []
    for facts in (LIVING, CORONERS, replace(CORONERS, consent=Consent.NOT_FORESEEN), replace(LIVING, vital=Vital.DEAD)):
        for grade in (MightIdentify(), MightIdentify.screened("structure-1"), MightIdentify(Grade.NO_PERSON)):
            known += put(facts=facts, grade=grade)
    for purpose in (Purpose.RESEARCH, Purpose.TEACHING, Purpose.AUDIT):
        alone = {key for key in known if archive.decide(key, purpose, Recipient.PROJECT).allowed}
        given = cohort(archive, "organ = colon", project="grading", purpose=purpose)
        assert {slide_of(row.slide, "grading") for row in given} == alone
        assert 0 < len(alone) < len(known)


def test_a_withdrawal_counts_from_the_next_query_on(
    archive: Archive, put: Put, fits: Callable[[str], set[InternalKey]]
) -> None:
    first, second = put(2)
    assert fits("organ = colon") == {first, second}
    with archive.catalogue.reading() as connection:
        case = slides.case_of(connection, first)
    assert case is not None
    archive.record_facts(case.key, replace(LIVING, consent=Consent.WITHDRAWN), reason="asked for by the patient")
    assert fits("organ = colon") == {second}


def test_a_moved_slide_is_found_where_it_is_now(
    archive: Archive, put: Put, fits: Callable[[str], set[InternalKey]]
) -> None:
    first, second = put(2)
    with archive.catalogue.writing() as writing:
        case = slides.case_of(writing.connection, second)
        assert case is not None
        slides.move_slide(writing.connection, SlideRecord(first, case.key, None, Stain.PAS, LUNG))
        writing.tell("move")
    assert fits("organ = lung and stain = PAS") == {first}
    assert fits("organ = colon") == {second}
    rows = cohort(archive, "tissue = living", project="grading").rows
    assert len({row.patient for row in rows}) == 1
    with archive.catalogue.reading() as connection:
        assert searching.stale(connection) == 0


def test_a_line_that_disagrees_with_the_tables_gives_nothing_out(
    archive: Archive, put: Put, fits: Callable[[str], set[InternalKey]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = put(2)
    with archive.catalogue.writing() as writing:
        case = slides.case_of(writing.connection, first)
        assert case is not None
        refused = replace(LIVING, consent=Consent.REFUSED)
        monkeypatch.setattr(searching, "describe_case", lambda *_: None)
        slides.set_facts(writing.connection, case.key, refused)
        writing.tell("forget to describe it")
    with archive.catalogue.reading() as connection:
        assert searching.stale(connection) == 1
    assert fits("organ = colon") == {second}
    with archive.catalogue.writing() as writing:
        searching.describe_all(writing.connection)
        writing.tell("describe")
    with archive.catalogue.reading() as connection:
        assert searching.stale(connection) == 0


def test_a_project_has_codes_of_its_own_that_stay(archive: Archive, put: Put) -> None:
    put(3, patient=InternalKey("c" * 32))
    for name in ("one", "two"):
        add_project(archive, name)
    first, second = (cohort(archive, "organ = colon", project=name) for name in ("one", "two"))
    assert cohort(archive, "organ = colon", project="one").rows == first.rows
    laboratory = {str(code) for slide in archive.slides() for code in (slide.code, slide.case_code, slide.patient_code)}
    sets = [{code for row in c for code in (row.patient, row.case, row.slide, row.scan)} for c in (first, second)]
    assert not sets[0] & sets[1]
    assert not sets[0] & laboratory
    assert len({row.patient for row in first}) == 1
    assert list(first.rows) == sorted(first.rows, key=lambda row: (row.patient, row.case, row.slide, row.scan))


def test_codes_of_many_are_made_at_once_and_in_an_order_of_their_own(archive: Archive, put: Put) -> None:
    known = put(60)
    add_project(archive, "grading")
    rows = cohort(archive, "organ = colon", project="grading").rows
    with archive.catalogue.reading() as connection:
        order = {slide.code: slide.record.key for slide in slides.held(connection, 1)}
    assert len(rows) == len(order) == 60
    assert sorted(known) == sorted(order.values())
    assert len({row.scan for row in rows}) == 60


def test_a_row_holds_no_key_no_date_and_nothing_else(archive: Archive, put: Put) -> None:
    put(diagnosis=CANCER)
    add_project(archive, "grading")
    (row,) = cohort(archive, "organ = colon", project="grading")
    assert (row.stain, row.organ, row.diagnosis) == ("H&E", f"ICD-O-3 {COLON.code}", f"ICD-O-3 {CANCER.code}")
    assert (row.width_px, row.height_px, row.mpp_um, row.objective_power) == (40_000, 30_000, 0.25, 40.0)
    assert (row.scanner, row.fidelity) == ("GT450", "copied")
    assert not re.search(r"[0-9a-f]{32}|\d{4}-\d\d-\d\d", repr(row))


def test_a_cohort_is_written_as_csv_and_parquet(archive: Archive, put: Put, tmp_path: Path) -> None:
    put(5, mpp=None)
    put(5)
    add_project(archive, "grading")
    given = cohort(archive, "organ = colon", project="grading")
    given.to_csv(tmp_path / "cohort.csv")
    given.to_parquet(tmp_path / "cohort.parquet")
    with (tmp_path / "cohort.csv").open(newline="") as file:
        read = list(csv.DictReader(file))
    table = parquet.read_table(tmp_path / "cohort.parquet").to_pylist()
    assert [row["scan"] for row in read] == [row.scan for row in given] == [row["scan"] for row in table]
    assert [row["mpp_um"] for row in table] == [row.mpp_um for row in given]
    assert {row["mpp_um"] for row in read} == {"", "0.25"}
    assert sorted(path.name for path in tmp_path.glob("cohort*")) == ["cohort.csv", "cohort.parquet"]


def test_every_query_is_in_the_audit_trail(archive: Archive, put: Put) -> None:
    put(2)
    add_project(archive, "grading")
    cohort(archive, "ORGAN = colon", project="grading")
    with archive.catalogue.reading() as connection:
        entry = list(audit.entries(connection))[-1]
    assert '"query":"organ = colon"' in entry.text
    assert '"project":"grading"' in entry.text
    assert '"scans":2' in entry.text


def test_only_a_project_that_was_opened_is_given_anything(archive: Archive, put: Put) -> None:
    put()
    with pytest.raises(UnknownCode):
        cohort(archive, "organ = colon", project="nobody")
    with pytest.raises(InvalidValue, match="project add"):
        cohort(archive, "organ = colon", project="laboratory")
    with pytest.raises(InvalidValue):
        add_project(archive, "laboratory")
    with pytest.raises(FreeTextRefused):
        add_project(archive, "S26-0104732")
    assert add_project(archive, " grading ") == "grading"
    add_project(archive, "grading")
    assert all_projects(archive) == ("grading",)


@pytest.mark.parametrize(
    ("purpose", "recipient"),
    [
        (Purpose.CARE, Recipient.PROJECT),
        (Purpose.KEEP, Recipient.PROJECT),
        (Purpose.RESEARCH, Recipient.PUBLIC),
        (Purpose.RESEARCH, Recipient.LABORATORY),
    ],
)
def test_a_cohort_is_for_a_project_and_a_secondary_purpose(
    archive: Archive, put: Put, purpose: Purpose, recipient: Recipient
) -> None:
    put()
    add_project(archive, "grading")
    with pytest.raises(InvalidValue):
        cohort(archive, "organ = colon", project="grading", purpose=purpose, recipient=recipient)


def test_it_is_known_which_projects_were_given_a_slide(archive: Archive, put: Put) -> None:
    (colon,), (lung,) = put(), put(organ=LUNG)
    for name in ("one", "two"):
        add_project(archive, name)
    cohort(archive, "organ = colon", project="two")
    assert projects_with(archive, colon) == ("two",)
    assert projects_with(archive, lung) == ()


def test_pixels_are_opened_by_the_projects_code_and_decided_once_more(tmp_path: Path) -> None:
    made = TaughtArchive(tmp_path / "archive")
    with made.archive as archive:
        made.add()
        add_project(archive, "grading")
        add_project(archive, "another")
        given = cohort(archive, "stain = HE", project="grading")
        (row,) = given
        assert given.open(row).levels[0].size.width == row.width_px
        with pytest.raises(UnknownCode):
            open_scan(archive, row.scan, "another")
        (held,) = archive.slides()
        archive.record_facts(held.record.case, replace(LIVING, consent=Consent.WITHDRAWN), reason="asked for")
        with pytest.raises(ConsentRefused) as refused:
            given.open(row)
        assert refused.value.row == "N2"
