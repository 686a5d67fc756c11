"""Look at a delivered file: its structure is checked, it is digested, and a reader in the jail tells what is in it.

Nothing is written, and nothing needs to be known of the slide but where its file lies, so this can be done anywhere
that sees the file.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ingest.pipeline.answers import Description
from ingest.pipeline.jailed import describe
from ingest.pipeline.source import Source

Watch = Callable[[str, dict[str, Any]], None]
"""Told the name of each step when it begins, and how far the pixels are: ``("pixels", {"tiles": 512})``."""


def nobody(step: str, progress: dict[str, Any]) -> None:
    """Watch nothing."""


@dataclass(frozen=True)
class Looked:
    """A region of a file as it was found. The file's paths, its own words and its label's barcodes are identifiers."""

    source: Source = field(repr=False)
    found: Description = field(repr=False)


def look(
    path: Path, *, limits_only: bool = False, keep_out: tuple[Path, ...] = (), watch: Watch = nobody
) -> tuple[Looked, ...]:
    """Look at a file: at each region of the glass that it holds, in the file's own order; in most formats at one.

    Parameters
    ----------
    path : Path
        The scanner's file.
    limits_only : bool
        Whether it is trusted enough to be read where the system has no walls for its reader.
    keep_out : tuple of Path
        Folders that the reader must have no way into.
    watch : callable
        Told of each step.

    Raises
    ------
    SlideRefused
        If it is not a slide that can be read.
    """
    watch("receive", {})
    source = Source.receive(path, limits_only=limits_only)
    watch("recognise", {})
    with source.unchanged(), source.jail(keep_out=keep_out) as jail:
        first = Description.from_json(jail.call(describe, str(source.path)))
        others = [
            Looked(replace(source, region=region), Description.from_json(jail.call(describe, str(source.path), region)))
            for region in range(1, first.regions)
        ]
    return Looked(source, first), *others
