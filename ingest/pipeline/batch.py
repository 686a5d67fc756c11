"""A delivery: slide after slide. What fails goes to quarantine with its reason, and the rest goes on."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from archive.consent import Facts
from ingest.delivery import Row
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.receipt import Receipt
from ingest.pipeline.slide import Intake, ingest_slide
from ingest.precheck import parts
from ingest.quarantine import Quarantine


@dataclass(frozen=True)
class Delivered:
    """A file with its row and the facts that row and feed tell; without them if the list has no row for it."""

    path: Path = field(repr=False)
    row: Row | None = field(repr=False)
    facts: Facts | None = None

    @property
    def called(self) -> str:
        """What to call it on the screen: its row in the list, never its name."""
        return f"row {self.row.number}" if self.row else "a file without a row"


@dataclass(frozen=True)
class Outcome:
    """How a file ended: with a receipt, or refused for a reason."""

    delivered: Delivered
    receipt: Receipt | None = None
    reason: Reason | None = None


def ingest_batch(delivery: Iterable[Delivered], intake: Intake, quarantine: Quarantine) -> Iterator[Outcome]:
    """Take in one slide after the other; give each one's outcome when it is known.

    Raises
    ------
    ArchiveError
        If archive, vault or disk fail: then nothing that follows could be taken in either.
    """
    for one in delivery:
        try:
            if one.row is None or one.facts is None:
                raise SlideRefused(Reason.NO_ROW)
            receipt = ingest_slide(one.path, one.row, one.facts, intake)
        except SlideRefused as refused:
            quarantine.set_aside(one.path, refused.reason)
            yield Outcome(one, reason=refused.reason)
        else:
            quarantine.release(one.path)
            yield Outcome(one, receipt=receipt)


def find_files(paths: Sequence[Path], named: Collection[str] = ()) -> list[Path]:
    """List the slides of a delivery: the files named, and all in the folders named, in order of their names.

    A file that is a part of another slide (of a MIRAX or VMS slide, or of a DICOM series) is not listed by itself; of
    a series that file stands for the slide whose name is among `named`, or else the first.
    """
    found: dict[Path, None] = {}
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        found.update(dict.fromkeys(file.absolute() for file in files))
    claimed: set[Path] = set()
    for file in sorted(found, key=lambda file: file.name not in named):
        if file not in claimed:
            claimed.update(_other_parts(file))
    return [file for file in found if file not in claimed]


def _other_parts(file: Path) -> Iterator[Path]:
    with suppress(SlideRefused):  # it will be refused in its turn, with the reason
        yield from (part.absolute() for part in parts(file)[1:])
