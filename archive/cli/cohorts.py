"""Ask for cohorts and open projects: ``cohort``, ``project add``, ``project list``."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from archive.accounts import Action
from archive.cli.proving import Who, actor_of, signed
from archive.cli.sentences import ArchiveFolder, is_narrow, out, said
from archive.cohorts import BREAKDOWNS, Cohort, Count, Counts, add_project, all_projects, cohort, count
from archive.consent import Purpose
from archive.errors import InvalidValue
from archive.holdings import Archive

COLUMNS = ("patient", "slide", "scan", "stain", "size", "organ", "diagnosis", "mpp", "scanner", "pixels")
"""What is told of each scan; the first five where there is no room for more."""

SHOWN = 50
"""Rows shown on a terminal; files get all."""

project_app = typer.Typer(help="Research projects, each with codes of its own.", no_args_is_help=True)


@said
def ask(
    query: Annotated[str, typer.Argument(help="What is wanted, such as 'organ = colon and stain = HE and mpp < 0.3'.")],
    project: Annotated[str | None, typer.Option(help="The project that gets it; its codes are shown.")] = None,
    purpose: Annotated[Purpose, typer.Option(help="What for; decided by the rules.")] = Purpose.RESEARCH,
    archive: ArchiveFolder = Path("coverslip-archive"),
    csv: Annotated[Path | None, typer.Option("--csv", help="Write all rows to this file.")] = None,
    parquet: Annotated[Path | None, typer.Option("--parquet", help="Write all rows to this file, as Parquet.")] = None,
    only_count: Annotated[bool, typer.Option("--count", help="Only tell about how many there are.")] = False,
    by: Annotated[
        str | None, typer.Option(metavar="FIELD", help=f"Break the count down by one of {', '.join(BREAKDOWNS)}.")
    ] = None,
    who: Who = None,
) -> None:
    """Ask for a cohort: the scans that a query fits and consent allows, under the project's own codes.

    Fields: organ, diagnosis, stain, scanner, mpp, objective, width, height, scans, fidelity, tissue. They are compared
    by = != < <= > >= or in (...), and joined by and, or, not and parentheses. Organs and stains are words, such as
    colon or HE, or codes: C18 includes C18.2. What was not recorded is 'unknown'.

    Without access there is --count, which rounds to five and tells nothing of seven patients or fewer. Every query is
    in the audit trail.
    """
    actor = actor_of(archive, who, Action.SEE_COUNTS if only_count or by else Action.QUERY_COHORT, project)
    with Archive.open(archive, **signed(actor, "researcher")) as holdings:
        if only_count or by:
            _tell_counts(count(holdings, query, purpose=purpose, by=by), by)
            return
        if project is None:
            raise InvalidValue("a cohort is given to a project: add --project NAME, or only --count")
        found = cohort(holdings, query, project=project, purpose=purpose)
        for path, write in ((csv, found.to_csv), (parquet, found.to_parquet)):
            if path is not None:
                write(path)
    if csv is None and parquet is None:
        _show(found)
    _summary(found)


def _tell_counts(counts: Counts, by: str | None) -> None:
    out().print(f"may be used: {_figure(counts.usable)}")
    if by:
        table = Table(by, "patients", "slides", "scans", box=None, pad_edge=False)
        for value, part in counts.parts.items():
            table.add_row(value, *(f"{number:,}" for number in (part.patients, part.slides, part.scans)))
        out().print(table)
        out().print("Values of few patients are left out, and others where they could be found by subtraction.")
    _tell_refused(counts)
    out().print("Figures are rounded to five, and those of seven patients or fewer are not told.")


def _figure(told: Count | None) -> str:
    return "none, or seven patients or fewer" if told is None else str(told)


def _tell_refused(counts: Counts) -> None:
    for row, part in counts.refused.items():
        out().print(f"refused by row {row}: {part}. {counts.reasons[row]}", markup=False)


def _show(found: Cohort) -> None:
    table = Table(box=None, pad_edge=False)
    columns = COLUMNS[:5] if is_narrow() else COLUMNS
    for column in columns:
        table.add_column(column, no_wrap=column in ("patient", "slide", "scan", "size"))
    for row in found.rows[:SHOWN]:
        told = (
            *(row.patient, row.slide, row.scan, row.stain or "-", f"{row.width_px:,} x {row.height_px:,}"),
            *(code.split(" ")[-1] if code else "-" for code in (row.organ, row.diagnosis)),
            *(f"{row.mpp_um:.4g}" if row.mpp_um else "-", row.scanner or "-", row.fidelity),
        )
        table.add_row(*told[: len(columns)])
    if found.rows:
        out().print(table)
    if len(found) > SHOWN:
        out().print(f"... and {len(found) - SHOWN:,} more; to have them all, add: --csv FILE")


def _summary(found: Cohort) -> None:
    number = {what: len({getattr(row, what) for row in found.rows}) for what in ("slide", "case", "patient")}
    told = ", ".join(f"{several:,} {what}{'s' if several != 1 else ''}" for what, several in number.items())
    scans = f"{len(found):,} scan{'s' if len(found) != 1 else ''}"
    out().print(f"{scans} for {found.project} ({told}), decided now for {found.purpose}", markup=False)
    _tell_refused(found.counts)


@project_app.command("add")
@said
def add(
    name: Annotated[str, typer.Argument(help="Its name, such as colon-grading.")],
    archive: ArchiveFolder = Path("coverslip-archive"),
    who: Who = None,
) -> None:
    """Open a project, so that cohorts can be given to it under codes of its own."""
    actor = actor_of(archive, who, Action.MAKE_PROJECT)
    with Archive.open(archive, **signed(actor, "researcher")) as holdings:
        kept = add_project(holdings, name)
    out().print(f"The project {kept!r} is open.", markup=False)


@project_app.command("list")
@said
def list_projects(archive: ArchiveFolder = Path("coverslip-archive"), who: Who = None) -> None:
    """List the projects that are open."""
    actor_of(archive, who, Action.MAKE_PROJECT)
    with Archive.open(archive, read_only=True) as holdings:
        names = all_projects(holdings)
    for name in names:
        out().print(name, markup=False)
    if not names:
        out().print("No project is open yet. Open one with: coverslip project add NAME")
