"""Killed at any step, an act of the vault is done or not begun, and doing it again completes it."""

import subprocess
import sys
from pathlib import Path

import pytest

from ingest.errors import VaultUnavailable
from ingest.keyvault import KeyVault
from tests.ingest.keyvault.conftest import JANE, JOHN, digest


@pytest.fixture
def start(tmp_path: Path) -> Path:
    return tmp_path / "start"


@pytest.fixture
def filled(start: Path) -> Path:
    with KeyVault.create(start / "vault", start / "keys" / "vault.key") as vault:
        vault.keys_for(JANE, "S26-1", "A1", "HE")
        vault.keys_for(JOHN, "S26-1", "A1", "HE")
    return start


def killed_copies(act: str, start: Path) -> list[Path]:
    to = start.parent / "killed"
    command = [sys.executable, "-m", "tests.ingest.keyvault.killed", act, str(start), str(to)]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[3], timeout=120)
    copies = sorted(to.iterdir(), key=lambda path: int(path.name))
    assert len(copies) > 5, "the act reached the disk in fewer steps than it has"
    return copies


def test_a_vault_that_was_being_made_is_made_by_the_next_attempt(start: Path) -> None:
    start.mkdir()
    for here in killed_copies("create", start):
        folder, key_file = here / "vault", here / "keys" / "vault.key"
        if folder.exists():
            KeyVault.open(folder, key_file).close()
            continue
        with KeyVault.create(folder, key_file) as vault:
            assert vault.keys_for(JANE, "S26-1", "A1", "HE") == vault.keys_for(JANE, "S26-1", "A1", "HE")
            assert vault.check() == ()
        assert sorted(path.name for path in here.iterdir()) == ["keys", "vault"]


def test_a_slide_that_was_being_recorded_is_recorded_by_the_next_attempt(filled: Path) -> None:
    for here in killed_copies("record", filled):
        with KeyVault.open(here / "vault", here / "keys" / "vault.key") as vault:
            assert vault.check() == ()
            pending = {entry.scan for entry in vault.pending()}
            known = vault.scan_of_file(digest("content"))
            keys = vault.keys_for(JOHN, "S26-2", "A1", "HE")
            scan = vault.record_file(digest("content"), keys.slide, "first.svs")
            assert pending | {known} <= {scan, None}
            vault.confirm(scan)
            assert vault.scan_of_file(digest("content")) == scan
            assert vault.check() == ()


def test_a_slide_that_was_being_moved_is_in_one_place_and_what_is_left_to_do_is_known(filled: Path) -> None:
    states = set()
    for here in killed_copies("move", filled):
        with KeyVault.open(here / "vault", here / "keys" / "vault.key") as vault:
            assert vault.check() == ()
            moved = any(entry.act == "corrected slide" for entry in vault.trail())
            begun = vault.corrections.begun()
            states.add((moved, len(begun)))
            if moved:
                slide = vault.keys_for(JOHN, "S26-2", "B1", "HE").slide
                assert [one.text for one in begun] in ([], [slide])
            assert {entry.act for entry in vault.trail()} >= {"coded"}
    assert states == {(False, 0), (True, 1), (True, 0)}


def test_an_erasure_that_was_begun_is_finished_when_the_vault_is_opened(filled: Path) -> None:
    copies = killed_copies("erase", filled)
    states = set()
    for here in copies:
        with KeyVault.open(here / "vault", here / "keys" / "vault.key") as vault:
            begun = any(entry.act == "erased" for entry in vault.trail())
            states.add(begun)
            assert vault.check() == ()
            assert vault.identify(vault.keys_for(JOHN, "S26-1", "A1", "HE").slide, "me", "why").patient == JOHN.patient
            if begun:
                assert len(vault._store.key_file.keys) == 1
                with pytest.raises(VaultUnavailable):
                    KeyVault.open(here / "vault", filled / "keys" / "vault.key")
            vault.erase(vault.keys_for(JANE, "S26-1", "A1", "HE").patient, "a.clinician", "request 18")
            assert vault.check() == ()
    assert states == {True, False}


def test_a_rotation_that_was_killed_leaves_one_key_file_that_opens_and_can_be_repeated(filled: Path) -> None:
    opened = []
    for here in killed_copies("rotate", filled):
        old, new = here / "keys" / "vault.key", here / "new keys" / "new.key"
        opens = [path for path in (old, new) if path.exists() and _opens(here / "vault", path)]
        assert len(opens) == 1
        opened.append(opens[0].name)
        if opens == [old]:
            with KeyVault.open(here / "vault", old) as vault:
                vault.rotate(new, who="a.clinician")
        with KeyVault.open(here / "vault", new) as vault:
            assert vault.check() == ()
    assert set(opened) == {"vault.key", "new.key"}


def _opens(folder: Path, key_file: Path) -> bool:
    try:
        KeyVault.open(folder, key_file).close()
    except VaultUnavailable:
        return False
    return True
