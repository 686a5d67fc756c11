"""From a case number to its slides: ``find``."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from archive.accounts import Action
from archive.amounts import bytes_told
from archive.cli.proving import Who, acting
from archive.cli.sentences import FAILED, ArchiveFolder, AsJson, out, said
from archive.consent import Decision, Purpose, Recipient
from archive.errors import InvalidValue, UnknownCode
from archive.holdings import Archive
from archive.records import HeldSlide
from archive.wordscreen import screen
from ingest.cli.places import KeyFile, Places, VaultFolder
from ingest.keyvault import FoundCase, FoundSlide, KeyVault
from ingest.keyvault.identity import Kind, compared
from ingest.quarantine.register import Entry
from ingest.quarantine.telling import differences
from ingest.quarantine.waiting import Quarantine

TYPED = "-"
"""Stands for a number that is typed when it is asked for, so that it does not stay in the history of the shell."""

QUESTIONS = (
    ("keep", Purpose.KEEP, Recipient.LABORATORY),
    ("teach", Purpose.TEACHING, Recipient.CLASS),
    ("research", Purpose.RESEARCH, Recipient.PROJECT),
)

Number = Annotated[
    str, typer.Argument(metavar="NUMBER", help="The case number; - (as when left out) to type it when asked.")
]


@said
def find(
    purpose: Annotated[
        str, typer.Option("--purpose", help="What for, such as 'second opinion'; kept in the audit trail.")
    ],
    number: Number = TYPED,
    by_patient: Annotated[bool, typer.Option("--patient", help="NUMBER is a patient's: find all cases.")] = False,
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Find the slides of a case by the laboratory's own number.

    Who looked, and what for, is written down, also where nothing was found. A number that is given on the command line
    stays in the history of the shell: leave it out, and it is asked for. The pictures are shown by: coverslip desk
    """
    purpose, acts = screen(purpose, "the purpose"), acting(archive, who, Action.FIND_CASE)
    wanted = typed(number, "Patient number" if by_patient else "Case number")
    with Places.of(archive, vault, vault_key).opened() as (holdings, keyvault):
        look = keyvault.directory.find_patient if by_patient else keyvault.directory.find_case
        cases = look(wanted, who=acts, purpose=purpose)
        found = [_told(holdings, case) for case in cases]
        waiting = [] if by_patient else _waiting(keyvault, wanted)
    if as_json:
        print(json.dumps({"cases": found, "waiting": [entry.number for entry in waiting]}, indent=2))
    else:
        _show(found, waiting)
    if not found:
        raise typer.Exit(FAILED)


def typed(text: str, what: str) -> str:
    """Give what was written on the command line, or ask for it where that is a hyphen.

    Raises
    ------
    InvalidValue
        If nothing is typed.
    """
    if text != TYPED:
        return text
    if sys.stdin.isatty():
        print(f"{what}: ", end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline().strip()
    if not line:
        raise InvalidValue(f"no {what.lower()} was given; write it on a line of standard input")
    return line


def _told(holdings: Archive, case: FoundCase) -> dict[str, Any]:
    """Tell a case by its codes; block and stain are the laboratory's own words for what it asked for."""
    held = [(slide, _held(holdings, slide)) for slide in case.slides]
    slides = [_slide(holdings, found, slide) for found, slide in held if slide is not None]
    codes = [slide for _, slide in held if slide is not None]
    return {
        "case": str(codes[0].case_code) if codes else None,
        "patient": str(codes[0].patient_code) if codes else None,
        "slides": slides,
    }


def _held(holdings: Archive, slide: FoundSlide) -> HeldSlide | None:
    try:
        return holdings.held(slide.key)
    except UnknownCode:
        return None  # its file was refused, or is being taken in


def _slide(holdings: Archive, found: FoundSlide, slide: HeldSlide) -> dict[str, Any]:
    return {
        "slide": str(slide.code),
        "block": found.block,
        "stain": found.slide,
        "scans": [
            {
                "scan": str(scan.code),
                "width": scan.record.size.width,
                "height": scan.record.size.height,
                "stored_bytes": scan.record.stored_bytes,
                "status": str(scan.record.status),
            }
            for scan in slide.scans
        ],
        "uses": {word: _answer(holdings, slide, purpose, to) for word, purpose, to in QUESTIONS},
    }


def _answer(holdings: Archive, slide: HeldSlide, purpose: Purpose, recipient: Recipient) -> dict[str, str]:
    try:
        decision: Decision = holdings.decide(slide.record.key, purpose, recipient)
    except UnknownCode:
        return {"verdict": "put away", "row": ""}  # no scan of it may be opened at all
    return {"verdict": str(decision.verdict), "row": decision.row}


def _waiting(vault: KeyVault, number: str) -> list[Entry]:
    """Find the files in quarantine of which the list or the label says that they are of this case."""
    wanted = compared(Kind.CASE, number)
    return [
        entry
        for entry in Quarantine(vault).entries()
        if any(
            wanted in (compared(Kind.CASE, one.listed), compared(Kind.CASE, one.found))
            for one in differences(entry)
            if one.what == "case"
        )
    ]


def _show(found: list[dict[str, Any]], waiting: list[Entry]) -> None:
    if not found:
        out().print("Nothing of this number was ever taken in; check it, letter by letter and with its hyphens.")
    holding = [case for case in found if case["slides"]]
    if found and not holding and waiting:
        out().print("The case is known and holds no slide yet.")
    elif found and not holding:
        out().print("The case is known and holds no slide: none was taken in, or all were moved to another case.")
    if len(holding) > 1:
        out().print(f"[yellow]{len(holding)} cases; look which patient is meant.[/yellow]")
    for case in holding:
        _show_case(case)
    for entry in waiting:
        reason = entry.reason.value if entry.reason else "waits"
        out().print(f"[yellow]in quarantine:[/yellow] {reason}; see: coverslip quarantine show {entry.number}")
    if holding:
        out().print("To look at them: coverslip desk")


def _show_case(case: dict[str, Any]) -> None:
    out().print(f"[bold]{case['case']}[/bold]  patient {case['patient']}")
    for slide in case["slides"]:
        out().print(f"  {slide['slide']}  block {escape(slide['block'])}, {escape(slide['stain'])}")
        for scan in slide["scans"]:
            size, stored = f"{scan['width']:,} x {scan['height']:,} px", bytes_told(scan["stored_bytes"])
            out().print(f"    {scan['scan']}  {size}, {stored}, {scan['status']}")
        uses = (f"{word}: {use['verdict']} {use['row']}".rstrip() for word, use in slide["uses"].items())
        out().print(f"    {'; '.join(uses)}")
