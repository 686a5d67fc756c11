"""A process that has imported the program already, and becomes a command whenever one is typed.

To import the program takes a second, and most of what is typed in a journey takes a tenth. So one process imports it,
and is forked for each command. What comes of it is a process of its own as any other: with the environment and the
standard streams that it is given, in a session of its own, and it ends as the command ends.
"""

import atexit
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NoReturn

PREPARED = (
    *("archive.cli.commands", "archive.holdings.writing", "archive.server.app", "ingest.cli.backing_up"),
    *("ingest.cli.main", "ingest.cli.taking_in", "ingest.pipeline.batch", "rich.markdown", "zarr"),
)
"""Imported once. Nothing that reads slides is among it, for no command imports that itself."""

PATIENCE_SECONDS = 60.0
"""For the end of the process that waits, which has nothing left to do."""

_MESSAGE_BYTES = 1 << 20
_NUMBER_BYTES = 8
_STREAMS = 3


PYTHON_MODULE = [sys.executable, "-m"]
"""How a command begins that a process can become that is ready."""

Ended = tuple[int, str, str]
"""Exit code, or the negative number of the signal that ended it; standard output, and standard error."""


def run_anew(
    command: Sequence[str], environment: Mapping[str, str], typed: str | None, seconds: float, root: Path
) -> Ended:
    """Run a command, with the parameters of `run_ready`, in a process that begins with it."""
    process = subprocess.Popen(
        command,
        cwd=root,
        env=environment,
        stdin=subprocess.PIPE if typed else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        said = process.communicate(typed, timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # a server with its workers, where one started by mistake
        raise
    return process.returncode, *said


def run_ready(
    command: Sequence[str], environment: Mapping[str, str], typed: str | None, seconds: float, root: Path
) -> Ended:
    """Run ``python -m MODULE WORD...`` in a fork of the process that is ready.

    Parameters
    ----------
    command
        As it is typed.
    environment
        All of it; nothing else is in the command's.
    typed
        What the command reads from its standard input.
    seconds
        After which it is ended, with all that it started in its session.
    root
        Folder to run in, the same for all.

    Raises
    ------
    subprocess.TimeoutExpired
        If it was ended.
    """
    file = partial(tempfile.TemporaryFile, "w+")
    end, theirs = socket.socketpair()
    with file() as given, file() as out, file() as err, end:
        given.write(typed or "")
        given.seek(0)
        order = json.dumps({"module": command[2], "words": command[3:], "environment": dict(environment)})
        with theirs:
            descriptors = [given.fileno(), out.fileno(), err.fileno(), theirs.fileno()]
            socket.send_fds(_server(os.getpid(), root), [order.encode()], descriptors)
        process = _number(end)
        end.settimeout(seconds)
        try:
            code = _number(end)
        except TimeoutError:
            os.killpg(process, signal.SIGKILL)
            raise subprocess.TimeoutExpired(command, seconds) from None
        return code, _read(out), _read(err)


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def _number(end: socket.socket) -> int:
    received = end.recv(_NUMBER_BYTES, socket.MSG_WAITALL)
    assert len(received) == _NUMBER_BYTES, "the process that becomes commands has ended"
    return int.from_bytes(received, signed=True)


@cache
def _server(owner: int, root: Path) -> socket.socket:
    """Start the process that waits; it ends when its owner has. A fork of the owner has a server of its own."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MESSAGE_BYTES)
    with theirs:
        server = subprocess.Popen(
            [*PYTHON_MODULE, __name__, str(theirs.fileno())],
            cwd=root,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # one that has several threads cannot be forked safely
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    atexit.register(_end, ours, server, owner)
    return ours


def _end(ours: socket.socket, server: "subprocess.Popen[bytes]", owner: int) -> None:
    if os.getpid() == owner:
        ours.close()
        server.wait(PATIENCE_SECONDS)


def serve(requests: socket.socket) -> dict[str, Any]:
    """Wait for commands and fork; gives an order only in a process that is to become its command."""
    for module in PREPARED:
        import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        text, descriptors, _, _ = socket.recv_fds(requests, _MESSAGE_BYTES, _STREAMS + 1)
        if not text:
            os._exit(0)
        if not os.fork():
            requests.close()
            return _command(json.loads(text), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _command(order: dict[str, Any], descriptors: Sequence[int]) -> dict[str, Any]:
    """Fork once more: one process becomes the command, the other tells how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *streams, end = descriptors
    process = os.fork()
    if process:
        _tell_end(process, end)
    os.setsid()
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    for descriptor in descriptors:
        os.close(descriptor)
    return order


def _tell_end(process: int, end: int) -> NoReturn:
    os.write(end, process.to_bytes(_NUMBER_BYTES, signed=True))
    _, status = os.waitpid(process, 0)
    with suppress(BrokenPipeError):  # nobody waits for it any more
        os.write(end, os.waitstatus_to_exitcode(status).to_bytes(_NUMBER_BYTES, signed=True))
    os._exit(0)


def become(order: dict[str, Any]) -> None:
    """Be the command."""
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    tempfile.tempdir = None  # asked for anew, of this environment
    sys.argv = [order["module"], *order["words"]]
    runpy.run_module(order["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    become(serve(socket.socket(fileno=int(sys.argv[1]))))
