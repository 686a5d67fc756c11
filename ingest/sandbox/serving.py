"""The fork server's own process: it imports what jails need, once, and then makes a jail in a few milliseconds.

It has one thread, no secrets in its environment, and never reads a slide. When the process that started it goes away,
it ends all jails and itself.
"""

import gc
import importlib
import os
import selectors
import signal
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from ingest.sandbox.level import jail_level

REQUEST: Final = struct.Struct("<ci")
"""What the owner asks: a letter and a process number."""

FORK: Final = b"F"
"""Make a jail of the three descriptors that come along: orders, answers, and where to tell how it ended."""

KILL: Final = b"K"
"""End a jail."""

READY: Final = b"R"
"""Said once, when everything is imported."""

NUMBER: Final = struct.Struct("<i")
"""A process number, or how a process ended: its exit code, or a signal's number below zero."""


def serve(descriptor: int, modules: Sequence[str]) -> None:
    """Import modules, then make jails until the owner goes away.

    Parameters
    ----------
    descriptor
        A Unix socket to the owner.
    modules
        What to import first.
    """
    for name in modules:
        importlib.import_module(name)
    importlib.import_module("ingest.sandbox.cell")
    jail_level()  # looks for the C library, which takes other programs, once and for all jails
    gc.collect()
    gc.freeze()  # so that collecting garbage in a jail does not copy these pages
    with socket.socket(fileno=descriptor) as owner:
        owner.sendall(READY)
        _Server(owner).run()


class _Server:
    def __init__(self, owner: socket.socket) -> None:
        self._owner = owner
        self._jails: dict[int, int] = {}  # process number: descriptor to tell how it ended

    def run(self) -> None:
        """Answer requests and tell of deaths."""
        wake, woken = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(woken, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector:
            selector.register(self._owner, selectors.EVENT_READ)
            selector.register(wake, selectors.EVENT_READ)
            wanted = True
            while wanted:
                ready = {key.fileobj for key, _ in selector.select()}
                if wake in ready:
                    with suppress(BlockingIOError):
                        os.read(wake, 4096)
                    self._tell_of_deaths()
                if self._owner in ready:
                    wanted = self._request()
        for process in self._jails:
            _kill(process)

    def _request(self) -> bool:
        """Carry out one request; False when the owner is gone."""
        try:
            asked, descriptors, _, _ = socket.recv_fds(self._owner, REQUEST.size, 3, socket.MSG_WAITALL)
        except OSError:
            return False
        if len(asked) < REQUEST.size:
            return False
        letter, process = REQUEST.unpack(asked)
        if letter == FORK and len(descriptors) == 3:
            self._owner.sendall(NUMBER.pack(self._fork(*descriptors)))
        elif letter == KILL and process in self._jails:
            _kill(process)
        return True

    def _fork(self, orders: int, answers: int, end: int) -> int:
        own = os.getpid()
        process = os.fork()
        if process == 0:
            _become_a_jail(orders, answers, own)
        os.close(orders)
        os.close(answers)
        self._jails[process] = end
        return process

    def _tell_of_deaths(self) -> None:
        for process, end in list(self._jails.items()):
            found, status = os.waitpid(process, os.WNOHANG)
            if found == 0:
                continue
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process, signal.SIGKILL)  # whatever it left behind
            with suppress(BrokenPipeError):
                os.write(end, NUMBER.pack(os.waitstatus_to_exitcode(status)))
            os.close(end)
            del self._jails[process]


def _kill(process: int) -> None:
    """End a jail and everything in its session; its number is not free before it was waited for."""
    for kill in (os.killpg, os.kill):  # just forked, it may have no group of its own yet
        with suppress(ProcessLookupError, PermissionError):
            kill(process, signal.SIGKILL)


def _become_a_jail(orders: int, answers: int, fork_server: int) -> None:
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number in [int(name) for name in os.listdir("/dev/fd")]:
            if number > 2 and number not in {orders, answers}:
                with suppress(OSError):  # the one that listed them
                    os.close(number)
        from ingest.sandbox.cell import live

        live(orders, answers, fork_server)
    finally:
        os._exit(1)
