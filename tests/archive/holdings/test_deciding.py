"""Each use of a copy is decided from what is recorded about the case and about that very scan."""

import dataclasses
import os
from collections.abc import Callable

import pytest

from archive.codes import new_key
from archive.consent import Facts, MightIdentify, Purpose, Recipient, Verdict
from archive.consent.shown import strictest
from archive.consent.terms import Authority, Consent, Grade, Recorded, TissueSource
from archive.errors import UnknownCode
from archive.holdings import Archive
from archive.records import CaseRecord, ScanRecord, ScanStatus, SlideRecord

Chain = tuple[CaseRecord, SlideRecord, ScanRecord]

LIVING = Facts(source=TissueSource.LIVING)
POST_MORTEM = Facts(
    source=TissueSource.POST_MORTEM,
    authority=Authority.HOSPITAL,
    recorded=Recorded.AS_PART_OF_EXAMINATION,
    consent=Consent.WITH_POST_MORTEM,
    covers=frozenset({Purpose.TEACHING}),
)
SCREENED = MightIdentify.screened("structure-1")
BY_PERSON = MightIdentify(Grade.NO_PERSON)
YES = MightIdentify(Grade.YES)
UNASSESSED = MightIdentify()


@pytest.fixture
def keep(archive: Archive, make_chain: Callable[..., Chain]) -> Callable[..., SlideRecord]:
    """Put a slide with scans of these grades into the archive."""

    def keeping(facts: Facts, *grades: MightIdentify, deidentified: bool = True) -> SlideRecord:
        case, slide, scan = make_chain(facts)
        for number, grade in enumerate(grades):
            size = dataclasses.replace(scan.size, width=scan.size.width - number)
            one = dataclasses.replace(
                scan, key=new_key(), size=size, might_identify=grade, deidentified=deidentified, manifest_sha256=""
            )
            with archive.stage() as staged:
                (staged.folder / "pixels").write_bytes(os.urandom(100))
                archive.commit(staged, case, slide, one)
        return slide

    return keeping


def taught(archive: Archive, slide: SlideRecord) -> tuple[Verdict, str]:
    decision = archive.decide(slide.key, Purpose.TEACHING, Recipient.CLASS)
    return decision.verdict, decision.row


def test_a_screened_surgical_slide_may_be_taught_coded(archive: Archive, keep: Callable[..., SlideRecord]) -> None:
    assert taught(archive, keep(LIVING, SCREENED)) == (Verdict.ALLOW, "L3")


@pytest.mark.parametrize("grade", [YES, UNASSESSED], ids=str)
def test_a_slide_that_might_identify_may_not_be_taught(
    archive: Archive, keep: Callable[..., SlideRecord], grade: MightIdentify
) -> None:
    assert taught(archive, keep(LIVING, grade))[0] is not Verdict.ALLOW


def test_without_a_report_on_its_bytes_a_slide_counts_as_identifiable(
    archive: Archive, keep: Callable[..., SlideRecord]
) -> None:
    assert taught(archive, keep(LIVING, SCREENED, deidentified=False))[0] is not Verdict.ALLOW


def test_a_screening_is_not_enough_for_post_mortem_tissue(archive: Archive, keep: Callable[..., SlideRecord]) -> None:
    assert taught(archive, keep(POST_MORTEM, SCREENED))[0] is not Verdict.ALLOW
    attested = dataclasses.replace(POST_MORTEM, might_identify=BY_PERSON)
    assert taught(archive, keep(attested, SCREENED)) == (Verdict.ALLOW, "M2")


def test_the_strictest_scan_decides_for_a_slide_and_each_scan_for_itself(
    archive: Archive, keep: Callable[..., SlideRecord]
) -> None:
    slide = keep(LIVING, YES, SCREENED)
    assert taught(archive, slide)[0] is not Verdict.ALLOW
    identifying, clean = archive.scans_of(slide.key)
    decide = archive.decide
    assert not decide(slide.key, Purpose.TEACHING, Recipient.CLASS, scan=identifying.key).allowed
    assert decide(slide.key, Purpose.TEACHING, Recipient.CLASS, scan=clean.key).allowed
    archive.set_status(identifying.key, ScanStatus.WITHDRAWN, reason="a sticker is in the picture")
    assert taught(archive, slide)[0] is Verdict.ALLOW


def test_a_scan_that_is_put_away_cannot_even_be_asked_about(archive: Archive, keep: Callable[..., SlideRecord]) -> None:
    slide = keep(LIVING, SCREENED)
    (scan,) = archive.scans_of(slide.key)
    archive.set_status(scan.key, ScanStatus.DAMAGED, reason="found by a check")
    for one in (None, scan.key):
        with pytest.raises(UnknownCode):
            archive.decide(slide.key, Purpose.TEACHING, Recipient.CLASS, scan=one)


def test_a_scan_of_another_slide_is_not_decided_upon(archive: Archive, keep: Callable[..., SlideRecord]) -> None:
    one, other = keep(LIVING, SCREENED), keep(LIVING, SCREENED)
    (scan,) = archive.scans_of(other.key)
    with pytest.raises(UnknownCode):
        archive.decide(one.key, Purpose.TEACHING, Recipient.CLASS, scan=scan.key)


def test_a_withdrawal_decides_the_next_use(archive: Archive, keep: Callable[..., SlideRecord]) -> None:
    slide = keep(LIVING, SCREENED)
    before = archive.change_count()
    archive.record_facts(slide.case, dataclasses.replace(LIVING, consent=Consent.WITHDRAWN), reason="a letter")
    assert archive.change_count() != before
    assert taught(archive, slide) == (Verdict.DENY, "N2")


def test_a_coded_slide_is_never_public(archive: Archive, keep: Callable[..., SlideRecord]) -> None:
    decision = archive.decide(keep(LIVING, BY_PERSON).key, Purpose.TEACHING, Recipient.PUBLIC)
    assert (decision.verdict, decision.row) == (Verdict.DENY, "P1")


def test_the_laboratory_holds_the_key_and_a_class_does_not(archive: Archive, keep: Callable[..., SlideRecord]) -> None:
    slide = keep(LIVING, SCREENED)
    assert archive.decide(slide.key, Purpose.TEACHING, Recipient.LABORATORY).question.holds_key
    assert not archive.decide(slide.key, Purpose.TEACHING, Recipient.CLASS).question.holds_key


@pytest.mark.parametrize(
    ("case", "scan", "joined"),
    [
        (UNASSESSED, SCREENED, SCREENED),
        (UNASSESSED, UNASSESSED, UNASSESSED),
        (UNASSESSED, YES, YES),
        (BY_PERSON, UNASSESSED, BY_PERSON),
        (BY_PERSON, SCREENED, BY_PERSON),
        (BY_PERSON, YES, YES),
        (YES, BY_PERSON, YES),
        (YES, SCREENED, YES),
        (SCREENED, UNASSESSED, UNASSESSED),
        (UNASSESSED, BY_PERSON, BY_PERSON),
    ],
    ids=str,
)
def test_what_is_known_of_a_case_and_of_a_scan_is_joined(
    case: MightIdentify, scan: MightIdentify, joined: MightIdentify
) -> None:
    assert strictest(case, scan) == joined
