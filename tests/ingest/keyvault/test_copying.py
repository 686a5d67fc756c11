"""A vault is copied at one instant, without its key, and a patient who is erased is in no copy that is left."""

import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from archive.codes import InternalKey
from ingest.errors import VaultUnavailable
from ingest.keyvault import Keys, KeyVault, PersonalIdentity
from ingest.keyvault.copying import newest_copy, put_back
from tests.ingest.keyvault.conftest import Place

Scanned = Callable[..., tuple[Keys, InternalKey]]


def test_a_copy_opens_with_the_key_and_tells_the_same(
    vault: KeyVault, scanned: Scanned, place: Place, tmp_path: Path
) -> None:
    keys, _ = scanned()
    vault.copy_to(tmp_path / "copies")
    copy = newest_copy(tmp_path / "copies")
    assert {path.name for path in copy.iterdir()} == {"vault.sqlite", "patient-keys.sqlite"}
    assert {path.stat().st_mode & 0o77 for path in (copy, *copy.iterdir())} == {0}
    assert place.key_file.read_bytes() not in b"".join(path.read_bytes() for path in copy.iterdir())
    with KeyVault.open(copy, place.key_file) as opened:
        assert opened.check() == ()
        assert opened.trail_head() == vault.trail_head()
        assert opened.identify(keys.slide, "a-test", "to compare").case == "S26-0012345"
    put_back(copy, tmp_path / "again")
    with KeyVault.open(tmp_path / "again", place.key_file) as opened:
        assert opened.check() == ()
    with pytest.raises(VaultUnavailable, match="something in the place"):
        put_back(copy, tmp_path / "again")


def test_only_the_newest_copy_is_left(vault: KeyVault, scanned: Scanned, place: Place, tmp_path: Path) -> None:
    keys, _ = scanned()
    vault.copy_to(tmp_path / "copies")
    older = newest_copy(tmp_path / "copies")
    vault.erase(keys.patient, "a-test", "a request")
    vault.copy_to(tmp_path / "copies")
    newest = newest_copy(tmp_path / "copies")
    assert newest != older
    assert list((tmp_path / "copies").iterdir()) == [newest]
    with KeyVault.open(newest, place.key_file) as opened:
        assert opened.check() == ()


def test_a_copy_from_before_an_erasure_opens_no_more(
    vault: KeyVault, scanned: Scanned, place: Place, tmp_path: Path
) -> None:
    keys, _ = scanned()
    vault.copy_to(tmp_path / "copies")
    vault.erase(keys.patient, "a-test", "a request")
    with pytest.raises(VaultUnavailable):
        KeyVault.open(newest_copy(tmp_path / "copies"), place.key_file)


def test_patients_may_come_in_while_the_vault_is_copied(vault: KeyVault, place: Place, tmp_path: Path) -> None:
    ended = threading.Event()

    def write() -> None:
        with place.open() as writer:
            for number in range(10_000):
                writer.keys_for(PersonalIdentity(f"H-{number}", "", date(1950, 1, 1)), f"S26-{number}", "A1", "HE 1")
                if ended.is_set():
                    return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            vault.copy_to(tmp_path / "copies")
            with KeyVault.open(newest_copy(tmp_path / "copies"), place.key_file) as copy:
                assert copy.check() == ()
    finally:
        ended.set()
        writer.join()
    assert len(vault.trail()) > 5


def test_a_copy_does_not_lie_in_the_vault(vault: KeyVault, place: Place, tmp_path: Path) -> None:
    with pytest.raises(VaultUnavailable, match="outside the vault"):
        vault.copy_to(place.folder / "copies")
    with pytest.raises(VaultUnavailable, match="no copy"):
        newest_copy(tmp_path / "nowhere")
