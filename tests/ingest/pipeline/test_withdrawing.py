"""A letter that names a case or a patient ends the use of what is held; who wrote it is known to the vault alone."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from archive.codes import InternalKey, new_key
from archive.consent import Purpose, Recipient
from archive.consent.records import Giver
from archive.consent.terms import Consent
from archive.errors import CatalogueUnavailable, InvalidValue, UnknownCode
from archive.holdings import Archive
from archive.holdings import withdrawing as acting
from archive.records import HeldSlide
from ingest.delivery.mending import read_settings
from ingest.errors import VaultUnavailable
from ingest.keyvault.evidence import Evidence
from ingest.pipeline.correcting import finish_begun, plan_case
from ingest.pipeline.withdrawing import Letter, carry_out, plan
from tests.ingest.pipeline.conftest import Laboratory
from tests.slides.graded import grade_as_clean
from tests.slides.svs import make_svs

PATIENT, OTHER, CASE = "H-0011223344", "H-0055667788", "S26-0012345"
SAID = {"who": "a.curator", "reason": "letter received"}
LETTER = Letter(CASE, Giver.SELF, date(2026, 11, 2), name="Thistlewaite", document="folder 12")


@pytest.fixture
def held(laboratory: Laboratory, tmp_path: Path) -> HeldSlide:
    return take_in(laboratory, tmp_path / "one.svs", patient=PATIENT, case=CASE)


def take_in(laboratory: Laboratory, path: Path, **told: Any) -> HeldSlide:
    file = make_svs(
        path, width=300, height=200, tile=(128, 128), factors=(1,), seed=crc32(path.name.encode()) % 1000
    ).path
    receipt = laboratory.take_in(file, **told)
    grade_as_clean(laboratory.archive)
    return laboratory.archive.slide(receipt.slide_code)


def withdraw(laboratory: Laboratory, letter: Letter = LETTER) -> Any:
    both = laboratory.archive, laboratory.vault
    return carry_out(plan(*both, letter, **SAID), *both)


def taught(laboratory: Laboratory, slide: HeldSlide) -> bool:
    return laboratory.archive.decide(slide.record.key, Purpose.TEACHING, Recipient.CLASS).allowed


def kept_evidence(laboratory: Laboratory, slide: HeldSlide) -> dict[InternalKey, Evidence]:
    sentences = laboratory.vault.evidence(slide.record.case, "a.curator", "a test")
    return {one.record: one for one in map(Evidence.parse, sentences) if one is not None}


def test_the_use_ends_and_the_vault_keeps_who_wrote_and_when(laboratory: Laboratory, held: HeldSlide) -> None:
    report = withdraw(laboratory)
    assert not taught(laboratory, held)
    kept = kept_evidence(laboratory, held)[report.record]
    assert (kept.name, kept.on, kept.document) == ("Thistlewaite", date(2026, 11, 2), "folder 12")
    acts = [(entry.act, entry.who, entry.reason) for entry in laboratory.vault.trail()]
    assert ("withdrew consent", "a.curator", "letter received") in acts
    assert laboratory.vault.check() == ()


def test_the_archive_learns_no_name_no_number_and_no_day(laboratory: Laboratory, held: HeldSlide) -> None:
    withdraw(laboratory)
    root = laboratory.archive.place.root
    stored = b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())
    assert stored
    assert [word for word in (b"Thistlewaite", b"folder 12", PATIENT.encode(), CASE.encode(), b"2026-11-02")
            if word in stored] == []  # fmt: skip


def test_a_patients_letter_is_of_all_cases_and_of_those_to_come(
    laboratory: Laboratory, held: HeldSlide, tmp_path: Path
) -> None:
    second = take_in(laboratory, tmp_path / "two.svs", patient=PATIENT, case="S26-2")
    another = take_in(laboratory, tmp_path / "three.svs", patient=OTHER, case="S26-3")
    report = withdraw(laboratory, replace(LETTER, number=PATIENT, of_patient=True))
    assert {one.case for one in report.ended} == {held.case_code, second.case_code}
    later = take_in(laboratory, tmp_path / "later.svs", patient=PATIENT, case="S26-0000004")
    assert [taught(laboratory, slide) for slide in (held, second, another, later)] == [False, False, True, False]


def test_a_number_that_two_patients_have_is_asked_about(
    laboratory: Laboratory, held: HeldSlide, tmp_path: Path
) -> None:
    another = take_in(laboratory, tmp_path / "two.svs", patient=OTHER, case=CASE)
    with pytest.raises(InvalidValue, match="--under"):
        withdraw(laboratory)
    withdraw(laboratory, replace(LETTER, under=OTHER))
    assert (taught(laboratory, held), taught(laboratory, another)) == (True, False)


@pytest.mark.parametrize(
    "letter", [replace(LETTER, number="S26-9"), replace(LETTER, number="H-9", of_patient=True)], ids=["case", "patient"]
)
def test_a_number_that_nobody_has_ends_nothing(laboratory: Laboratory, held: HeldSlide, letter: Letter) -> None:
    with pytest.raises(UnknownCode):
        withdraw(laboratory, letter)
    assert taught(laboratory, held)


def test_if_the_archive_cannot_act_the_vault_claims_nothing_and_the_same_again_does_all(
    laboratory: Laboratory, held: HeldSlide
) -> None:
    planned = plan(laboratory.archive, laboratory.vault, LETTER, **SAID)
    with (
        Archive.open(laboratory.archive.place.root, read_only=True) as looked,
        pytest.raises(CatalogueUnavailable, match="for reading only"),
    ):
        carry_out(planned, looked, laboratory.vault)
    assert taught(laboratory, held)
    assert kept_evidence(laboratory, held) == {}
    assert "withdrew consent" not in {entry.act for entry in laboratory.vault.trail()}
    withdraw(laboratory)
    assert not taught(laboratory, held)


def test_evidence_that_a_killed_process_did_not_keep_is_kept_by_the_same_again(
    laboratory: Laboratory, held: HeldSlide
) -> None:
    planned = plan(laboratory.archive, laboratory.vault, LETTER, **SAID)
    first = acting.withdraw(laboratory.archive, planned.withdrawal)  # and killed before the vault's commit
    assert kept_evidence(laboratory, held) == {}
    again = withdraw(laboratory)
    assert again.act is None
    assert set(kept_evidence(laboratory, held)) == {first.record}


def test_a_correction_that_was_planned_before_puts_nothing_back(laboratory: Laboratory, held: HeldSlide) -> None:
    both = laboratory.archive, laboratory.vault
    correction = plan_case(*both, CASE, read_settings(["vital=dead"]), **SAID)
    planned = plan(*both, LETTER, **SAID)
    correction.begin(*both, "a.curator")  # and killed before the archive recorded it
    with pytest.raises(VaultUnavailable, match="being corrected"):
        carry_out(planned, *both)
    withdraw(laboratory)  # which ends what was begun first
    assert finish_begun(*both) == 0
    assert laboratory.archive.facts_of(held.record.key).consent is Consent.REFUSED
    assert not taught(laboratory, held)
    with pytest.raises(UnknownCode):
        laboratory.vault.withdrawals.note(new_key(), lambda: None, lambda _: LETTER.evidence(new_key()), **SAID)
