"""The account database keeps no secret as it is, belongs to its owner, and lets nobody in when it fails."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive.accounts import AccountStore, Action, Grant, Role
from archive.errors import AccountsUnavailable, ArchiveError
from tests.archive.accounts.conftest import GOOD, OTHER, Clock

MakeStore = Callable[..., AccountStore]


def stored_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))


def spoil(folder: Path, statement: str) -> None:
    """Change the database past the code under test."""
    with sqlite3.connect(folder / "accounts.sqlite") as connection:
        assert connection.execute(statement).rowcount
    connection.close()


def test_no_password_cookie_or_token_is_on_the_disk(make_store: MakeStore, tmp_path: Path) -> None:
    store = make_store(ed=[Grant(Role.EDUCATOR)])
    secrets = [GOOD, OTHER, store.sign_in("ed", OTHER).token, store.new_token("ed", Role.EDUCATOR).secret]
    store.set_password("ed", "flute parsnip harbour")
    on_disk = stored_bytes(tmp_path)
    assert b"argon2id" in on_disk
    for secret in [*secrets, "flute parsnip harbour"]:
        assert secret.encode() not in on_disk
        assert secret.removeprefix("coverslip_").encode() not in on_disk


def test_only_its_owner_can_read_it(make_store: MakeStore, tmp_path: Path) -> None:
    store = make_store()
    store.sign_in("carol", GOOD)
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


def test_there_are_accounts_once_they_were_made(tmp_path: Path) -> None:
    assert not AccountStore.exists(tmp_path)
    with pytest.raises(AccountsUnavailable, match="coverslip setup"):
        AccountStore.open(tmp_path)
    AccountStore.open(tmp_path, create=True).close()
    assert AccountStore.exists(tmp_path)
    with pytest.raises(AccountsUnavailable, match="already"):
        AccountStore.open(tmp_path, create=True)
    assert {file.name for file in tmp_path.iterdir()} == {"accounts.sqlite", "has-accounts"}


def test_accounts_that_are_lost_are_not_taken_for_none(tmp_path: Path) -> None:
    AccountStore.open(tmp_path, create=True).close()
    for file in tmp_path.glob("accounts.sqlite*"):
        file.unlink()
    assert AccountStore.exists(tmp_path)
    for create in (False, True):
        with pytest.raises(AccountsUnavailable, match="is lost"):
            AccountStore.open(tmp_path, create=create)
    with pytest.raises(AccountsUnavailable, match="is lost"):
        AccountStore.found(tmp_path, "mallory", "a new custodian's own words")
    assert [file.name for file in tmp_path.iterdir()] == ["has-accounts"]


def test_making_that_was_killed_can_be_tried_again(tmp_path: Path) -> None:
    (tmp_path / "accounts.sqlite.new").write_bytes(b"half made")
    assert not AccountStore.exists(tmp_path)
    AccountStore.open(tmp_path, create=True).close()


def test_accounts_cannot_be_made_where_there_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(AccountsUnavailable):
        AccountStore.open(tmp_path / "nowhere", create=True)


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to look at" * 40])
def test_what_is_no_account_database_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "accounts.sqlite").write_bytes(content)
    with pytest.raises(AccountsUnavailable):
        AccountStore.open(tmp_path)


def test_a_database_of_another_version_is_refused(make_store: MakeStore, tmp_path: Path) -> None:
    make_store().close()
    spoil(tmp_path, "UPDATE store SET schema_version = 99")
    with pytest.raises(AccountsUnavailable, match="another version"):
        AccountStore.open(tmp_path)


ASKED: dict[str, Callable[[AccountStore, str, str], object]] = {
    "session": lambda store, cookie, secret: store.session(cookie),
    "actor_of_token": lambda store, cookie, secret: store.actor_of_token(secret),
    "sign_in": lambda store, cookie, secret: store.sign_in("ed", OTHER),
    "sign_in_vouched": lambda store, cookie, secret: store.sign_in_vouched("ed", "oidc", "ed"),
    "act_as": lambda store, cookie, secret: store.act_as("ed", OTHER, Action.MAKE_COLLECTION),
    "choose_role": lambda store, cookie, secret: store.choose_role(cookie, Role.EDUCATOR),
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE accounts",
        "DROP TABLE grants",
        "UPDATE grants SET role = 'visitor'",
        "UPDATE store SET head_digest = 'x'",
        "DELETE FROM store",
        "UPDATE accounts SET password = 'x'",
        "UPDATE accounts SET state = 'ACTIVE!'",
    ],
)
def test_nobody_is_let_in_by_a_spoilt_database_in_another_role(
    make_store: MakeStore, tmp_path: Path, asked: str, statement: str
) -> None:
    store = make_store(ed=[Grant(Role.EDUCATOR)])
    cookie, secret = store.sign_in("ed", OTHER).token, store.new_token("ed", Role.EDUCATOR).secret
    connection = sqlite3.connect(tmp_path / "accounts.sqlite")
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute(statement)
    connection.commit()
    connection.close()
    try:
        found = ASKED[asked](store, cookie, secret)
    except ArchiveError:
        return
    actor = getattr(found, "actor", found)
    assert actor is None or (actor.account, actor.role) == ("ed", Role.EDUCATOR)


def test_a_database_that_another_program_holds_lets_nobody_in(
    make_store: MakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.catalogue.engine._PRAGMAS", {"busy_timeout": "50"})
    store = make_store()
    with sqlite3.connect(tmp_path / "accounts.sqlite") as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(AccountsUnavailable, match="SQLITE_BUSY"):
            store.sign_in("carol", GOOD)
        holder.rollback()
    holder.close()
    assert store.sign_in("carol", GOOD)


def test_the_drivers_words_never_leave(make_store: MakeStore, tmp_path: Path) -> None:
    store = make_store()
    spoil(tmp_path, "UPDATE accounts SET name = 'renamed-account' WHERE name = 'carol'")
    connection = sqlite3.connect(tmp_path / "accounts.sqlite")
    connection.execute("ALTER TABLE sessions RENAME TO elsewhere")
    connection.commit()
    connection.close()
    with pytest.raises(AccountsUnavailable) as failed:
        store.session("the-secret-cookie")
    assert "secret" not in str(failed.value)
    assert failed.value.__cause__ is None


def test_threads_share_a_store(make_store: MakeStore, clock: Clock) -> None:
    store = make_store(ed=[Grant(Role.EDUCATOR)])
    token = store.sign_in("ed", OTHER).token

    def look(_: int) -> bool:
        store.note("look", "ed")
        return store.session(token) is not None

    with ThreadPoolExecutor(4) as crowd:
        assert all(crowd.map(look, range(120)))
    assert store.head().number == 3 + 120


def test_a_file_that_cannot_be_written_lets_nobody_in(make_store: MakeStore, tmp_path: Path) -> None:
    store = make_store()
    store.close()
    copied = tmp_path / "copy"
    copied.mkdir()
    shutil.copy(tmp_path / "accounts.sqlite", copied)
    os.truncate(copied / "accounts.sqlite", 8192)
    with pytest.raises(AccountsUnavailable), AccountStore.open(copied) as broken:
        broken.sign_in("carol", GOOD)
