"""What the audit trails are asked with on a command line: options, and a question read as it was typed."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from archive.auditchain.told import Question
from archive.errors import InvalidValue
from archive.holdings.books import Books, question

Heads = Annotated[
    Path | None,
    typer.Option("--heads", envvar="COVERSLIP_AUDIT_COPY", help="The second place: a folder, best on another machine."),
]
KnownKey = Annotated[
    Path | None,
    typer.Option("--public-key", help="Your own copy of audit-key.pub; that of the second place unless given."),
]
PrivateKey = Annotated[
    Path | None,
    typer.Option("--key", envvar="COVERSLIP_AUDIT_KEY", help="The signing key; ARCHIVE-key/audit.key unless given."),
]
Anew = Annotated[
    str | None,
    typer.Option("--anew", metavar="REASON", help="Begin another second place, in an empty folder, and say why."),
]
OfCode = Annotated[str | None, typer.Option("--code", help="Code of a patient, case, slide or scan.")]
OfProject = Annotated[str, typer.Option("--project", help="The project whose code it is.")]
By = Annotated[str | None, typer.Option("--by", metavar="ACCOUNT", help="What this account or role did.")]
Act = Annotated[str | None, typer.Option("--act", help="One act, such as 'open slide' or 'identified'.")]
ForPurpose = Annotated[str | None, typer.Option("--purpose", help="Words of the purpose or the reason.")]
Since = Annotated[str | None, typer.Option("--since", metavar="DATE", help="From this day on, such as 2026-01-31.")]
Until = Annotated[str | None, typer.Option("--until", metavar="DATE", help="Up to this day and with it.")]


def asked(
    books: Books,
    code: str | None,
    project: str,
    by: str | None,
    act: str | None,
    purpose: str | None,
    since: str | None,
    until: str | None,
) -> Question:
    """Read what is looked for as it was typed."""
    first, last = _day("--since", since), _day("--until", until)
    return question(
        books.holdings, code=code, project=project, by=by, act=act, purpose=purpose, since=first, until=last
    )


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidValue(f"{option}: expected a day, such as 2026-01-31") from None
