"""Tokens by which programs act: ``account token``."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from archive.accounts import AccountStore, Action, Role
from archive.cli.passwords import typed
from archive.cli.sentences import ArchiveFolder, out, said

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
        typer.Option(help="All that it is for, such as 'see counts'; what the role may unless given."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=365, help="How long it lasts.")] = 30,
    archive: ArchiveFolder = DEFAULT_ARCHIVE,
) -> None:
    """Make a token for a program of yours. It is shown once; the archive keeps only its digest.

    A program sends it as `Authorization: Bearer TOKEN`. There are none for roles that may look codes up: that a person
    does.
    """
    with AccountStore.open(archive) as store:
        session = store.sign_in(name, typed(f"Password of {name}"))
        try:
            made = store.new_token(name, role, project, action or None, days=days, by=name)
        finally:
            store.sign_out(session.token)
    out().print(made.secret, markup=False, soft_wrap=True)
    out().print(f"This is token {made.number}, good until {made.expires:%Y-%m-%d}. Copy it now: it is not shown again.")


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
