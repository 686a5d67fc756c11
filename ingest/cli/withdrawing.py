"""Consent is withdrawn, and what that did is told: ``consent withdraw``."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from archive.accounts import Action
from archive.amounts import counted
from archive.cli.proving import Who, actor_of, named
from archive.cli.sentences import ArchiveFolder, AsJson, out, said
from archive.consent.records import Giver
from archive.holdings.withdrawal import Withdrawn
from ingest.cli.finding import TYPED, typed
from ingest.cli.places import KeyFile, Places, VaultFolder
from ingest.pipeline.withdrawing import Letter, PlannedWithdrawal, carry_out, plan

GIVEN = (
    "What was given before cannot be called back by a program: ask each project to delete it, under the codes above."
)

COPIES = "A backup that was made before does not know of the withdrawal: make one now (coverslip backup)."


@said
def withdraw(
    by_role: Annotated[Giver, typer.Option("--from", help="In which role somebody withdrew.")],
    reason: Annotated[
        str, typer.Option("--reason", help="Such as the ticket's number; nothing that could identify a patient.")
    ],
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help="The case number; - (as when left out) to type it when asked.")
    ] = TYPED,
    of_patient: Annotated[
        bool, typer.Option("--patient", help="NUMBER is a patient's: all cases, those to come too.")
    ] = False,
    rank: Annotated[int | None, typer.Option("--rank", help="The rank of a qualifying relation; 1 is highest.")] = None,
    on: Annotated[
        datetime | None,
        typer.Option("--on", formats=["%Y-%m-%d"], help="On which day; today unless given. Vault only."),
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Who withdrew; - to type it when asked. Vault only.")] = "",
    document: Annotated[str, typer.Option("--document", help="Where the paper lies. Vault only.")] = "",
    under: Annotated[
        str | None, typer.Option("--under", help="Whose case it is, where two patients have one of this number.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")] = False,
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """End every use of a case, or of all cases of a patient, but keeping and care.

    It acts within a second on every server. Slides are taken out of teaching collections, a tombstone stays, and what
    had left the archive is listed. Nothing of the laboratory's own copy is deleted. An example:

    coverslip consent withdraw S26-0012345 --from self --reason "ticket 17"
    """
    actor = actor_of(archive, who, Action.WITHDRAW)
    letter = Letter(
        typed(number, "Patient number" if of_patient else "Case number"),
        by_role,
        on.date() if on else date.today(),
        of_patient,
        rank,
        typed(name, "Name") if name else "",
        document,
        None if under is None else typed(under, "Number of the patient whose case it is"),
    )
    with Places.of(archive, vault, vault_key).opened(actor) as (holdings, keyvault):
        planned = plan(holdings, keyvault, letter, who=named(actor, who), reason=reason)
        report = planned.prospect if dry_run else carry_out(planned, holdings, keyvault)
    if as_json:
        print(json.dumps(_as_json(report, planned), indent=2))
        return
    for line in _lines(report, planned):
        out().print(line, markup=False, soft_wrap=True)
    if dry_run:
        out().print("Nothing was changed.")
    elif report.act is None:
        out().print("All of this was so already.")
    else:
        out().print(f"[green]Withdrawn.[/green] It is entry {report.act} of the archive's audit trail.")


def _lines(report: Withdrawn, planned: PlannedWithdrawal) -> Iterator[str]:
    for one in report.ended:
        slides = counted(len(one.slides), "slide")
        yield f"{one.case}, {slides}: every use ends but keeping and care ({one.before} -> {one.after})"
    if planned.not_held:
        yield f"{counted(planned.not_held, 'more case')} of the patient known, of which nothing is held"
    for taken_out in report.taken_out:
        yield f"{taken_out.slide}: taken out of the collection {taken_out.collection!r}, number {taken_out.number}"
    for handling in report.handlings:
        yield f"{handling.scan}: {handling.after}, was {handling.before}; nothing is deleted"
    for given in report.given_before:
        codes = ", ".join(map(str, given.slides))
        acts = ", ".join(map(str, given.acts))
        yield f"given before to the project {given.project!r}: {codes} (its cohorts: entries {acts} of the trail)"
    if report.given_before:
        yield GIVEN
    if report.ended:
        yield COPIES


def _as_json(report: Withdrawn, planned: PlannedWithdrawal) -> dict[str, Any]:
    return {
        "act": report.act,
        "cases": [
            {
                "case": str(one.case),
                "slides": list(map(str, one.slides)),
                "before": str(one.before),
                "after": str(one.after),
            }
            for one in report.ended
        ],
        "not_held": planned.not_held,
        "taken_out": [
            {"slide": str(one.slide), "collection": one.collection, "number": one.number} for one in report.taken_out
        ],
        "scans": [
            {"scan": str(one.scan), "before": str(one.before), "after": str(one.after)} for one in report.handlings
        ],
        "given_before": [
            {"project": one.project, "slides": list(map(str, one.slides)), "acts": list(one.acts)}
            for one in report.given_before
        ],
    }
