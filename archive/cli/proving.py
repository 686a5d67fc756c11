"""Who acts is proven where the archive has accounts; where it has none, the system's own user acts.

A password is asked for and never an argument, so that it is in no history of a shell and no list of processes.
"""

import os
import pwd
from pathlib import Path
from typing import Annotated

import typer

from archive.accounts import AccountStore, Action
from archive.cli.passwords import typed
from archive.errors import InvalidValue

Who = Annotated[
    str | None,
    typer.Option("--who", envvar="COVERSLIP_WHO", help="Your account, where the archive has accounts."),
]


def proven(archive: Path, who: str | None, action: Action, project: str | None = None) -> str:
    """Give the account that acts, after it has proven who it is and that one of its roles may do this.

    Parameters
    ----------
    archive
        The archive's folder.
    who
        The account that was named; None for one of the same name as the system's user.
    action
        What is to be done.
    project
        The project that it is done for; whose role is for one project alone must have it for this one.

    Raises
    ------
    SignInRefused, NotAllowed
        If the password does not fit, or no role of the account may do this; both are in the access trail.
    InvalidValue
        If an account is named and the archive has none.
    """
    user = system_user()
    if AccountStore.exists(archive):
        with AccountStore.open(archive) as store:
            return store.act_as(who or user, typed(), action, project).account
    if who not in (None, user):
        raise InvalidValue("this archive has no accounts, so the system's own user acts; leave --who out")
    return user


def require_may(archive: Path, who: str | None, action: Action, project: str | None = None) -> None:
    """Have somebody prove that they may do something, where the archive has accounts; raises as `proven`."""
    if AccountStore.exists(archive):
        proven(archive, who, action, project)


def system_user() -> str:
    """Give the name of the user that the system runs this program for."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user often has no name
        return f"user-{os.getuid()}"
