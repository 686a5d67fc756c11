"""What waits is written down once, sealed in the vault, and ends when the file is taken in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.errors import Reason
from ingest.keyvault import KeyVault
from ingest.quarantine import Quarantine

NAME = "S25-10432 DOE JANE.svs"


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[KeyVault]:
    (tmp_path / "key").mkdir()
    with KeyVault.create(tmp_path / "vault", tmp_path / "key" / "vault.key") as opened:
        yield opened


def test_a_file_waits_with_its_reason_until_it_is_taken_in(vault: KeyVault, tmp_path: Path) -> None:
    quarantine = Quarantine(vault)
    entry = quarantine.set_aside(tmp_path / NAME, Reason.NO_ROW)
    assert quarantine.entries() == (entry,)
    assert entry.reason is Reason.NO_ROW
    assert entry.path == tmp_path / NAME
    quarantine.release(tmp_path / NAME)
    assert quarantine.entries() == ()


def test_a_second_refusal_is_the_same_entry_with_the_newest_reason(vault: KeyVault, tmp_path: Path) -> None:
    quarantine = Quarantine(vault)
    first = quarantine.set_aside(tmp_path / NAME, Reason.NO_ROW)
    assert quarantine.set_aside(tmp_path / NAME, Reason.NO_ROW) == first
    second = quarantine.set_aside(tmp_path / NAME, Reason.TRUNCATED)
    assert second.number == first.number
    assert [entry.reason for entry in quarantine.entries()] == [Reason.TRUNCATED]


def test_the_longest_waiting_comes_first(vault: KeyVault, tmp_path: Path) -> None:
    quarantine = Quarantine(vault)
    numbers = [quarantine.set_aside(tmp_path / f"{i}.svs", Reason.NO_ROW).number for i in range(3)]
    assert {entry.number for entry in quarantine.entries()} == set(numbers)
    since = [entry.since for entry in quarantine.entries()]
    assert since == sorted(since)


def test_releasing_what_does_not_wait_is_harmless(vault: KeyVault, tmp_path: Path) -> None:
    Quarantine(vault).release(tmp_path / NAME)
    assert Quarantine(vault).entries() == ()


def test_where_a_file_lies_is_nowhere_in_clear(vault: KeyVault, tmp_path: Path) -> None:
    entry = Quarantine(vault).set_aside(tmp_path / NAME, Reason.NO_ROW)
    for file in (tmp_path / "vault").rglob("*"):
        if file.is_file():
            assert b"S25-10432" not in file.read_bytes()
    assert "S25-10432" not in repr(entry)
