"""Who acts: where the archive has accounts they prove it; elsewhere it is the account that the system knows."""

from pathlib import Path
from typing import Annotated

import typer

from archive.accounts import AccountStore, Action
from archive.cli.proving import proven, system_user

Who = Annotated[
    str | None,
    typer.Option(
        "--who",
        envvar="COVERSLIP_WHO",
        help="The account that acts; the system's user unless given. Where there are accounts, its password is asked "
        "for first.",
    ),
]


def acting(archive: Path, who: str | None, action: Action) -> str:
    """Give the account that acts.

    Parameters
    ----------
    archive
        The archive's folder. Where it has no accounts, whoever may use the system's account is believed.
    who
        The account that was named.
    action
        What is to be done; where there are accounts, a role of theirs must allow it.

    Raises
    ------
    SignInRefused, NotAllowed
        As `archive.cli.proving.proven` does.
    """
    if AccountStore.exists(archive):
        return proven(archive, who, action)
    return who or system_user()
