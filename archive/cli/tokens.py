"""Tokens by which programs act: ``account token``."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from archive.accounts import UNATTENDED, AccountStore, Action, Actor, Role
from archive.accounts.tokens import is_unattended
from archive.cli.passwords import typed
from archive.cli.proving import WhoElse
from archive.cli.sentences import ArchiveFolder, out, said
from archive.errors import InvalidValue, NotAllowed

token_app = typer.Typer(help="Tokens: how a program acts for an account, in one role.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The account.")]
DEFAULT_ARCHIVE = Path("coverslip-archive")


@token_app.command("make")
@said
def make(
    name: Name,
    role: Annotated[Role, typer.Option(help="What the program acts as.")],
    project: Annotated[str | None, typer.Option("--project", help="For a researcher: the project.")] = None,
    action: Annotated[
        list[Action] | None,
        typer.Option(
            metavar="ACTION",
            help="What it is for, such as 'see counts'; may be given several times. Without it, all of the role's.",
        ),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=365, help="How long it lasts.")] = 30,
    file: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Write it to this new file, which only you can read.")
    ] = None,
    who: WhoElse = None,
    archive: ArchiveFolder = DEFAULT_ARCHIVE,
) -> None:
    """Make a token for a program. It is shown once, or written to a file; the archive keeps only its digest.

    A program that asks the server sends it as `Authorization: Bearer TOKEN`. For commands that run with nobody there
    (watch, ingest, check, backup, audit sign) COVERSLIP_TOKEN_FILE names its file, and it is made for just these:
    --action ingest, 'check archive', 'back up', 'verify audit', 'sign audit'. In a role that may look codes up there
    are no others: the rest a person does.

    Whose token it is makes it, with their password. A service's is also made by a custodian: --who CUSTODIAN.
    """
    with AccountStore.open(archive) as store:
        actor = _maker(store, name, who, action)
        made = store.new_token(name, role, project, action or None, days=days, by=actor)
        if file is not None and not _written(made.secret, file):
            store.end_token(made.number, by=actor)
            raise InvalidValue("the token could not be written and has ended; name a new file, in a folder of yours")
    if file is None:
        out().print(made.secret, markup=False, soft_wrap=True)
    out().print(
        f"This is token {made.number}, good until {made.expires:%Y-%m-%d}. "
        + ("Copy it now: it is not shown again." if file is None else "It is in the file, and nowhere else.")
    )


def _maker(store: AccountStore, name: str, who: str | None, actions: list[Action] | None) -> Actor | str:
    """Have the account itself prove who it is, or a custodian, who makes the tokens of services."""
    if who in (None, name):
        session = store.sign_in(name, typed(f"Password of {name}"))
        store.sign_out(session.token)
        return name
    custodian = store.act_as(str(who), typed(f"Password of {who}"), Action.MANAGE_ACCOUNTS)
    if not is_unattended(actions):
        raise NotAllowed(
            "a custodian makes tokens for what services do and nothing else, as nobody acts in another's name; name "
            f"--action, one or more of: {', '.join(sorted(UNATTENDED))}"
        )
    return custodian


def _written(secret: str, file: Path) -> bool:
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
            written.write(f"{secret}\n")
    except OSError:
        return False
    return True


@token_app.command("list")
@said
def list_tokens(name: Name, archive: ArchiveFolder = DEFAULT_ARCHIVE) -> None:
    """List the tokens of an account that have not ended."""
    with AccountStore.open(archive) as store:
        tokens = store.tokens(store.account(name).name)
    table = Table("token", "acts as", "for", "until", box=None, pad_edge=False)
    for token in tokens:
        purpose = ", ".join(sorted(token.actions)) if token.actions is not None else "all that the role may"
        table.add_row(str(token.number), str(token.grant), purpose, f"{token.expires:%Y-%m-%d}")
    out().print(table)


@token_app.command("end")
@said
def end(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The token's number.")],
    archive: ArchiveFolder = DEFAULT_ARCHIVE,
) -> None:
    """End a token at once. Nobody is asked for a password: a token that leaked must end now."""
    with AccountStore.open(archive) as store:
        store.end_token(number)
    out().print(f"Token {number} has ended.")
