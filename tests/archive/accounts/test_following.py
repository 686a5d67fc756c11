"""A role, an account or a token that no entry tells of is found when the trails are verified."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archive.accounts import AccountStore, Grant, Role
from archive.accounts.database import FILE
from archive.auditchain.verifying import check_trail

CUSTODIAN, LEARNER = Grant(Role.CUSTODIAN), Grant(Role.LEARNER)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make accounts to which all has happened that can happen to one."""
    with AccountStore.open(tmp_path, create=True) as store:
        store.add("carol", None, [CUSTODIAN])
        store.add("lea", None, [LEARNER])
        store.add("ros", None, [Grant(Role.RESEARCHER, "melanoma")])
        store.grant("lea", Role.EDUCATOR)
        store.revoke("lea", Role.LEARNER)
        store.new_token("lea", Role.EDUCATOR)
        ended = store.new_token("ros", Role.RESEARCHER, "melanoma")
        store.end_token(ended.number)
        store.add("gone", None, [])
        store.disable("gone")
        store.disable("ros")
        store.enable("ros")
    return tmp_path


def found(folder: Path) -> list[tuple[str, str, str]]:
    with AccountStore.open(folder) as store:
        return [(fault.code, fault.expected, fault.found) for fault in check_trail(store.sealed_trail(), ()).faults]


def test_whatever_was_done_by_the_program_is_told(folder: Path) -> None:
    assert found(folder) == []


@pytest.mark.parametrize(
    ("statement", "expected", "other"),
    [
        ("INSERT INTO grants VALUES ('lea', 'custodian', '')", "account lea: educator", "custodian, educator"),
        ("DELETE FROM grants WHERE account = 'lea'", "account lea: educator", "no role"),
        ("UPDATE grants SET project = 'naevus' WHERE account = 'ros'", "account ros: researcher in melanoma", ""),
        ("UPDATE accounts SET state = 'active'", "account gone: disabled", "active"),
        ("UPDATE accounts SET name = 'dan' WHERE name = 'gone'", "account dan: none", "one"),
        ("DELETE FROM accounts WHERE name = 'gone'", "account gone: one", "none"),
        (
            "INSERT INTO tokens SELECT 99, 'x', account, role, project, null, expires FROM tokens",
            "account lea: no other tokens than were made",
            "1 more",
        ),
    ],
)
def test_what_was_written_into_the_database_itself_is_found(
    folder: Path, statement: str, expected: str, other: str
) -> None:
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        connection.execute(statement)
    code, first, second = found(folder)[0]
    assert (code, first) == ("rows-differ", expected)
    assert other in second
