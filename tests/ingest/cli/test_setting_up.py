"""One command sets a laboratory up for several people, and what goes wrong leaves nothing half made."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from archive.accounts import AccountStore, Grant, Role
from archive.holdings import Archive
from ingest.cli.main import app
from ingest.cli.places import Places

GOOD = "violin grape umbrella"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(app(words[0]), list(words), input=typed)


def test_set_up_makes_archive_vault_key_and_a_custodian(folder: Path) -> None:
    result = run("setup", "carol", typed=f"{GOOD}\n")
    assert result.exit_code == 0, result.output
    assert Places.of(folder / "coverslip-archive").exist
    with AccountStore.open(folder / "coverslip-archive") as store:
        (account,) = store.accounts()
        assert (account.name, account.grants) == ("carol", (Grant(Role.CUSTODIAN),))
        assert store.sign_in("carol", GOOD).actor
    assert GOOD not in result.output


def test_set_up_twice_changes_nothing(folder: Path) -> None:
    run("setup", "carol", typed=f"{GOOD}\n")
    kept = (folder / "coverslip-archive" / "accounts.sqlite").read_bytes()
    again = run("setup", "carol", typed=f"{GOOD}\n")
    assert again.exit_code == 0
    assert "already" in again.output
    second = run("setup", "dan", typed=f"{GOOD}\n")
    assert second.exit_code == 1
    assert "coverslip account add" in second.output
    assert (folder / "coverslip-archive" / "accounts.sqlite").read_bytes() == kept


@pytest.mark.parametrize(
    ("name", "password"), [("Carol", GOOD), ("carol", "short"), ("carol", ""), ("carol", "carol" * 4)]
)
def test_a_name_or_password_that_cannot_be_leaves_an_empty_folder(folder: Path, name: str, password: str) -> None:
    result = run("setup", name, typed=f"{password}\n")
    assert result.exit_code == 1
    assert list(folder.iterdir()) == []


def test_an_archive_of_one_person_is_given_accounts(folder: Path) -> None:
    assert run("init").exit_code == 0
    with Archive.open(folder / "coverslip-archive", read_only=True) as archive:
        identity = archive.catalogue.identity
    assert run("setup", "carol", typed=f"{GOOD}\n").exit_code == 0
    with Archive.open(folder / "coverslip-archive", read_only=True) as archive:
        assert archive.catalogue.identity == identity
    assert AccountStore.exists(folder / "coverslip-archive")


def test_set_up_that_was_interrupted_goes_on(folder: Path) -> None:
    run("init")
    AccountStore.open(folder / "coverslip-archive", create=True).close()
    assert run("setup", "carol", typed=f"{GOOD}\n").exit_code == 0
    with AccountStore.open(folder / "coverslip-archive") as store:
        assert store.account("carol").grants == (Grant(Role.CUSTODIAN),)


def test_backing_up_and_restoring_brings_the_accounts_back(folder: Path) -> None:
    run("setup", "carol", typed=f"{GOOD}\n")
    run("account", "add", "lab", "--role", "laboratory", "--who", "carol", typed=f"{GOOD}\n{GOOD}\n")
    assert "accounts were copied" in run("backup", str(folder / "copy"), "--who", "lab", typed=f"{GOOD}\n").output
    result = run("restore", str(folder / "copy"), "--archive", str(folder / "again"))
    assert result.exit_code == 0, result.output
    assert "2 accounts are in place" in result.output
    with AccountStore.open(folder / "again") as store:
        assert store.sign_in("carol", GOOD).actor
