"""From a code to a person, which two people must want: ``identify``, ``identify-list``, ``approve``."""

import csv
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from archive.accounts import AccountState, AccountStore, Action, Role
from archive.amounts import counted
from archive.cli.audit_options import OfProject
from archive.cli.proving import Who, proven
from archive.cli.sentences import ArchiveFolder, AsJson, out, said
from archive.errors import InvalidValue, NotAllowed, UnknownCode
from archive.holdings import Archive
from archive.holdings.auditing import codes_in_laboratory
from archive.wordscreen import screen
from ingest.cli.places import KeyFile, Places, VaultFolder
from ingest.keyvault import Identity, Request
from ingest.keyvault.requests import RequestState
from ingest.pipeline.identifying import ask

WAITING = 3
"""Exit code of a request that waits for a second person."""

COLUMNS = ("code", "patient", "names", "birth dates", "case", "block", "slide")

Reason = Annotated[
    str, typer.Option("--reason", help="Why, such as the ticket's number; nothing that could identify a patient.")
]


@said
def identify(
    code: Annotated[str, typer.Argument(metavar="CODE", help="Code of a patient, case, slide or scan.")],
    reason: Reason,
    project: OfProject = "laboratory",
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Ask whose a code is. A second person approves; then the same command, given again, answers once.

    Everybody who asks, approves, refuses or fails to is in the vault's trail, with the reason. Exit code 3 while the
    request waits.
    """
    account, why = proven(archive, who, Action.IDENTIFY), screen(reason, "a reason")
    with Places.of(archive, vault, vault_key).opened() as (holdings, keyvault):
        request = ask(holdings, keyvault, [code], project=project, who=account, reason=why)
        _require_approved(request)
        identity = keyvault.approvals.answer(request.number, account)[0]
    if identity is None:
        raise UnknownCode("the key vault has no entry for this; the patient may be erased")
    if as_json:
        print(json.dumps(dict(zip(COLUMNS, _row(code, identity), strict=True)), indent=2, ensure_ascii=False))
        return
    for name, value in zip(COLUMNS, _row(code, identity), strict=True):
        if value:
            out().print(f"{name:12} {value}", markup=False)


@said
def identify_list(
    codes: Annotated[Path, typer.Argument(metavar="CODES", help="A file of codes, one a line.")],
    file: Annotated[Path, typer.Option("--out", metavar="FILE", help="A new CSV file, which only you can read.")],
    reason: Reason,
    project: OfProject = "laboratory",
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
) -> None:
    """Ask whose many codes are, as one request that a second person always approves.

    Each code has its entries in the vault's trail. The answer is written to a file and never shown.
    """
    account, why = proven(archive, who, Action.IDENTIFY), screen(reason, "a reason")
    wanted = [line.strip() for line in codes.read_text("utf-8").splitlines() if line.strip()]
    if not wanted:
        raise InvalidValue("the file of codes is empty; write one code a line")
    if file.exists():
        raise InvalidValue("the file for the answer is there already; name a new one")
    with Places.of(archive, vault, vault_key).opened() as (holdings, keyvault):
        request = ask(holdings, keyvault, wanted, project=project, who=account, reason=why, bulk=True)
        _require_approved(request)
        found = keyvault.approvals.answer(request.number, account)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", newline="") as written:
        rows = csv.writer(written)
        rows.writerow(COLUMNS)
        rows.writerows(_row(code, identity) for code, identity in zip(wanted, found, strict=True))
    out().print(f"{sum(one is not None for one in found):,} of {len(found):,} codes are in the file.")


@said
def approve(
    number: Annotated[str | None, typer.Argument(metavar="[REQUEST]", help="Its number; none lists them.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="On what the answer rests; no names.")] = "",
    refuse: Annotated[bool, typer.Option("--refuse", help="Refuse it.")] = False,
    second_person: Annotated[
        bool | None,
        typer.Option(
            "--second-person/--no-second-person", help="Say whether single codes need a second person from now on."
        ),
    ] = None,
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """List the requests to identify that wait for a second person, approve one, or refuse it.

    Nobody approves a request of their own. An approval holds for 24 hours, for one answer, to the account that asked.
    Where there is nobody else, --no-second-person says so; not while another custodian can act.
    """
    account = proven(archive, who, Action.APPROVE_IDENTIFY)
    with Places.of(archive, vault, vault_key).opened() as (holdings, keyvault):
        if second_person is not None:
            if not second_person:
                _require_nobody_else(archive, account)
            keyvault.approvals.require_second_person(second_person, account, reason)
            out().print(f"A second person is {'required' if second_person else 'not required'} from now on.")
        elif number is None:
            _list(holdings, keyvault.approvals.waiting(), as_json=as_json)
        else:
            keyvault.approvals.decide(number, account, reason, approve=not refuse)
            out().print("Refused." if refuse else "Approved; the account that asked has 24 hours to be answered.")


def _require_nobody_else(archive: Path, account: str) -> None:
    """Refuse to do without a second person where there is one: nobody does away with their own supervision."""
    if not AccountStore.exists(archive):
        return
    with AccountStore.open(archive) as store:
        active = [one for one in store.accounts() if one.state is AccountState.ACTIVE and one.name != account]
    if any(grant.role is Role.CUSTODIAN for one in active for grant in one.grants):
        raise NotAllowed(
            "there is another custodian, whose approval is needed; ask who it is with: coverslip account list"
        )


def _require_approved(request: Request) -> None:
    if request.state is not RequestState.APPROVED:
        out().print(f"Request {request.number} waits for a second person, who looks at it and answers with:")
        out().print(f'coverslip approve {request.number} --reason "on what the answer rests"')
        out().print("When it is approved, give this command again.")
        raise typer.Exit(WAITING)


def _row(code: str, identity: Identity | None) -> tuple[str, ...]:
    if identity is None:
        return (code, "", "", "", "", "", "")
    names, births = "; ".join(identity.names), "; ".join(identity.birth_dates)
    return (code, identity.patient, names, births, identity.case or "", identity.block or "", identity.slide or "")


def _list(holdings: Archive, requests: Sequence[Request], *, as_json: bool) -> None:
    told = [_told(holdings, request) for request in requests]
    if as_json:
        print(json.dumps(told, indent=2))
        return
    table = Table("request", "asked (UTC)", "by", "codes", "reason", box=None, pad_edge=False)
    for one in told:
        codes = ", ".join(one["codes"][:3]) + (f" and {len(one['codes']) - 3:,} more" if len(one["codes"]) > 3 else "")
        table.add_row(one["request"], one["at"][:16], one["by"], codes, one["reason"].replace("[", r"\["))
    out().print(table)
    out().print(f"{counted(len(told), 'request waits', 'requests wait')}.")


def _told(holdings: Archive, request: Request) -> dict[str, Any]:
    codes = codes_in_laboratory(holdings, request.keys)
    return {
        "request": request.number,
        "at": request.at.isoformat(),
        "by": request.who,
        "list": request.bulk,
        "codes": [codes.get(key, "") for key in request.keys],
        "reason": request.reason,
    }
