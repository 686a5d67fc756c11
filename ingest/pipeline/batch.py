"""A delivery: slide after slide. What fails goes to quarantine with its reason, and the rest goes on."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archive.consent import Facts
from ingest.delivery import Row
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.receipt import Receipt
from ingest.pipeline.slide import Intake, ingest_slide
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


def find_files(paths: Sequence[Path]) -> list[Path]:
    """List the files of a delivery: those named, and all in the folders named, in order of their names.

    Companions of multi-file slides lie in folders of their own and are found through their main file.
    """
    found: dict[Path, None] = {}
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        found.update(dict.fromkeys(files))
    return list(found)
