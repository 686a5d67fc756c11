"""Look at the pixels of what is held: ``rescreen``."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from archive.accounts import Action
from archive.amounts import counted
from archive.cli.proving import Who, actor_of, signed
from archive.cli.sentences import ArchiveFolder, AsJson, out, said
from archive.errors import InvalidValue
from archive.holdings import Archive
from archive.settings import ArchiveSettings
from ingest.cli.places import LimitsOnly
from ingest.pipeline.rescreening import Rescreened, due, look_again, take_back
from ingest.pipeline.rescreening import rescreen as screen_again
from ingest.screening import Finding, Screener

TO_LOOK_AT = 4
"""Exit code when a person must look at something, or something could not be looked at."""


@said
def rescreen(
    archive: ArchiveFolder = Path("coverslip-archive"),
    looked_at: Annotated[
        str | None,
        typer.Option("--looked-at", metavar="SCAN", help="A scan on which what was seen names nobody, as you saw."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Who looked, and what is there; no names of patients.")] = "",
    seen: Annotated[
        bool, typer.Option("--seen", help="Tell once more what was seen that nobody has judged yet; nothing changes.")
    ] = False,
    limits_only: LimitsOnly = False,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Look for writing, barcodes and stickers in the pixels of every slide that was not looked at so before.

    A slide with nothing of the kind is graded "no (screened)". One on which something is seen is graded "yes": nobody
    is shown it but the laboratory and those who treat the patient. The places are told, never what stands there, and
    once more with --seen. Look at them; if they name nobody, say so with --looked-at and --reason, and record for the
    case who attests it.

    It takes some seconds a slide, may be stopped, and goes on when it is run again. Exit code 4: there is something to
    look at, or a slide could not be looked at whole.
    """
    actor = actor_of(archive, who, Action.JUDGE_QUARANTINE)
    settings = ArchiveSettings(archive=archive)
    if reason and looked_at is None:
        raise InvalidValue("--reason goes with --looked-at")
    if seen and looked_at is not None:
        raise InvalidValue("--seen tells what nobody has judged yet, and --looked-at judges; give one of them")
    with Archive.open(archive.absolute(), settings=settings, **signed(actor, "laboratory")) as holdings:
        if looked_at is not None:
            take_back(holdings, looked_at, reason=reason)
            told: list[dict[str, Any]] = [{"scan": looked_at, "grade": "unassessed"}]
            unsettled = 0
        else:
            earlier = len(holdings.scans_that_identify())
            told, unsettled = _screen(holdings, limits_only, as_json, seen=seen)
    if as_json:
        print(json.dumps(told, indent=2))
    elif looked_at is not None:
        out().print(
            f"{looked_at} is not assessed now; record who attests that its case's pictures identify nobody. Where "
            "somebody did before, it may be shown at once."
        )
    elif seen:
        out().print(_waiting(len(told)))
    else:
        out().print(_summary(len(told), unsettled))
        if earlier:
            waiting = counted(earlier, "slide still waits", "slides still wait")
            out().print(f"{waiting} for a person to look; where something was seen: coverslip rescreen --seen")
    if unsettled:
        raise typer.Exit(TO_LOOK_AT)


def _screen(holdings: Archive, limits_only: bool, as_json: bool, *, seen: bool) -> tuple[list[dict[str, Any]], int]:
    told, unsettled = [], 0
    count = len(holdings.scans_that_identify()) if seen else sum(1 for _ in due(holdings))
    look = look_again if seen else screen_again
    columns = (TextColumn("looking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=out(), transient=True, disable=as_json or not out().is_terminal)
    with Screener(limits_only=limits_only) as screener, bar:
        task = bar.add_task("", total=count)
        for one in look(holdings, screener):
            told.append(_as_json(one))
            unsettled += not one.is_settled
            bar.advance(task)
            if not as_json:
                bar.console.print(f"{one.scan}: {_sentence(one)}", markup=False, soft_wrap=True)
    return told, unsettled


def _waiting(count: int) -> str:
    if not count:
        return "Nothing that was seen waits for a person."
    return f"{counted(count, 'slide waits', 'slides wait')} for a person to look."


def _summary(count: int, unsettled: int) -> str:
    if not count:
        return "Every slide was looked at before; nothing was to be done."
    looked = f"{counted(count, 'slide was', 'slides were')} looked at"
    if not unsettled:
        return f"{looked}; none is to be looked at by a person or again."
    return f"{looked}; {counted(unsettled, 'is', 'are')} to be looked at by a person or again."


def _sentence(one: Rescreened) -> str:
    if one.screening is None:
        return "its pixels cannot be read; run: coverslip check"
    alarms = one.screening.alarms
    if alarms:
        return f"{'; '.join(map(_place, alarms))}. {_to_do(one)}"
    if not one.screening.complete:
        return "could not be looked at whole, and keeps its grade; run the same command again"
    marks = len(one.screening.findings)
    return f"a marker's ink in {counted(marks, 'place')}, no writing that can be read" if marks else "nothing seen"


def _to_do(one: Rescreened) -> str:
    """Say what a person can do, in commands that can be typed as they stand here."""
    rectangles = " ".join(f"--rectangle {place}" for place in one.to_black_out)
    return (
        "Shown to nobody outside care until a person has looked. If it may name the patient: coverslip redact "
        f"{one.scan} {rectangles} --reason WHY. If it names nobody: coverslip rescreen --looked-at {one.scan} "
        "--reason WHY."
    )


def _place(finding: Finding) -> str:
    """Tell what was seen, and where: x, y, width and height in pixels of the whole slide, as --rectangle takes them."""
    return f"{finding.kind} at {finding.place}"


def _as_json(one: Rescreened) -> dict[str, Any]:
    screening = one.screening
    return {
        "scan": str(one.scan),
        "before": str(one.before),
        "grade": str(screening.grade) if screening and (screening.complete or screening.alarms) else str(one.before),
        "complete": bool(screening and screening.complete),
        "seen": [
            {
                "kind": str(finding.kind),
                "x": finding.place.x,
                "y": finding.place.y,
                "width": finding.place.width,
                "height": finding.place.height,
                "confidence": finding.confidence,
            }
            for finding in (screening.findings if screening else ())
        ],
    }
