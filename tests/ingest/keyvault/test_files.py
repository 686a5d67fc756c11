"""A file is recognised by its content, before and after the archive has its scan."""

import os

import pytest

from archive.codes import InternalKey, new_key
from archive.errors import InvalidValue, UnknownCode
from ingest.keyvault import KeyVault
from tests.ingest.keyvault.conftest import JANE, digest


@pytest.fixture
def slide(vault: KeyVault) -> InternalKey:
    return vault.keys_for(JANE, "S26-1", "A1", "HE 1").slide


def test_a_file_that_was_never_seen_has_no_scan(vault: KeyVault) -> None:
    assert vault.scan_of_file(digest("new")) is None


def test_a_confirmed_file_is_recognised_under_any_name(vault: KeyVault, slide: InternalKey) -> None:
    scan = vault.record_file(digest("content"), slide, "first.svs")
    vault.confirm(scan)
    vault.confirm(scan)
    assert vault.scan_of_file(digest("content")) == scan
    assert vault.record_file(digest("content"), slide, "renamed.svs") == scan
    assert vault.pending() == ()


def test_a_pending_file_is_not_yet_a_scan_and_is_taken_up_again(vault: KeyVault, slide: InternalKey) -> None:
    scan = vault.record_file(digest("content"), slide, "first.svs")
    assert vault.scan_of_file(digest("content")) is None
    assert [entry.scan for entry in vault.pending()] == [scan]
    assert vault.record_file(digest("content"), slide, "first.svs") == scan


def test_a_pending_file_moves_to_the_slide_of_the_corrected_list(vault: KeyVault, slide: InternalKey) -> None:
    wrong = vault.record_file(digest("content"), slide, "first.svs")
    right = vault.keys_for(JANE, "S26-1", "A1", "HE 2").slide
    scan = vault.record_file(digest("content"), right, "first.svs")
    vault.confirm(scan)
    assert scan != wrong
    assert vault.identify(scan, "a.clinician", "request 17").slide == "HE 2"
    assert vault.pending() == ()


def test_two_scans_of_one_glass_belong_to_one_slide(vault: KeyVault, slide: InternalKey) -> None:
    again = vault.keys_for(JANE, "S26-1", "A1", "HE 1").slide
    first = vault.record_file(digest("monday"), slide, "monday.svs")
    second = vault.record_file(digest("tuesday"), again, "tuesday.svs")
    assert again == slide
    assert first != second


def test_what_is_pending_can_be_forgotten_and_what_is_confirmed_cannot(vault: KeyVault, slide: InternalKey) -> None:
    kept = vault.record_file(digest("kept"), slide, "kept.svs")
    vault.confirm(kept)
    vault.forget(kept)
    gone = vault.record_file(digest("gone"), slide, "gone.svs")
    vault.forget(gone)
    assert vault.scan_of_file(digest("kept")) == kept
    assert vault.pending() == ()
    with pytest.raises(UnknownCode):
        vault.confirm(gone)


def test_a_file_needs_a_slide_that_the_vault_knows(vault: KeyVault, slide: InternalKey) -> None:
    with pytest.raises(UnknownCode):
        vault.record_file(digest("content"), new_key(), "first.svs")


def test_only_a_whole_digest_is_taken(vault: KeyVault, slide: InternalKey) -> None:
    with pytest.raises(InvalidValue, match="32 bytes"):
        vault.record_file(b"short", slide, "first.svs")
    with pytest.raises(InvalidValue, match="32 bytes"):
        vault.scan_of_file(digest("content") + b"\0")


@pytest.mark.parametrize("name", ["Ωmega Žlutý 🔬.svs", os.fsdecode(b"caf\xe9.svs"), "two\nlines.svs", "x" * 255])
def test_any_name_that_a_file_can_have_is_kept(vault: KeyVault, name: str) -> None:
    keys = vault.keys_for(JANE, "S26-1", "A1", "HE 1")
    vault.record_file(digest("content"), keys.slide, name)
    assert name in vault.needles(keys.case)
