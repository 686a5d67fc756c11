"""What waits for somebody to look at it: ``quarantine list``."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from archive.cli.sentences import ArchiveFolder, AsJson, out, said
from ingest.cli.places import KeyFile, Places, VaultFolder
from ingest.quarantine import Quarantine

quarantine_app = typer.Typer(help="Slides that were not taken, each with its reason.", no_args_is_help=True)


@quarantine_app.callback()
def _several() -> None:
    pass


@quarantine_app.command("list")
@said
def list_entries(
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    files: Annotated[
        bool, typer.Option("--files", help="Show where the files lie; paths may name patients, so look around first.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List what waits, why, and what to do about it. The files themselves lie where they were delivered."""
    with Places.of(archive, vault, vault_key).opened() as (_, keyvault):
        entries = Quarantine(keyvault).entries()
    if as_json:
        print(
            json.dumps([{"number": e.number, "reason": e.reason, "since": e.since.isoformat()} for e in entries])
        )
        return
    if not entries:
        out().print("Nothing waits.")
        return
    table = Table("number", "since", "reason", "what to do", box=None, pad_edge=False)
    for entry in entries:
        table.add_row(entry.number, f"{entry.since:%Y-%m-%d %H:%M}", entry.reason or '', entry.reason.sentence if entry.reason else '')
        if files:
            table.add_row("", "", "", str(entry.path))
    out().print(table)
    out().print(f"{len(entries)} wait." + ("" if files else " To see which files: coverslip quarantine list --files"))
