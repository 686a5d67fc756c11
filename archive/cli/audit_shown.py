"""What was found of the audit trails, signed or exported is told on the screen, and for programs as JSON."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from rich.table import Table

from archive.amounts import counted
from archive.auditchain import Fault
from archive.auditchain.exporting import exported
from archive.auditchain.signing import PublicKey, SigningKey
from archive.auditchain.told import Question, Told
from archive.cli.sentences import FAILED, out
from archive.errors import InvalidValue
from archive.holdings import auditing
from archive.holdings.auditing import Verified
from archive.holdings.books import Books
from archive.holdings.second_place import SecondPlace


def tell_verified(books: Books, heads: Path | None, public_key: Path | None, *, as_json: bool) -> None:
    """Verify, tell what was found, and end with exit code 1 if there is a fault."""
    key = PublicKey.parse(public_key.read_bytes()) if public_key else None
    place = SecondPlace(heads) if heads else None
    found = auditing.verify(books.trails, place, key, books.must)
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
    signed = auditing.sign(books.holdings, books.trails, SecondPlace(heads), own, anew=anew)
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
    out().print(f"{counted(count - 1, 'entry was', 'entries were')} written.")
    if not statements:
        out().print("[yellow]They have no proof:[/yellow] name the second place with --heads.")


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
    out().print(counted(len(entries), "entry", "entries"))


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


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
        state = f"[red]{counted(len(one.faults), 'fault')}[/red]" if one.faults else "[green]whole[/green]"
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
        out().print(f"[red]The second place has {counted(len(found.faults), 'fault')}.[/red]")
        _show_faults("statement", found.faults)
    if found.statements:
        last = found.statements[-1].statement
        count = "1 statement" if len(found.statements) == 1 else f"{len(found.statements):,} statements"
        out().print(f"{count} in the second place, the newest of {last.at:%Y-%m-%d %H:%M} UTC")
    if not known:
        out().print("The public key was taken from the second place; your own copy is surer: --public-key FILE")


def _show_faults(what: str, faults: Sequence[Fault]) -> None:
    for fault in faults[:20]:
        out().print(f"  {what} {fault.number:,}: {fault.code}, expected {fault.expected}, found {fault.found}")
    if len(faults) > 20:
        out().print(f"  and {len(faults) - 20:,} more; all of them with --json")
