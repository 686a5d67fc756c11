"""The doctor says of each thing whether it is well, and what to do where it is not; secrets are not shown."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.accounts import AccountStore, Action, Grant, Role
from archive.catalogue import Catalogue
from archive.catalogue.journal import segments
from archive.holdings import Archive
from archive.holdings.backup import back_up
from archive.holdings.backup_state import BackupState
from archive.holdings.condition import Condition
from archive.settings import ArchiveSettings
from ingest.cli import doctor
from ingest.cli.machine import FLOORS, State, machine, too_old
from ingest.cli.places import Places
from ingest.pipeline.reporting.releasing import SECOND_COPY
from ingest.sandbox import Level
from ingest.sandbox.proof import ACTS, Denial
from tests.archive.holdings.committing import commit_one


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places.of(tmp_path / "archive")
    made.create()
    with made.opened() as (archive, _):
        commit_one(archive)
    return made


@pytest.fixture
def archive(places: Places) -> Iterator[Archive]:
    with Archive.open(places.archive) as opened:
        yield opened


def told(places: Places, what: str) -> tuple[State, str]:
    """Give what the doctor finds about one thing."""
    return next((one.state, one.found) for one in doctor._kept(places) if one.what == what)


def test_versions_are_compared_as_numbers() -> None:
    right = {name: f"{floor}.1" for name, floor in FLOORS.items()}
    assert too_old(right, (3, 11)) == []
    assert too_old(right | {"pillow": "9.5.0", "cryptography": "100.0"}, (3, 11)) == ["pillow 9.5.0 is older than 13.0"]
    assert len(too_old(right, (3, 12))) == 2
    assert too_old(right | {"imagecodecs": "2026.10.10", "zarr": "3.4.0rc1"}, (3, 13)) == []


def test_a_new_laboratory_is_well_and_has_no_backup_yet(places: Places) -> None:
    states = {finding.what: finding.state for finding in doctor._kept(places)}
    assert states.pop("backup") is State.NOTE
    assert set(states) == {"clock", "archive", "audit trail", "journal", "last check", "vault"}
    assert set(states.values()) == {State.WELL}


def test_a_clock_that_went_back_is_found() -> None:
    now = datetime.now(UTC)
    assert doctor._clock(now + timedelta(hours=1)).state is State.LOOK
    assert doctor._clock(now + timedelta(seconds=30)).state is State.WELL
    assert doctor._clock(None).state is State.WELL


def test_the_age_of_the_backup_is_told(places: Places, archive: Archive, tmp_path: Path) -> None:
    folder = tmp_path / "disk" / "backup"
    back_up(archive, folder)
    with places.opened() as (_, vault):
        vault.declare(SECOND_COPY, SECOND_COPY, str(folder), who="laboratory")
    assert told(places, "backup") == (State.WELL, "0 days old, 0 acts behind")
    commit_one(archive)
    state = BackupState.read(folder)
    assert state.finished is not None
    BackupState(state.archive, state.finished - timedelta(days=9), state.acts, state.head).write(folder)
    assert told(places, "backup") == (State.LOOK, "9 days old, 1 act behind")
    (folder / "backup.json").unlink()
    assert told(places, "backup")[0] is State.LOOK


def test_a_damaged_journal_is_found(places: Places) -> None:
    path = segments(places.archive / "journal")[-1].path
    content = bytearray(path.read_bytes())
    content[-80] ^= 1
    path.write_bytes(content)
    with Archive.open(places.archive, read_only=True) as archive:
        assert not Condition.of(archive).journal_is_sound


def test_a_catalogue_that_was_put_back_to_an_old_state_is_told(places: Places, tmp_path: Path) -> None:
    with Archive.open(places.archive) as archive:
        archive.catalogue.copy_to(tmp_path / "old.sqlite")
        commit_one(archive)
        commit_one(archive)
    os.replace(tmp_path / "old.sqlite", places.archive / "catalogue.sqlite")
    assert told(places, "archive and vault")[0] is State.LOOK
    assert "rebuild-catalogue" in told(places, "archive and vault")[1]
    assert Catalogue.open(places.archive / "catalogue.sqlite", read_only=True).identity


def test_settings_are_told_and_secrets_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERSLIP_PORT", "9000")
    monkeypatch.setenv("COVERSLIP_DATABASE_URL", "postgresql://archive:secret@db.example/coverslip")
    said = ", ".join(doctor._settings(ArchiveSettings()))
    assert said == "database_url = (set, hidden), port = 9000"


def test_a_service_whose_token_ends_soon_is_told_in_time(places: Places) -> None:
    AccountStore.found(places.archive, "carol", "violin grape umbrella")
    with AccountStore.open(places.archive) as store:
        store.add("nightly", None, [Grant(Role.LABORATORY)])
        assert "tokens" not in {one.what for one in doctor._kept(places)}
        store.new_token("nightly", Role.LABORATORY, actions=[Action.INGEST], days=300)
        assert told(places, "tokens")[0] is State.WELL
        store.new_token("nightly", Role.LABORATORY, actions=[Action.BACK_UP], days=13)
    state, found = told(places, "tokens")
    assert (state, "token 2 of nightly ends on" in found) == (State.LOOK, True)


def _of_the_jail(places: Places) -> tuple[State, str]:
    return next((one.state, one.found) for one in machine(places) if one.what == "jail")


def test_the_level_of_the_jail_is_told_with_what_it_denied(places: Places) -> None:
    assert _of_the_jail(places) == (State.WELL, "full; 5 of 5 forbidden acts were denied")


def test_an_act_that_was_not_denied_is_named(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    denials = [Denial(act, act != ACTS[2]) for act in ACTS]
    monkeypatch.setattr("ingest.cli.machine.self_test", lambda vault: denials)
    told = "full; 4 of 5 forbidden acts were denied; not denied: open a network connection"
    assert _of_the_jail(places) == (State.LOOK, told)


def test_a_machine_without_walls_is_told_as_such(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.cli.machine.jail_level", lambda: Level.LIMITS_ONLY)
    monkeypatch.setattr("ingest.cli.machine.what_is_missing", lambda: ("Landlock is not available; wait",))
    assert _of_the_jail(places) == (State.LOOK, "limits only: Landlock is not available; wait")
