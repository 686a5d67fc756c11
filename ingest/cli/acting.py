"""Who acts: where the archive has accounts they prove it; elsewhere it is the account that the system knows."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from archive.accounts import AccountStore, Action
from archive.cli.proving import proven, system_user
from archive.errors import InvalidValue

SECOND_WORD = "assessed_also_by"
"""The column of a delivery list that names a second person who looked."""

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


def require_own_word(archive: Path, told: Iterable[str]) -> None:
    """Refuse to have a second person's word from anybody but that person, where there are accounts.

    Parameters
    ----------
    archive
        The archive's folder.
    told
        The columns of a delivery list that are told.

    Raises
    ------
    InvalidValue
        If one of them says that a second person looked as well.
    """
    if SECOND_WORD in told and AccountStore.exists(archive):
        raise InvalidValue(
            f"{SECOND_WORD}: where there are accounts, a second person says so under an account of their own: "
            "coverslip consent record --set might_identify=no"
        )
