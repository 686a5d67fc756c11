"""What identifies somebody in a picture that is held is made black, for good: ``redact``."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from archive.accounts import Action
from archive.amounts import counted
from archive.cli.proving import Who, actor_of, signed
from archive.cli.sentences import FAILED, ArchiveFolder, AsJson, out, said
from archive.codes import Code, Kind
from archive.errors import InvalidValue
from archive.geometry import Rectangle
from archive.holdings import Archive, redaction_witness
from archive.holdings.obligations import OwedCopy, deal_with_copies, owed_copies
from archive.holdings.redacting import Foreseen, foresee
from archive.holdings.redacting import redact as make_black
from archive.holdings.redaction_work import Redacted, resume
from archive.settings import ArchiveSettings

FOR_GOOD = "This copy cannot be had back: the scanner's own file, where it is kept, still shows it."


@said
def redact(
    scan: Annotated[str | None, typer.Argument(metavar="SCAN", help="Code of a scan, such as N-7K3QF-2M9XT.")] = None,
    rectangle: Annotated[
        list[str] | None,
        typer.Option("--rectangle", metavar="X,Y,WIDTH,HEIGHT", help="In pixels of the whole slide; may be repeated."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, or how you know; no names of patients.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be done, and do nothing.")] = False,
    go_on: Annotated[bool, typer.Option("--resume", help="Do what was ordered and is not done yet.")] = False,
    owed: Annotated[bool, typer.Option("--owed", help="List the copies that still show what is black here.")] = False,
    dealt_with: Annotated[
        str | None, typer.Option("--dealt-with", metavar="HOLDER", help="Say that this holder's copies are gone.")
    ] = None,
    archive: ArchiveFolder = Path("coverslip-archive"),
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Make rectangles of a scan that is held black, at every level, and delete the version that showed them.

    Every tile that they do not touch stays bit for bit as it was. The scan is shut at once and opened when it is done;
    killed meanwhile, it stays shut until the same command, --resume or the next ingest goes on. The list stays with the
    scan: what is repaired, restored or made anew is black there too. Screen it again afterwards: coverslip rescreen.

    Copies that are elsewhere are listed with --owed: projects that were given the slide, and backups until they are
    brought up to date. Exit code 1: something is not done, and is told.
    """
    actor = actor_of(archive, who, Action.JUDGE_QUARANTINE)
    _require_one(scan is not None, go_on, owed, dealt_with is not None)
    places = [Rectangle.parse(one) for one in rectangle or []]
    settings = ArchiveSettings(archive=archive)
    with Archive.open(archive.absolute(), settings=settings, **signed(actor, "laboratory")) as holdings:
        if scan is not None:
            _black_out(holdings, scan, places, reason, dry_run=dry_run, as_json=as_json)
        elif go_on:
            _go_on(holdings, as_json)
        elif dealt_with is not None:
            count = deal_with_copies(holdings, dealt_with, reason=reason)
            out().print(f"{_copies(count)} of {dealt_with}: dealt with.", markup=False)
        else:
            _list(owed_copies(holdings), as_json)


def _require_one(*asked: bool) -> None:
    if sum(asked) != 1:
        raise InvalidValue("name a SCAN and what is to be black, or say one of --resume, --owed and --dealt-with")


def _black_out(
    holdings: Archive, scan: str, places: list[Rectangle], reason: str, *, dry_run: bool, as_json: bool
) -> None:
    if not places:
        raise InvalidValue("say what is to be black: --rectangle X,Y,WIDTH,HEIGHT, in pixels of the whole slide")
    planned = foresee(holdings, scan, places)
    others = _others(holdings, planned.scan)
    done = None if dry_run else make_black(holdings, scan, places, reason=reason)
    if as_json:
        told = _as_json(done or planned, done=done is not None) | {"other_scans": list(map(str, others))}
        print(json.dumps(told, indent=2))
    elif done is None:
        out().print(f"{planned.scan}: {_tiles(planned.tiles)} would be encoded anew. {FOR_GOOD}", soft_wrap=True)
        _holders(planned.holders)
        out().print("Nothing was changed.")
    else:
        _done(done)
        out().print("The scanner's own file, where it is kept, still shows what was there.")
        for other in others:
            out().print(
                f"{other} is another scan of the same slide, and was not changed; look at it too", soft_wrap=True
            )
        out().print("It counts as not assessed, or as before if something was seen on it; run: coverslip rescreen")


def _others(holdings: Archive, scan: Code) -> tuple[Code, ...]:
    """Give the other scans of the slide, on which the same may stand elsewhere."""
    held = holdings.scan(holdings.key_of(scan, Kind.SCAN))
    return tuple(one.code for one in holdings.held(held.record.slide).scans if one.code != scan) if held else ()


def _go_on(holdings: Archive, as_json: bool) -> None:
    redaction_witness.catch_up(holdings.second_place, holdings.catalogue)
    found = resume(holdings.place, holdings.catalogue, holdings.step)
    if as_json:
        shut = [{"scan": str(code), "why": why} for code, why in found.shut]
        print(json.dumps({"done": [_as_json(one, done=True) for one in found.done], "shut": shut}, indent=2))
    else:
        for one in found.done:
            _done(one)
        for code, why in found.shut:
            out().print(f"{code} stays shut: {why}", markup=False, soft_wrap=True)
        if not found.done and not found.shut:
            out().print("Nothing was left to do.")
    if found.shut:
        raise typer.Exit(FAILED)


def _done(done: Redacted) -> None:
    out().print(f"{done.scan}: black now, {_tiles(done.tiles)} encoded anew, the old version deleted.", soft_wrap=True)
    _holders(done.holders)


def _tiles(tiles: tuple[int, ...]) -> str:
    levels = ", ".join(f"{count:,} of level {number}" for number, count in enumerate(tiles) if count)
    return f"{counted(sum(tiles), 'tile')} ({levels})" if levels else "no tile"


def _holders(holders: tuple[str, ...]) -> None:
    for holder in holders:
        what = "back up again" if holder.startswith("backup ") else "ask for it"
        out().print(f"still has the old version: {holder}; {what}", markup=False, soft_wrap=True)


def _list(copies: tuple[OwedCopy, ...], as_json: bool) -> None:
    if as_json:
        print(json.dumps([_copy(one) for one in copies], indent=2))
        return
    for one in copies:
        where = f" in {one.place}" if one.place else ""
        out().print(f"{one.scan}: {one.holder}{where} (entry {one.act} of the trail)", markup=False, soft_wrap=True)
    if not copies:
        out().print("No copy is owed.")


def _copies(count: int) -> str:
    return counted(count, "copy", "copies")


def _copy(one: OwedCopy) -> dict[str, Any]:
    return {
        "scan": str(one.scan),
        "holder": one.holder,
        "place": str(one.place) if one.place else None,
        "entry": one.act,
    }


def _as_json(one: Foreseen | Redacted, *, done: bool) -> dict[str, Any]:
    return {"scan": str(one.scan), "done": done, "tiles": list(one.tiles), "copies": list(one.holders)}
