"""What the archive says of its slides is held against itself; each statement below makes one check say no."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archive.codes import Code
from archive.holdings import Archive
from archive.holdings.checking.faults import FaultCode
from archive.settings import ArchiveSettings
from tests.archive.holdings.checking.conftest import RunCheck
from tests.archive.server.taught import TaughtArchive

BEHIND_ITS_BACK = {
    "DELETE FROM codes WHERE kind = 'N'": FaultCode.CODE_MISSING,
    "DELETE FROM codes WHERE kind = 'P'": FaultCode.CODE_MISSING,
    "UPDATE codes SET code = 'S-00000-00001' WHERE kind = 'S'": FaultCode.CODE_WRONG,
    "UPDATE codes SET key = 'nobody' WHERE kind = 'C'": FaultCode.CODE_WRONG,
    "UPDATE cases SET facts = 'none'": FaultCode.ROW_IMPOSSIBLE,
    "UPDATE slides SET stain = 'no stain at all'": FaultCode.ROW_IMPOSSIBLE,
    "UPDATE scans SET fidelity = 'perfect'": FaultCode.ROW_IMPOSSIBLE,
    "UPDATE scans SET width = width + 1": FaultCode.ROW_DIFFERS,
    "UPDATE scans SET scanner_model = 'GT451'": FaultCode.ROW_DIFFERS,
    "UPDATE scans SET slide_key = 'nobody'": FaultCode.LINK_BROKEN,
    "UPDATE cases SET patient_key = 'nobody'": FaultCode.LINK_BROKEN,
    "UPDATE collection_slides SET position = 0": FaultCode.COLLECTION_WRONG,
    "UPDATE collections SET handle = 'short'": FaultCode.COLLECTION_WRONG,
    "DELETE FROM searched": FaultCode.SEARCH_STALE,
    "UPDATE audit SET text = replace(text, 'commit', 'compose') WHERE number = 1": FaultCode.AUDIT_DAMAGED,
    "DELETE FROM audit WHERE number = 1": FaultCode.AUDIT_DAMAGED,
    "UPDATE slides SET stain = 'PAS'": FaultCode.JOURNAL_DIFFERS,
    "UPDATE collections SET name = 'Another'": FaultCode.JOURNAL_DIFFERS,
    "DROP TABLE collection_slides": FaultCode.DATABASE_STRUCTURE,
}


def behind(taught: TaughtArchive, statement: str) -> None:
    with closing(sqlite3.connect(taught.archive.place.catalogue)) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize("statement", BEHIND_ITS_BACK)
def test_a_catalogue_that_says_what_cannot_be_is_told(
    taught: TaughtArchive, run_check: RunCheck, slide: Code, statement: str
) -> None:
    taught.teach("One", slide)
    behind(taught, statement)
    faults, _ = run_check()
    assert BEHIND_ITS_BACK[statement] in {fault.code for fault in faults}, list(map(str, faults))


@pytest.mark.parametrize("statement", [one for one in BEHIND_ITS_BACK if not one.startswith("DROP")])
def test_a_change_by_nobody_is_told_by_its_table_once_the_file_was_sealed(
    taught: TaughtArchive, run_check: RunCheck, slide: Code, statement: str
) -> None:
    taught.teach("One", slide)
    assert run_check()[0] == []
    behind(taught, statement)
    faults, _ = run_check()
    assert {FaultCode.DATABASE_CHANGED, FaultCode.DATABASE_COUNT} & {fault.code for fault in faults}


def test_what_coverslip_itself_writes_is_no_fault(taught: TaughtArchive, run_check: RunCheck, slide: Code) -> None:
    for number in range(3):
        assert run_check()[0] == []
        taught.teach(f"Collection {'abc'[number]}", slide)
        taught.refuse(slide)
        taught.allow(slide)
    taught.add()
    assert run_check()[0] == []


def test_a_catalogue_file_that_is_none_is_told_and_nothing_else_can_be(
    taught: TaughtArchive, run_check: RunCheck, slide: Code
) -> None:
    taught.archive.close()
    taught.archive.place.catalogue.write_bytes(b"no database at all" * 1000)
    faults, checked = run_check()
    assert FaultCode.DATABASE_UNOPENED in {fault.code for fault in faults}
    assert checked.scans == 0


def test_the_mark_of_the_archive_is_held_against_the_catalogue(
    taught: TaughtArchive, run_check: RunCheck, slide: Code
) -> None:
    mark = taught.archive.place.mark
    whole = mark.read_bytes()
    for other in (whole.replace(b"1", b"2"), whole.replace(b" ", b"  ", 1), b"{}", whole[:-1]):
        mark.write_bytes(other)
        assert [fault.code for fault in run_check()[0]] == [FaultCode.MARK_DAMAGED], other
    mark.write_bytes(whole)
    assert run_check()[0] == []


def test_the_second_place_of_the_audit_trail_is_read(
    taught: TaughtArchive, run_check: RunCheck, slide: Code, tmp_path: Path
) -> None:
    heads = tmp_path / "heads.txt"
    settings = ArchiveSettings(archive=taught.root, audit_second_place=heads)
    with Archive.open(taught.root, settings=settings) as archive:
        held = archive.slide(slide)
        archive.record_facts(held.record.case, archive.facts_of(held.record.key), reason="looked at again")
    assert run_check(audit_second_place=heads)[0] == []
    heads.write_text(heads.read_text() + "9999 " + "a" * 64 + "\n")
    assert [fault.code for fault in run_check(audit_second_place=heads)[0]] == [FaultCode.AUDIT_DAMAGED]
    heads.write_text("no head\n")
    assert [fault.code for fault in run_check(audit_second_place=heads)[0]] == [FaultCode.WITNESS_DAMAGED]
    heads.unlink()
    assert [fault.code for fault in run_check(audit_second_place=heads)[0]] == [FaultCode.WITNESS_DAMAGED]


def test_a_damaged_line_of_the_journal_is_named_and_one_that_a_crash_cut_short_is_not(
    taught: TaughtArchive, run_check: RunCheck, slide: Code
) -> None:
    newest = sorted(taught.archive.place.journal.iterdir())[-1]
    whole = newest.read_bytes()
    newest.write_bytes(whole + whole.splitlines()[-1][:100])
    assert run_check()[0] == []
    newest.write_bytes(whole[:-9] + b"x" + whole[-8:])
    faults, _ = run_check()
    assert FaultCode.JOURNAL_DAMAGED in {fault.code for fault in faults}
    assert any(fault.place.startswith(f"journal/{newest.name}") for fault in faults)


def test_a_journal_that_is_gone_is_begun_again_and_told(
    taught: TaughtArchive, run_check: RunCheck, slide: Code
) -> None:
    for file in taught.archive.place.journal.iterdir():
        file.unlink()
    faults, _ = run_check()
    assert {fault.code for fault in faults} == {FaultCode.JOURNAL_DAMAGED}
    assert run_check()[0] == []


def test_damage_of_the_record_of_checks_is_told_once(taught: TaughtArchive, run_check: RunCheck, slide: Code) -> None:
    assert run_check()[0] == []
    checks = taught.archive.place.checks
    checks.write_bytes(checks.read_bytes().replace(b"scan", b"scam", 1))
    assert [fault.code for fault in run_check()[0]] == [FaultCode.RECORD_DAMAGED]
    assert run_check()[0] == []
