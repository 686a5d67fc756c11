"""Whoever wants to come in waits in a short line, and those who are in see their slides meanwhile.

A password is checked on purpose with a tenth of a second of a processor core and 64 MiB. So few are checked at once,
in threads that give way to those which send tiles; and where the line is full, or one address fills its part of it,
whoever comes next is told at once when to come again.
"""

import asyncio
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, TypeVar

from archive.errors import Crowded

T = TypeVar("T")

PLACES: Final = 24
"""In each worker's line: the last of them waits for some seconds, which people do."""

PLACES_OF_ONE: Final = 6
"""Of one address: a fourth, so that nobody fills the line alone."""

RETRY_SECONDS: Final = 5.0
"""When there is room again: about as long as a full line takes."""

GIVES_WAY: Final = 5
"""How much lower than a tile's the claim of a check to a core is, in the system's steps of 0 to 19."""


class WaitingLine:
    """The line before one worker's door. Belongs to one thread.

    Parameters
    ----------
    name : str
        What its threads are called.
    at_once : int
        How many are let in at a time.
    """

    def __init__(self, name: str, at_once: int) -> None:
        self._threads = ThreadPoolExecutor(at_once, name, initializer=_give_way)
        self._waiting: Counter[str | None] = Counter()

    async def through(self, address: str | None, task: Callable[[], T]) -> T:
        """Do what may take long, when it is its turn.

        Parameters
        ----------
        address : str or None
            Where whoever asks comes from; None where that is not known.
        task : callable
            What is done, in another thread.

        Raises
        ------
        Crowded
            If there is no place in the line.
        """
        with self._place(address):
            return await asyncio.get_running_loop().run_in_executor(self._threads, task)

    @contextmanager
    def _place(self, address: str | None) -> Iterator[None]:
        fills = address is not None and self._waiting[address] >= PLACES_OF_ONE
        if fills or self._waiting.total() >= PLACES:
            raise Crowded(RETRY_SECONDS)
        self._waiting[address] += 1
        try:
            yield
        finally:
            self._waiting[address] -= 1
            self._waiting += Counter()  # keeps no address that nobody waits at


def _give_way() -> None:
    """Let this thread, and those that a hash is made with, have a core when no tile needs it."""
    if sys.platform == "linux":  # elsewhere this would be of the whole process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), GIVES_WAY)
