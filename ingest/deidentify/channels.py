"""A file's channels may be named after anybody, so a name is kept only if it is a term of a published list."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.profiles.channel_names import channel_term

WHEEL = ("00FF00", "FF0000", "0000FF", "FFFF00", "FF00FF", "00FFFF", "FF8000", "808080")
"""Colours of channels of which neither file nor list tells one, in turn."""

BLACK = "000000"
"""A colour that shows nothing; programs write it where they know none."""


@dataclass(frozen=True, slots=True)
class NamedChannel:
    """A channel's name, a listed term or ``channel 2``, and its colour as six hexadecimal digits."""

    name: str
    colour: str


def name_channels(said: Sequence[tuple[str, str | None]]) -> tuple[NamedChannel, ...]:
    """Name a file's channels.

    Parameters
    ----------
    said
        Of each channel what the file calls it, untrusted, and the colour that it tells, if any.
    """
    return tuple(_named(number, text, colour) for number, (text, colour) in enumerate(said))


def _named(number: int, text: str, colour: str | None) -> NamedChannel:
    term = channel_term(text)
    name, usual = term or (f"channel {number + 1}", WHEEL[number % len(WHEEL)])
    return NamedChannel(name, usual if colour in (None, BLACK) else str(colour))
