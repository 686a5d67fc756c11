"""Importing readers takes half a second, so a fork server does it once, beside the caller, and forks a jail per slide.

``multiprocessing`` has a fork server, too. This one differs in what a jail must not have: that one passes on the
environment with its secrets, the command line with its file names and open descriptors, runs the caller's main module
again in every child, and is shared with whatever else in the process uses it. Here the environment is written anew,
and a child has two pipes.
"""

import os
import socket
import subprocess
import sys
import threading
import weakref
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from ingest.errors import JailUnavailable
from ingest.sandbox.serving import FORK, KILL, NUMBER, READY, REQUEST

START_SECONDS: Final = 120.0
"""For importing everything on a slow disk; a second is usual."""

_CODE: Final = "import sys; from ingest.sandbox.serving import serve; serve(int(sys.argv[1]), sys.argv[2:])"

_KEPT: Final = frozenset({"PATH", "LANG", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"})
"""What libraries need to be found and to read text. Everything else stays outside: secrets are in environments."""

_ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VIPS_CONCURRENCY")
"""A process with more than one thread cannot be forked safely, and many jails share the processors anyway."""

_DID_NOT_START = (
    "the process that slide readers run in did not start or has ended; "
    "check that all packages are installed and that memory is left, then try again"
)


@dataclass(frozen=True, slots=True)
class Child:
    """A jail as its owner sees it: process number, and the owner's ends of its pipes."""

    process: int
    orders: int
    answers: int
    end: int


class ForkServer:
    """The owner's end of a fork server, which ends with it.

    Parameters
    ----------
    modules
        What to import before the first fork.
    """

    def __init__(self, modules: tuple[str, ...]) -> None:
        self.modules = modules
        self.owner = os.getpid()
        self._lock = threading.Lock()
        self._ready = False
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(START_SECONDS)
        with theirs:
            self._server = subprocess.Popen(  # noqa: S603 - our own interpreter
                [sys.executable, "-P", "-c", _CODE, str(theirs.fileno()), *modules],
                env=_environment(),
                cwd="/",
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # native libraries print what they find, and that may be a name
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        weakref.finalize(self, _stop, self._socket, self._server, self.owner)

    @property
    def process(self) -> int:
        """Its process number."""
        return self._server.pid

    @property
    def alive(self) -> bool:
        """Whether it runs and belongs to this process, not to one that this was forked from."""
        return self.owner == os.getpid() and self._server.poll() is None

    def fork(self) -> Child:
        """Make a child that waits for orders.

        Raises
        ------
        JailUnavailable
            If the fork server has not started or has ended.
        """
        (their_orders, orders), (answers, their_answers), (end, their_end) = os.pipe(), os.pipe(), os.pipe()
        theirs = (their_orders, their_answers, their_end)
        try:
            with self._lock:
                self._wait_until_ready()
                socket.send_fds(self._socket, [REQUEST.pack(FORK, 0)], theirs)
                (process,) = NUMBER.unpack(self._receive(NUMBER.size))
        except (OSError, EOFError):
            for descriptor in (orders, answers, end):
                os.close(descriptor)
            raise JailUnavailable(_DID_NOT_START) from None
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        return Child(process, orders, answers, end)

    def kill(self, process: int) -> None:
        """End a child and all that it started; harmless if it has ended."""
        try:
            with self._lock:
                self._socket.sendall(REQUEST.pack(KILL, process))
        except OSError:
            return  # the fork server is gone, and its children went with it

    def _wait_until_ready(self) -> None:
        if not self._ready:
            self._ready = self._receive(len(READY)) == READY

    def _receive(self, length: int) -> bytes:
        received = b""
        while len(received) < length:
            piece = self._socket.recv(length - len(received))
            if not piece:
                raise EOFError
            received += piece
        return received


def prepare(*modules: str) -> None:
    """Start the fork server, or see that it has these modules; returns at once, while it imports them.

    Parameters
    ----------
    modules
        Names of the modules whose functions will be called in jails, and of the libraries that they use.
    """
    _Current.get(modules)


def current() -> ForkServer:
    """Give the fork server of this process; it is started if need be."""
    return _Current.get(())


class _Current:
    """The one fork server of this process."""

    lock = threading.Lock()
    server: ForkServer | None = None

    @classmethod
    def get(cls, modules: tuple[str, ...]) -> ForkServer:
        with cls.lock:
            known = cls.server.modules if cls.server else ()
            if cls.server is None or not cls.server.alive or not set(known).issuperset(modules):
                # jails of the one before keep it until they end
                cls.server = ForkServer(tuple(dict.fromkeys((*known, *modules))))
            return cls.server


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith("LC_")}
    kept |= dict.fromkeys(_ONE_THREAD, "1")
    kept["MALLOC_ARENA_MAX"] = "2"  # each arena takes 64 MB of address space, which is limited
    kept["PYTHONPATH"] = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    return kept


def _stop(owner_socket: socket.socket, server: "subprocess.Popen[bytes]", owner: int) -> None:
    if os.getpid() != owner:
        return
    with suppress(OSError):  # it may have ended before
        owner_socket.shutdown(socket.SHUT_RDWR)
    owner_socket.close()
    try:
        server.wait(timeout=5)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
