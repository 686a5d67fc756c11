"""Make a second copy of everything, and have everything back: ``backup``, ``restore``."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from archive import fixity
from archive.accounts import Action
from archive.accounts.copying import back_up_accounts, put_accounts_back
from archive.amounts import bytes_told, counted
from archive.cli.audit_shown import audit_key_of
from archive.cli.proving import Who, actor_of
from archive.cli.sentences import FAILED, ArchiveFolder, out, said
from archive.errors import InvalidValue
from archive.holdings import Archive
from archive.holdings.backup import BackedUp, Begun, Verify, back_up
from archive.holdings.backup_state import BackupState
from archive.holdings.copying import Wrote
from archive.holdings.restoring import Restored
from archive.holdings.restoring import restore as restore_archive
from archive.settings import ArchiveSettings
from ingest.cli.places import BOUND_TO, KeyFile, Places, VaultFolder
from ingest.errors import VaultUnavailable
from ingest.keyvault import KeyVault
from ingest.keyvault.copying import newest_copy, put_back
from ingest.pipeline.reporting.releasing import SECOND_COPY

Backup = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the backup, best on another disk or machine.")]

TOLD_FAULTS = 20


@said
def backup(
    folder: Backup,
    vault_to: Annotated[
        Path | None, typer.Option(help="Copy the key vault too, into this folder, apart from the backup.")
    ] = None,
    key_to: Annotated[
        Path | None, typer.Option(help="Copy the key file and the audit's signing key too, into this third folder.")
    ] = None,
    verify: Annotated[Verify, typer.Option(help="How much of the copy is read again at the end.")] = Verify.SAMPLE,
    mirror_removals: Annotated[
        bool, typer.Option("--mirror-removals", help="Remove from the backup what the archive has no longer.")
    ] = False,
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
) -> None:
    """Copy what is new into a backup, digest by digest, and read copies again.

    Slides may come in meanwhile. A backup that was interrupted goes on when the same command is run again. The archive
    holds codes and the vault holds names, so the two are copied to different places, and the key to a third.

    Exit code 0: everything is copied; 1: something could not be copied, and is told.
    """
    places = Places.of(archive, vault, vault_key)
    _require_apart(places, folder, vault_to, key_to)
    actor = actor_of(archive, who, Action.BACK_UP)
    with places.opened(actor) as (holdings, keyvault):
        with _bar() as (begun, wrote):
            done = back_up(holdings, folder, verify=verify, mirror_removals=mirror_removals, begun=begun, wrote=wrote)
        _declare(keyvault, folder)
        if vault_to is not None:
            keyvault.copy_to(vault_to)
        codes = _codes(holdings, done)
    if vault_to is not None:
        _verify_vault(vault_to, places.key, verify)
    signing_key = audit_key_of(places.archive)
    if key_to is not None:
        for key in filter(Path.is_file, (places.key, signing_key)):
            _copy_key(key, key_to)
    _tell(done, codes, mirror_removals)
    if back_up_accounts(places.archive, folder):
        out().print("The accounts were copied.")
    _tell_vault(vault_to, key_to)
    if signing_key.is_file():
        what = "was copied to the third place" if key_to else "was not copied: keep a copy of it in a third place"
        out().print(f"The key that signs the audit trails {what}.")
    if done.faults:
        raise typer.Exit(FAILED)


@said
def restore(
    folder: Backup,
    archive: Annotated[Path, typer.Option("--archive", help="Where the archive is to be: an empty folder.")],
    vault_from: Annotated[
        Path | None, typer.Option(help="Restore the key vault too, from this folder; its key file must be in place.")
    ] = None,
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
) -> None:
    """Make an archive again from a backup, in an empty place, and verify every byte on the way.

    Interrupted, it goes on when the same command is run again. A vault that belongs to another archive is refused.

    Exit code 0: everything is as it was backed up; 1: something is not, and is told.
    """
    places = Places.of(archive, vault, vault_key)
    if vault_from is not None:
        _restore_vault(vault_from, places, BackupState.read(folder).archive)
    with _bar() as (begun, wrote):
        done = restore_archive(
            folder,
            places.archive,
            ArchiveSettings(archive=places.archive),
            begun=begun,
            wrote=wrote,
            first=lambda: put_accounts_back(folder, places.archive),
        )
    accounts = put_accounts_back(folder, places.archive)  # which counts them, as they are there
    if vault_from is not None:
        with places.opened():
            pass
    _tell_restored(done, vault_from)
    if accounts is not None:
        out().print(
            f"{accounts:,} account{'s are' if accounts != 1 else ' is'} in place; nobody is signed in, and tokens must "
            "be made anew. Take away again what was taken away since this backup."
        )
    if not done.complete:
        raise typer.Exit(FAILED)


def _require_apart(places: Places, folder: Path, vault_to: Path | None, key_to: Path | None) -> None:
    """Refuse to put together what must lie apart: codes, names, and the key to the names."""
    kept = [places.archive, folder.absolute()]
    if vault_to is not None:
        _require_outside(vault_to, [*kept, places.key.parent], "the key vault's copy lies apart from the archive's")
        kept.append(vault_to.absolute())
    if key_to is not None:
        _require_outside(key_to, [*kept, places.vault], "the key's copy lies apart from both others")


def _require_outside(place: Path, others: list[Path], why: str) -> None:
    for other in others:
        one, two = place.resolve(), other.resolve()
        if one.is_relative_to(two) or two.is_relative_to(one):
            raise InvalidValue(f"{why}, so that nobody who has one folder has names; name another folder")


def _declare(vault: KeyVault, folder: Path) -> None:
    """Say in the vault where the second copy is, so that the day's report waits for it."""
    place = str(folder.resolve())
    if vault.declared(SECOND_COPY).get(SECOND_COPY) != place:
        vault.declare(SECOND_COPY, SECOND_COPY, place, who="laboratory")


def _verify_vault(vault_to: Path, key: Path, verify: Verify) -> None:
    with KeyVault.open(newest_copy(vault_to), key) as copy:
        if copy.verify_trail() or (verify is Verify.FULL and copy.check()):
            raise VaultUnavailable("the key vault's copy is not whole; check the vault and the disk, and copy it again")


def _copy_key(key: Path, key_to: Path) -> None:
    key_to.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = key_to / f"{key.name}.new"
    aside.unlink(missing_ok=True)
    aside.touch(mode=0o600)
    shutil.copyfile(key, aside)
    fixity.flush_one(aside)
    aside.replace(key_to / key.name)
    fixity.flush_one(key_to)


def _restore_vault(vault_from: Path, places: Places, identity: str) -> None:
    """Put the vault back if its key is there and it belongs to the archive that is being restored."""
    copy = newest_copy(vault_from)
    if not places.key.is_file():
        raise VaultUnavailable("the vault's key file is not in its place; put it there, or name it with --vault-key")
    if not places.vault.exists():
        put_back(copy, places.vault)
    with KeyVault.open(places.vault, places.key) as vault:
        if vault.declared(BOUND_TO).get(BOUND_TO) == identity:
            return
    raise VaultUnavailable(
        "this key vault belongs to another archive; remove the vault that was just restored, and name the right copy"
    )


def _codes(archive: Archive, done: BackedUp) -> list[str]:
    found = (archive.scan(fault.scan) for fault in done.faults[:TOLD_FAULTS])
    return [str(scan.code) if scan else "a scan without a code" for scan in found]


def _tell(done: BackedUp, codes: list[str], mirrored: bool) -> None:
    out().print(
        f"{counted(done.copied, 'scan')} copied ({bytes_told(done.copied_bytes)}), {done.there:,} there already; "
        f"{counted(done.verified, 'copy was', 'copies were')} read again."
    )
    if done.renewed:
        out().print(
            f"{counted(done.renewed, 'copy was', 'copies were')} found damaged, set aside and made again; "
            "look at the backup's disk."
        )
    if done.blacked_out:
        out().print(
            f"{counted(done.blacked_out, 'copy', 'copies')} with what was blacked out since: deleted and made again."
        )
    if done.removed:
        now = (
            "and was removed from the backup" if mirrored else "and stays in the backup (--mirror-removals removes it)"
        )
        out().print(f"{counted(done.removed, 'scan')}: the archive has it no longer, {now}.")
    for code, fault in zip(codes, done.faults, strict=False):
        out().print(
            f"[red]not copied:[/red] {code}  {fault.place}: expected {fault.expected}, found {fault.found}; "
            "run: coverslip check"
        )
    if len(done.faults) > len(codes):
        out().print(f"[red]not copied:[/red] {len(done.faults) - len(codes):,} more")


def _tell_vault(vault_to: Path | None, key_to: Path | None) -> None:
    if vault_to is None:
        out().print("The key vault was not copied: without it nobody has names. Copy it with --vault-to, elsewhere.")
    elif key_to is None:
        out().print(
            "The vault was copied and opens. Its key file was not: keep a copy of it in a third place, by hand."
        )
    else:
        out().print("The vault was copied and opens with its key, which was copied to a third place.")


def _tell_restored(done: Restored, vault_from: Path | None) -> None:
    out().print(
        f"{counted(done.scans, 'scan is', 'scans are')} in place and verified ({bytes_told(done.copied_bytes)} copied)."
    )
    if done.blacked_out:
        out().print(
            f"{counted(len(done.blacked_out), 'scan was', 'scans were')} blacked out, as was ordered since the backup."
        )
    for code, why in done.still_shut:
        out().print(f"[red]stays shut:[/red] {code}  {why}; then run: coverslip redact --resume")
    if done.rebuilt is not None:
        out().print("The catalogue was made again from the journal, because its copy was older, damaged or not there.")
        if done.rebuilt.unreviewed:
            out().print(f"{counted(done.rebuilt.unreviewed, 'scan is', 'scans are')} unreviewed; see: coverslip review")
    if done.faults:
        damaged = counted(len(done.faults), "damaged copy was", "damaged copies were")
        out().print(f"[red]{damaged} not restored;[/red] run: coverslip check")
    if done.audit_faults:
        out().print(f"[red]The audit trail has {counted(len(done.audit_faults), 'fault')}.[/red]")
    if vault_from is not None:
        out().print("The key vault is in place and opens with its key.")


@contextmanager
def _bar() -> Iterator[tuple[Begun, Wrote]]:
    """Show how far it is, how fast and how long it will take."""
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(TextColumn("{task.description:13}"), *columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)

        def begun(what: str, total_bytes: int) -> None:
            progress.reset(task, description=what, total=total_bytes)

        yield begun, lambda count: progress.advance(task, count)
