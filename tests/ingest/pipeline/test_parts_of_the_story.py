"""A slide's story can be told in parts: between two of them a file may change, and a label or a person may object."""

import os
import shutil
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from archive.records import Stain
from ingest.delivery import Row
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.admitting import Admitted
from ingest.pipeline.batch import Delivered, Outcome, ingest_batch
from ingest.pipeline.receipt import Receipt
from ingest.pipeline.slide import Intake, admit, commit, look, make
from ingest.quarantine.waiting import Quarantine
from tests.ingest.pipeline.conftest import LIVING, Laboratory
from tests.slides.svs import make_svs


def slide(path: Path, seed: int = 7, barcode: str | None = None) -> Path:
    return make_svs(path, width=600, height=500, factors=(1, 2), seed=seed, barcode=barcode).path


def row(number: int, case: str, file: str | None = None, barcode: str | None = None) -> Row:
    named = PurePosixPath(file) if file else None
    return Row(number=number, file=named, patient=f"H-{case}", case=case, block="A1", stain=Stain.HE, barcode=barcode)


def take_in(laboratory: Laboratory, path: Path, told: Row | None, rows: tuple[Row, ...] = ()) -> Outcome:
    delivered = Delivered(path, told, LIVING if told else None)
    (outcome,) = ingest_batch([delivered], Intake(laboratory.archive, laboratory.vault, rows=rows))
    return outcome


def test_the_parts_in_a_row_take_a_slide_in(laboratory: Laboratory, tmp_path: Path) -> None:
    intake = Intake(laboratory.archive, laboratory.vault)
    (looked,) = look(slide(tmp_path / "a.svs"))
    admitted = admit(looked, row(2, "S26-1", "a.svs"), LIVING, intake)
    assert isinstance(admitted, Admitted)
    with laboratory.archive.stage() as staged:
        made = make(replace(admitted.order(staged, intake), one_core=True))
        receipt = commit(admitted, staged, made, intake)
    assert receipt.new
    assert receipt.verification
    assert receipt.verification.same_bytes > 0
    again = admit(looked, row(2, "S26-1", "a.svs"), LIVING, intake)
    assert isinstance(again, Receipt)
    assert (again.new, again.slide_code) == (False, receipt.slide_code)


def test_a_file_that_changes_after_it_was_looked_at_is_not_made(laboratory: Laboratory, tmp_path: Path) -> None:
    intake = Intake(laboratory.archive, laboratory.vault)
    path, other = slide(tmp_path / "a.svs"), slide(tmp_path / "b.svs", seed=8)
    admitted = admit(look(path)[0], row(2, "S26-1", "a.svs"), LIVING, intake)
    assert isinstance(admitted, Admitted)
    os.replace(other, path)
    with laboratory.archive.stage() as staged:
        with pytest.raises(SlideRefused) as refused:
            make(admitted.order(staged, intake))
        assert list(staged.folder.iterdir()) == []
    assert refused.value.reason is Reason.CHANGED_WHILE_READ


def test_a_file_that_changes_after_it_was_made_is_not_committed(laboratory: Laboratory, tmp_path: Path) -> None:
    intake = Intake(laboratory.archive, laboratory.vault)
    path = slide(tmp_path / "a.svs")
    admitted = admit(look(path)[0], row(2, "S26-1", "a.svs"), LIVING, intake)
    assert isinstance(admitted, Admitted)
    with laboratory.archive.stage() as staged:
        made = make(admitted.order(staged, intake))
        os.utime(path, (1, 1))
        with pytest.raises(SlideRefused) as refused:
            commit(admitted, staged, made, intake)
    assert refused.value.reason is Reason.CHANGED_WHILE_READ
    assert laboratory.archive.slides() == ()


def test_a_twin_that_came_in_meanwhile_is_told_and_nothing_is_stored_twice(
    laboratory: Laboratory, tmp_path: Path
) -> None:
    intake = Intake(laboratory.archive, laboratory.vault)
    path = slide(tmp_path / "a.svs")
    twin = Path(shutil.copyfile(path, tmp_path / "twin.svs"))
    admitted = admit(look(path)[0], row(2, "S26-1", "a.svs"), LIVING, intake)
    assert isinstance(admitted, Admitted)
    with laboratory.archive.stage() as staged:
        made = make(admitted.order(staged, intake))
        first = take_in(laboratory, twin, row(2, "S26-1", "twin.svs")).receipt
        second = commit(admitted, staged, made, intake)
    assert first
    assert (first.new, second.new) == (True, False)
    assert first.scan_code == second.scan_code
    assert list(laboratory.archive.place.staging.iterdir()) == []


def test_a_file_without_a_row_is_found_by_its_label(laboratory: Laboratory, tmp_path: Path) -> None:
    path = slide(tmp_path / "a.svs", barcode="S26-0007")
    rows = (row(2, "S26-6", barcode="S26-0006"), row(3, "S26-7", barcode="S26-0007"))
    tissue = tuple(replace(one, stated=LIVING) for one in rows)
    outcome = take_in(laboratory, path, None, tissue)
    assert outcome.receipt
    assert outcome.called == "row 3"
    unknown = slide(tmp_path / "b.svs", seed=8, barcode="S26-0008")
    assert take_in(laboratory, unknown, None, tissue).reason is Reason.NO_ROW
    assert take_in(laboratory, unknown, None).reason is Reason.NO_ROW


def test_a_label_that_contradicts_its_row_waits_until_a_person_knows_better(
    laboratory: Laboratory, tmp_path: Path
) -> None:
    path = slide(tmp_path / "a.svs", barcode="S26-0007")
    told = row(2, "S26-6", "a.svs", barcode="S26-0006")
    assert take_in(laboratory, path, told, (told,)).reason is Reason.WRONG_BARCODE
    assert laboratory.archive.slides() == ()
    quarantine = Quarantine(laboratory.vault)
    (entry,) = quarantine.entries()
    quarantine.release_by_hand(entry.number, "b.scientist", "the label was printed for another block")
    assert take_in(laboratory, path, told, (told,)).receipt
    assert quarantine.entries() == ()


def test_what_a_person_refused_is_not_taken_again_until_it_changes(laboratory: Laboratory, tmp_path: Path) -> None:
    path = slide(tmp_path / "a.svs", barcode="S26-0007")
    told = row(2, "S26-6", "a.svs", barcode="S26-0006")
    take_in(laboratory, path, told, (told,))
    quarantine = Quarantine(laboratory.vault)
    quarantine.refuse(quarantine.entries()[0].number, "b.scientist", "another hospital's slide")
    assert take_in(laboratory, path, row(2, "S26-7", "a.svs")).reason is Reason.REFUSED_BY_HAND
    slide(path, seed=9)
    assert take_in(laboratory, path, row(2, "S26-7", "a.svs")).receipt
