"""Verify, sign, search and export the audit trails: ``audit``."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from archive.accounts import AccountStore, Action
from archive.auditchain import Fault
from archive.auditchain.exporting import exported, read_export
from archive.auditchain.signing import PublicKey, SigningKey
from archive.auditchain.told import Question, Told
from archive.cli.proving import Who, actor_of, proven
from archive.cli.sentences import FAILED, ArchiveFolder, AsJson, out, said
from archive.errors import InvalidValue
from archive.holdings import Archive
from archive.holdings import auditing as holdings_auditing
from archive.holdings.auditing import Verified
from archive.holdings.books import Books, question
from archive.holdings.second_place import SecondPlace
from archive.settings import ArchiveSettings

Heads = Annotated[
    Path | None,
    typer.Option("--heads", envvar="COVERSLIP_AUDIT_COPY", help="The second place: a folder, best on another machine."),
]
KnownKey = Annotated[
    Path | None,
    typer.Option("--public-key", help="Your own copy of audit-key.pub; that of the second place unless given."),
]
PrivateKey = Annotated[
    Path | None,
    typer.Option("--key", envvar="COVERSLIP_AUDIT_KEY", help="The signing key; ARCHIVE-key/audit.key unless given."),
]
Anew = Annotated[
    str | None,
    typer.Option("--anew", metavar="REASON", help="Begin another second place, in an empty folder, and say why."),
]
OfCode = Annotated[str | None, typer.Option("--code", help="Code of a patient, case, slide or scan.")]
OfProject = Annotated[str, typer.Option("--project", help="The project whose code it is.")]
By = Annotated[str | None, typer.Option("--by", metavar="ACCOUNT", help="What this account or role did.")]
Act = Annotated[str | None, typer.Option("--act", help="One act, such as 'open slide' or 'identified'.")]
ForPurpose = Annotated[str | None, typer.Option("--purpose", help="Words of the purpose or the reason.")]
Since = Annotated[str | None, typer.Option("--since", metavar="DATE", help="From this day on, such as 2026-01-31.")]
Until = Annotated[str | None, typer.Option("--until", metavar="DATE", help="Up to this day and with it.")]
WhoReads = Who

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
    who: WhoReads = None,
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
    who: WhoReads = None,
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
    who: WhoReads = None,
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
    who: WhoReads = None,
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


def tell_verified(books: Books, heads: Path | None, public_key: Path | None, *, as_json: bool) -> None:
    """Verify, tell what was found, and end with exit code 1 if there is a fault."""
    key = PublicKey.parse(public_key.read_bytes()) if public_key else None
    place = SecondPlace(heads) if heads else None
    found = holdings_auditing.verify(books.trails, place, key, books.must)
    if as_json:
        print(json.dumps(_as_json(found), indent=2))
    else:
        _show_verified(found, place, known=key is not None)
    if not found.sound:
        raise typer.Exit(FAILED)


def audit_key_of(archive: Path) -> Path:
    """Say where the key lies that signs an archive's trails, unless a command names it."""
    named = os.environ.get("COVERSLIP_AUDIT_KEY")
    return Path(named) if named else archive.absolute().parent / f"{archive.absolute().name}-key" / "audit.key"


def tell_signed(books: Books, archive: Path, heads: Path | None, key: Path | None, anew: str | None) -> None:
    """Sign, and tell what was signed."""
    if heads is None:
        raise InvalidValue("name the second place with --heads, or by COVERSLIP_AUDIT_COPY: a folder that exists")
    file = key or audit_key_of(archive)
    if file.is_file():
        own = SigningKey.read(file)
    elif SecondPlace(heads).begun:
        raise InvalidValue("the signing key is not there; name its file with --key")
    else:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        own = SigningKey.create(file)
    signed = holdings_auditing.sign(books.holdings, books.trails, SecondPlace(heads), own, anew=anew)
    out().print(f"Statement {signed.statement.number:,} is signed.")
    for name, one in sorted(signed.statement.trails.items()):
        out().print(f"  {name:10} {one.head.number:>10,} entries  root {one.root[:16]}")


def tell_exported(books: Books, file: Path, heads: Path | None, wanted: Question) -> None:
    """Export what is found, and tell how much that is."""
    statements = SecondPlace(heads).read(SecondPlace(heads).key())[0] if heads else ()
    with file.open("x", encoding="utf-8") as written:
        count = 0
        for line in exported(books.trails, books.found(wanted), statements[-1] if statements else None):
            written.write(line + "\n")
            count += 1
    out().print(f"{count - 1:,} entries were written.")
    if not statements:
        out().print("[yellow]They have no proof:[/yellow] name the second place with --heads.")


def asked(
    books: Books,
    code: str | None,
    project: str,
    by: str | None,
    act: str | None,
    purpose: str | None,
    since: str | None,
    until: str | None,
) -> Question:
    """Read what is looked for as it was typed."""
    first, last = _day("--since", since), _day("--until", until)
    return question(
        books.holdings, code=code, project=project, by=by, act=act, purpose=purpose, since=first, until=last
    )


def show(entries: Sequence[Told], *, as_json: bool) -> None:
    """Show entries, one a line."""
    if as_json:
        json.dump([told.as_json() for told in entries], sys.stdout, indent=2)
        print()
        return
    table = Table("trail", "number", "at (UTC)", "account", "act", "of", "reason", box=None, pad_edge=False)
    for told in entries:
        row = (told.trail, f"{told.number:,}", f"{told.at:%Y-%m-%d %H:%M:%S}", told.actor, told.act, told.about)
        table.add_row(*map(_plain, (*row, told.reason)))
    out().print(table)
    out().print(f"{len(entries):,} entries")


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidValue(f"{option}: expected a day, such as 2026-01-31") from None


def _as_json(found: Verified) -> dict[str, Any]:
    return {
        "sound": found.sound,
        "statements": len(found.statements),
        "trails": [
            {
                "trail": one.name,
                "entries": one.standing.head.number,
                "root": one.standing.root,
                "signed": one.signed,
                "faults": [_fault(fault) for fault in one.faults],
            }
            for one in found.trails
        ],
        "faults": [_fault(fault) for fault in found.faults],
    }


def _fault(fault: Fault) -> dict[str, Any]:
    return {"number": fault.number, "code": str(fault.code), "expected": fault.expected, "found": fault.found}


def _show_verified(found: Verified, place: SecondPlace | None, *, known: bool) -> None:
    for one in found.trails:
        state = f"[red]{len(one.faults):,} faults[/red]" if one.faults else "[green]whole[/green]"
        newer = one.standing.head.number - one.signed
        signed = f", {max(newer, 0):,} since the last signature" if place else ""
        out().print(f"{one.name:10} {one.standing.head.number:>10,} entries{signed}: {state}")
        _show_faults("entry", one.faults)
    if place is None:
        out().print(
            "[yellow]An end that was cut off cannot be seen without a second place:[/yellow] name it with --heads."
        )
        return
    if found.faults:
        out().print(f"[red]The second place has {len(found.faults):,} faults.[/red]")
        _show_faults("statement", found.faults)
    if found.statements:
        last = found.statements[-1].statement
        out().print(
            f"{len(found.statements):,} statements, the newest, {last.number:,}, of {last.at:%Y-%m-%d %H:%M} UTC"
        )
    if not known:
        out().print("The public key was taken from the second place; your own copy is surer: --public-key FILE")


def _show_faults(what: str, faults: Sequence[Fault]) -> None:
    for fault in faults[:20]:
        out().print(f"  {what} {fault.number:,}: {fault.code}, expected {fault.expected}, found {fault.found}")
    if len(faults) > 20:
        out().print(f"  and {len(faults) - 20:,} more; all of them with --json")
