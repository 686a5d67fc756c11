"""Look at what is held: ``list``, ``show``, ``explain``."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from archive.accounts import Action
from archive.amounts import bytes_told, counted
from archive.cli.proving import Who, actor_of
from archive.cli.sentences import ArchiveFolder, AsJson, is_narrow, out, said, tell
from archive.codes import Code
from archive.consent import Purpose, Recipient, explain
from archive.holdings import Archive
from archive.records import HeldScan, HeldSlide, ScanStatus

SlideCode = Annotated[str, typer.Argument(metavar="SLIDE", help="Code of a slide, such as S-7K3QF-2M9XT.")]

QUESTIONS = (
    (Purpose.KEEP, Recipient.LABORATORY, "keep it, for the laboratory alone"),
    (Purpose.TEACHING, Recipient.CLASS, "show it to a class"),
    (Purpose.RESEARCH, Recipient.PROJECT, "give it to a research project, coded"),
    (Purpose.TEACHING, Recipient.PUBLIC, "publish it"),
)
"""What a laboratory asks first about a slide."""


COLUMNS = ("slide", "case", "patient", "stain", "size in px", "stored", "scans", "scanner")
"""What is told of each slide; the last two only where there is room."""

PAGE = 100
"""Slides listed at a time unless more are asked for."""


@said
def list_slides(
    archive: ArchiveFolder = Path("coverslip-archive"),
    after: Annotated[
        str | None, typer.Option(metavar="SLIDE", help="Go on behind this slide, which the last page ended with.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to list at most.")] = PAGE,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """List the slides that are held, by their codes; as JSON, all of them.

    The order of codes tells nothing: neither when a slide came, nor which belong together.
    """
    behind = None if after is None else Code.parse(after)
    actor_of(archive, who, Action.LIST_SLIDES)
    with Archive.open(archive, read_only=True) as holdings:
        if as_json:
            _print_json(holdings, behind)
            return
        page = holdings.slides(after=behind, limit=limit + 1)
    slides, more = page[:limit], len(page) > limit
    if not slides:
        nothing = "The archive holds no slide yet. Take one in with: coverslip ingest FILE --delivery LIST"
        out().print(nothing if behind is None else "No slide comes behind this one.")
        return
    table = Table(box=None, pad_edge=False)
    columns = COLUMNS[:-2] if is_narrow() else COLUMNS
    for column in columns:
        table.add_column(column, no_wrap=column not in ("stain", "scanner"))
    for slide in slides:
        table.add_row(*_line(slide)[: len(columns)])
    out().print(table)
    out().print(counted(len(slides), "slide"))
    if more:
        out().print(f"There are more; go on with: coverslip list --after {slides[-1].code}")


def _print_json(holdings: Archive, after: Code | None) -> None:
    """Print one array, a page in memory at a time."""
    print("[", end="")
    between = "\n"
    while page := holdings.slides(after=after, limit=PAGE):
        for slide in page:
            print(between + json.dumps(_slide_as_json(slide), indent=2), end="")
            between = ",\n"
        after = page[-1].code
    print("\n]")


def _line(slide: HeldSlide) -> list[str]:
    largest = max((scan.record for scan in slide.scans), key=lambda scan: scan.size.pixels, default=None)
    stored = sum(scan.record.stored_bytes for scan in slide.scans)
    return [
        str(slide.code),
        str(slide.case_code),
        str(slide.patient_code),
        str(slide.record.stain or "-"),
        str(largest.size).removesuffix(" px") if largest else "-",
        bytes_told(stored),
        str(len(slide.scans)),
        (largest.scanner_model or largest.scanner_maker or "-") if largest else "-",
    ]


def _slide_as_json(slide: HeldSlide) -> dict[str, Any]:
    return {
        "slide": str(slide.code),
        "case": str(slide.case_code),
        "patient": str(slide.patient_code),
        "stain": str(slide.record.stain) if slide.record.stain else None,
        "organ": str(slide.record.organ) if slide.record.organ else None,
        "diagnosis": str(slide.record.diagnosis) if slide.record.diagnosis else None,
        "scans": [_scan_as_json(scan) for scan in slide.scans],
    }


def _scan_as_json(scan: HeldScan) -> dict[str, Any]:
    record = scan.record
    return {
        "scan": str(scan.code),
        "width": record.size.width,
        "height": record.size.height,
        "levels": record.level_count,
        "mpp": [record.mpp.x, record.mpp.y] if record.mpp else None,
        "objective_power": record.objective_power,
        "scanner": record.scanner_model or record.scanner_maker,
        "pixels": str(record.fidelity),
        "stored_bytes": record.stored_bytes,
        "status": str(record.status),
    }


@said
def show(
    slide: SlideCode,
    archive: ArchiveFolder = Path("coverslip-archive"),
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Show one slide: its scans, how their pixels are stored, and what it may be used for."""
    actor_of(archive, who, Action.LIST_SLIDES)
    with Archive.open(archive, read_only=True) as holdings:
        held = holdings.slide(slide)
        found = {scan.code: holdings.redactions_of(scan.record.key) for scan in held.scans}
        black = {code: some for code, some in found.items() if some}
        questions = QUESTIONS if any(scan.record.status is ScanStatus.KEPT for scan in held.scans) else ()
        decisions = [
            (words, holdings.decide(held.record.key, purpose, recipient)) for purpose, recipient, words in questions
        ]
    if as_json:
        uses = {words: {"verdict": str(d.verdict), "row": d.row} for words, d in decisions}
        places = {str(code): [list(one.sides) for one in some] for code, some in black.items()}
        print(json.dumps({**_slide_as_json(held), "uses": uses, "blacked_out": places}, indent=2))
        return
    out().print(f"[bold]{held.code}[/bold]  case {held.case_code}, patient {held.patient_code}")
    facts = {"stain": held.record.stain, "organ": held.record.organ, "diagnosis": held.record.diagnosis}
    for name, value in facts.items():
        out().print(f"  {name:10} {value or 'not recorded'}")
    for scan in held.scans:
        _show_scan(scan)
        if scan.code in black:
            out().print(f"    blacked out at {counted(len(black[scan.code]), 'place')}, and encoded anew there")
    if not decisions:
        out().print("\nNothing of it can be opened now. To see why, and what can be repaired: coverslip check")
        return
    out().print("\nMay the laboratory ...")
    for words, decision in decisions:
        colour = "green" if decision.allowed else "red"
        out().print(f"  {words:38} [{colour}]{decision.verdict}[/{colour}]  row {decision.row}, {decision.basis}")
    out().print(f"\nWhy, and what would change it: coverslip explain {held.code} --purpose teaching --to class")


def _show_scan(scan: HeldScan) -> None:
    record = scan.record
    mpp = f"{record.mpp.x:g} micrometres a pixel" if record.mpp else "pixel size unknown"
    power = f"{record.objective_power:g}x" if record.objective_power else "objective unknown"
    added = f", {record.levels_added} of them added" if record.levels_added else ""
    out().print(f"\n  scan {scan.code}  {record.size}, {mpp}, {power}")
    levels = f"{counted(record.level_count, 'level')}{added}"
    out().print(f"    {levels}; pixels {record.fidelity}; {bytes_told(record.stored_bytes)}")
    out().print(f"    might identify: {record.might_identify}; {record.status}")


@said
def explain_decision(
    slide: SlideCode,
    purpose: Annotated[Purpose, typer.Option(help="What the slide is wanted for.")],
    to: Annotated[Recipient, typer.Option(help="Who would see it.")],
    archive: ArchiveFolder = Path("coverslip-archive"),
    who: Who = None,
) -> None:
    """Explain whether a slide may be used: the answer, the row it rests on, and what would change it."""
    actor_of(archive, who, Action.SEE_DECISION)
    with Archive.open(archive, read_only=True) as holdings:
        decision = holdings.decide(holdings.slide(slide).record.key, purpose, to)
    tell(explain(decision))
