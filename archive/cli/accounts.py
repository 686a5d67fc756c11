"""Who may use the archive, and as what: ``account``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from archive.accounts import Account, AccountState, AccountStore, Action, Actor, Grant, Role
from archive.cli.passwords import chosen, typed
from archive.cli.proving import Who, WhoElse, system_user
from archive.cli.sentences import ArchiveFolder, out, said
from archive.cli.tokens import token_app
from archive.cohorts.projects import all_projects
from archive.errors import InvalidValue
from archive.holdings import Archive

account_app = typer.Typer(
    help="Accounts: who may use the archive, and as what. A custodian manages them.", no_args_is_help=True
)
account_app.add_typer(token_app, name="token")

Name = Annotated[str, typer.Argument(metavar="NAME", help="A staff login: small letters, digits, dots and hyphens.")]
AsRole = Annotated[Role, typer.Argument(metavar="ROLE", help=", ".join(Role))]
Project = Annotated[str | None, typer.Option("--project", help="For a researcher: the project.")]

DEFAULT_ARCHIVE = Path("coverslip-archive")


@contextmanager
def managing(archive: Path, who: str | None) -> Iterator[tuple[AccountStore, Actor]]:
    """Open the accounts for a custodian, who proves by password to be one."""
    with AccountStore.open(archive) as store:
        name = who or system_user()
        yield store, store.act_as(name, typed(f"Password of {name}"), Action.MANAGE_ACCOUNTS)


@account_app.command("add")
@said
def add(
    name: Name,
    role: Annotated[list[Role], typer.Option(help="What it may act as; may be given several times.")],
    project: Project = None,
    vouched: Annotated[
        bool, typer.Option("--vouched", help="Without a password: the hospital's own sign-in vouches, or tokens.")
    ] = False,
    who: Who = None,
    archive: ArchiveFolder = DEFAULT_ARCHIVE,
) -> None:
    """Add an account for a person or a service, with the least that it needs. A custodian does this.

    Standard input gives the custodian's password and then the new one, where there is no terminal to ask at.
    """
    grants = _grants(archive, role, project)
    with managing(archive, who) as (store, custodian):
        password = None if vouched else chosen(f"First password for {name}")
        account = store.add(name, password, grants, by=custodian)
    out().print(f"The account {account.name} may act as: {_roles(account)}.", markup=False)


@account_app.command("list")
@said
def list_accounts(archive: ArchiveFolder = DEFAULT_ARCHIVE) -> None:
    """List the accounts, and what each may act as."""
    with AccountStore.open(archive) as store:
        accounts = store.accounts()
    table = Table("account", "may act as", "state", box=None, pad_edge=False)
    for account in accounts:
        table.add_row(account.name, _roles(account), _state(account))
    out().print(table)


@account_app.command("grant")
@said
def grant(
    name: Name, role: AsRole, project: Project = None, who: Who = None, archive: ArchiveFolder = DEFAULT_ARCHIVE
) -> None:
    """Give an account one more role. A person with two roles acts in one at a time."""
    (given,) = _grants(archive, [role], project)
    with managing(archive, who) as (store, custodian):
        store.grant(name, given.role, given.project, by=custodian)
        account = store.account(name)
    out().print(f"The account {name} may act as: {_roles(account)}.", markup=False)


@account_app.command("revoke")
@said
def revoke(
    name: Name, role: AsRole, project: Project = None, who: Who = None, archive: ArchiveFolder = DEFAULT_ARCHIVE
) -> None:
    """Take a role away; sessions and tokens in it end at once."""
    with managing(archive, who) as (store, custodian):
        store.revoke(name, role, project, by=custodian)
        account = store.account(name)
    out().print(f"The account {name} may act as: {_roles(account) or 'nothing'}.", markup=False)


@account_app.command("disable")
@said
def disable(name: Name, who: Who = None, archive: ArchiveFolder = DEFAULT_ARCHIVE) -> None:
    """Let an account in no more. It is not deleted, because the audit trails name it."""
    with managing(archive, who) as (store, custodian):
        store.disable(name, by=custodian)
    out().print(f"The account {name} is disabled; its sessions and tokens have ended.")


@account_app.command("enable")
@said
def enable(name: Name, who: Who = None, archive: ArchiveFolder = DEFAULT_ARCHIVE) -> None:
    """Let a disabled account in again."""
    with managing(archive, who) as (store, custodian):
        store.enable(name, by=custodian)
    out().print(f"The account {name} can be used again.")


@account_app.command("unlock")
@said
def unlock(name: Name, who: Who = None, archive: ArchiveFolder = DEFAULT_ARCHIVE) -> None:
    """Let an account be tried again that too many wrong passwords have locked."""
    with managing(archive, who) as (store, custodian):
        store.unlock(name, by=custodian)
    out().print(f"The account {name} can be tried again.")


@account_app.command("untie")
@said
def untie(name: Name, who: Who = None, archive: ArchiveFolder = DEFAULT_ARCHIVE) -> None:
    """Let the hospital's own sign-in vouch for another person under an account's name.

    An account belongs to whom that sign-in vouched for first. It vouches for somebody else under the same name after
    the name was given to a new person, or after the hospital changed its sign-in: be sure which it is. A new person is
    better given an account of a new name, because the trails name the old one.
    """
    with managing(archive, who) as (store, custodian):
        store.untie(name, by=custodian)
    out().print(f"Whoever is vouched for next as {name} has this account; its sessions and tokens have ended.")


@account_app.command("end")
@said
def end(name: Name, who: Who = None, archive: ArchiveFolder = DEFAULT_ARCHIVE) -> None:
    """End every session and every token of an account, such as after a laptop was lost."""
    with managing(archive, who) as (store, custodian):
        store.end_all(name, by=custodian)
    out().print(f"The sessions and tokens of {name} have ended.")


@account_app.command("password")
@said
def password(
    name: Name,
    who: WhoElse = None,
    rescue: Annotated[
        bool,
        typer.Option("--rescue", help="For a custodian, where none can sign in: whoever may write the archive may."),
    ] = False,
    archive: ArchiveFolder = DEFAULT_ARCHIVE,
) -> None:
    """Change an account's password: its own, with the old one, or as a custodian that of somebody else.

    Its sessions and tokens end. Where there is no terminal, standard input gives the password that proves and then the
    new one; with --rescue, the new one alone.
    """
    with AccountStore.open(archive) as store:
        if rescue:
            store.rescue(name, chosen())
        elif name == (who or name):
            old = typed(f"Old password of {name}")
            store.change_password(name, old, chosen())
        else:
            _set_password(store, name, str(who))
    out().print(f"The account {name} has a new password; its sessions and tokens have ended.")


def _set_password(store: AccountStore, name: str, who: str) -> None:
    custodian = store.act_as(who, typed(f"Password of {who}"), Action.MANAGE_ACCOUNTS)
    store.set_password(name, chosen(f"New password for {name}"), by=custodian)


def _grants(archive: Path, roles: list[Role], project: str | None) -> list[Grant]:
    """Make grants; the project, which must be open, is the researcher's."""
    if project is not None:
        if Role.RESEARCHER not in roles:
            raise InvalidValue("only a researcher has a project; leave --project out")
        with Archive.open(archive, read_only=True) as holdings:
            if project not in all_projects(holdings):
                raise InvalidValue("there is no such project; open it first with: coverslip project add NAME")
    return [Grant(role, project if role is Role.RESEARCHER else None) for role in dict.fromkeys(roles)]


def _roles(account: Account) -> str:
    return ", ".join(map(str, account.grants))


def _state(account: Account) -> str:
    if account.state is AccountState.DISABLED:
        return "disabled"
    if account.locked_until is not None:
        return f"locked until {account.locked_until:%H:%M} UTC"
    return "active" if account.has_password else "active; no password, but the hospital's sign-in or tokens"
