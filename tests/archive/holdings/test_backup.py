"""A backup is whole and verified, or says what is not; what is restored from it is what was backed up."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete

from archive.catalogue import schema
from archive.codes import InternalKey, new_key
from archive.errors import HoldingsUnavailable, InvalidValue
from archive.holdings import Archive
from archive.holdings.backup import Verify, back_up, second_copy_has
from archive.holdings.backup_state import BackupState
from archive.holdings.place import Claim, Place
from archive.holdings.restoring import BEGUN, Restored, restore
from archive.records import ScanStatus
from archive.settings import ArchiveSettings
from tests.archive.holdings.committing import commit_one
from tests.archive.holdings.rows import Rows, rows_of

RequireWhole = Callable[[Archive], set[InternalKey]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "disk" / "backup"


def some(root: Path, count: int = 3) -> None:
    """Make an archive with some scans."""
    with Archive.create(root) as archive:
        for _ in range(count):
            commit_one(archive)


def backed_up(root: Path, folder: Path) -> Rows:
    """Back an archive up and give its rows."""
    with Archive.open(root) as archive:
        done = back_up(archive, folder, verify=Verify.FULL)
        assert done.faults == []
        return rows_of(archive)


def spoilt(content: bytes) -> bytes:
    """Change a bit of the first byte, whatever it is."""
    return bytes([content[0] ^ 1]) + content[1:]


def restored(folder: Path, root: Path) -> tuple[Restored, Rows]:
    """Restore an archive and give its rows."""
    done = restore(folder, root)
    with Archive.open(root) as archive:
        return done, rows_of(archive)


def test_after_the_loss_of_the_archive_everything_is_had_back(
    root: Path, folder: Path, require_whole: RequireWhole
) -> None:
    some(root)
    with Archive.open(root) as archive:
        scan = archive.slides()[0].scans[0].record
        archive.set_status(scan.key, ScanStatus.WITHDRAWN, reason="a letter")
        kept = require_whole(archive)
    rows = backed_up(root, folder)
    shutil.rmtree(root)
    done, now = restored(folder, root)
    assert now == rows
    assert done.complete
    assert done.scans == 3
    assert done.rebuilt is None
    with Archive.open(root) as archive:
        assert require_whole(archive) == kept
        assert archive.recover().nothing
        commit_one(archive)
    assert {path.name for path in root.iterdir()} == {
        *("archive.json", "catalogue.sqlite", "journal", "staging", "scans", "aside", "backups.json")
    }


def test_only_what_is_new_is_copied(root: Path, folder: Path) -> None:
    some(root)
    backed_up(root, folder)
    before = {path: path.stat().st_ino for path in folder.glob("scans/*/*")}
    with Archive.open(root) as archive:
        commit_one(archive)
        told: list[tuple[str, int]] = []
        wrote: list[int] = []
        done = back_up(archive, folder, begun=lambda *words: told.append(words), wrote=wrote.append)
        stored = max(scan.record.stored_bytes for slide in archive.slides() for scan in slide.scans)
    assert (done.copied, done.there, done.verified) == (1, 3, 4)
    (copying, copied_bytes), (reading, read_bytes) = told
    assert (copying, reading) == ("copying", "reading again")
    assert 0 < copied_bytes == done.copied_bytes <= stored < read_bytes
    assert sum(wrote) == copied_bytes + read_bytes
    after = {path: path.stat().st_ino for path in folder.glob("scans/*/*")}
    assert len(after) == 4
    assert before.items() <= after.items()


def test_a_second_copy_is_known_to_have_a_scan_once_it_is_verified(root: Path, folder: Path) -> None:
    some(root)
    with Archive.open(root) as archive:
        scans = [slide.scans[0].record.key for slide in archive.slides()]
        assert not any(second_copy_has(folder, scan) for scan in scans)
        assert not any(second_copy_has(root, scan) for scan in scans)  # the first copy is no second one
        back_up(archive, folder)
        assert all(second_copy_has(folder, scan) for scan in scans)
        assert not second_copy_has(folder, InternalKey(new_key()))


def test_what_is_damaged_in_the_archive_is_told_and_not_copied(root: Path, folder: Path) -> None:
    some(root)
    with Archive.open(root) as archive:
        damaged, missing, _ = (slide.scans[0].record.key for slide in archive.slides())
        shard = archive.place.of_scan(damaged) / "pyramid.ome.zarr" / "0" / "c" / "1"
        content = bytearray(shard.read_bytes())
        content[100] ^= 1
        shard.write_bytes(content)
        shutil.rmtree(archive.place.of_scan(missing))
        done = back_up(archive, folder)
        assert {(fault.scan, fault.place) for fault in done.faults} == {
            (damaged, "pyramid.ome.zarr/0/c/1"),
            (missing, "manifest.json"),
        }
        assert not second_copy_has(folder, damaged)
        content[100] ^= 1
        shard.write_bytes(content)  # repaired
        assert [fault.scan for fault in back_up(archive, folder).faults] == [missing]
        assert second_copy_has(folder, damaged)


def test_a_copy_that_has_rotted_is_found_and_made_again(root: Path, folder: Path) -> None:
    some(root)
    backed_up(root, folder)
    shard = next(folder.glob("scans/*/*/pyramid.ome.zarr/0/c/2"))
    right = shard.read_bytes()
    shard.write_bytes(spoilt(right))
    with Archive.open(root) as archive:
        done = back_up(archive, folder, verify=Verify.FULL)
        assert (done.renewed, done.faults) == (1, [])
        assert shard.read_bytes() == right
        assert len(list((folder / "aside").iterdir())) == 1
        shard.write_bytes(spoilt(right))
        (archive.place.of_scan(InternalKey(shard.parents[3].name)) / "manifest.json").unlink()
        assert len(back_up(archive, folder, verify=Verify.FULL).faults) == 1


def test_a_damaged_copy_is_told_when_it_is_restored(root: Path, folder: Path, tmp_path: Path) -> None:
    some(root)
    rows = backed_up(root, folder)
    shard = next(folder.glob("scans/*/*/pyramid.ome.zarr/0/c/2"))
    shard.write_bytes(spoilt(shard.read_bytes()))
    done, now = restored(folder, tmp_path / "again")
    assert now == rows
    assert [fault.place for fault in done.faults] == ["pyramid.ome.zarr/0/c/2"]
    assert (done.scans, done.complete) == (2, False)


def test_what_the_archive_has_no_longer_stays_unless_it_is_said_otherwise(root: Path, folder: Path) -> None:
    some(root)
    backed_up(root, folder)
    with Archive.open(root) as archive:
        gone = archive.slides()[0].scans[0].record.key
        with archive.catalogue.writing() as writing:
            for column in (schema.codes.c.key, schema.searched.c.scan_key, schema.scans.c.key):
                writing.connection.execute(delete(column.table).where(column == gone))
            writing.tell("erase")
        shutil.rmtree(archive.place.of_scan(gone))
        assert back_up(archive, folder).removed == 1
        assert second_copy_has(folder, gone)
        assert back_up(archive, folder, mirror_removals=True).removed == 1
        assert not second_copy_has(folder, gone)
        assert back_up(archive, folder).removed == 0


def test_a_disk_that_is_not_mounted_removes_nothing_from_the_backup(root: Path, folder: Path) -> None:
    some(root)
    backed_up(root, folder)
    (root / "scans").rename(root / "elsewhere")
    (root / "scans").mkdir()
    with Archive.open(root) as archive:
        done = back_up(archive, folder, mirror_removals=True)
    assert (done.removed, done.there) == (0, 3)


def test_a_backup_never_lies_in_the_archive_nor_in_another_backup(root: Path, folder: Path, tmp_path: Path) -> None:
    some(root, 1)
    backed_up(root, folder)
    other = tmp_path / "other"
    some(other, 1)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.docx").write_text("precious")
    with Archive.open(other) as archive:
        for place, words in (
            (other / "backup", "outside the archive"),
            (tmp_path, "outside the archive"),
            (folder, "another archive"),
            (tmp_path / "full", "empty folder"),
        ):
            with pytest.raises(InvalidValue, match=words):
                back_up(archive, place)
    with pytest.raises(InvalidValue, match="empty folder"):
        restore(folder, tmp_path / "full")
    with pytest.raises(InvalidValue, match="outside its backup"):
        restore(folder, folder / "archive")
    with pytest.raises(HoldingsUnavailable, match="no backup"):
        restore(tmp_path / "full", tmp_path / "new")


def test_two_backups_are_not_made_in_one_folder_at_once(root: Path, folder: Path) -> None:
    some(root, 1)
    backed_up(root, folder)
    claim = Claim.take(folder)
    assert claim is not None
    with Archive.open(root) as archive, pytest.raises(HoldingsUnavailable, match="another backup"):
        back_up(archive, folder)
    claim.release()


def test_a_trail_that_does_not_go_on_from_the_last_backup_is_not_copied_over_it(root: Path, folder: Path) -> None:
    some(root)
    backed_up(root, folder)
    before = (folder / "catalogue.sqlite").read_bytes()
    with Archive.open(root) as archive:
        with archive.catalogue.writing() as writing:
            writing.connection.execute(delete(schema.audit).where(schema.audit.c.number > 1))
            writing.tell("cover up")
        with pytest.raises(HoldingsUnavailable, match="does not go on"):
            back_up(archive, folder)
    assert (folder / "catalogue.sqlite").read_bytes() == before


@pytest.mark.parametrize("loss", ["lost", "damaged", "older"])
def test_the_journal_stands_in_for_the_copy_of_the_catalogue(
    root: Path, folder: Path, loss: str, require_whole: RequireWhole, tmp_path: Path
) -> None:
    some(root)
    rows = backed_up(root, folder)
    older = (folder / "catalogue.sqlite").read_bytes()
    if loss == "older":
        with Archive.open(root) as archive:
            commit_one(archive)
        rows = backed_up(root, folder)
        (folder / "catalogue.sqlite").write_bytes(older)
    elif loss == "damaged":
        (folder / "catalogue.sqlite").write_bytes(older[:5_000] + os.urandom(9_000) + older[14_000:])
    else:
        (folder / "catalogue.sqlite").unlink()
    done, now = restored(folder, tmp_path / "again")
    assert done.rebuilt is not None
    assert done.complete
    assert now == rows
    with Archive.open(tmp_path / "again") as archive:
        require_whole(archive)


def test_an_unfinished_backup_is_not_restored(root: Path, folder: Path, tmp_path: Path) -> None:
    some(root, 1)
    backed_up(root, folder)
    BackupState(BackupState.read(folder).archive).write(folder)
    with pytest.raises(HoldingsUnavailable, match="never finished"):
        restore(folder, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_catalogue_in_postgresql_is_carried_by_the_journal(
    root: Path, folder: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue("postgresql")
    with Archive.create(root, ArchiveSettings(archive=root, database_url=server.emptied())) as archive:
        for _ in range(3):
            commit_one(archive)
        assert back_up(archive, folder).faults == []
        rows = rows_of(archive)
    assert not (folder / "catalogue.sqlite").exists()
    done, now = restored(folder, tmp_path / "in sqlite")
    assert done.complete
    assert now == rows
    settings = ArchiveSettings(archive=tmp_path / "in postgresql", database_url=server.emptied())
    assert restore(folder, settings.archive, settings).complete
    with Archive.open(settings.archive, settings=settings) as archive:
        assert rows_of(archive) == rows


RUN = """
import sys
from pathlib import Path
from archive.holdings import Archive
from archive.holdings.backup import Verify, back_up
from archive.holdings.restoring import restore
if sys.argv[1] == "backup":
    with Archive.open(Path(sys.argv[2])) as archive:
        print("begun", flush=True)
        assert not back_up(archive, Path(sys.argv[3])).faults
else:
    print("begun", flush=True)
    assert restore(Path(sys.argv[2]), Path(sys.argv[3])).complete
print("done", flush=True)
"""


def is_restored(folder: Path) -> bool:
    return Place(folder).mark.exists() and not (folder / BEGUN).exists()


def killed_at_random(*words: object) -> int:
    """Run until it ends by itself, killing it at random times before; give how often it was killed.

    Each time it gets about half as long again as the time before, from a millisecond, so that a fast machine is met on
    its way as well as a slow one.
    """
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    chance = random.Random(7)
    for kills in range(25):
        command = [sys.executable, "-c", RUN, *map(str, words)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
            assert process.stdout is not None
            process.stdout.readline()
            try:
                process.wait(0.001 * 1.5**kills * chance.uniform(0.7, 1.3))
            except subprocess.TimeoutExpired:
                process.kill()
            if process.stdout.readline() or is_restored(Path(str(words[-1]))):  # or killed just before it said so
                return kills
        assert process.returncode == -signal.SIGKILL
    raise AssertionError("it never ended by itself")


def test_killed_at_any_time_backup_and_restoration_go_on_where_they_were(
    root: Path, folder: Path, tmp_path: Path, require_whole: RequireWhole
) -> None:
    some(root, 12)
    kills = killed_at_random("backup", root, folder)
    assert list((folder / "staging").iterdir()) == []
    kills += killed_at_random("restore", folder, tmp_path / "again")
    assert kills >= 3
    with Archive.open(root) as before, Archive.open(tmp_path / "again") as after:
        assert rows_of(before) == rows_of(after)
        assert require_whole(after) == require_whole(before)
    assert not (tmp_path / "again" / BEGUN).exists()


def test_what_must_be_there_first_is_put_in_before_anybody_can_open_it(
    root: Path, folder: Path, tmp_path: Path
) -> None:
    some(root, 2)
    with Archive.open(root) as archive:
        back_up(archive, folder)
    again = tmp_path / "again"

    def fail() -> None:
        assert not is_restored(again)
        with pytest.raises(HoldingsUnavailable):
            Archive.open(again, read_only=True)
        raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            restore(folder, again, first=fail)
    assert not Place(again).mark.exists()
    assert restore(folder, again, first=(again / "there").touch).complete
    assert (again / "there").exists()


def test_slides_may_come_in_while_a_backup_is_made(root: Path, folder: Path, tmp_path: Path) -> None:
    some(root, 2)
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "tests.archive.holdings.committing", str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as writer:
        assert writer.stdout is not None
        for turn in range(4):
            writer.stdout.readline()
            with Archive.open(root) as archive:
                assert back_up(archive, folder).faults == []
            done = restore(folder, tmp_path / str(turn))
            assert done.complete
            with Archive.open(tmp_path / str(turn)) as again:
                assert again.recover().nothing
                rows = rows_of(again)
                assert len(rows["scans"]) == len(list(again.place.kept_keys())) >= 2
                assert again.catalogue.acts == json.loads((folder / "backup.json").read_bytes())["acts"]
            time.sleep(0.05)
        writer.kill()
    assert len(rows["scans"]) > 4


def test_the_folders_of_a_backup_are_those_of_an_archive(root: Path, folder: Path) -> None:
    some(root, 1)
    backed_up(root, folder)
    with Archive.open(root) as archive:
        key = archive.slides()[0].scans[0].record.key
        first, second = archive.place.of_scan(key), Place(folder).of_scan(key)
        for path in first.rglob("*"):
            copy = second / path.relative_to(first)
            assert copy.is_dir() if path.is_dir() else copy.read_bytes() == path.read_bytes()
