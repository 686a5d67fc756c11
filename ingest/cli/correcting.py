"""Put right what was delivered under a wrong name or recorded wrongly: ``correct slide``, ``correct case``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.status import Status

from archive.accounts import Action, Actor
from archive.amounts import bytes_told, counted
from archive.cli.proving import Who, actor_of, named
from archive.cli.sentences import ArchiveFolder, out, said
from archive.consent import Decision
from archive.errors import InvalidValue
from archive.holdings import Archive
from archive.records import Concept, Stain
from ingest.cli.finding import TYPED, typed
from ingest.cli.places import KeyFile, Places, VaultFolder
from ingest.delivery.cells import ALL_STAINS
from ingest.delivery.columns import BY_NAME
from ingest.delivery.mending import read_settings
from ingest.keyvault import KeyVault
from ingest.pipeline.correcting import CasePlan, SlidePlan, SlideWords, carry_out, plan_case, plan_slide
from ingest.pipeline.own_word import require_own_word
from ingest.pipeline.recovery import recover

PUT_AWAY = 3
"""Exit code when the correction was made and some scans may not be opened any more."""

correct_app = typer.Typer(
    help="Move a slide to the right case or patient, and mend what is recorded of it. Nothing is deleted.",
    no_args_is_help=True,
)

Reason = Annotated[
    str, typer.Option("--reason", help="Why, such as the ticket's number; nothing that could identify a patient.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="COLUMN=VALUE", help="A fact, in the words of a delivery list; several times."),
]
NewPatient = Annotated[
    str | None, typer.Option("--patient", help="The number of the patient whose it is; - to type it when asked.")
]


@correct_app.command("slide")
@said
def correct_slide(
    slide: Annotated[str, typer.Argument(metavar="SLIDE", help="Its code, such as S-7K3QF-2M9XT.")],
    reason: Reason,
    case: Annotated[
        str | None, typer.Option("--case", help="The number of the case that it is of; - to type it when asked.")
    ] = None,
    patient: NewPatient = None,
    block: Annotated[str | None, typer.Option("--block", help="The block that it was cut from.")] = None,
    stain: Annotated[str | None, typer.Option("--stain", help="Its stain.")] = None,
    number: Annotated[
        str | None, typer.Option("--number", help="Which one, where a block has several slides of a stain.")
    ] = None,
    organ: Annotated[str | None, typer.Option("--organ", help="SNOMED CT, or an ICD-O-3 topography.")] = None,
    diagnosis: Annotated[str | None, typer.Option("--diagnosis", help="SNOMED CT, or an ICD-O-3 morphology.")] = None,
    setting: Set = None,
    dry_run: DryRun = False,
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
) -> None:
    """Say where a slide belongs and what is on it; what is not named stays as it is. Its code stays, too.

    A case that is known brings its own facts. A new one has the defaults of the feed, and what --set tells. What was
    stored is searched for the identifiers of the case that it goes to. Exit code 3: some of it may not be opened now.
    """
    actor, settings = actor_of(archive, who, Action.CORRECT), read_settings(setting or ())
    acts = named(actor, who)
    require_own_word(archive, settings.values)
    words = SlideWords(
        case=None if case is None else typed(case, "Case number"),
        patient=None if patient is None else typed(patient, "Patient number"),
        block=block,
        stain=_stain(stain),
        number=number,
        organ=_concept("organ", organ),
        diagnosis=_concept("diagnosis", diagnosis),
    )
    with _opened(archive, vault, vault_key, actor) as (holdings, keyvault):
        with _searching():
            plan = plan_slide(holdings, keyvault, slide, words, settings, who=acts, reason=reason)
        _end(plan, holdings, keyvault, acts, dry_run)


@correct_app.command("case")
@said
def correct_case(
    reason: Reason,
    case: Annotated[
        str, typer.Argument(metavar="NUMBER", help="The case number; - (as when left out) to type it when asked.")
    ] = TYPED,
    setting: Set = None,
    patient: NewPatient = None,
    now_under: Annotated[
        str | None,
        typer.Option("--now-under", help="The patient it is under now, where two have a case of this number."),
    ] = None,
    dry_run: DryRun = False,
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
) -> None:
    """Mend what is recorded of a case's tissue and consent, or say whose case it is; what is not named stays.

    An example: coverslip correct case --set vital=dead --reason "told by the ward". The columns and their words are
    those of a delivery list; `--set covers=` empties one. What a patient refused or withdrew is no correction: see
    coverslip consent. Exit code 3: some of it may not be opened now.
    """
    actor, settings = actor_of(archive, who, Action.CORRECT), read_settings(setting or ())
    acts = named(actor, who)
    require_own_word(archive, settings.values)
    wanted = typed(case, "Case number")
    to = None if patient is None else typed(patient, "Patient number")
    now = None if now_under is None else typed(now_under, "Number of the patient it is under now")
    with _opened(archive, vault, vault_key, actor) as (holdings, keyvault):
        with _searching():
            plan = plan_case(holdings, keyvault, wanted, settings, patient=to, now_under=now, who=acts, reason=reason)
        _end(plan, holdings, keyvault, acts, dry_run)


@contextmanager
def _opened(
    archive: Path, vault: Path | None, vault_key: Path | None, actor: Actor | None
) -> Iterator[tuple[Archive, KeyVault]]:
    with Places.of(archive, vault, vault_key).opened(actor) as (holdings, keyvault):
        recover(holdings, keyvault)
        yield holdings, keyvault


def _searching() -> Status:
    return Status("planning, and searching what is stored", console=Console(stderr=True))


def _end(plan: SlidePlan | CasePlan, holdings: Archive, keyvault: KeyVault, who: str, dry_run: bool) -> None:
    """Tell what a plan comes to, and carry it out unless it was only asked for."""
    tell(plan, done=not dry_run)
    if dry_run:
        out().print("Nothing was changed.")
        return
    carry_out(plan, holdings, keyvault, who=who)
    out().print("[green]Corrected.[/green] How it was before stays in the audit trails.")
    if plan.prospect.put_away:
        raise typer.Exit(PUT_AWAY)


def tell(plan: SlidePlan | CasePlan, *, done: bool) -> None:
    """Tell what would change, by codes and words of closed lists."""
    prospect, shown = plan.prospect, out()
    for name, both in sorted(prospect.changed.items()):
        change = f"{_said(both[0])} -> {_said(both[1])}" if isinstance(both, list) else str(both)
        shown.print(f"{name}: {change}", markup=False)
    for answer in prospect.answers:
        if answer.before.row != answer.after.row or answer.before.verdict != answer.after.verdict:
            change = f"{_row(answer.before)} -> {_row(answer.after)}"
            shown.print(f"{answer.slide}, {answer.purpose} for the {answer.recipient}: {change}")
    for showing in prospect.showings:
        if showing.before != showing.after:
            verb = "shows it again" if showing.after else "does not show it any more"
            shown.print(f"{showing.slide}: the collection {showing.collection!r} {verb}", markup=False)
    if prospect.projects:
        shown.print(f"Decided anew when they ask next: {', '.join(prospect.projects)}", markup=False)
    if plan.searched.stored_bytes:
        where = f"in {counted(len(plan.searched.found_in), 'scan')}" if plan.searched.found_in else "nowhere"
        found = f"{bytes_told(plan.searched.stored_bytes)} searched for the new identifiers: found {where}"
        shown.print(found)
    _tell_put_away(plan, done)


def _tell_put_away(plan: SlidePlan | CasePlan, done: bool) -> None:
    for one in plan.prospect.handlings:
        if one.before is not one.after:
            out().print(f"[red]{one.scan}[/red] {'is' if done else 'would be'} {one.after}, was {one.before}")
    if any(not answer.after.allowed for answer in plan.prospect.answers if answer.purpose == "keep"):
        out().print(
            "[red]The laboratory may not keep it as it is recorded then.[/red] Nothing is deleted, and nobody can open "
            "it. Find out what is missing (coverslip explain), record that with coverslip correct case, and it is kept "
            "again; or have the laboratory's own rules decide what becomes of it.",
            soft_wrap=True,
        )
    if plan.searched.found_in:
        out().print(
            "[red]An identifier of the case that it goes to was found in what is stored.[/red] These scans are "
            "withdrawn: nobody can open them. Scan the glass again, or take the file in again from its source.",
            soft_wrap=True,
        )


def _row(decision: Decision) -> str:
    return f"{decision.verdict} ({decision.row})"


def _said(value: object) -> str:
    if value in (None, "", [], False):
        return "not recorded"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _stain(text: str | None) -> Stain | None:
    found = None if text is None else Stain.parse(text)
    if text is not None and found is None:
        raise InvalidValue(f"--stain: expected {ALL_STAINS}")
    return found


def _concept(column: str, text: str | None) -> Concept | None:
    if text is None:
        return None
    try:
        found = BY_NAME[column].read(text)
    except InvalidValue as error:
        raise InvalidValue(f"--{column}: expected {error}") from None
    return found if isinstance(found, Concept) else None
