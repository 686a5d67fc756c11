"""Verify, sign, search and export the audit trails: ``audit``."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from archive.accounts import AccountStore, Action
from archive.auditchain.exporting import read_export
from archive.auditchain.signing import PublicKey
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
from archive.cli.proving import Who, actor_of, proven
from archive.cli.sentences import ArchiveFolder, AsJson, out, said
from archive.holdings import Archive
from archive.holdings.books import Books
from archive.settings import ArchiveSettings

audit_app = typer.Typer(help="Prove that the audit trails are whole, and read them.", no_args_is_help=True)


@contextmanager
def archive_books(archive: Path, *, read_only: bool = True) -> Iterator[Books]:
    """Open the trails of an archive: the catalogue's, and that of the accounts where there are any."""
    with ExitStack() as opened:
        settings = ArchiveSettings(archive=archive)
        holdings = opened.enter_context(Archive.open(archive, read_only=read_only, settings=settings, actor="audit"))
        accounts = opened.enter_context(AccountStore.open(archive)) if AccountStore.exists(archive) else None
        yield Books.of_archive(holdings, accounts.sealed_trail() if accounts else None)


@audit_app.command("verify")
@said
def verify(
    archive: ArchiveFolder = Path("coverslip-archive"),
    heads: Heads = None,
    public_key: KnownKey = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Read all trails of the archive, and hold them against themselves and against the second place.

    An edited, deleted, moved or inserted entry is found without a second place; an end that was cut off, or a trail
    that was made anew, only with one. Exit code 1 if anything was found.
    """
    actor_of(archive, who, Action.VERIFY_AUDIT)
    with archive_books(archive) as books:
        tell_verified(books, heads, public_key, as_json=as_json)


@audit_app.command("sign")
@said
def sign(
    archive: ArchiveFolder = Path("coverslip-archive"),
    heads: Heads = None,
    key: PrivateKey = None,
    anew: Anew = None,
    who: Who = None,
) -> None:
    """Verify all trails of the archive, and sign into the second place how far they go.

    The first time it makes the key pair. Keep the private key away from whoever serves the archive, and give the
    auditor a copy of audit-key.pub. Run this every hour, from a timer.
    """
    actor_of(archive, who, Action.SIGN_AUDIT)
    with archive_books(archive, read_only=False) as books:
        tell_signed(books, archive, heads, key, anew)


@audit_app.command("search")
@said
def search(
    archive: ArchiveFolder = Path("coverslip-archive"),
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

    A code stands for all that it holds: a case for its slides, a slide for its handle in every collection.
    """
    note_reading(archive, proven(archive, who, Action.READ_AUDIT))
    with archive_books(archive) as books:
        show(books.found(asked(books, code, project, by, act, purpose, since, until)), as_json=as_json)


@audit_app.command("export")
@said
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, of JSON lines.")],
    archive: ArchiveFolder = Path("coverslip-archive"),
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
    note_reading(archive, proven(archive, who, Action.READ_AUDIT))
    with archive_books(archive) as books:
        tell_exported(books, file, heads, asked(books, code, project, by, act, purpose, since, until))


@audit_app.command("read")
@said
def read(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What audit export wrote.")],
    public_key: Annotated[Path, typer.Option("--public-key", help="Your own copy of audit-key.pub.")],
    as_json: AsJson = False,
) -> None:
    """Verify an exported file, and show what it says; it needs no archive."""
    entries, proved = read_export(file.read_bytes(), PublicKey.parse(public_key.read_bytes()))
    show(entries, as_json=as_json)
    if not as_json:
        out().print(f"{proved:,} of {len(entries):,} are proved to stand in a signed trail; the others are newer.")


def note_reading(archive: Path, account: str) -> None:
    """Write down who reads the trails, where the archive has accounts."""
    if AccountStore.exists(archive):
        with AccountStore.open(archive) as store:
            store.note("read audit", account)
