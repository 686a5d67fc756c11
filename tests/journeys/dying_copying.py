"""``coverslip`` that kills itself on its way.

``python -m tests.journeys.dying_copying NUMBER WHERE backup ARGUMENT...`` is the real command. It ends right before
it changes the disk for the so-manieth time, counted from the first change that WHERE describes: before a file is made,
written to, renamed or deleted, a folder made or deleted, or a database opened.
"""

import os
import re
import sys
from typing import Any

from ingest.__main__ import main as coverslip
from tests.journeys.dying import end

_CHANGES = frozenset({"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "sqlite3.connect"})
_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def end_before(number: int, where: str) -> None:
    """Arrange to end before a change of the disk.

    Parameters
    ----------
    number
        1 for the first change that is described, 2 for the one after it, whatever that is.
    where
        A regular expression that is looked for in the name of Python's audit event and the paths that go with it.
    """
    count = 0

    def told(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if event in _CHANGES or (event == "open" and arguments[2] & _TO_WRITE):
            count += bool(count or re.search(where, f"{event} {arguments}"))
            if count == number:
                end()

    sys.addaudithook(told)


if __name__ == "__main__":
    end_before(int(sys.argv.pop(1)), sys.argv.pop(1))
    coverslip()
