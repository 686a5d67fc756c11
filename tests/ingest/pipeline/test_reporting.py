"""A day's report counts what was noted, and lets no source file go whose pixels are not safe elsewhere."""

import os
import shutil
import time
from datetime import date, timedelta
from pathlib import Path, PurePosixPath

import pytest

from archive.amounts import bytes_told
from archive.holdings.backup import back_up
from archive.records import ScanStatus, Stain
from ingest.delivery import Row
from ingest.errors import Reason
from ingest.keyvault import State
from ingest.pipeline.expecting import expect_rows
from ingest.pipeline.receipt import Receipt
from ingest.pipeline.reporting import DayReport, Disk, Hold, Releasing, gather, page_of
from ingest.pipeline.reporting.page import MOST_ROWS
from ingest.pipeline.reporting.releasing import SECOND_COPY
from ingest.quarantine.moment import moment_of
from ingest.quarantine.waiting import Quarantine
from tests.ingest.pipeline.conftest import Laboratory
from tests.slides.many import make_vms
from tests.slides.svs import make_svs


@pytest.fixture
def taken(laboratory: Laboratory, tmp_path: Path) -> tuple[Path, Receipt]:
    """Take in a slide and note it, as a batch does."""
    path = make_svs(tmp_path / "a.svs", width=300, height=260, factors=(1,)).path
    receipt = laboratory.take_in(path)
    note(laboratory, path, receipt)
    return path, receipt


def note(laboratory: Laboratory, path: Path, receipt: Receipt) -> str:
    return laboratory.vault.register.note(
        path,
        State.KEPT if receipt.new else State.KNOWN,
        moment=moment_of(path),
        scan=receipt.scan,
        source_bytes=receipt.source_bytes,
        stored_bytes=receipt.stored_bytes,
    ).number


def rows(*names: str) -> list[Row]:
    told = {"patient": "H-1", "case": "S26-1", "block": "A1", "stain": Stain.HE}
    return [Row(number=number, file=PurePosixPath(name), **told) for number, name in enumerate(names, 2)]


def report(laboratory: Laboratory, *, days_later: int = 0) -> DayReport:
    return gather(laboratory.archive, laboratory.vault, date.today() + timedelta(days_later))


def hold(laboratory: Laboratory, path: Path) -> Hold:
    entry = laboratory.vault.register.find(path)
    assert entry is not None
    return Releasing(laboratory.archive, laboratory.vault).hold(entry)


def test_a_day_on_which_nothing_came_is_reported(laboratory: Laboratory) -> None:
    told = report(laboratory)
    assert (told.expected, told.arrived, told.missing, told.lines, told.waiting) == (0, 0, (), (), 0)
    assert told.disk.days_until_full is None
    assert told.disk.free_bytes > 0
    assert "not known before the first intake" in page_of(told)


def test_what_came_is_counted_once_however_often_it_was_looked_at(
    laboratory: Laboratory, taken: tuple[Path, Receipt], tmp_path: Path
) -> None:
    path, receipt = taken
    again = Path(shutil.copy(path, tmp_path / "b.svs"))
    Quarantine(laboratory.vault).set_aside(again, Reason.NO_ROW)
    note(laboratory, again, laboratory.take_in(again, case="S26-a", patient="H-a"))
    told = report(laboratory)
    assert (told.arrived, told.count(State.KEPT), told.count(State.KNOWN), told.waiting) == (2, 1, 1, 0)
    assert [line.code for line in told.lines] == [receipt.slide_code] * 2
    assert told.stored_bytes == receipt.stored_bytes
    assert told.delivered_bytes == 2 * receipt.source_bytes
    assert told.disk.bytes_a_day == receipt.stored_bytes
    assert told.quarantined == {}


def test_a_row_is_missing_until_its_file_comes(laboratory: Laboratory, tmp_path: Path) -> None:
    listed = rows("a.svs", "b.svs", "c.svs")
    expect_rows(laboratory.vault, listed, {2}, tmp_path / "monday.csv", "surgical")
    told = report(laboratory)
    assert (told.expected, [missing.row for missing in told.missing]) == (3, [3, 4])
    assert [missing.row for missing in report(laboratory, days_later=1).missing] == [3, 4]
    assert report(laboratory, days_later=1).expected == 0
    expect_rows(laboratory.vault, rows("c.svs", "b.svs"), {2}, tmp_path / "tuesday.csv", None)
    told = report(laboratory)
    assert (told.expected, [missing.row for missing in told.missing]) == (3, [3])


def test_what_waits_is_told_by_its_reasons_the_commonest_first(laboratory: Laboratory, tmp_path: Path) -> None:
    quarantine = Quarantine(laboratory.vault)
    for number, reason in enumerate((Reason.TRUNCATED, Reason.NO_ROW, Reason.NO_ROW, Reason.WRONG_BARCODE)):
        entry = quarantine.set_aside(tmp_path / f"{number}.svs", reason)
    quarantine.refuse(entry.number, "a.clinician", "not ours")
    told = report(laboratory)
    assert list(told.quarantined.items()) == [(Reason.NO_ROW, 2), (Reason.TRUNCATED, 1)]
    assert (told.count(State.REFUSED), told.waiting, told.arrived) == (1, 3, 4)
    assert report(laboratory, days_later=1).quarantined == {}
    assert report(laboratory, days_later=1).waiting == 3


def test_a_source_may_be_deleted_when_the_archive_has_it(laboratory: Laboratory, taken: tuple[Path, Receipt]) -> None:
    path, receipt = taken
    assert report(laboratory).releasable == 1
    assert [source.files for source in Releasing(laboratory.archive, laboratory.vault).sources()] == [(path,)]
    assert receipt.scan is not None
    laboratory.archive.set_status(receipt.scan, ScanStatus.DAMAGED, reason="found by check")
    assert hold(laboratory, path) is Hold.NOT_IN_ARCHIVE
    assert report(laboratory).releasable == 0


def test_a_source_that_is_not_what_was_taken_in_is_not_to_be_deleted(
    laboratory: Laboratory, taken: tuple[Path, Receipt]
) -> None:
    path, _ = taken
    path.write_bytes(b"something else")
    assert hold(laboratory, path) is Hold.CHANGED
    path.unlink()
    assert hold(laboratory, path) is Hold.GONE
    assert list(Releasing(laboratory.archive, laboratory.vault).sources()) == []


def test_a_slide_of_many_files_is_not_to_be_deleted_when_one_of_them_changed(
    laboratory: Laboratory, tmp_path: Path
) -> None:
    key_file, *pictures = make_vms(tmp_path / "scanner")
    note(laboratory, key_file, laboratory.take_in(key_file))
    assert hold(laboratory, key_file) is Hold.NOTHING
    (source,) = Releasing(laboratory.archive, laboratory.vault).sources()
    assert set(source.files) == {key_file, *pictures}
    stream = pictures[0].read_bytes()
    pictures[0].write_bytes(stream[:-1] + b"\0")
    os.utime(pictures[0], ns=(time.time_ns() + 10**9,) * 2)
    assert hold(laboratory, key_file) is Hold.CHANGED
    os.utime(pictures[0], ns=(0, 0))
    pictures[0].write_bytes(stream + b"\0")
    assert hold(laboratory, key_file) is Hold.CHANGED
    pictures[0].unlink()
    assert hold(laboratory, key_file) is Hold.CHANGED


def test_where_a_second_copy_is_configured_a_source_stays_until_that_has_it_whole(
    laboratory: Laboratory, taken: tuple[Path, Receipt], tmp_path: Path
) -> None:
    path, receipt = taken
    copy, kept = tmp_path / "copy", laboratory.folder_of(receipt)
    laboratory.vault.declare(SECOND_COPY, "backup", str(copy), who="a.clinician")
    assert hold(laboratory, path) is Hold.NOT_COPIED
    back_up(laboratory.archive, copy)
    copied = copy / kept.relative_to(laboratory.archive.place.root)
    assert hold(laboratory, path) is Hold.NOTHING
    shard = max((file for file in copied.rglob("*") if file.is_file()), key=lambda file: file.stat().st_size)
    shard.write_bytes(shard.read_bytes()[:-1])
    assert hold(laboratory, path) is Hold.NOT_COPIED


def test_an_erased_patients_slide_is_still_counted_on_its_day(
    laboratory: Laboratory, taken: tuple[Path, Receipt]
) -> None:
    entry = laboratory.vault.register.find(taken[0])
    assert entry is not None
    assert entry.scan is not None
    slide = laboratory.archive.slide(taken[1].slide_code).record
    case = laboratory.archive.case(slide.case)
    assert case is not None
    laboratory.vault.erase(case.patient, "a.clinician", "request 18")
    told = report(laboratory)
    assert (told.count(State.KEPT), told.lines[0].code, told.releasable) == (1, None, 0)


def test_the_disk_is_full_when_the_usual_day_came_often_enough() -> None:
    assert Disk(100, 10.0).days_until_full == 10
    assert Disk(100, None).days_until_full is None


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, "0.0 kB"), (999, "1.0 kB"), (12_300_000, "12.3 MB"), (4.5e9, "4.5 GB"), (2e15, "2,000.0 TB")],
)
def test_bytes_are_told_as_people_do(count: float, told: str) -> None:
    assert bytes_told(count) == told


def test_a_page_does_not_list_rows_without_end(laboratory: Laboratory, tmp_path: Path) -> None:
    listed = rows(*(f"{number}.svs" for number in range(MOST_ROWS + 7)))
    expect_rows(laboratory.vault, listed, (), tmp_path / "monday.csv", None)
    page = page_of(report(laboratory))
    assert "And 7 more." in page
    assert "monday" not in page
