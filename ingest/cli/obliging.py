"""The work list of what the rules ask people to do: ``obligations list | done | reopen``."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from archive.accounts import Action
from archive.amounts import counted
from archive.cli.proving import Who, actor_of, named, signed
from archive.cli.sentences import ArchiveFolder, AsJson, out, said
from archive.codes import Kind
from archive.consent.terms import Record
from archive.errors import InvalidValue
from archive.holdings import Archive
from archive.holdings.consenting import Handled, handle
from archive.holdings.obligations import open_obligations, owed_copies
from archive.settings import ArchiveSettings
from ingest.cli.correcting import Reason
from ingest.delivery.cells import choice

obligations_app = typer.Typer(
    help="What somebody has to do before slides can be used: family consultation, coroner's agreement, sign-off.",
    no_args_is_help=True,
)

CaseCode = Annotated[str, typer.Argument(metavar="CASE", help="Code of a case, such as C-7K3QF-2M9XT.")]
Document = Annotated[
    str, typer.Argument(metavar="DOCUMENT", help="As the list names it, such as 'family consultation'.")
]


@obligations_app.command("list")
@said
def list_open(
    publication: Annotated[
        bool, typer.Option("--publication", help="Ask also what is needed before an anonymised copy is published.")
    ] = False,
    archive: ArchiveFolder = Path("coverslip-archive"),
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """List what is open, by the codes of cases.

    It is what the rules ask for now: what is recorded of a case, or a document that is done, takes it off the list.
    """
    actor_of(archive, who, Action.FULFIL_OBLIGATION)
    with Archive.open(archive, read_only=True, settings=ArchiveSettings(archive=archive)) as holdings:
        owed, copies = open_obligations(holdings, publication=publication), owed_copies(holdings)
    if as_json:
        told = [
            {
                "case": str(one.case),
                "code": one.obligation.code,
                "what": one.obligation.what,
                "by_whom": one.obligation.by_whom,
                "for": list(one.uses),
            }
            for one in owed
        ]
        print(json.dumps(told, indent=2))
        return
    if copies:
        still = counted(len(copies), "copy still shows", "copies still show")
        out().print(f"{still} what is black here; list with: coverslip redact --owed")
    if not owed:
        out().print("Nothing else is open." if copies else "Nothing is open.")
        return
    table = Table("case", "open", "what to do", "by whom", "for", box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    for one in owed:
        duty = one.obligation
        table.add_row(str(one.case), duty.code, duty.what, duty.by_whom, "; ".join(one.uses))
    out().print(table)


@obligations_app.command("done")
@said
def done(
    case: CaseCode,
    document: Document,
    reason: Reason,
    archive: ArchiveFolder = Path("coverslip-archive"),
    who: Who = None,
) -> None:
    """Say that a document exists, and why it is known; the next use is decided with it.

    Facts that are to be established are done by recording them: coverslip consent record --set COLUMN=VALUE.
    """
    _handle(archive, case, document, reason, who, is_done=True)


@obligations_app.command("reopen")
@said
def reopen(
    case: CaseCode,
    document: Document,
    reason: Reason,
    archive: ArchiveFolder = Path("coverslip-archive"),
    who: Who = None,
) -> None:
    """Say that a document does not exist after all, or that its sign-off was taken back."""
    _handle(archive, case, document, reason, who, is_done=False)


def _handle(archive: Path, case: str, document: str, reason: str, who: str | None, *, is_done: bool) -> None:
    actor = actor_of(archive, who, Action.FULFIL_OBLIGATION)
    try:
        record = choice(Record, {})(document)
    except InvalidValue as error:
        raise InvalidValue(
            f"DOCUMENT: expected {error}; facts are established with: coverslip consent record"
        ) from None
    with Archive.open(archive, settings=ArchiveSettings(archive=archive), **signed(actor, "laboratory")) as holdings:
        outcome = handle(
            holdings, holdings.key_of(case, Kind.CASE), Handled(record, is_done, named(actor, who), reason)
        )
    state = "done" if is_done else "open again"
    changed = "" if outcome.changed else " It was so already."
    out().print(f"{outcome.subject}: {record} is {state}.{changed}")
