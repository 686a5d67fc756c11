"""The label of a slide that no row names is read before anything else is done with it."""

from contextlib import suppress
from pathlib import Path

from ingest.errors import SlideRefused
from ingest.pipeline.answers import Description
from ingest.pipeline.jailed import describe
from ingest.pipeline.source import Source
from ingest.precheck import parts, precheck
from ingest.quarantine.moment import Moment

AT_ONCE = 40
"""Labels that are read in one go, in some seconds: a folder of thousands must not hold up what is ready."""


class Labels:
    """What the labels of slides say; each is read once, as long as its file stays as it is."""

    def __init__(self, keep_out: tuple[Path, ...], *, limits_only: bool) -> None:
        self._keep_out, self._limits_only = keep_out, limits_only
        self._read: dict[Path, tuple[Moment | None, tuple[str, ...]]] = {}
        self._left = AT_ONCE

    @property
    def are_left(self) -> bool:
        """Whether labels were left to be read the next time."""
        return self._left < 0

    def begin(self) -> None:
        """Begin to read some more."""
        self._left = AT_ONCE

    def of(self, path: Path, moment: Moment | None) -> tuple[str, ...]:
        """Give what the label of a slide says; nothing if it cannot be read, or is left for the next time."""
        known = self._read.get(path)
        if known is None or known[0] != moment:
            self._left -= 1
            if self._left < 0:
                return ()
            barcodes: tuple[str, ...] = ()
            with suppress(SlideRefused, OSError):  # it has no row, so nobody is told of it
                barcodes = labels_of(path, keep_out=self._keep_out, limits_only=self._limits_only)
            known = self._read[path] = moment, barcodes
        return known[1]


def labels_of(path: Path, *, keep_out: tuple[Path, ...] = (), limits_only: bool = False) -> tuple[str, ...]:
    """Read the barcodes of a slide's label, in the jail, without digesting the whole file.

    Raises
    ------
    SlideRefused
        If the file is no slide that can be read.
    """
    family, files = precheck(path), tuple(file.absolute() for file in parts(path))
    size_bytes = sum(file.stat().st_size for file in files)
    source = Source(family, files, b"", size_bytes, (), limits_only)
    with source.jail(keep_out=keep_out) as jail:
        return Description.from_json(jail.call(describe, str(source.path))).barcodes
