"""Who acts: what the audit trail names is the account that the system knows, unless somebody says otherwise."""

import os
import pwd
from typing import Annotated

import typer

Who = Annotated[
    str | None,
    typer.Option("--who", envvar="COVERSLIP_WHO", help="The account that acts; the system's user unless given."),
]


def account(who: str | None) -> str:
    """Give the account that acts."""
    if who:
        return who
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user often has no name
        return f"user-{os.getuid()}"
