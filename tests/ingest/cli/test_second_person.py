"""One custodian does not do away with the second one: only where there is nobody else is one enough."""

from pathlib import Path

import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner, Result

from archive.accounts import AccountStore, Grant, Role, passwords
from ingest.cli.main import app
from ingest.cli.places import Places
from ingest.keyvault import KeyVault

PASSWORD = "violin grape umbrella"


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """Make an archive with two custodians."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    made = Places.of(tmp_path / "coverslip-archive")
    made.create()
    AccountStore.found(made.archive, "carol", PASSWORD)
    with AccountStore.open(made.archive) as store:
        store.add("dan", PASSWORD, [Grant(Role.CUSTODIAN)])
    return made


def declare() -> Result:
    words = ["approve", "--no-second-person", "--reason", "nobody else", "--who", "carol"]
    return CliRunner().invoke(app("approve"), words, input=f"{PASSWORD}\n")


def second_person(places: Places) -> bool:
    with KeyVault.open(places.vault, places.key) as vault:
        return vault.approvals.second_person


def test_nobody_declares_that_there_is_no_second_person_beside_another_custodian(places: Places) -> None:
    refused = declare()
    assert refused.exit_code == 1
    assert "there is another custodian" in refused.output
    assert second_person(places)


def test_the_only_custodian_who_can_act_may_declare_it(places: Places) -> None:
    with AccountStore.open(places.archive) as store:
        store.disable("dan")
    assert declare().exit_code == 0
    assert not second_person(places)
