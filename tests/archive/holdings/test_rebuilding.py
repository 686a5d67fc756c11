"""A lost catalogue comes back as it was, or it is told what did not, and nothing of that is shown to anybody."""

import dataclasses
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive.auditchain import FaultCode as AuditFault
from archive.catalogue import codes, searching
from archive.catalogue.journal import segments
from archive.catalogue.journal_reading import FaultCode
from archive.codes import InternalKey, Kind, new_key
from archive.consent import Purpose, Recipient
from archive.consent.records import ConsentRecord, Giver, Said
from archive.consent.terms import Consent
from archive.errors import CatalogueUnavailable, HoldingsUnavailable, InvalidValue, UnknownCode
from archive.holdings import Archive, Committed
from archive.holdings.backup import back_up
from archive.holdings.consenting import Subject, record
from archive.holdings.correction import Correction, carry_out
from archive.holdings.rebuilding import rebuild_catalogue
from archive.holdings.reviewing import loss_is_settled, review, settle_loss, unreviewed
from archive.records import ScanStatus
from archive.settings import ArchiveSettings
from archive.teaching import compose
from tests.archive.holdings.committing import commit_one
from tests.archive.holdings.rows import Rows, rows_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def lived(root: Path) -> tuple[list[Committed], Rows]:
    """Make an archive in which things happened after its scans came in, and tell every row of it."""
    with Archive.create(root) as archive:
        committed = [commit_one(archive) for _ in range(4)]
        scans = [archive.slide(one.slide_code).scans[0].record for one in committed]
        archive.set_status(scans[0].key, ScanStatus.WITHDRAWN, reason="a letter")
        case = archive.key_of(committed[1].case_code, Kind.CASE)
        facts = archive.facts_of(scans[1].slide)
        archive.record_facts(case, dataclasses.replace(facts, consent=Consent.REFUSED), reason="a letter")
        assert not compose(archive, "Skin, week 3", [committed[2].slide_code, committed[3].slide_code]).refusals
        with archive.catalogue.writing() as writing:
            project = codes.add_project(writing.connection, "colon study")
            codes.add_code(writing.connection, project, Kind.SLIDE, scans[2].slide)
            writing.tell("code")
        return committed, rows_of(archive)


def lose(root: Path, name: str = "catalogue.sqlite") -> None:
    """Lose a file of the archive, with what belongs to it."""
    for file in root.glob(f"{name}*"):
        file.unlink()


def test_a_lost_catalogue_comes_back_as_it_was(root: Path, lived: tuple[list[Committed], Rows]) -> None:
    committed, rows = lived
    lose(root)
    with pytest.raises(HoldingsUnavailable, match="rebuild-catalogue"):
        Archive.open(root)
    rebuilt = rebuild_catalogue(root)
    assert rebuilt.complete
    assert (rebuilt.slides, rebuilt.scans, rebuilt.set_aside) == (4, 4, None)
    with Archive.open(root) as archive:
        assert rows_of(archive) == rows
        assert archive.audit_faults() == archive.catalogue.faults() == ()
        assert archive.recover().nothing
        with archive.catalogue.reading() as connection:
            assert searching.stale(connection) == 0
        with pytest.raises(UnknownCode):
            archive.open_pyramid(archive.slide(committed[0].slide_code).scans[0].record.key)
        commit_one(archive)
    lose(root)
    assert rebuild_catalogue(root).scans == 5


def test_the_heads_in_the_second_place_vouch_for_the_rebuilt_trail(root: Path, tmp_path: Path) -> None:
    settings = ArchiveSettings(archive=root, audit_second_place=tmp_path / "heads")
    with Archive.create(root, settings) as archive:
        for _ in range(3):
            commit_one(archive)
    last = segments(root / "journal")[-1].path
    lose(root)
    assert rebuild_catalogue(root, settings).audit_faults == ()
    lose(root)
    last.write_bytes(b"".join(last.read_bytes().splitlines(keepends=True)[:-1]))  # cut off between two lines
    cut = rebuild_catalogue(root, settings)
    assert [fault.code for fault in cut.journal_faults] == [FaultCode.MISSING]
    assert {fault.code for fault in cut.audit_faults} == {AuditFault.REPLACED}  # the marking is entry 3 now
    assert cut.unreviewed == 3
    assert not cut.complete


def test_a_catalogue_that_is_there_is_replaced_only_if_that_is_said(
    root: Path, lived: tuple[list[Committed], Rows]
) -> None:
    with pytest.raises(InvalidValue, match="--yes"):
        rebuild_catalogue(root)
    (root / "catalogue.sqlite").write_bytes(b"not a database any more " * 1_000)
    (root / "catalogue.sqlite-wal").write_bytes(b"nor a log")
    rebuilt = rebuild_catalogue(root, replace=True)
    assert rebuilt.complete
    assert rebuilt.set_aside is not None
    assert (rebuilt.set_aside / "catalogue.sqlite").read_bytes().startswith(b"not a database any more")
    assert b"nor a log" not in b"".join(file.read_bytes() for file in root.glob("catalogue*"))
    with Archive.open(root) as archive:
        assert rows_of(archive) == lived[1]


def test_a_catalogue_that_is_in_use_is_not_taken_away(root: Path, lived: tuple[list[Committed], Rows]) -> None:
    with Archive.open(root, read_only=True) as reader:
        assert reader.slides()
        with pytest.raises(CatalogueUnavailable, match="another program"):
            rebuild_catalogue(root, replace=True)
        assert rows_of(reader) == lived[1]
    assert rebuild_catalogue(root, replace=True).complete


def test_without_a_journal_everything_waits_to_be_reviewed(root: Path, lived: tuple[list[Committed], Rows]) -> None:
    lose(root)
    shutil.rmtree(root / "journal")
    rebuilt = rebuild_catalogue(root)
    assert [fault.code for fault in rebuilt.journal_faults] == [FaultCode.ABSENT]
    assert (rebuilt.unreviewed, rebuilt.from_records, rebuilt.unreadable) == (4, 4, 0)
    assert not rebuilt.complete
    with Archive.open(root) as archive:
        assert len(archive.slides()) == len(unreviewed(archive)) == 4
        for slide in archive.slides():
            for purpose, to in ((Purpose.TEACHING, Recipient.CLASS), (Purpose.KEEP, Recipient.LABORATORY)):
                with pytest.raises(UnknownCode):
                    archive.decide(slide.record.key, purpose, to)
            with pytest.raises(UnknownCode):
                archive.open_pyramid(slide.scans[0].record.key)
        assert archive.audit_faults() == ()
        was = {row["key"]: row for row in lived[1]["scans"]}
        for row in rows_of(archive)["scans"]:
            assert row == was[row["key"]] | {"status": "unreviewed"}
    lose(root)
    assert rebuild_catalogue(root).complete  # the journal was begun anew


def test_a_person_says_what_holds_for_what_was_in_doubt(root: Path, lived: tuple[list[Committed], Rows]) -> None:
    lose(root)
    shutil.rmtree(root / "journal")
    rebuild_catalogue(root)
    with Archive.open(root) as archive:
        kept, withdrawn, *others = unreviewed(archive)
        assert review(archive, kept, keep=True, reason="looked up") == 1
        assert review(archive, str(withdrawn), keep=False, reason="looked up") == 1
        assert unreviewed(archive) == tuple(others)
        assert archive.decide(archive.slide(kept).record.key, Purpose.KEEP, Recipient.LABORATORY).allowed
        assert archive.slide(withdrawn).scans[0].record.status is ScanStatus.WITHDRAWN
        with pytest.raises(UnknownCode):
            review(archive, kept, keep=True, reason="again")


def test_a_new_scan_of_a_case_in_doubt_is_in_doubt_as_well(
    root: Path, make_chain: Callable[..., Any], lived: tuple[list[Committed], Rows]
) -> None:
    lose(root)
    shutil.rmtree(root / "journal")
    rebuild_catalogue(root)
    with Archive.open(root) as archive:
        slide = archive.slides()[0]
        case = archive.case(slide.record.case)
        assert case is not None
        again = dataclasses.replace(slide.scans[0].record, key=make_chain()[2].key, status=ScanStatus.KEPT)
        with archive.stage() as staged:
            (staged.folder / "zarr.json").write_text("{}")
            archive.commit(staged, case, slide.record, again)
        assert {scan.status for scan in archive.scans_of(slide.record.key)} == {ScanStatus.UNREVIEWED}


def refuse(archive: Archive, patient: InternalKey) -> None:
    said = ConsentRecord(by="j.doe", said=Said.REFUSED, giver=Giver.SELF)
    record(archive, Subject(patient=patient), new_key(), said, reason="a letter")


def damage_newest_act(root: Path) -> None:
    """Flip a bit in the line that tells the newest act."""
    path = segments(root / "journal")[-1].path
    lines = path.read_bytes().splitlines(keepends=True)
    lines[-1] = lines[-1].replace(b'"put"', b'"pus"')
    path.write_bytes(b"".join(lines))


def status(archive: Archive, one: Committed) -> ScanStatus:
    return archive.slide(one.slide_code).scans[0].record.status


def test_a_lost_refusal_puts_every_case_of_its_patient_in_doubt_later_ones_too(root: Path) -> None:
    patient = new_key()
    with Archive.create(root) as archive:
        before = commit_one(archive, patient=patient)
        refuse(archive, patient)
        damage_newest_act(root)
        later, stranger = commit_one(archive, patient=patient), commit_one(archive)
    lose(root)
    assert rebuild_catalogue(root).journal_faults
    with Archive.open(root) as archive:
        assert status(archive, before) is status(archive, later) is ScanStatus.UNREVIEWED
        assert status(archive, stranger) is ScanStatus.KEPT  # who came after it cannot have refused in it
        assert status(archive, commit_one(archive, patient=patient)) is ScanStatus.UNREVIEWED
        settle_loss(archive, reason="list entered again")
        assert status(archive, commit_one(archive, patient=patient)) is ScanStatus.UNREVIEWED
        assert status(archive, commit_one(archive)) is ScanStatus.KEPT
        for code in unreviewed(archive):
            review(archive, code, keep=True, reason="looked up")
        assert status(archive, commit_one(archive, patient=patient)) is ScanStatus.KEPT


def test_a_lost_refusal_of_somebody_who_had_no_case_yet_holds_back_whatever_comes_in(root: Path) -> None:
    patient = new_key()
    with Archive.create(root) as archive:
        refuse(archive, patient)
        damage_newest_act(root)
        commit_one(archive)
    lose(root)
    rebuild_catalogue(root)
    lose(root)
    assert rebuild_catalogue(root).journal_faults == ()  # and the loss is not forgotten with the catalogue
    with Archive.open(root) as archive:
        assert not loss_is_settled(archive)
        assert status(archive, commit_one(archive, patient=patient)) is ScanStatus.UNREVIEWED
        settle_loss(archive, reason="list entered again")
        assert loss_is_settled(archive)
        assert status(archive, commit_one(archive)) is ScanStatus.KEPT
        with pytest.raises(InvalidValue, match="nothing was changed"):
            settle_loss(archive, reason="again")


def test_a_case_that_is_corrected_to_a_patient_in_doubt_is_in_doubt(root: Path) -> None:
    patient = new_key()
    with Archive.create(root) as archive:
        commit_one(archive, patient=patient)
        refuse(archive, patient)
        damage_newest_act(root)
        other = commit_one(archive)
    lose(root)
    rebuild_catalogue(root)
    with Archive.open(root) as archive:
        settle_loss(archive, reason="list entered again")
        case = archive.case(archive.slide(other.slide_code).record.case)
        assert case is not None
        assert status(archive, other) is ScanStatus.KEPT
        carry_out(archive, Correction(dataclasses.replace(case, patient=patient), None, "wrong name"))
        assert status(archive, other) is ScanStatus.UNREVIEWED


@pytest.mark.parametrize("place", [0.0, 0.3, 0.6, 0.95])
def test_one_flipped_bit_never_brings_a_withdrawn_slide_back(
    root: Path, lived: tuple[list[Committed], Rows], place: float
) -> None:
    _, rows = lived
    lose(root)
    path = segments(root / "journal")[-1].path
    lines = path.read_bytes().splitlines(keepends=True)
    number = 1 + int(place * (len(lines) - 1))
    damaged = bytearray(lines[number])
    damaged[len(damaged) // 2] ^= 4
    path.write_bytes(b"".join([*lines[:number], bytes(damaged), *lines[number + 1 :]]))
    rebuilt = rebuild_catalogue(root)
    assert rebuilt.journal_faults
    assert not rebuilt.complete
    was = {row["key"]: row["status"] for row in rows["scans"]}
    with Archive.open(root) as archive:
        now = {row["key"]: row["status"] for row in rows_of(archive)["scans"]}
        assert now.keys() == was.keys()
        assert all(status in (was[key], "unreviewed") for key, status in now.items())
        assert "unreviewed" in now.values()
        assert len(archive.slides()) == 4
    lose(root)
    assert rebuild_catalogue(root).journal_faults == ()  # the journal was begun anew, with what is in doubt


def test_folders_that_say_nothing_and_scans_without_a_folder_are_told(
    root: Path, lived: tuple[list[Committed], Rows]
) -> None:
    lose(root)
    folders = sorted(path for path in root.glob("scans/*/*"))
    shutil.rmtree(folders[0])
    (folders[1] / "manifest.json").write_text("{}")
    rebuilt = rebuild_catalogue(root)
    assert (rebuilt.missing, rebuilt.differing, rebuilt.scans) == (1, 1, 4)
    lose(root)
    shutil.rmtree(root / "journal")
    rebuilt = rebuild_catalogue(root)
    assert (rebuilt.from_records, rebuilt.unreadable) == (2, 1)


def test_the_mark_comes_back_with_the_catalogue(root: Path, lived: tuple[list[Committed], Rows]) -> None:
    lose(root)
    lose(root, "archive.json")
    assert rebuild_catalogue(root).complete
    with Archive.open(root) as archive:
        assert rows_of(archive) == lived[1]


def test_another_archives_journal_is_refused(root: Path, lived: tuple[list[Committed], Rows], tmp_path: Path) -> None:
    Archive.create(tmp_path / "other").close()
    lose(root)
    shutil.rmtree(root / "journal")
    shutil.copytree(tmp_path / "other" / "journal", root / "journal")
    with pytest.raises(CatalogueUnavailable, match="another archive's"):
        rebuild_catalogue(root)
    assert not list(root.glob("catalogue*"))


def test_a_catalogue_comes_back_into_postgresql(root: Path, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue("postgresql")
    settings = ArchiveSettings(archive=root, database_url=server.emptied())
    with Archive.create(root, settings) as archive:
        for _ in range(3):
            commit_one(archive)
        rows = rows_of(archive)
    with pytest.raises(CatalogueUnavailable, match="in this database already"):
        rebuild_catalogue(root, settings)
    server.emptied()
    assert rebuild_catalogue(root, settings).complete
    assert not list(root.glob("catalogue*"))
    with Archive.open(root, settings=settings) as archive:
        assert rows_of(archive) == rows
        commit_one(archive)


def test_an_old_copy_of_the_catalogue_is_not_opened(root: Path) -> None:
    with Archive.create(root) as archive:
        committed = commit_one(archive)
        with sqlite3.connect(root / "copy.sqlite") as copy, sqlite3.connect(root / "catalogue.sqlite") as source:
            source.backup(copy)
        commit_one(archive)
        scan = archive.slide(committed.slide_code).scans[0].record
        archive.set_status(scan.key, ScanStatus.WITHDRAWN, reason="a letter")
        rows = rows_of(archive)
    lose(root)
    (root / "copy.sqlite").rename(root / "catalogue.sqlite")
    with pytest.raises(CatalogueUnavailable, match="older than its journal"):
        Archive.open(root)
    rebuild_catalogue(root, replace=True)
    with Archive.open(root) as archive:
        assert rows_of(archive) == rows


def test_a_damaged_journal_is_begun_anew_at_recovery(root: Path, lived: tuple[list[Committed], Rows]) -> None:
    path = segments(root / "journal")[-1].path
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with Archive.open(root) as archive:
        assert archive.recover().journal_anew
        assert archive.recover().nothing
    lose(root)
    assert rebuild_catalogue(root).complete
    with Archive.open(root) as archive:
        assert rows_of(archive) == lived[1]


@pytest.mark.parametrize("damage", ["a bit", "the end", "a file", "everything"])
def test_a_backup_makes_good_what_is_damaged_in_the_journal(root: Path, tmp_path: Path, damage: str) -> None:
    with Archive.create(root) as archive:
        for _ in range(3):
            commit_one(archive)
        back_up(archive, tmp_path / "disk" / "backup")
        commit_one(archive)
        rows = rows_of(archive)
    snapshot, acts = (segment.path for segment in segments(root / "journal"))
    content = acts.read_bytes()
    if damage == "a bit":
        acts.write_bytes(content[:2_000] + bytes([content[2_000] ^ 1]) + content[2_001:])
    elif damage == "the end":
        acts.write_bytes(content[:3_000])
    elif damage == "a file":
        snapshot.unlink()
    else:
        shutil.rmtree(root / "journal")
    lose(root)
    rebuilt = rebuild_catalogue(root, backup=tmp_path / "disk" / "backup")
    with Archive.open(root) as archive:
        assert len(archive.slides()) == 4
        assert archive.audit_faults() == ()
        if damage in ("a bit", "a file"):
            assert rebuilt.complete
            assert rows_of(archive) == rows
        else:  # what was told after the backup was made is in no copy
            assert [fault.code for fault in rebuilt.journal_faults] == [FaultCode.MISSING]
            assert len(unreviewed(archive)) == 4
            assert rebuilt.from_records == 1
    Archive.create(tmp_path / "other").close()
    with pytest.raises(InvalidValue, match="another archive"):
        rebuild_catalogue(tmp_path / "other", replace=True, backup=tmp_path / "disk" / "backup")


KILLED = """
import os, signal, sys
from pathlib import Path
import archive.holdings.rebuilding as rebuilding
from archive import fixity
count, limit = 0, int(sys.argv[2])
def counted(event, arguments):
    global count
    if event in ("os.rename", "sqlite3.connect", "os.remove", "os.mkdir"):
        count += 1
        if count == limit:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(counted)
rebuilding.rebuild_catalogue(Path(sys.argv[1]), replace=True)
"""


def test_killed_anywhere_a_rebuilding_is_run_again(root: Path, lived: tuple[list[Committed], Rows]) -> None:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    killed = 0
    for limit in range(1, 100, 3):
        done = subprocess.run([sys.executable, "-c", KILLED, str(root), str(limit)], env=environment, check=False)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
        killed += 1
        if limit % 2 == 0:
            rebuild_catalogue(root, replace=True)
            with Archive.open(root) as archive:
                assert rows_of(archive) == lived[1]
    assert killed > 2
    with Archive.open(root) as archive:
        assert rows_of(archive) == lived[1]
        assert not list(root.glob("catalogue.rebuilding*"))
