"""Accounts come back from a backup with nobody in, and a backup is never replaced by something worse."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from archive.accounts import AccountStore, Actor, Grant, Role
from archive.accounts.copying import back_up_accounts, put_accounts_back
from archive.auditchain import verify
from archive.errors import AccountsUnavailable
from tests.archive.accounts.conftest import OTHER

MakeStore = Callable[..., AccountStore]
EDUCATOR = Grant(Role.EDUCATOR)


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Return a folder for the backup and one to restore to."""
    for name in ("backup", "restored"):
        (tmp_path / name).mkdir()
    return tmp_path / "backup", tmp_path / "restored"


def test_accounts_come_back_and_nobody_is_in(make_store: MakeStore, tmp_path: Path, places: tuple[Path, Path]) -> None:
    backup, restored = places
    store = make_store(ed=[EDUCATOR])
    cookie, secret = store.sign_in("ed", OTHER).token, store.new_token("ed", Role.EDUCATOR).secret
    assert back_up_accounts(tmp_path, backup)
    assert put_accounts_back(backup, restored) == 2
    assert store.session(cookie)
    with AccountStore.open(restored) as back:
        assert back.session(cookie) is None
        assert back.actor_of_token(secret) is None
        assert back.sign_in("ed", OTHER).actor == Actor("ed", Role.EDUCATOR)
        trail = back.sealed_trail()
        assert verify(trail.entries(), trail.first, (*trail.heads(), store.head())) == ()
        with back.entries() as entries:
            assert "restore accounts" in [json.loads(entry.text)["act"] for entry in entries]
    assert {file.name for file in restored.iterdir()} == {"accounts.sqlite", "has-accounts"}
    assert {file.stat().st_mode & 0o777 for place in places for file in place.iterdir()} == {0o600}


def test_a_backup_is_brought_up_to_date(make_store: MakeStore, tmp_path: Path, places: tuple[Path, Path]) -> None:
    backup, restored = places
    store = make_store(ed=[EDUCATOR])
    back_up_accounts(tmp_path, backup)
    store.disable("ed")
    back_up_accounts(tmp_path, backup)
    put_accounts_back(backup, restored)
    with AccountStore.open(restored) as back:
        assert back.account("ed").state == "disabled"


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM trail WHERE number > 2", "UPDATE trail SET text = replace(text, 'add', 'see') WHERE number = 1"],
)
def test_a_trail_that_was_changed_replaces_no_good_copy(
    make_store: MakeStore, tmp_path: Path, places: tuple[Path, Path], statement: str
) -> None:
    backup, _ = places
    make_store(ed=[EDUCATOR], lea=[EDUCATOR]).close()
    back_up_accounts(tmp_path, backup)
    good = (backup / "accounts.sqlite").read_bytes()
    connection = sqlite3.connect(tmp_path / "accounts.sqlite")
    connection.execute(statement)
    connection.commit()
    connection.close()
    with pytest.raises(AccountsUnavailable, match="trail"):
        back_up_accounts(tmp_path, backup)
    assert (backup / "accounts.sqlite").read_bytes() == good


def test_accounts_that_were_put_back_to_an_old_state_replace_no_newer_copy(
    make_store: MakeStore, tmp_path: Path, places: tuple[Path, Path]
) -> None:
    backup, old = places
    store = make_store(ed=[EDUCATOR])
    store.copy_to(old / "accounts.sqlite")
    store.disable("ed")
    back_up_accounts(tmp_path, backup)
    with pytest.raises(AccountsUnavailable, match="go on"):
        back_up_accounts(old, backup)


def test_lost_accounts_are_not_taken_for_none(make_store: MakeStore, tmp_path: Path, places: tuple[Path, Path]) -> None:
    backup, restored = places
    assert not back_up_accounts(tmp_path, backup)
    assert put_accounts_back(backup, restored) is None
    make_store().close()
    back_up_accounts(tmp_path, backup)
    (tmp_path / "accounts.sqlite").unlink()
    with pytest.raises(AccountsUnavailable, match="lost"):
        back_up_accounts(tmp_path, backup)


def test_accounts_that_are_there_already_stay_as_they_are(
    make_store: MakeStore, tmp_path: Path, places: tuple[Path, Path]
) -> None:
    backup, restored = places
    store = make_store()
    back_up_accounts(tmp_path, backup)
    AccountStore.open(restored, create=True).close()
    with pytest.raises(AccountsUnavailable, match="already"):
        put_accounts_back(backup, restored)
    head = store.head()
    assert put_accounts_back(backup, tmp_path) == 1
    assert store.head() == head


def test_what_a_killed_copy_left_spoils_no_later_one(
    make_store: MakeStore, tmp_path: Path, places: tuple[Path, Path]
) -> None:
    backup, restored = places
    make_store(ed=[EDUCATOR])
    back_up_accounts(tmp_path, backup)
    for ending in ("", "-wal", "-shm"):
        (restored / f"accounts.sqlite.new{ending}").write_bytes(b"left by another")
    assert put_accounts_back(backup, restored) == 2
    assert {file.name for file in restored.iterdir()} == {"accounts.sqlite", "has-accounts"}
