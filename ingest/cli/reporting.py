"""A laboratory's day: ``report``."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from archive.accounts import Action
from archive.amounts import bytes_told
from archive.cli.proving import Who, actor_of
from archive.cli.sentences import ArchiveFolder, out, said
from archive.errors import InvalidValue
from ingest.cli.places import KeyFile, Places, VaultFolder
from ingest.keyvault import State
from ingest.pipeline.reporting import DayReport, Hold, Releasing, gather, page_of
from ingest.pipeline.reporting.page import days_told
from ingest.pipeline.reporting.table import csv_of
from ingest.pipeline.reporting.telling import FULL_SOON_DAYS


@said
def report(
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day, such as 2026-03-31; today unless given.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write the report to this file, one page that needs no other.")
    ] = None,
    as_csv: Annotated[
        Path | None, typer.Option("--csv", help="Write one row for each file of the day to this file.")
    ] = None,
    releasable: Annotated[
        bool, typer.Option("--releasable", help="List the source files that may be deleted; their paths name patients.")
    ] = False,
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
) -> None:
    """Tell what was expected on a day, what arrived, what became of it, what is missing, and when the disk is full.

    A source file may be deleted when every tile of it was read back and compared and, where a second copy is
    configured, when that has it too. Nothing is deleted here. The report names nobody; only --releasable shows paths.
    """
    actor_of(archive, who, Action.INGEST)
    with Places.of(archive, vault, vault_key).opened() as (holdings, keyvault):
        if releasable:
            for source in Releasing(holdings, keyvault).sources():
                for file in source.files:
                    print(file)
            return
        told = gather(holdings, keyvault, day.date() if day else date.today())
    if html is not None:
        _write(html, page_of(told))
    if as_csv is not None:
        _write(as_csv, csv_of(told), newline="")
    _tell(told)


def _tell(told: DayReport) -> None:
    out().print(f"[bold]{told.day:%A} {told.day}[/bold]")
    table = Table("", "", box=None, pad_edge=False, show_header=False)
    table.columns[0].width, table.columns[0].no_wrap = 16, True
    table.add_row("expected", f"{told.expected:,}")
    table.add_row("arrived", f"{told.arrived:,}")
    for state, called in ((State.KEPT, "kept"), (State.KNOWN, "known already")):
        table.add_row(called, f"{told.count(state):,}")
    table.add_row("in quarantine", f"{told.count(State.WAITS):,} of this day, {told.waiting:,} in all")
    for reason, count in told.quarantined.items():
        table.add_row("", f"{count:,} {reason.value}")
    for state, called in ((State.RELEASED, "released"), (State.REFUSED, "refused for good")):
        if told.count(state):
            table.add_row(called, f"{told.count(state):,}")
    table.add_row("missing", f"{len(told.missing):,}{_rows(told)}")
    table.add_row("delivered", bytes_told(told.delivered_bytes))
    table.add_row("stored", bytes_told(told.stored_bytes))
    table.add_row("disk", _disk(told))
    table.add_row("sources", f"{told.releasable:,} may be deleted; to list them: coverslip report --releasable")
    for hold, count in told.sources.items():
        if hold is not Hold.NOTHING:
            table.add_row("", f"{count:,} not yet: {hold.value}")
    out().print(table)


def _rows(told: DayReport) -> str:
    """Name the first missing rows by their numbers in their lists."""
    numbers = [str(missing.row) for missing in told.missing[:8]]
    more = ", ..." if len(told.missing) > len(numbers) else ""
    return f": row {', '.join(numbers)}{more}" if numbers else ""


def _disk(told: DayReport) -> str:
    free, days = bytes_told(told.disk.free_bytes), told.disk.days_until_full
    if days is None:
        return f"{free} free"
    text = f"{free} free, full in {days_told(days)} of intake at {bytes_told(told.disk.bytes_a_day or 0)} a day"
    return f"[red]{text}[/red]" if days < FULL_SOON_DAYS else text


def _write(path: Path, text: str, newline: str | None = None) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline=newline)
    except OSError:
        raise InvalidValue(
            "the report cannot be written there; name a file in a folder that is there and writable"
        ) from None
