"""Make a lost catalogue again, and look at what is in doubt after that: ``rebuild-catalogue``, ``review``."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from archive.accounts import Action, Actor
from archive.amounts import counted
from archive.cli.proving import Who, actor_of, signed
from archive.cli.sentences import FAILED, ArchiveFolder, out, said
from archive.errors import InvalidValue
from archive.holdings import Archive
from archive.holdings.rebuilding import Rebuilt
from archive.holdings.rebuilding import rebuild_catalogue as rebuild
from archive.holdings.reviewing import loss_is_settled, settle_loss, unreviewed
from archive.holdings.reviewing import review as review_slide
from archive.settings import ArchiveSettings

Yes = Annotated[bool, typer.Option("--yes", help="Set the catalogue that is there aside. It is not deleted.")]


From = Annotated[
    Path | None, typer.Option("--from", metavar="BACKUP", help="Mend a damaged journal from this backup first.")
]


@said
def rebuild_catalogue(
    archive: ArchiveFolder = Path("coverslip-archive"), yes: Yes = False, backup: From = None, who: Who = None
) -> None:
    """Make the catalogue again from what lies in the archive's folder: the journal and the scans.

    Needs no backup and no key vault. End every program that uses the archive first. Where the journal is whole, the
    new catalogue is the lost one, with all codes, collections, withdrawals and the audit trail. Where it is not, scans
    are marked unreviewed and opened for nothing until somebody has looked (coverslip review). Where there is a backup,
    name it: its copy of the journal makes good what is damaged in the archive's own.

    Ends with exit code 1 if anything could not be had back for certain.
    """
    actor_of(archive, who, Action.CHECK_ARCHIVE)
    with _progress() as bar:
        task = bar.add_task("scans", total=None)
        rebuilt = rebuild(
            archive,
            ArchiveSettings(archive=archive),
            replace=yes,
            backup=backup,
            progress=lambda done, of: bar.update(task, completed=done, total=of),
        )
    for line in _lines(rebuilt):
        out().print(line, markup=False)
    if not rebuilt.complete:
        raise typer.Exit(FAILED)


def _lines(rebuilt: Rebuilt) -> list[str]:
    lines = [
        f"The catalogue was made again: {counted(rebuilt.slides, 'slide')}, {counted(rebuilt.scans, 'scan')}, "
        f"{counted(rebuilt.acts, 'act')}."
    ]
    if rebuilt.set_aside is not None:
        lines.append(f"The old catalogue was set aside: {rebuilt.set_aside}")
    if rebuilt.journal_faults:
        first = rebuilt.journal_faults[0]
        lines.append(
            f"THE JOURNAL IS NOT WHOLE: {counted(len(rebuilt.journal_faults), 'fault')}, the first {first.code} at "
            f"{first.place}. "
            "Withdrawals, collections and codes that only the missing part told of are lost."
        )
    if rebuilt.unreviewed:
        lines.append(
            f"{counted(rebuilt.unreviewed, 'scan is', 'scans are')} unreviewed, {rebuilt.from_records:,} of them known "
            "only from their own records: nothing opens them until somebody has looked. List them: coverslip review"
        )
    if rebuilt.audit_faults:
        faults = counted(len(rebuilt.audit_faults), "fault")
        lines.append(f"The audit trail has {faults}, the first at entry {_number(rebuilt)}.")
    if rebuilt.missing:
        lines.append(
            f"{counted(rebuilt.missing, 'scan has', 'scans have')} no folder; restore from a backup, or see that a "
            "disk is mounted."
        )
    if rebuilt.differing or rebuilt.unreadable:
        folders = counted(
            rebuilt.differing + rebuilt.unreadable, "folder is not what it says", "folders are not what they say"
        )
        lines.append(f"{folders}; run: coverslip check")
    if rebuilt.complete:
        lines.append("Nothing is missing from the journal, and the audit trail is whole.")
    return lines


def _number(rebuilt: Rebuilt) -> int:
    return rebuilt.audit_faults[0].number


@said
def review(
    slides: Annotated[list[str] | None, typer.Argument(metavar="[SLIDE...]", help="Codes; none lists them.")] = None,
    keep: Annotated[bool | None, typer.Option("--keep/--withdraw", help="What holds for these slides.")] = None,
    reason: Annotated[str, typer.Option(help="On what the answer rests; no names.")] = "",
    refusals_entered: Annotated[
        bool, typer.Option("--refusals-entered", help="Refusals and withdrawals were entered again after the loss.")
    ] = False,
    archive: ArchiveFolder = Path("coverslip-archive"),
    who: Who = None,
) -> None:
    """Look at slides whose past was lost with the catalogue: list them, keep them again, or withdraw them.

    Look up in the laboratory's own records whether consent was withdrawn or facts were corrected before you keep one.

    A lost refusal may be of any patient, so slides that come in after the loss wait too. Enter the laboratory's list of
    refusals again (coverslip consent import), then say so with --refusals-entered and the --reason.
    """
    actor = actor_of(archive, who, Action.RECORD_CONSENT)
    if refusals_entered:
        _settle(archive, actor, slides or keep is not None, reason)
        return
    if not slides:
        _list(archive)
        return
    if keep is None or not reason:
        raise InvalidValue("say what holds, --keep or --withdraw, and give the --reason")
    with Archive.open(archive, settings=ArchiveSettings(archive=archive), **signed(actor, "laboratory")) as holdings:
        for slide in slides:
            review_slide(holdings, slide, keep=keep, reason=reason)
    out().print(f"{counted(len(slides), 'slide')} reviewed.")


def _settle(archive: Path, actor: Actor | None, more: object, reason: str) -> None:
    if more or not reason:
        raise InvalidValue("--refusals-entered is said alone, with the --reason")
    with Archive.open(archive, settings=ArchiveSettings(archive=archive), **signed(actor, "laboratory")) as holdings:
        settle_loss(holdings, reason=reason)
    out().print("Slides come in as usual from now on.")


def _list(archive: Path) -> None:
    with Archive.open(archive, read_only=True) as holdings:
        waiting, settled = unreviewed(holdings), loss_is_settled(holdings)
    for code in waiting:
        out().print(str(code))
    out().print(f"{counted(len(waiting), 'slide waits', 'slides wait')} to be reviewed.")
    if not settled:
        out().print(
            "Acts were lost, and whatever comes in waits as well. Enter refusals and withdrawals again, then say: "
            "coverslip review --refusals-entered"
        )


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
