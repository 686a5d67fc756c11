"""A wall that nobody has run against is a hope: the jail is asked to do five things that it must not be able to do.

Run at start-up by ``coverslip doctor``, and by the tests, which also show that the same acts succeed outside.
"""

import os
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.sandbox.jail import Jail
from ingest.sandbox.messages import Tell

READ_SYSTEM: Final = "read a file of the system"
READ_VAULT: Final = "read the key vault"
CONNECT: Final = "open a network connection"
START_PROGRAM: Final = "start a program"
WRITE_ELSEWHERE: Final = "write outside its folder"

ACTS: Final = (READ_SYSTEM, READ_VAULT, CONNECT, START_PROGRAM, WRITE_ELSEWHERE)


@dataclass(frozen=True, slots=True)
class Denial:
    """One act, and whether the jail kept its inmate from it."""

    act: str
    denied: bool


def self_test(vault: Path | None = None) -> tuple[Denial, ...]:
    """Try from inside a jail what a jail must prevent.

    Parameters
    ----------
    vault
        A file of the key vault, to try the real one; otherwise a file stands for it.

    Raises
    ------
    JailUnavailable
        If no jail of any kind can be made here.
    """
    with tempfile.TemporaryDirectory(prefix="coverslip-") as name:
        secret = Path(name) / "secret"
        secret.touch(mode=0o600)
        with Jail(read=[], allow_limits_only=True) as jail:
            done = jail.call(attempt, str(vault or secret), name)
    return tuple(Denial(act, isinstance(done, dict) and done.get(act) is False) for act in ACTS)


def attempt(tell: Tell, secret: str, elsewhere: str) -> dict[str, bool]:
    """Try each act and tell whether it succeeded."""
    attempts: dict[str, Callable[[], object]] = {
        READ_SYSTEM: lambda: _read("/etc/passwd"),
        READ_VAULT: lambda: _read(secret),
        CONNECT: lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).close(),
        START_PROGRAM: _start_program,
        WRITE_ELSEWHERE: lambda: (Path(elsewhere) / "written").write_bytes(b"x"),
    }
    return {act: _succeeds(attempts[act]) for act in ACTS}


def _succeeds(act: Callable[[], object]) -> bool:
    try:
        act()
    except OSError:
        return False
    return True


def _read(path: str) -> None:
    with open(path, "rb") as file:
        file.read(1)


def _start_program() -> None:
    """Start one; failing that, ask the kernel for it directly: "not there" is an answer, "not permitted" a wall."""
    try:
        os.waitpid(os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {}), 0)
    except PermissionError:
        missing = os.path.join(os.sep, "no", "such", "program")
        try:
            os.execv(missing, [missing])  # noqa: S606
        except FileNotFoundError:
            return
