"""A scan is part of the archive whole or not at all, killed at any step, and the next run puts right what is left."""

import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from archive import fixity
from archive.auditchain import Head
from archive.catalogue.rows import case_from, scan_from, slide_from
from archive.catalogue.schema import codes, scans, searched
from archive.codes import Code, InternalKey, new_key
from archive.consent import Facts
from archive.consent.terms import Consent, TissueSource
from archive.errors import ConsentRefused, FactsConflict, HoldingsUnavailable, InvalidValue
from archive.fixity import MANIFEST, Manifest
from archive.holdings import PIXELS, Archive, StagedScan, Step
from archive.holdings.recovery import Recovered
from archive.records import CaseRecord, ScanRecord, SlideRecord
from tests.archive.holdings.committing import commit_one

Chain = tuple[CaseRecord, SlideRecord, ScanRecord]
RequireWhole = Callable[[Archive], set[InternalKey]]
Start = Callable[..., "subprocess.Popen[str]"]


def filled(staged: StagedScan, size_bytes: int = 50_000) -> StagedScan:
    (staged.folder / "0").mkdir()
    for shard in range(3):
        (staged.folder / "0" / str(shard)).write_bytes(os.urandom(size_bytes))
    return staged


def committing(root: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.archive.holdings.committing", str(root), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def starting(root: Path, *arguments: str) -> "subprocess.Popen[str]":
        started.append(committing(root, *arguments))
        return started[-1]

    yield starting
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def test_a_committed_scan_is_in_the_catalogue_and_on_the_disk(archive: Archive, require_whole: RequireWhole) -> None:
    committed = commit_one(archive)
    (key,) = require_whole(archive)
    held = archive.slide(committed.slide_code)
    assert [scan.code for scan in held.scans] == [committed.scan_code]
    assert (held.case_code, held.patient_code) == (committed.case_code, committed.patient_code)
    assert held.scans[0].record.key == key
    assert held.scans[0].record.stored_bytes == committed.stored_bytes
    assert (archive.place.of_scan(key) / PIXELS / "zarr.json").is_file()


def test_the_steps_are_told_in_their_order(archive: Archive) -> None:
    told: list[str] = []
    with Archive.open(archive.place.root, step=told.append) as watched:
        commit_one(watched)
    assert told == list(Step)


@pytest.mark.parametrize("fatal", list(Step))
def test_killed_at_any_step_the_archive_holds_whole_scans_only(
    archive: Archive, start: Start, require_whole: RequireWhole, fatal: Step
) -> None:
    before = commit_one(archive)
    killed = start(archive.place.root, fatal)
    assert killed.wait(60) == -signal.SIGKILL

    seen = {scan.code for slide in archive.slides() for scan in slide.scans}
    recovered = archive.recover()

    kept = require_whole(archive)
    codes = {scan.code for slide in archive.slides() for scan in slide.scans}
    on_the_disk = fatal in (Step.MOVED, Step.NAMED, Step.CATALOGUED)
    assert len(seen) == (2 if fatal is Step.COMMITTED else 1)
    assert len(kept) == (1 if fatal in (Step.STAGED, Step.DESCRIBED, Step.LISTED, Step.FLUSHED) else 2)
    assert before.scan_code in codes
    assert set(recovered.taken_up) == codes - seen
    assert len(recovered.taken_up) == on_the_disk
    assert recovered.removed == (len(kept) == 1)
    assert archive.recover().nothing


def test_killed_at_random_times_no_commit_is_lost_and_none_is_half(
    archive: Archive, start: Start, require_whole: RequireWhole
) -> None:
    chance = random.Random(2026)
    told: set[Code] = set()
    for _ in range(2):
        pair = [start(archive.place.root) for _ in range(2)]
        first = [process.stdout.readline() for process in pair if process.stdout]
        time.sleep(chance.uniform(0, 0.15))
        for process in pair:
            process.kill()
        for process, line in zip(pair, first, strict=True):
            rest = process.stdout.read() if process.stdout else ""
            told |= {Code.parse(each) for each in (line + rest).splitlines() if len(each) == 13}
    archive.recover()
    require_whole(archive)
    codes = {scan.code for slide in archive.slides() for scan in slide.scans}
    assert len(told) >= 4
    assert told <= codes
    assert len(codes) <= len(told) + 4


def test_recovery_leaves_alone_what_a_living_process_works_on(
    archive: Archive, make_chain: Callable[..., Chain]
) -> None:
    with archive.stage() as staged, Archive.open(archive.place.root) as other:
        assert other.recover() == Recovered()
        archive.commit(filled(staged), *make_chain())
        assert other.recover() == Recovered()
    assert len(archive.slides()) == 1


def test_recovery_leaves_alone_a_scan_that_is_being_catalogued(
    archive: Archive, make_chain: Callable[..., Chain]
) -> None:
    found: list[Recovered] = []

    def step(name: str) -> None:
        if name == Step.NAMED:
            with Archive.open(archive.place.root) as other:
                found.append(other.recover())

    with Archive.open(archive.place.root, step=step) as watched, watched.stage() as staged:
        watched.commit(filled(staged), *make_chain())
    assert found == [Recovered()]
    assert len(archive.slides()) == 1


def test_a_folder_without_a_row_that_is_damaged_is_set_aside(archive: Archive, start: Start) -> None:
    assert start(archive.place.root, Step.NAMED).wait(60) == -signal.SIGKILL
    (key,) = archive.place.kept_keys()
    (archive.place.of_scan(key) / PIXELS / "0" / "c" / "1").write_bytes(b"something else")
    assert archive.recover() == Recovered(set_aside=1)
    assert list(archive.place.kept_keys()) == []
    assert len(list(archive.place.aside.iterdir())) == 1
    assert archive.slides() == ()
    assert archive.audit_faults() == ()


@pytest.mark.parametrize("name", [MANIFEST, "record.json"])
@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff", b"[[]]"], ids=str)
def test_a_folder_that_does_not_say_what_it_is_is_set_aside(
    archive: Archive, make_chain: Callable[..., Chain], name: str, content: bytes | None
) -> None:
    case, slide, scan = make_chain()
    with archive.stage() as staged:
        archive.commit(filled(staged), case, slide, scan)
    folder = archive.place.of_scan(scan.key)
    another = archive.place.of_scan(new_key())
    another.parent.mkdir(exist_ok=True)
    folder.rename(another)
    (another / name).unlink()
    if content is not None:
        (another / name).write_bytes(content)
    assert archive.recover() == Recovered(set_aside=1, missing=(archive.slides()[0].scans[0].code,))


def test_a_scan_under_another_scans_name_is_set_aside(archive: Archive, start: Start) -> None:
    assert start(archive.place.root, Step.NAMED).wait(60) == -signal.SIGKILL
    (key,) = archive.place.kept_keys()
    another = archive.place.of_scan(new_key())
    another.parent.mkdir(exist_ok=True)
    archive.place.of_scan(key).rename(another)
    assert archive.recover() == Recovered(set_aside=1)


def test_a_row_without_a_folder_is_told_and_nothing_is_changed(archive: Archive) -> None:
    committed = commit_one(archive)
    (key,) = archive.place.kept_keys()
    folder = archive.place.of_scan(key)
    folder.rename(archive.place.root / "elsewhere")
    before = archive.slides()
    assert archive.recover() == Recovered(missing=(committed.scan_code,))
    assert archive.slides() == before
    (archive.place.root / "elsewhere").rename(folder)
    assert archive.recover().nothing


def test_a_scan_left_without_a_row_is_taken_up_when_it_is_ingested_again(
    archive: Archive, start: Start, require_whole: RequireWhole
) -> None:
    assert start(archive.place.root, Step.CATALOGUED).wait(60) == -signal.SIGKILL
    (key,) = archive.place.kept_keys()
    rows = json.loads((archive.place.of_scan(key) / "record.json").read_bytes())
    chain = case_from(rows["case"]), slide_from(rows["slide"]), scan_from(rows["scan"])
    with archive.stage() as staged, pytest.raises(InvalidValue, match="already"):
        archive.commit(filled(staged), *chain)
    assert require_whole(archive) == {key}


def test_a_scan_is_committed_once(
    archive: Archive, make_chain: Callable[..., Chain], require_whole: RequireWhole
) -> None:
    chain = make_chain()
    for _ in range(2):
        with archive.stage() as staged:
            if archive.slides():
                with pytest.raises(InvalidValue, match="already"):
                    archive.commit(filled(staged), *chain)
            else:
                archive.commit(filled(staged), *chain)
    assert require_whole(archive) == {chain[2].key}


def test_what_was_staged_and_not_committed_is_gone(archive: Archive) -> None:
    with archive.stage() as staged:
        filled(staged)
        assert staged.folder.stat().st_mode & 0o777 == 0o700
        assert staged.outer.stat().st_mode & 0o777 == 0o700
    staged = archive.stage()
    archive.discard(staged)
    archive.discard(staged)
    assert list(archive.place.staging.iterdir()) == []


def test_unfinished_files_of_the_pixel_writer_are_left_out(archive: Archive, make_chain: Callable[..., Chain]) -> None:
    case, slide, scan = make_chain()
    with archive.stage() as staged:
        (filled(staged).folder / "0" / "3.0123abcd.partial").write_bytes(b"half")
        archive.commit(staged, case, slide, scan)
    manifest = Manifest.from_bytes((archive.place.of_scan(scan.key) / MANIFEST).read_bytes())
    assert [file.path for file in manifest.files] == [*(f"{PIXELS}/0/{shard}" for shard in range(3)), "record.json"]


def test_a_link_among_the_pixels_is_refused_and_nothing_is_kept(
    archive: Archive, make_chain: Callable[..., Chain], tmp_path: Path, require_whole: RequireWhole
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious.partial").write_bytes(b"precious")
    with archive.stage() as staged:
        (filled(staged).folder / "out").symlink_to(victim)
        with pytest.raises(InvalidValue, match="no links"):
            archive.commit(staged, *make_chain())
    assert (victim / "precious.partial").read_bytes() == b"precious"
    assert require_whole(archive) == set()


def test_digests_that_are_known_are_taken_over(archive: Archive, make_chain: Callable[..., Chain]) -> None:
    case, slide, scan = make_chain()
    with archive.stage() as staged:
        filled(staged)
        digests = {f"0/{shard}": fixity._sha256(staged.folder / "0" / str(shard)) for shard in range(2)}
        archive.commit(staged, case, slide, scan, digests)
    folder = archive.place.of_scan(scan.key)
    assert fixity.verify(folder, Manifest.from_bytes((folder / MANIFEST).read_bytes())) == ()


def test_a_commit_that_the_catalogue_refuses_leaves_nothing(
    archive: Archive, make_chain: Callable[..., Chain], require_whole: RequireWhole
) -> None:
    case, slide, scan = make_chain()
    with archive.stage() as staged:
        archive.commit(filled(staged), case, slide, scan)
    other = dataclasses.replace(case, facts=Facts(consent=Consent.REFUSED))
    second = dataclasses.replace(scan, key=new_key())
    staged = archive.stage()
    with pytest.raises(FactsConflict):
        archive.commit(filled(staged), other, slide, second)
    assert require_whole(archive) == {scan.key}
    with pytest.raises(HoldingsUnavailable):
        archive.commit(staged, case, slide, second)


def test_a_slide_that_may_not_be_kept_is_refused_at_the_door_too(
    archive: Archive, make_chain: Callable[..., Chain], require_whole: RequireWhole
) -> None:
    with archive.stage() as staged, pytest.raises(ConsentRefused) as refusal:
        archive.commit(filled(staged), *make_chain(Facts(source=TissueSource.UNKNOWN)))
    assert refusal.value.row == "K4"
    assert require_whole(archive) == set()


def test_a_scan_is_taken_up_with_what_was_recorded_since(
    archive: Archive, make_chain: Callable[..., Chain], require_whole: RequireWhole
) -> None:
    case, slide, scan = make_chain()
    with archive.stage() as staged:
        archive.commit(filled(staged), case, slide, scan)
    second = dataclasses.replace(scan, key=new_key())
    with archive.stage() as staged:
        archive.commit(filled(staged), case, slide, second)
    with archive.catalogue.writing() as writing:  # as if the second commit had been cut short
        for column in (codes.c.key, searched.c.scan_key, scans.c.key):
            writing.connection.execute(delete(column.table).where(column == second.key))
        writing.tell("a crash")
    withdrawn = dataclasses.replace(case.facts, consent=Consent.WITHDRAWN)
    archive.record_facts(case.key, withdrawn, reason="a letter")
    assert len(archive.recover().taken_up) == 1
    assert require_whole(archive) == {scan.key, second.key}
    assert archive.facts_of(slide.key) == withdrawn


def test_three_that_do_not_belong_together_are_refused(archive: Archive, make_chain: Callable[..., Chain]) -> None:
    (case, slide, _), (_, _, scan) = make_chain(), make_chain()
    with archive.stage() as staged, pytest.raises(InvalidValue, match="own slide and case"):
        archive.commit(staged, case, slide, scan)


def test_a_scan_whose_commit_succeeded_is_not_taken_back(
    archive: Archive, make_chain: Callable[..., Chain], require_whole: RequireWhole, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(head: Head) -> None:
        raise KeyboardInterrupt

    case, slide, scan = make_chain()
    monkeypatch.setattr(archive.catalogue, "_announce", interrupted)
    with archive.stage() as staged, pytest.raises(KeyboardInterrupt):
        archive.commit(filled(staged), case, slide, scan)
    assert require_whole(archive) == {scan.key}


def test_a_rename_that_fails_leaves_nothing(
    archive: Archive, make_chain: Callable[..., Chain], require_whole: RequireWhole
) -> None:
    case, slide, scan = make_chain()
    (archive.place.scans / scan.key[:2]).write_text("in the way")
    with archive.stage() as staged, pytest.raises(HoldingsUnavailable):
        archive.commit(filled(staged), case, slide, scan)
    (archive.place.scans / scan.key[:2]).unlink()
    assert require_whole(archive) == set()


def test_files_in_the_staging_folder_are_removed(archive: Archive) -> None:
    (archive.place.staging / "stray").write_bytes(b"")
    assert archive.recover().nothing
    assert list(archive.place.staging.iterdir()) == []


def test_a_flush_that_fails_leaves_nothing(
    archive: Archive, make_chain: Callable[..., Chain], require_whole: RequireWhole, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(descriptor: int) -> None:
        raise OSError(5, "Input/output error", "/a/path/with/a/key")

    with archive.stage() as staged:
        filled(staged)
        monkeypatch.setattr(fixity, "_fsync", failing)
        with pytest.raises(HoldingsUnavailable, match="Input/output error") as failure:
            archive.commit(staged, *make_chain())
        monkeypatch.undo()
    assert "/a/path" not in str(failure.value)
    assert require_whole(archive) == set()


@pytest.mark.parametrize("limit_bytes", [20_000, 45_000, 60_000, 80_000, 4_000_000])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    archive: Archive, start: Start, require_whole: RequireWhole, limit_bytes: int
) -> None:
    """A limit on the size of files stands for the end of the disk: the pixels, then the catalogue's log reach it."""
    before = commit_one(archive)
    archive.close()  # empties the catalogue's log, which then grows from nothing
    limited = start(archive.place.root, "none", str(limit_bytes))
    code = limited.wait(60)
    with Archive.open(archive.place.root) as again:
        kept = require_whole(again)
        assert before.scan_code in {scan.code for slide in again.slides() for scan in slide.scans}
    told = limited.stdout.read() if limited.stdout else ""
    if limit_bytes > 1_000_000:
        assert (code, len(kept)) == (0, 2)
    else:
        assert (code, len(kept)) == (7, 1)
        assert "cannot be used now" in told
        assert "Traceback" not in told
