"""A person who looks at a slide can judge some reasons for which it waits; all others are mended, not overruled.

What is judged is exactly the file that was set aside, as long as it waits.
"""

from archive.errors import InvalidValue
from ingest.errors import Reason
from ingest.quarantine.moment import moment_of
from ingest.quarantine.register import REFUSED, RELEASED, WAITS, Entry

MOST_PLACES = 64
"""Rectangles that one order has at most."""

IN_PICTURE = frozenset({Reason.WRITING_IN_PICTURE, Reason.BARCODE_IN_PICTURE, Reason.STICKER_IN_PICTURE})
"""Reasons that are places in the picture, which a person can have made black."""

JUDGED_BY_A_PERSON = frozenset({Reason.WRONG_BARCODE, Reason.NO_BARCODE, Reason.REFUSED_BY_HAND}) | IN_PICTURE
"""Reasons about which a person who looks at the slide can know better."""


def may_release(entry: Entry) -> bool:
    """Tell whether the reason of an entry is one that a person can judge."""
    return entry.reason in JUDGED_BY_A_PERSON


def require_waiting(entry: Entry) -> Reason:
    """Give the reason for which a file waits, or waited before a person judged it.

    Raises
    ------
    InvalidValue
        If it does not wait any more.
    """
    if entry.state not in (WAITS, RELEASED, REFUSED) or entry.reason is None:
        raise InvalidValue("this file does not wait any more: it was taken in; see: coverslip quarantine list")
    return entry.reason


def require_unchanged(entry: Entry) -> None:
    """Make sure that the file is the one that was set aside.

    Raises
    ------
    InvalidValue
        If it changed or is gone.
    """
    if moment_of(entry.path) != entry.moment:
        raise InvalidValue("this is not the file that was set aside: it changed or is gone; ingest it again first")
