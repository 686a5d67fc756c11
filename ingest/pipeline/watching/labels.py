"""The label of a slide that no row names is read before anything else is done with it."""

from pathlib import Path

from ingest.pipeline.answers import Description
from ingest.pipeline.jailed import describe
from ingest.pipeline.source import Source
from ingest.precheck import parts, precheck


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
