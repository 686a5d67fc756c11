"""An archive is made once, opened by those it belongs to, and tells only what it is asked for with the right code."""

import dataclasses
import json
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete

from archive import holdings
from archive.auditchain import FaultCode, Head
from archive.catalogue import audit, schema
from archive.codes import Code, InternalKey, Kind, new_key
from archive.consent import Facts
from archive.consent.terms import Consent, TissueSource
from archive.errors import (
    CatalogueUnavailable,
    DamagedPyramid,
    FreeTextRefused,
    HoldingsUnavailable,
    InvalidValue,
    UnknownCode,
)
from archive.geometry import Size
from archive.holdings import Archive
from archive.holdings.pixels import Coding, LevelLayout, Origin, ScanLayout, ShardGrid
from archive.holdings.writing import LevelWriter, LocalStore, encode_lossless, write_metadata
from archive.records import ScanStatus
from archive.settings import ArchiveSettings
from tests.archive.holdings.committing import commit_one

RequireWhole = Callable[[Archive], set[InternalKey]]


def settings(**differences: Any) -> ArchiveSettings:
    return ArchiveSettings(**differences)


def test_an_archive_is_made_in_an_empty_folder_and_only_once(tmp_path: Path) -> None:
    root = tmp_path / "a" / "b"
    Archive.create(root).close()
    with pytest.raises(InvalidValue, match="already"):
        Archive.create(root)
    made = {path.name for path in root.iterdir()}
    assert made == {"archive.json", "aside", "catalogue.sqlite", "journal", "scans", "staging"}


def test_an_archive_is_not_made_among_other_things(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("precious")
    with pytest.raises(InvalidValue, match="empty folder"):
        Archive.create(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_making_an_archive_that_was_interrupted_can_be_tried_again(tmp_path: Path) -> None:
    with Archive.create(tmp_path) as made:
        made.place.mark.unlink()
    with Archive.create(tmp_path) as again:
        commit_one(again)


def test_a_folder_that_is_no_archive_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(HoldingsUnavailable, match="no archive in this folder"):
        Archive.open(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mark", ["", "[]", "{}", "\udcff"])
def test_a_damaged_mark_is_one_sentence(archive: Archive, mark: str) -> None:
    archive.place.mark.write_bytes(mark.encode(errors="surrogateescape"))
    with pytest.raises(HoldingsUnavailable, match="damaged"):
        Archive.open(archive.place.root)


def test_a_folder_and_a_catalogue_of_two_archives_are_not_opened_together(archive: Archive) -> None:
    archive.place.mark.write_text(json.dumps({"archive": new_key(), "format": 1}))
    with pytest.raises(HoldingsUnavailable, match="different archives"):
        Archive.open(archive.place.root)


def test_an_archive_whose_folders_are_missing_takes_nothing_in(archive: Archive) -> None:
    archive.place.staging.rmdir()
    with pytest.raises(HoldingsUnavailable, match="missing"):
        archive.stage()
    with pytest.raises(HoldingsUnavailable, match="missing"):
        archive.recover()


def test_an_archive_opened_for_reading_changes_nothing(archive: Archive) -> None:
    committed = commit_one(archive)
    with Archive.open(archive.place.root, read_only=True) as reader:
        assert reader.slide(committed.slide_code).code == committed.slide_code
        with reader.stage() as staged, pytest.raises(CatalogueUnavailable, match="reading only"):
            reader.commit(staged, *chain_of(archive, committed.slide_code))
        with pytest.raises(CatalogueUnavailable, match="reading only"):
            reader.record_facts(case_key(archive, committed.slide_code), Facts(), reason="a test")


def chain_of(archive: Archive, code: Code) -> Any:
    slide = archive.slide(code)
    case = archive.case(slide.record.case)
    return case, slide.record, dataclasses.replace(slide.scans[0].record, key=new_key())


def case_key(archive: Archive, code: Code) -> InternalKey:
    return archive.slide(code).record.case


def test_a_slide_is_found_by_its_code_however_it_is_typed(archive: Archive) -> None:
    code = commit_one(archive).slide_code
    plain = str(code)
    for typed in (plain, plain.lower(), plain.replace("-", ""), f" {plain} ", plain.replace("0", "o")):
        assert archive.slide(typed).code == code


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (str(Code.random(Kind.SLIDE)), UnknownCode),
        (str(Code.random(Kind.PATIENT)), InvalidValue),
        ("S25-10432", InvalidValue),
        ("", InvalidValue),
    ],
    ids=["unknown", "another kind", "a laboratory number", "empty"],
)
def test_what_is_no_slides_code_is_refused_without_repeating_it(
    archive: Archive, text: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as refusal:
        archive.slide(text)
    assert not text or text not in str(refusal.value)


def test_an_unknown_project_is_refused(archive: Archive) -> None:
    commit_one(archive)
    with pytest.raises(UnknownCode, match="project"):
        archive.slides("another")


def test_slides_are_listed_in_an_order_that_tells_nothing(archive: Archive) -> None:
    codes = {commit_one(archive).slide_code for _ in range(6)}
    assert [slide.code for slide in archive.slides()] == sorted(codes)


def test_what_is_not_known_is_none_or_refused(archive: Archive) -> None:
    assert archive.case(new_key()) is None
    assert archive.scan(new_key()) is None
    assert archive.scans_of(new_key()) == ()
    with pytest.raises(UnknownCode):
        archive.facts_of(new_key())
    with pytest.raises(UnknownCode):
        archive.open_pyramid(new_key())
    with pytest.raises(UnknownCode):
        archive.record_facts(new_key(), Facts(), reason="a test")
    with pytest.raises(UnknownCode):
        archive.set_status(new_key(), ScanStatus.DAMAGED, reason="a test")


def test_a_scan_that_is_gone_or_put_away_is_not_opened(archive: Archive) -> None:
    commit_one(archive)
    (key,) = archive.place.kept_keys()
    archive.set_status(key, ScanStatus.WITHDRAWN, reason="the patient asked for it")
    with pytest.raises(UnknownCode):
        archive.open_pyramid(key)
    archive.set_status(key, ScanStatus.KEPT, reason="recorded by mistake")
    archive.place.of_scan(key).rename(archive.place.root / "elsewhere")
    with pytest.raises(DamagedPyramid):
        archive.open_pyramid(key)


def test_the_pixels_that_were_staged_are_the_pixels_that_are_opened(
    archive: Archive, make_chain: Callable[..., Any]
) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (90, 130, 3), np.uint8)
    layout = LevelLayout(Size(130, 90), Size(256, 256), Coding.LOSSLESS, Origin.DECODED, ShardGrid(1, 1))
    case, slide, scan = make_chain()
    with archive.stage() as staged:
        with LevelWriter(LocalStore(staged.folder), 0, layout) as writer:
            tile = np.full((256, 256, 3), 255, np.uint8)
            tile[:90, :130] = picture
            writer.add(0, 0, encode_lossless(tile))
        write_metadata(str(staged.folder), ScanLayout((layout,), None, 20.0))
        committed = archive.commit(staged, case, slide, scan)
    held = archive.scan(scan.key)
    assert held is not None
    assert held.code == committed.scan_code
    with archive.open_pyramid(scan.key) as pyramid:
        assert np.array_equal(pyramid.level(0).read_region(0, 0, 130, 90), picture)


def test_a_change_of_facts_is_audited_by_code_and_field(archive: Archive) -> None:
    committed = commit_one(archive)
    before = archive.change_count()
    facts = Facts(source=TissueSource.LIVING, consent=Consent.WITHDRAWN)
    archive.record_facts(case_key(archive, committed.slide_code), facts, reason="letter of the patient")
    assert archive.change_count() != before
    assert archive.facts_of(archive.slide(committed.slide_code).record.key) == facts
    told = entries(archive)[-1]
    assert told["act"] == "record facts"
    assert told["case"] == str(committed.case_code)
    assert told["changed"] == ["consent"]


def test_a_reason_with_an_identifier_changes_nothing(archive: Archive) -> None:
    committed = commit_one(archive)
    key = case_key(archive, committed.slide_code)
    with pytest.raises(FreeTextRefused):
        archive.record_facts(key, Facts(consent=Consent.WITHDRAWN), reason="DOE^JANE asked")
    case = archive.case(key)
    assert case is not None
    assert case.facts == Facts(source=TissueSource.LIVING)


def test_no_internal_key_is_in_the_audit_trail(archive: Archive) -> None:
    committed = commit_one(archive)
    slide = archive.slide(committed.slide_code)
    archive.set_status(slide.scans[0].record.key, ScanStatus.DAMAGED, reason="a test")
    trail = json.dumps(entries(archive))
    for key in (slide.record.key, slide.record.case, slide.record.block, slide.scans[0].record.key):
        assert key is not None
        assert key not in trail


def entries(archive: Archive) -> list[dict[str, Any]]:
    with archive.catalogue.reading() as connection:
        return [json.loads(entry.text) for entry in audit.entries(connection)]


def test_what_is_kept_may_be_read_by_this_user_and_group_only(archive: Archive) -> None:
    commit_one(archive)
    (key,) = archive.place.kept_keys()
    folder = archive.place.of_scan(key)
    for place in (folder, *(path for path in folder.iterdir() if path.is_dir())):
        assert not stat.S_IMODE(place.stat().st_mode) & stat.S_IRWXO


def test_the_second_place_shows_that_the_end_of_the_trail_is_missing(tmp_path: Path) -> None:
    heads = tmp_path / "heads"
    with Archive.create(tmp_path / "archive", settings(audit_second_place=heads)) as archive:
        for _ in range(3):
            commit_one(archive)
        assert archive.audit_faults() == ()
        assert [Head.parse(line).number for line in heads.read_text().splitlines()] == [1, 2, 3]
        with archive.catalogue.writing() as writing:
            writing.connection.execute(delete(schema.audit).where(schema.audit.c.number > 1))
            writing.tell("cover up")
        assert {fault.code for fault in archive.audit_faults()} == {FaultCode.REPLACED, FaultCode.TRUNCATED}
        heads.unlink()
        with pytest.raises(HoldingsUnavailable):
            archive.audit_faults()


def test_a_second_place_that_cannot_be_written_is_warned_of_and_the_act_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Archive.create(tmp_path / "archive", settings(audit_second_place=tmp_path)) as archive:
        with caplog.at_level(logging.WARNING):
            committed = commit_one(archive)
        assert archive.slide(committed.slide_code)
    assert "second place" in caplog.text


def test_an_archive_keeps_its_catalogue_in_postgresql_too(
    tmp_path: Path, postgresql: Any, require_whole: RequireWhole
) -> None:
    database = settings(database_url=postgresql.emptied())
    with Archive.create(tmp_path / "archive", database) as archive:
        committed = commit_one(archive)
        before = archive.change_count()
        commit_one(archive)
        assert archive.change_count() != before
        assert len(require_whole(archive)) == 2
    assert not (tmp_path / "archive" / "catalogue.sqlite").exists()
    with Archive.open(tmp_path / "archive", settings=database, read_only=True) as reader:
        assert reader.slide(committed.slide_code).scans[0].code == committed.scan_code
    with pytest.raises(InvalidValue, match="another archive"):
        Archive.create(tmp_path / "second", database)


def test_pixels_can_be_written_without_loading_a_database() -> None:
    program = "import sys, archive.holdings; archive.holdings.PIXELS; print('sqlalchemy' in sys.modules)"
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert told.stdout.strip() == "False"


def test_the_holdings_offer_nothing_that_they_do_not_have() -> None:
    with pytest.raises(AttributeError, match="has no Anything"):
        _ = holdings.Anything
