"""A vault opens with its own key file, kept as it must be kept, and otherwise says in one sentence why not."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from ingest.errors import VaultUnavailable
from ingest.keyvault import KeyVault
from tests.ingest.keyvault.conftest import JANE, Place


def refused(place: Place, **changed: object) -> str:
    with pytest.raises(VaultUnavailable) as refusal:
        KeyVault.open(**{"folder": place.folder, "key_file": place.key_file, **changed})
    sentence = str(refusal.value)
    assert "\n" not in sentence
    assert ";" in sentence, "says what to do"
    assert str(place.folder.parent) not in sentence
    return sentence


def test_everything_is_readable_by_its_owner_only(place: Place, vault: KeyVault) -> None:
    vault.keys_for(JANE, "S26-1", "A1", "HE")
    for path in (place.folder, place.key_file, *place.folder.iterdir()):
        if path.name != "lock":
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path.name


def test_a_missing_vault_is_not_made_by_opening(place: Place, tmp_path: Path) -> None:
    assert "no key vault" in refused(place)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_key_file_is_told(place: Place, vault: KeyVault) -> None:
    place.key_file.unlink()
    assert "missing" in refused(place)


def test_a_key_file_that_others_can_read_is_refused(place: Place, vault: KeyVault) -> None:
    place.key_file.chmod(0o640)
    assert "chmod 600" in refused(place)


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"[]", b"{}", b'{"coverslip_vault_key": 1, "keys": 3}'])
def test_a_file_that_is_no_key_file_is_refused(place: Place, vault: KeyVault, content: bytes) -> None:
    place.key_file.write_bytes(content)
    assert "no key file" in refused(place)


def test_another_vaults_key_file_does_not_open_this_one(place: Place, vault: KeyVault, tmp_path: Path) -> None:
    other = tmp_path / "other" / "vault.key"
    KeyVault.create(tmp_path / "another" / "vault", other).close()
    assert "does not belong" in refused(place, key_file=other)


def test_a_changed_key_does_not_open_the_vault(place: Place, vault: KeyVault) -> None:
    text = place.key_file.read_text()
    place.key_file.write_text(text.replace('"keys": [\n  "', '"keys": [\n  "' + ("A" if '"A' not in text else "B"), 1))
    refused(place)


def test_the_rows_of_another_vault_are_refused(place: Place, vault: KeyVault, tmp_path: Path) -> None:
    vault.close()
    other = Place(tmp_path / "another" / "vault", tmp_path / "other" / "vault.key")
    other.create().close()
    shutil.copy(other.folder / "vault.sqlite", place.folder / "vault.sqlite")
    assert "seal" in refused(place)


@pytest.mark.parametrize("name", ["vault.sqlite", "patient-keys.sqlite"])
@pytest.mark.parametrize("damage", ["missing", "empty", "garbage"])
def test_a_vault_whose_files_are_damaged_is_refused(place: Place, vault: KeyVault, name: str, damage: str) -> None:
    vault.close()
    path = place.folder / name
    path.unlink()
    if damage != "missing":
        path.write_bytes(b"" if damage == "empty" else os.urandom(8192))
    refused(place)
    assert path.exists() == (damage != "missing")


def test_a_vault_of_another_version_is_refused(place: Place, vault: KeyVault) -> None:
    vault.close()
    place.change("UPDATE about SET schema_version = 2")
    assert "version" in refused(place)


def test_the_key_may_not_lie_with_the_vault(place: Place) -> None:
    place.key_file = place.folder / "vault.key"
    with pytest.raises(VaultUnavailable, match="elsewhere"):
        place.create()
    assert not place.folder.exists()


def test_nothing_that_is_there_is_overwritten(place: Place, vault: KeyVault, tmp_path: Path) -> None:
    key = place.key_file.read_bytes()
    with pytest.raises(VaultUnavailable, match="already"):
        place.create()
    with pytest.raises(VaultUnavailable, match="already"):
        KeyVault.create(tmp_path / "second", place.key_file)
    assert place.key_file.read_bytes() == key
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "safe"]
    place.open().close()


def test_a_passphrase_protects_the_key_file(place: Place) -> None:
    with KeyVault.create(place.folder, place.key_file, passphrase="correct horse") as made:
        keys = made.keys_for(JANE, "S26-1", "A1", "HE")
        made.erase(made.keys_for(JANE, "S26-1", "A1", "HE").patient, "a.clinician", "request 17")
    assert "passphrase" in refused(place)
    assert "passphrase" in refused(place, passphrase="correct hors")
    with KeyVault.open(place.folder, place.key_file, passphrase="correct horse") as again:
        assert again.keys_for(JANE, "S26-1", "A1", "HE") != keys
