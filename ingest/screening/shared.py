"""A process that takes in slide after slide has one screener for all of them, which ends with it.

Its child is a jail of the process's own fork server. So it ends when the process ends, also if that is killed: the
fork server sees its owner go, and ends all its jails.
"""

import atexit
import os
import threading

from ingest.screening.screener import Screener


def shared(*, limits_only: bool = False) -> Screener:
    """Give the screener of this process; it is made if need be.

    Parameters
    ----------
    limits_only
        Whether to go on where the system has no walls, only limits.
    """
    return _Shared.get(limits_only)


class _Shared:
    """The screeners of this process: one with walls, and one that may go on without."""

    lock = threading.Lock()
    owner = 0
    screeners: dict[bool, Screener] = {}  # noqa: RUF012 - there is one of this class, and no instance

    @classmethod
    def get(cls, limits_only: bool) -> Screener:
        with cls.lock:
            if cls.owner != os.getpid():  # what was inherited in a fork belongs to the process that forked
                cls.owner, cls.screeners = os.getpid(), {}
                atexit.register(cls.close)
            if limits_only not in cls.screeners:
                cls.screeners[limits_only] = Screener(limits_only=limits_only)
            return cls.screeners[limits_only]

    @classmethod
    def close(cls) -> None:
        if cls.owner == os.getpid():
            for screener in cls.screeners.values():
                screener.close()
