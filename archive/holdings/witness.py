"""A chain cannot show that its own end was cut off; a witness in another place can.

After every act the head of the audit trail is added as a line to a file, best on another disk or machine. Whoever
shortens the trail, or makes it anew, would have to change that file too.
"""

import logging
from pathlib import Path

from archive.auditchain import Head
from archive.holdings.place import disk_errors

_log = logging.getLogger(__name__)


def add(file: Path | None, head: Head) -> None:
    """Add a head to the witness's file, if there is one.

    A head that cannot be written is only warned of: its act is done and sealed, and the next head covers it too.
    """
    if file is None:
        return
    try:
        with file.open("a", encoding="ascii") as lines:
            lines.write(f"{head}\n")
    except OSError:
        _log.warning("the head of the audit trail could not be written to its second place; check that place")


def heads(file: Path | None) -> tuple[Head, ...]:
    """Read all heads from the witness's file; none if there is no witness.

    Raises
    ------
    HoldingsUnavailable
        If the file cannot be read: a witness that is gone is not a good sign.
    InvalidValue
        If it holds anything else than heads.
    """
    if file is None:
        return ()
    with disk_errors():
        return tuple(Head.parse(line) for line in file.read_text("ascii").splitlines())
