"""Look at the machine, the installation, and what is kept: ``doctor``."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import typer
from pydantic import SecretStr
from rich.table import Table

from archive.accounts import AccountStore
from archive.amounts import counted
from archive.cli.sentences import FAILED, ArchiveFolder, out, said
from archive.errors import ArchiveError
from archive.holdings import Archive
from archive.holdings.backup_state import BackupState
from archive.holdings.condition import Condition, Disk
from archive.settings import ArchiveSettings
from ingest.cli.machine import Finding, State, machine
from ingest.cli.places import KeyFile, Places, VaultFolder
from ingest.keyvault import KeyVault
from ingest.pipeline.jailed import PREPARED
from ingest.pipeline.reporting.releasing import SECOND_COPY
from ingest.sandbox import prepare

LOW_DISK_BYTES = 20 << 30
"""Less is told: a laboratory's day is about that much."""

BACKUP_DAYS = 7
"""A backup that is older is told."""

TOKEN_SLACK = timedelta(days=14)
"""A token that ends within this time is told."""

CLOCK_SLACK = timedelta(minutes=2)
"""So far may the clock be behind the newest act before it is told."""


@said
def doctor(
    archive: ArchiveFolder = Path("coverslip-archive"), vault: VaultFolder = None, vault_key: KeyFile = None
) -> None:
    """Check versions, the jail that slides are read in, disk, clock, settings, journal, backup and vault.

    What is marked `look` wants to be put right, and the line says how; a `note` is to be known.

    Exit code 1 if anything wants looking at.
    """
    prepare(*PREPARED)
    places = Places.of(archive, vault, vault_key)
    findings = [*machine(places), *_surroundings(places), *_kept(places)]
    table = Table(box=None, show_header=False, pad_edge=False)
    for state, what, found in findings:
        table.add_row(state, what, found)
    out().print(table)
    if any(finding.state is State.LOOK for finding in findings):
        raise typer.Exit(FAILED)


def _surroundings(places: Places) -> Iterator[Finding]:
    settings = ArchiveSettings(archive=places.archive)
    disk = Disk.of(places.archive)
    told = f"{disk.free_bytes / 1e9:,.0f} GB free beside the archive, {disk.kind or 'a file system'}"
    if disk.on_network and settings.database_url is None:
        told += " of another machine, where SQLite may lose data; use a local disk, or PostgreSQL"
        yield Finding(State.LOOK, "disk", told)
    else:
        yield Finding(State.if_well(disk.free_bytes > LOW_DISK_BYTES), "disk", told)
    yield Finding(State.WELL, "settings", ", ".join(_settings(settings)) or "all as they are by themselves")


def _settings(settings: ArchiveSettings) -> Iterator[str]:
    """Tell every setting that differs, but no secret."""
    for name, field in ArchiveSettings.model_fields.items():
        value = getattr(settings, name)
        if name != "archive" and value != field.default:
            yield f"{name} = {'(set, hidden)' if isinstance(value, SecretStr) else value}"


def _kept(places: Places) -> Iterator[Finding]:
    if not places.exist:
        yield Finding(State.WELL, "archive", "none here yet; make one with: coverslip init")
        return
    try:
        with places.opened() as (archive, vault):
            yield from _archive(archive)
            yield _backup(vault, archive)
            yield from _tokens(places)
            trail = vault.verify_trail()
            told = (
                "open; its audit trail is whole" if not trail else f"{counted(len(trail), 'fault')} in its audit trail"
            )
            yield Finding(State.if_well(not trail), "vault", told)
    except ArchiveError as error:
        yield Finding(State.LOOK, "archive and vault", str(error))


def _archive(archive: Archive) -> Iterator[Finding]:
    found, faults = Condition.of(archive), archive.audit_faults()
    yield _clock(found.newest_act)
    yield Finding(State.WELL, "archive", f"{counted(found.slides, 'slide')}, {counted(found.scans, 'scan')}")
    told = "whole" if not faults else f"{counted(len(faults), 'fault')}; run: coverslip check"
    yield Finding(State.if_well(not faults), "audit trail", told)
    told = "whole" if found.journal_is_sound else "damaged; it is begun anew by the next ingest"
    yield Finding(State.if_well(found.journal_is_sound), "journal", told)
    told = (
        "every scan was read in time"
        if not found.overdue
        else f"{counted(found.overdue, 'scan is', 'scans are')} overdue; run: coverslip check"
    )
    yield Finding(State.if_well(not found.overdue), "last check", told)


def _clock(newest: datetime | None) -> Finding:
    now = datetime.now(UTC)
    if newest is not None and now < newest - CLOCK_SLACK:
        return Finding(State.LOOK, "clock", f"{now:%Y-%m-%d %H:%M} UTC is before the newest act; set it right")
    return Finding(State.WELL, "clock", f"{now:%Y-%m-%d %H:%M} UTC")


def _tokens(places: Places) -> Iterator[Finding]:
    """Tell of services that will stand still soon, because nobody else would before they do."""
    if not AccountStore.exists(places.archive):
        return
    with AccountStore.open(places.archive) as store:
        found = [token for account in store.accounts() for token in store.tokens(account.name)]
    soon = [token for token in found if token.expires < datetime.now(UTC) + TOKEN_SLACK]
    for token in soon:
        told = f"token {token.number} of {token.account} ends on {token.expires:%Y-%m-%d}; make another one in time"
        yield Finding(State.LOOK, "tokens", told)
    if found and not soon:
        yield Finding(State.WELL, "tokens", f"{len(found):,} for programs; none ends within two weeks")


def _backup(vault: KeyVault, archive: Archive) -> Finding:
    folder = vault.declared(SECOND_COPY).get(SECOND_COPY)
    if folder is None:
        return Finding(State.NOTE, "backup", "none yet; make one with: coverslip backup DIR")
    try:
        state = BackupState.read(Path(folder))
    except ArchiveError as error:
        return Finding(State.LOOK, "backup", str(error))
    if state.finished is None or state.archive != archive.catalogue.identity:
        return Finding(State.LOOK, "backup", "never finished; run: coverslip backup")
    days = (datetime.now(UTC) - state.finished).days
    told = f"{counted(days, 'day')} old, {counted(archive.catalogue.acts - state.acts, 'act')} behind"
    return Finding(State.if_well(days <= BACKUP_DAYS), "backup", told)
