"""A copy of what is black now is replaced, made black before it is opened, or owed until somebody has seen to it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.catalogue import codes
from archive.codes import Kind
from archive.consent.terms import Grade
from archive.errors import DamagedPyramid, HoldingsUnavailable, InvalidValue, UnknownCode
from archive.holdings import PIXELS, Archive
from archive.holdings.backup import Verify, back_up
from archive.holdings.obligations import deal_with_copies, owed_copies
from archive.holdings.place import RECORD, Place
from archive.holdings.rebuilding import rebuild_catalogue
from archive.holdings.redacting import redact
from archive.holdings.redaction_witness import file_of
from archive.holdings.restoring import restore
from archive.holdings.reviewing import review, unreviewed
from archive.settings import ArchiveSettings
from tests.archive.holdings.committing import commit_one
from tests.archive.holdings.pictured import NAME, WHY, Held, hold, is_black


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def settings(root: Path, tmp_path: Path) -> ArchiveSettings:
    return ArchiveSettings(archive=root, audit_second_place=tmp_path / "heads")


@pytest.fixture
def archive(root: Path, settings: ArchiveSettings) -> Iterator[Archive]:
    with Archive.create(root, settings) as made:
        yield made


@pytest.fixture
def held(archive: Archive) -> Held:
    return hold(archive)


@pytest.fixture
def backup(archive: Archive, held: Held, tmp_path: Path) -> Path:
    """Back up before anything is black."""
    folder = tmp_path / "disk" / "backup"
    commit_one(archive)
    assert back_up(archive, folder).faults == []
    return folder


def require_black_and_open(root: Path, held: Held, settings: ArchiveSettings | None = None) -> None:
    with Archive.open(root, settings=settings) as archive:
        assert is_black(archive.place.of_scan(held.key))
        archive.open_pyramid(held.key).close()
        assert archive.redactions_of(held.key) == (NAME,)


def test_the_next_backup_has_the_new_version_alone(archive: Archive, held: Held, backup: Path) -> None:
    copy = Place(backup).of_scan(held.key)
    shutil.copytree(copy, backup / "aside" / "damaged-once")
    redact(archive, held.code, [NAME], reason=WHY)
    assert not is_black(copy)
    done = back_up(archive, backup, verify=Verify.FULL)
    assert (done.faults, done.blacked_out, done.renewed, done.copied) == ([], 1, 0, 0)
    assert is_black(copy)
    assert not list((backup / "staging").iterdir())
    assert not list((backup / "aside").iterdir())
    assert back_up(archive, backup, verify=Verify.FULL).blacked_out == 0


def test_a_copy_that_was_set_aside_is_deleted_even_if_it_does_not_say_whose_it_is(
    archive: Archive, held: Held, backup: Path
) -> None:
    (Place(backup).of_scan(held.key) / RECORD).write_bytes(b"")
    assert back_up(archive, backup, verify=Verify.FULL).renewed == 1
    (_,) = (backup / "aside").iterdir()
    redact(archive, held.code, [NAME], reason=WHY)
    back_up(archive, backup)
    assert owed_copies(archive) == ()
    assert not list((backup / "aside").iterdir())


def test_a_backup_is_owed_until_it_was_brought_up_to_date(archive: Archive, held: Held, backup: Path) -> None:
    done = redact(archive, held.code, [NAME], reason=WHY)
    (owed,) = owed_copies(archive)
    assert (owed.scan, owed.place) == (held.code, backup.resolve())
    assert done.holders == (owed.holder,)
    back_up(archive, backup)
    assert owed_copies(archive) == ()


def test_a_backup_while_it_is_not_black_yet_is_owed_as_well(archive: Archive, held: Held, backup: Path) -> None:
    shard = archive.place.of_scan(held.key) / PIXELS / "0/c/0/0/0"
    content = shard.read_bytes()
    shard.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DamagedPyramid):
        redact(archive, held.code, [NAME], reason=WHY)
    back_up(archive, backup)
    shard.write_bytes(content)
    archive.recover()
    (owed,) = owed_copies(archive)
    assert owed.scan == held.code
    assert back_up(archive, backup).blacked_out == 1
    assert owed_copies(archive) == ()
    assert is_black(Place(backup).of_scan(held.key))


def test_a_backup_that_is_gone_is_owed_until_somebody_says_so(archive: Archive, held: Held, backup: Path) -> None:
    redact(archive, held.code, [NAME], reason=WHY)
    (owed,) = owed_copies(archive)
    with pytest.raises(InvalidValue, match="how you know"):
        deal_with_copies(archive, owed.holder, reason="")
    with pytest.raises(InvalidValue, match="no such holder"):
        deal_with_copies(archive, "backup 00000000", reason="a test")
    assert deal_with_copies(archive, owed.holder, reason="the disk was shredded") == 1
    assert owed_copies(archive) == ()


def test_a_project_that_was_given_the_slide_is_owed(archive: Archive, held: Held) -> None:
    slide = archive.key_of(held.slide, Kind.SLIDE)
    with archive.catalogue.writing() as writing:
        project = codes.add_project(writing.connection, "colon")
        codes.add_project(writing.connection, "liver")
        codes.add_code(writing.connection, project, Kind.SLIDE, slide)
        writing.tell("cohort", project="colon", scans=1)
    redact(archive, held.code, [NAME], reason=WHY)
    assert [one.holder for one in owed_copies(archive)] == ["project colon"]
    assert deal_with_copies(archive, "project colon", reason="they deleted it") == 1
    assert owed_copies(archive) == ()


def test_what_is_restored_is_black_where_the_catalogue_knows_of_it(
    archive: Archive, held: Held, backup: Path, root: Path, settings: ArchiveSettings
) -> None:
    """The backup was killed when it had the new catalogue and the old version."""
    old = shutil.copytree(Place(backup).of_scan(held.key), backup.parent / "old")
    redact(archive, held.code, [NAME], reason=WHY)
    back_up(archive, backup)
    archive.close()
    shutil.rmtree(Place(backup).of_scan(held.key))
    shutil.move(old, Place(backup).of_scan(held.key))
    shutil.rmtree(root)
    done = restore(backup, root, settings)
    assert done.complete
    assert done.blacked_out == (held.code,)
    require_black_and_open(root, held, settings)


def test_what_is_restored_is_black_where_only_the_journal_knows_of_it(
    archive: Archive, held: Held, backup: Path, root: Path, settings: ArchiveSettings
) -> None:
    catalogue = (backup / "catalogue.sqlite").read_bytes()
    old = shutil.copytree(Place(backup).of_scan(held.key), backup.parent / "old")
    redact(archive, held.code, [NAME], reason=WHY)
    back_up(archive, backup)
    archive.close()
    (backup / "catalogue.sqlite").write_bytes(catalogue)
    shutil.rmtree(Place(backup).of_scan(held.key))
    shutil.move(old, Place(backup).of_scan(held.key))
    shutil.rmtree(root)
    done = restore(backup, root, settings)
    assert done.rebuilt is not None
    assert done.blacked_out == (held.code,)
    require_black_and_open(root, held, settings)


def test_what_is_restored_from_before_is_black_where_only_the_second_place_knows_of_it(
    archive: Archive, held: Held, backup: Path, root: Path, settings: ArchiveSettings
) -> None:
    redact(archive, held.code, [NAME], reason=WHY)
    archive.close()
    shutil.rmtree(root)
    done = restore(backup, root, settings)
    assert done.blacked_out == (held.code,)
    require_black_and_open(root, held, settings)
    with Archive.open(root, settings=settings) as again:
        scan = again.scan(held.key)
    assert scan is not None
    assert scan.record.might_identify.grade is Grade.UNASSESSED, "its grade was that of the old picture"
    assert scan.record.rescreen


def test_the_second_place_is_told_once_more_of_what_it_was_not_told(
    archive: Archive, held: Held, backup: Path, root: Path, settings: ArchiveSettings
) -> None:
    """A process was killed before it could, or the disk of the second place was not there."""
    assert settings.audit_second_place is not None
    told = file_of(settings.audit_second_place)
    told.mkdir()
    redact(archive, held.code, [NAME], reason=WHY)
    told.rmdir()
    archive.recover()
    archive.recover()
    assert len(told.read_text().splitlines()) == 1
    archive.close()
    shutil.rmtree(root)
    assert restore(backup, root, settings).blacked_out == (held.code,)
    require_black_and_open(root, held, settings)


@pytest.mark.parametrize("damaged", [b"{}\n", b"\xff\n"])
def test_a_damaged_list_in_the_second_place_restores_nothing_that_could_be_opened(
    archive: Archive, held: Held, backup: Path, root: Path, settings: ArchiveSettings, damaged: bytes
) -> None:
    redact(archive, held.code, [NAME], reason=WHY)
    archive.close()
    shutil.rmtree(root)
    assert settings.audit_second_place is not None
    file_of(settings.audit_second_place).write_bytes(damaged)
    with pytest.raises(HoldingsUnavailable, match="second place"):
        restore(backup, root, settings)
    with pytest.raises(HoldingsUnavailable):
        Archive.open(root, settings=settings)


def test_a_catalogue_that_is_made_again_without_the_act_shuts_the_scan(
    archive: Archive, held: Held, root: Path, settings: ArchiveSettings, tmp_path: Path
) -> None:
    journal = shutil.copytree(root / "journal", tmp_path / "journal")
    old = shutil.copytree(archive.place.of_scan(held.key), tmp_path / "old")
    redact(archive, held.code, [NAME], reason=WHY)
    archive.close()
    shutil.rmtree(root / "journal")
    shutil.copytree(journal, root / "journal")
    shutil.rmtree(archive.place.of_scan(held.key))
    shutil.copytree(old, archive.place.of_scan(held.key))
    (root / "catalogue.sqlite").unlink()
    rebuild_catalogue(root, settings)
    with Archive.open(root, settings=settings) as again:
        with pytest.raises(UnknownCode):
            again.open_pyramid(held.key)
        again.recover()
        assert is_black(again.place.of_scan(held.key))


def test_a_scan_that_only_its_own_record_tells_of_is_black_before_it_is_kept_again(
    archive: Archive, held: Held, backup: Path, root: Path, settings: ArchiveSettings
) -> None:
    redact(archive, held.code, [NAME], reason=WHY)
    archive.close()
    shutil.rmtree(archive.place.of_scan(held.key))
    shutil.copytree(Place(backup).of_scan(held.key), archive.place.of_scan(held.key))
    shutil.rmtree(root / "journal")
    (root / "catalogue.sqlite").unlink()
    assert rebuild_catalogue(root, settings).from_records == 2
    with Archive.open(root, settings=settings) as again:
        for code in unreviewed(again):
            review(again, code, keep=True, reason="looked up in the register")
        with pytest.raises(UnknownCode):
            again.open_pyramid(held.key)
        again.recover()
    require_black_and_open(root, held, settings)
