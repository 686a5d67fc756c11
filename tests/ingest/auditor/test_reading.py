"""What cannot be read to its end is told; what was found is told without telling it."""

import gzip
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.auditor import Audit, Hit, IdentifierClass, KnownIdentifier, Needles, audit_folder
from ingest.auditor.compressed import expand
from ingest.auditor.text import LARGEST_TEXT_BYTES, as_text
from ingest.auditor.unfolding import Unfolding
from tests.ingest.auditor.conftest import CASE, needles_for

Class = IdentifierClass
Auditing = Callable[[dict[str, bytes], Needles], Audit]


def test_an_empty_folder_is_clean(needles, tmp_path: Path):
    assert audit_folder(tmp_path, needles).is_clean


def test_without_needles_nothing_is_found(coded, audit: Auditing):
    assert audit({"a": coded, "b.json": b'{"name": "DOE^JANE"}'}, Needles.of([])).is_clean


def test_a_link_is_not_followed_and_not_passed_over(needles, tmp_path: Path):
    (tmp_path / "outside").write_bytes(b"DOE^JANE")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "zarr.json").symlink_to("../outside")
    (folder / "c").symlink_to("..", target_is_directory=True)
    found = audit_folder(folder, needles)
    assert found.hits == ()
    assert found.unsearched == ("c", "zarr.json")
    assert not found.is_clean


@pytest.fixture
def nobody() -> Iterator[None]:
    """Act as somebody who may not read every file, which root may."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


def test_a_file_that_cannot_be_read_is_an_error(needles, tmp_path: Path, nobody: None):
    folder = Path(tempfile.mkdtemp())
    (folder / "a").write_bytes(b"x")
    (folder / "a").chmod(0)
    with pytest.raises(PermissionError):
        audit_folder(folder, needles)
    shutil.rmtree(folder)


@pytest.mark.parametrize("compress", [zstandard.compress, zlib.compress, gzip.compress])
def test_compressed_data_that_does_not_stop_is_told_as_not_searched(compress, needles, coded, audit: Auditing):
    bomb = compress(bytes(65 << 20))
    found = audit({"shard": coded[:100] + bomb + coded[:100]}, needles)
    assert found.unsearched == ("shard",)


@pytest.mark.parametrize("compress", [zstandard.compress, zlib.compress, gzip.compress])
def test_what_a_cut_off_stream_still_gives_is_searched(compress, needles, coded, audit: Auditing):
    text = b"of S25-10432 and of many others " + coded.hex().encode()
    found = audit({"shard": coded[:99] + compress(text)[:-200]}, needles)
    assert [hit.identifier_class for hit in found.hits] == [Class.CASE_NUMBER]
    assert found.unsearched == ()


def test_a_text_too_large_for_short_words_is_told_as_not_searched(needles, audit: Auditing):
    large = b'{"note": "' + b"a b " * (LARGEST_TEXT_BYTES // 4) + b'DOE^JANE"}'
    found = audit({"zarr.json": large}, needles)
    assert [hit.identifier_class for hit in found.hits] == [Class.NAME]
    assert found.unsearched == ("zarr.json",)


def test_metadata_that_is_no_json_any_more_is_searched_as_text(needles, audit: Auditing):
    found = audit({"zarr.json": b'{"name": "Aperio", "note": "JANE'}, needles)
    assert [hit.identifier_class for hit in found.hits] == [Class.NAME]
    assert audit({"zarr.json": b'{"note": "Doe \xff\xfe\0"}'}, needles).hits


def test_nothing_that_the_auditor_shows_holds_an_identifier(needles, audit: Auditing):
    found = audit({"DOE^JANE/S25-10432.json": b'{"note": "00123456 DOE^JANE"}'}, needles)
    assert found.hits == (
        Hit("[name withheld]", None, Class.NAME),
        Hit("[name withheld]/[name withheld]", None, Class.CASE_NUMBER),
        Hit("[name withheld]/[name withheld]", None, Class.NAME),
        Hit("[name withheld]/[name withheld]", 10, Class.PATIENT_NUMBER),
        Hit("[name withheld]/[name withheld]", 19, Class.NAME),
    )
    shown = repr([found, needles, *needles.all, *(KnownIdentifier(*known) for known in CASE)]).lower()
    for _, text in CASE[:5]:
        assert text.lower() not in shown
    assert "doe" not in shown
    assert "10432" not in shown


def test_identifiers_of_unknown_kind_are_taken_for_what_they_look_like(audit: Auditing):
    known = ("00123456", "DOE^JANE", "1961-02-03", "S25-10432", "pancreas biopsy_77 A3.svs")
    needles = needles_for(*((Class.UNSORTED, text) for text in known))
    for text in ("Jane Doe", "3 Feb 1961", "s25/10432", "0012-3456", "pancreas biopsy 77 a3 svs"):
        assert audit({"a.json": json.dumps({"note": text}).encode()}, needles).hits, text


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_can_be_read_as_text_or_not(data):
    text = as_text(data)
    assert text is None or isinstance(text, str)


@settings(deadline=None)
@given(st.sampled_from([b"\x28\xb5\x2f\xfd", b"\x1f\x8b\x08", b"\x78\x9c", b""]), st.binary(max_size=200))
def test_decompressing_chance_is_never_an_exception(magic, data):
    expanded = expand(memoryview(magic + data), 0)
    assert expanded is None or expanded.data


SEARCH_NEEDLES = needles_for(*CASE)


@settings(deadline=None)
@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode), st.sampled_from(["a", "zarr.json"]))
def test_reading_anything_is_never_an_exception(data, name):
    search = Unfolding(SEARCH_NEEDLES)
    search.file(memoryview(data), name)
    assert search.is_whole
