"""What waits to be looked at again, new rules and feeds whose day has come, is listed: ``consent review``."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from archive.accounts import Action
from archive.amounts import counted
from archive.cli.proving import Who, actor_of
from archive.cli.sentences import ArchiveFolder, AsJson, out, said
from archive.errors import InvalidValue
from archive.holdings.new_rules import Changed, NewRules, Outcome, look, put_in_force
from ingest.cli.places import KeyFile, Places, VaultFolder
from ingest.delivery import Feed, feeds_of


@said
def review(
    accept: Annotated[
        str | None,
        typer.Option("--put-in-force", metavar="VERSION", help="The version of the rules to put in force, as listed."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Who agreed to them, and why; no names of patients.")] = "",
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """List what a new version of the rules would change, before it takes effect, and the feeds that are due.

    Nothing is decided, and so nothing is shown, by rules that nobody has put in force here. Look at what they would
    change, then say --put-in-force VERSION and the --reason. Start servers anew after that.
    """
    actor = actor_of(archive, who, Action.REVIEW_RULES)
    with Places.of(archive, vault, vault_key).opened(actor) as (holdings, keyvault):
        found = look(holdings)
        due = [feed for feed in feeds_of(keyvault.declared("feed")).values() if feed.is_overdue(date.today())]
        if accept is not None:
            _require_seen(found, accept, reason)
            put_in_force(holdings, seen=found.in_force, reason=reason)
    if as_json:
        print(json.dumps(_as_json(found, due), indent=2))
    else:
        for line in _lines(found, due):
            out().print(line, markup=False, soft_wrap=True)
    if accept is not None:
        out().print(f"[green]Version {accept} of the rules is in force.[/green] Start servers anew.")


def _require_seen(found: NewRules, version: str, reason: str) -> None:
    if not reason.strip():
        raise InvalidValue("say who agreed to the rules, and why (--reason)")
    if version != found.of_program:
        raise InvalidValue(f"this program has version {found.of_program} of the rules and can put no other in force")


def _lines(found: NewRules, due: list[Feed]) -> Iterator[str]:
    if found.wait:
        yield f"Version {found.of_program} of the rules waits; version {found.in_force or 'none'} is in force."
        yield from map(_line, found.changes)
        if not found.changes:
            yield "It changes no answer about anything that is held."
        for one in found.handlings:
            yield f"{one.scan}: would be {one.after}, is {one.before}; nothing is deleted"
        yield f"To put it in force: coverslip consent review --put-in-force {found.of_program} --reason WHY"
    else:
        yield f"Version {found.in_force} of the rules is in force; nothing waits."
    for feed in due:
        yield f"The feed {feed.name!r} was to be looked at by {feed.review_date}; declare it again: coverslip feed add"


def _line(one: Changed) -> str:
    named = ", ".join(map(str, one.named)) + (", ..." if one.slides > len(one.named) else "")
    shown = f"; in the collections {', '.join(map(repr, one.collections))}" if one.collections else ""
    return f"{one.question}: {_said(one.before)} -> {_said(one.after)}, {counted(one.slides, 'slide')} ({named}){shown}"


def _said(outcome: Outcome | None) -> str:
    return "not ruled on" if outcome is None else f"{outcome[0]} ({outcome[1]})"


def _as_json(found: NewRules, due: list[Feed]) -> dict[str, Any]:
    return {
        "in_force": found.in_force,
        "of_program": found.of_program,
        "changes": [
            {
                "question": one.question,
                "before": one.before,
                "after": one.after,
                "scans": one.scans,
                "slides": one.slides,
                "named": list(map(str, one.named)),
                "collections": list(one.collections),
            }
            for one in found.changes
        ],
        "scans": [
            {"scan": str(one.scan), "before": str(one.before), "after": str(one.after)} for one in found.handlings
        ],
        "feeds_due": [feed.name for feed in due],
    }
