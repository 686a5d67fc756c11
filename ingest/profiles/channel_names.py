"""A channel's name is free text, so only a term of a published list is ever kept, in the list's own spelling."""

import re
import tomllib
from functools import cache
from importlib.resources import files

_BETWEEN = re.compile(r"[\s_-]+")
_TWO = re.compile(r"([^()]{1,48})\(([^()]{1,48})\)")
"""A marker and its dye, in either order: ``CD8 (Opal 520)``."""

LONGEST = 96
"""Characters. Whatever is longer is no term."""


@cache
def channel_colours() -> dict[str, str]:
    """Give every term by its name, and its colour as six hexadecimal digits."""
    groups = tomllib.loads((files("ingest.profiles") / "channels.toml").read_text(encoding="utf-8"))
    return {name: str(colour) for names in groups.values() for name, colour in names.items()}


@cache
def _by_spelling() -> dict[str, str]:
    return {_folded(name): name for name in channel_colours()}


def _folded(text: str) -> str:
    return _BETWEEN.sub("", text).casefold()


def channel_term(text: str) -> tuple[str, str] | None:
    """Give a term and its colour, such as ``("DAPI", "0000FF")``; None where the text is none of the list's.

    Of a marker with its dye it is both, in the colour of the first.
    """
    if len(text) > LONGEST:
        return None
    known = _by_spelling()
    if whole := known.get(_folded(text)):
        return whole, channel_colours()[whole]
    both = _TWO.fullmatch(text.strip())
    terms = [known.get(_folded(part)) for part in both.groups()] if both else []
    if len(terms) != 2 or None in terms or terms[0] == terms[1]:
        return None
    return f"{terms[0]} ({terms[1]})", channel_colours()[str(terms[0])]
