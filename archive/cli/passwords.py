"""A password is asked for and never an argument, so that it is in no history of a shell and no list of processes."""

import getpass
import sys

from archive.errors import InvalidValue


def typed(prompt: str = "Password") -> str:
    """Ask for a password; where there is no terminal, the next line of standard input is it."""
    if sys.stdin.isatty():
        return getpass.getpass(f"{prompt}: ", sys.stderr)
    return sys.stdin.readline().rstrip("\n")


def chosen(prompt: str = "New password") -> str:
    """Ask for a new password; twice at a terminal, where what was typed cannot be seen.

    Raises
    ------
    InvalidValue
        If the two are not the same.
    """
    password = typed(prompt)
    if sys.stdin.isatty() and typed(f"{prompt} again") != password:
        raise InvalidValue("the two passwords are not the same; try again")
    return password
