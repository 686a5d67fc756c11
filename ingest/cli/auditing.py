"""The audit trails of a whole laboratory, the key vault's among them: ``audit``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from archive.accounts import Action
from archive.cli import auditing as of_archive
from archive.cli.audit_options import (
    Act,
    Anew,
    By,
    ForPurpose,
    Heads,
    KnownKey,
    OfCode,
    OfProject,
    PrivateKey,
    Since,
    Until,
    asked,
)
from archive.cli.audit_shown import show, tell_exported, tell_signed, tell_verified
from archive.cli.auditing import archive_books, note_reading
from archive.cli.proving import Who, actor_of, proven
from archive.cli.sentences import FAILED, ArchiveFolder, AsJson, out, said
from archive.holdings.books import Books
from archive.wordscreen import screen
from ingest.cli.finding import TYPED, typed
from ingest.cli.places import KeyFile, Places, VaultFolder, require_pair
from ingest.keyvault import KeyVault
from ingest.pipeline.auditing import subject_report, with_vault

audit_app = typer.Typer(help="Prove that the audit trails are whole, and read them.", no_args_is_help=True)

WhatFor = Annotated[str, typer.Option("--reason", help="What the trails are read for; kept in the vault's trail.")]


@contextmanager
def laboratory_books(places: Places, *, read_only: bool = True) -> Iterator[tuple[Books, KeyVault]]:
    """Open all trails of a laboratory, and its vault; the archive is not written to unless that is asked for."""
    with (
        archive_books(places.archive, read_only=read_only) as books,
        KeyVault.open(places.vault, places.key) as vault,
    ):
        require_pair(books.holdings, vault)
        yield with_vault(books, vault), vault


@audit_app.command("verify")
@said
def verify(
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    heads: Heads = None,
    public_key: KnownKey = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Read all trails, and hold them against themselves and against the second place.

    The catalogue's, the accounts' and the key vault's. An edited, deleted, moved or inserted entry is found without a
    second place; an end that was cut off, or a trail that was made anew, only with one. Exit code 1 if anything was
    found.
    """
    actor_of(archive, who, Action.VERIFY_AUDIT)
    with laboratory_books(Places.of(archive, vault, vault_key)) as (books, _):
        tell_verified(books, heads, public_key, as_json=as_json)


@audit_app.command("sign")
@said
def sign(
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    heads: Heads = None,
    key: PrivateKey = None,
    anew: Anew = None,
    who: Who = None,
) -> None:
    """Verify all trails, and sign into the second place how far they go.

    The first time it makes the key pair. Keep the private key away from whoever serves the archive, and give the
    auditor a copy of audit-key.pub. Run this every hour, from a timer. Trails with a fault are not signed.
    """
    actor_of(archive, who, Action.SIGN_AUDIT)
    with laboratory_books(Places.of(archive, vault, vault_key), read_only=False) as (books, _):
        tell_signed(books, archive, heads, key, anew)


@audit_app.command("search")
@said
def search(
    reason: WhatFor,
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    code: OfCode = None,
    project: OfProject = "laboratory",
    by: By = None,
    act: Act = None,
    purpose: ForPurpose = None,
    since: Since = None,
    until: Until = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Find entries by code, account, act, purpose and time; what is left out fits everything.

    A code stands for all that it holds: a case for its slides, a slide for its handle in every collection. Who
    searched, and what for, is in the vault's trail.
    """
    places, account = Places.of(archive, vault, vault_key), proven(archive, who, Action.READ_AUDIT)
    with laboratory_books(places) as (books, keyvault):
        _note(places, keyvault, account, reason)
        show(books.found(asked(books, code, project, by, act, purpose, since, until)), as_json=as_json)


@audit_app.command("export")
@said
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, of JSON lines.")],
    reason: WhatFor,
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    heads: Heads = None,
    code: OfCode = None,
    project: OfProject = "laboratory",
    by: By = None,
    act: Act = None,
    purpose: ForPurpose = None,
    since: Since = None,
    until: Until = None,
    who: Who = None,
) -> None:
    """Write what a search finds to a file, each entry with the proof that it stands in a signed trail.

    Whoever has the file and the public key verifies it without the archive: coverslip audit read FILE
    """
    places, account = Places.of(archive, vault, vault_key), proven(archive, who, Action.READ_AUDIT)
    with laboratory_books(places) as (books, keyvault):
        _note(places, keyvault, account, reason)
        tell_exported(books, file, heads, asked(books, code, project, by, act, purpose, since, until))


audit_app.command("read")(of_archive.read)


@audit_app.command("subject")
@said
def subject(
    reason: WhatFor,
    patient: Annotated[
        str, typer.Argument(metavar="NUMBER", help="The patient's number; - (as when left out) to type it when asked.")
    ] = TYPED,
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Answer a patient who asks who opened their slides, when, and why.

    Lists what people did with the patient's slides, from all trails, by codes: who opened, looked up or identified
    them, what was recorded, withdrawn and put right, and to which projects they were given. Who asked for the report is
    written down. It names staff accounts: have it looked at before it is given away.
    """
    places, account = Places.of(archive, vault, vault_key), proven(archive, who, Action.REPORT_SUBJECT)
    why, number = screen(reason, "a reason"), typed(patient, "Patient number")
    with laboratory_books(places) as (books, keyvault):
        looked = subject_report(books.holdings, keyvault, books.told(), number, who=account, reason=why)
        if looked is not None:
            show(looked, as_json=as_json)
            return
    out().print("Nobody of this number is known here; check it.")
    raise typer.Exit(FAILED)


def _note(places: Places, vault: KeyVault, account: str, reason: str) -> None:
    vault.note_reading(account, screen(reason, "a reason"))
    note_reading(places.archive, account)
