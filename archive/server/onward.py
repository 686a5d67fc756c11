"""Whoever had to sign in first goes on to the page they asked for: one of the server's own, and nowhere else."""

import re
from typing import Final
from urllib.parse import quote

from archive.accounts import Action, Actor

_OWN: Final = re.compile(r"/|/(collections|slides)/[0-9A-Za-z_-]{1,64}")
"""Pages that somebody may be sent on to."""


def own(onward: str) -> str:
    """Give a page of the server's own; the first one instead of anything else."""
    return onward if _OWN.fullmatch(onward) else "/"


def next_of(actor: Actor | None, onward: str) -> str:
    """Say where somebody goes who is in: to choose a role first, and from there on, where that is still to be done."""
    onward = own(onward)
    if actor is None:
        return "/role" if onward == "/" else f"/role?next={quote(onward, safe='')}"
    return onward if actor.may(Action.SEE_COLLECTIONS) else "/role"
