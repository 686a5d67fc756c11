"""Take slides in: ``ingest``."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from archive.cli.sentences import ArchiveFolder, out, said
from archive.errors import InvalidValue
from archive.holdings import Recovered
from ingest.cli.places import KeyFile, LimitsOnly, Places, VaultFolder
from ingest.cli.telling import tell_outcome, tell_plan
from ingest.delivery import ColumnMapping, Feed, Row, default_of, feeds_of, match, read_delivery
from ingest.keyvault import KeyVault
from ingest.pipeline.batch import Delivered, Outcome, find_files, ingest_batch
from ingest.pipeline.jailed import PREPARED
from ingest.pipeline.recovery import recover
from ingest.pipeline.slide import Intake
from ingest.sandbox import prepare

REFUSED = 3
"""Exit code when some slides were not taken and the rest were."""

STEPS = ("receive", "recognise", "pixels", "prove", "commit")
WEIGHTS = {"receive": 0.05, "recognise": 0.10, "pixels": 0.15, "prove": 0.60, "commit": 0.90}
"""How far a slide is when a step begins: about the share of time that the steps before it take."""

Paths = Annotated[list[Path], typer.Argument(metavar="PATH...", help="Slides, or folders of slides.")]
ListFile = Annotated[Path, typer.Option("--delivery", help="The delivery list: a CSV with a row for each file.")]
FeedName = Annotated[
    str | None, typer.Option("--feed", help="The feed whose defaults the list has; the default feed unless given.")
]
MappingFile = Annotated[
    Path | None, typer.Option("--mapping", help="TOML that says what your own export calls the columns and words.")
]


@said
def ingest(
    paths: Paths,
    delivery: ListFile,
    archive: ArchiveFolder = Path("coverslip-archive"),
    feed: FeedName = None,
    mapping: MappingFile = None,
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")] = False,
    verify: Annotated[
        Literal["sample", "full"], typer.Option(help="How many tiles other decoders look at: 64 a level, or all.")
    ] = "sample",
    limits_only: LimitsOnly = False,
    receipts: Annotated[
        Path | None, typer.Option(help="Append a receipt for each slide to this file, one JSON object a line.")
    ] = None,
) -> None:
    """Take slides into the archive, coded, without label and name.

    A slide is kept, known already, or refused with a reason; what is refused waits in quarantine, and the rest goes
    on. Source files are never changed. Exit code 0: all are kept; 3: some were refused; 1: nothing could be done.
    """
    prepare(*PREPARED)
    places = Places.of(archive, vault, vault_key)
    _require_there(paths)
    if dry_run and not places.exist:
        tell_plan(_delivered(paths, delivery, mapping, None), limits_only=limits_only)
        return
    _require_writable(receipts)
    if not places.exist:
        _read(delivery, mapping, None)  # a list with faults makes no archive
        places.create()
        out().print(f"A new archive was made. Copy the vault's key file to a safe place: {places.key}", soft_wrap=True)
    with places.opened() as (holdings, keyvault):
        chosen = choose_feed(keyvault, feed)
        if chosen and chosen.is_overdue(date.today()):
            out().print(
                f"[yellow]The feed {chosen.name!r} should have been looked at again by {chosen.review_date}.[/yellow]"
            )
        delivered = _delivered(paths, delivery, mapping, chosen)
        if dry_run:
            tell_plan(delivered, limits_only=limits_only)
            return
        _tell_recovered(recover(holdings, keyvault))
        bar = SlideProgress(len(delivered))
        intake = Intake(
            holdings,
            keyvault,
            every_tile=verify == "full",
            keep_out=places.secret,
            limits_only=limits_only,
            watch=bar.watch,
        )
        with bar.progress:
            outcomes = [bar.ended(one, receipts) for one in ingest_batch(delivered, intake)]
    _summary(outcomes)


def choose_feed(vault: KeyVault, name: str | None) -> Feed | None:
    """Give the feed of that name, or the laboratory's default one.

    Raises
    ------
    InvalidValue
        If there is no feed of that name.
    """
    feeds = feeds_of(vault.declared("feed"))
    if name is None:
        return default_of(feeds)
    if name not in feeds:
        raise InvalidValue("there is no feed of that name; see: coverslip feed list")
    return feeds[name]


def _require_there(paths: Sequence[Path]) -> None:
    for number, path in enumerate(paths, 1):
        if not path.exists():
            raise InvalidValue(f"path {number} of {len(paths)} is not there; check its spelling")


def _require_writable(receipts: Path | None) -> None:
    """Find out before the first slide, and not after it, whether receipts can be written."""
    if receipts is None:
        return
    try:
        receipts.open("a").close()
    except OSError:
        raise InvalidValue("the file of receipts cannot be written; name one in a folder that is there") from None


def _read(delivery: Path, mapping: Path | None, feed: Feed | None) -> tuple[Row, ...]:
    return read_delivery(delivery, ColumnMapping.read(mapping) if mapping else None, feed)


def _delivered(paths: Sequence[Path], delivery: Path, mapping: Path | None, feed: Feed | None) -> list[Delivered]:
    """Read the list, find the files, and put each row to its file."""
    rows = _read(delivery, mapping, feed)
    files = [
        file
        for file in find_files(paths, {row.file.name for row in rows if row.file})
        if file.absolute() != delivery.absolute()
    ]
    matching = match(rows, files, delivery.parent)
    for row in matching.rows_without_file:
        out().print(f"[yellow]row {row.number}:[/yellow] its file is not among those delivered")
    found = [Delivered(file, row, row.facts(feed)) for row, file in matching.pairs]
    return found + [Delivered(file, None) for file in matching.files_without_row]


def _tell_recovered(found: Recovered) -> None:
    if found.taken_up or found.set_aside or found.removed:
        out().print(
            f"An interrupted ingest was put right: {len(found.taken_up)} slides completed, "
            f"{found.removed} half-written ones removed, {found.set_aside} set aside."
        )
    if found.missing:
        out().print(f"[red]{len(found.missing)} scans are in the catalogue but not on the disk.[/red] Is it mounted?")


class SlideProgress:
    """A bar over all slides of a delivery, moving within each slide as its steps and tiles go by."""

    def __init__(self, count: int) -> None:
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.1f} of {task.total:.0f} slides"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=out(),
            transient=True,
        )
        self._task = self.progress.add_task("receive", total=count)
        self._done = 0

    def watch(self, step: str, told: dict[str, int]) -> None:
        """Move the bar."""
        within = WEIGHTS.get(step, 0.0)
        if step == "pixels" and told.get("of"):
            within += (WEIGHTS["prove"] - WEIGHTS["pixels"]) * min(1.0, told["tiles"] / told["of"])
        self.progress.update(self._task, description=f"{step:9}", completed=self._done + within)

    def ended(self, outcome: Outcome, receipts: Path | None) -> Outcome:
        """Tell how a slide ended."""
        self._done += 1
        self.progress.update(self._task, completed=self._done)
        tell_outcome(outcome, self.progress.console)
        if receipts and outcome.receipt:
            with receipts.open("a") as file:
                file.write(json.dumps(outcome.receipt.as_json()) + "\n")
        return outcome


def _summary(outcomes: Sequence[Outcome]) -> None:
    kept = sum(1 for one in outcomes if one.receipt and one.receipt.new)
    known = sum(1 for one in outcomes if one.receipt and not one.receipt.new)
    refused = len(outcomes) - kept - known
    out().print(f"{kept} kept, {known} known already, {refused} refused.")
    if refused:
        out().print("What was refused waits in quarantine: coverslip quarantine list")
        raise typer.Exit(REFUSED)
