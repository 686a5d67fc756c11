"""A delivery: slide after slide. What fails goes to quarantine with its reason, and the rest goes on."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from ingest.errors import SlideRefused
from ingest.pipeline.noting import Arrival, Delivered, Outcome
from ingest.pipeline.slide import Intake, ingest_slide
from ingest.precheck import belongings

__all__ = ["Delivered", "Outcome", "find_files", "ingest_batch"]


def ingest_batch(delivery: Iterable[Delivered], intake: Intake) -> Iterator[Outcome]:
    """Take in one slide after the other; give each one's outcome when it is known.

    Raises
    ------
    ArchiveError
        If archive, vault or disk fail: then nothing that follows could be taken in either.
    """
    for one in delivery:
        arrival = Arrival(one, intake)
        try:
            yield arrival.held() or arrival.kept(ingest_slide(one.path, one.row, one.facts, intake))
        except SlideRefused as refused:
            yield arrival.refused(refused)


def find_files(paths: Sequence[Path], named: Collection[str] = ()) -> list[Path]:
    """List the slides of a delivery: the files named, and all in the folders named, in order of their names.

    A file that belongs to another slide (MIRAX, VMS, Trestle, a DICOM series) is not listed by itself; of a series
    that file stands for the slide whose name is among `named`, or else the first.
    """
    found: dict[Path, None] = {}
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        found.update(dict.fromkeys(file.absolute() for file in files))
    claimed: set[Path] = set()
    for file in sorted(found, key=lambda file: file.name not in named):
        if file not in claimed:
            claimed.update(belongings(file))
    return [file for file in found if file not in claimed]
