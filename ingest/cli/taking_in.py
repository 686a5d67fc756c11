"""Take slides in: ``ingest``."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from archive.accounts import Action, Actor
from archive.cli.proving import Who, actor_of, in_person
from archive.cli.sentences import ArchiveFolder, out, said
from archive.errors import InvalidValue
from ingest.cli.hands import MANY, Authority, Certificate, Hands, PrivateKey
from ingest.cli.places import KeyFile, LimitsOnly, Places, VaultFolder
from ingest.cli.progress import STEPS, SlideProgress, stop_on_interrupt
from ingest.cli.telling import tell_plan, tell_recovered
from ingest.delivery import ColumnMapping, Feed, Row, default_of, feeds_of, match, read_delivery
from ingest.keyvault import KeyVault
from ingest.pipeline.batch import Delivered, Outcome, find_files, ingest_batch
from ingest.pipeline.expecting import expect_rows
from ingest.pipeline.jailed import PREPARED
from ingest.pipeline.own_word import SECOND_WORD, require_own_word
from ingest.pipeline.recovery import recover
from ingest.pipeline.slide import Intake
from ingest.sandbox import prepare

if TYPE_CHECKING:
    from ingest.scaleout.crew import Crew

__all__ = ["STEPS", "SlideProgress", "choose_feed", "ingest"]

REFUSED, INTERRUPTED = 3, 130
"""Exit codes when some slides were not taken and the rest were; and when somebody ended it before its end."""

Paths = Annotated[list[Path], typer.Argument(metavar="PATH...", help="Slides, or folders of slides.")]
ListFile = Annotated[Path, typer.Option("--delivery", help="The delivery list: a CSV with a row for each file.")]
FeedName = Annotated[
    str | None, typer.Option("--feed", help="The feed whose defaults the list has; the default feed unless given.")
]
MappingFile = Annotated[
    Path | None, typer.Option("--mapping", help="TOML that says what your own export calls the columns and words.")
]

Screen = Annotated[
    Literal["now", "later"],
    typer.Option(
        "--screen",
        envvar="COVERSLIP_SCREEN",
        help="Look for writing, barcodes and stickers in the pixels before a slide is kept, or later, with rescreen; "
        "until then nobody can be taught with it.",
    ),
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
        Literal["sample", "full"], typer.Option(help="How many tiles other decoders look at: up to 64 a level, or all.")
    ] = "sample",
    screen: Screen = "now",
    limits_only: LimitsOnly = False,
    receipts: Annotated[
        Path | None, typer.Option(help="Append a receipt for each slide to this file, one JSON object a line.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=256, help=f"Slides at once; one, or from {MANY} slides on one for each core."),
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Use the workers of this dask scheduler: tls://machine:8786")
    ] = None,
    tls_ca: Authority = None,
    tls_cert: Certificate = None,
    tls_key: PrivateKey = None,
    who: Who = None,
) -> None:
    """Take slides into the archive, coded, without label and name.

    A slide is kept, known already, or refused with a reason; what is refused waits in quarantine, and the rest goes
    on. A slide on which something is written waits there, too: a person looks at the place, and has it made black or
    releases the slide. Source files are never changed. The same command again does only what is left. Exit code 0: all
    are kept; 3: some were refused; 130: Ctrl-C ended it after the slides in hand; 1: nothing could be done. Where there
    are accounts, a list in which somebody attests something is taken in by a person, and not by a service's token.
    """
    prepare(*PREPARED)
    places = Places.of(archive, vault, vault_key)
    _require_there(paths)
    actor = actor_of(archive, who, Action.INGEST)
    if dry_run and not places.exist:
        tell_plan(_delivered(paths, delivery, mapping, None).files, limits_only=limits_only)
        return
    _require_writable(receipts)
    if not places.exist:
        _read(delivery, mapping, None)  # a list with faults makes no archive
        places.create()
        out().print(f"A new archive was made. Copy the vault's key file to a safe place: {places.key}", soft_wrap=True)
    with places.opened(actor) as (holdings, keyvault):
        chosen = choose_feed(keyvault, feed)
        if chosen and chosen.is_overdue(date.today()):
            out().print(
                f"[yellow]The feed {chosen.name!r} should have been looked at again by {chosen.review_date}.[/yellow]"
            )
        found = _delivered(paths, delivery, mapping, chosen)
        if dry_run:
            tell_plan(found.files, limits_only=limits_only)
            return
        _require_answered_for(found.rows, places.archive, actor)
        tell_recovered(recover(holdings, keyvault))
        feed_name = chosen.name if chosen else None
        expect_rows(keyvault, found.rows, found.arrived, delivery, feed_name)
        bar = SlideProgress(len(found.files))
        intake = Intake(
            holdings,
            keyvault,
            every_tile=verify == "full",
            keep_out=places.secret,
            limits_only=limits_only,
            watch=bar.watch,
            rows=found.rows,
            feed=chosen,
            screen=screen == "now",
        )
        hands = Hands(workers, scheduler, tls_ca, tls_cert, tls_key)
        with hands.for_slides(len(found.files)) as crew, stop_on_interrupt() as stop, bar.progress:
            for outcome in outcomes_of(stop.before(found.files), intake, crew):
                bar.ended(outcome, receipts)
                if named := _named_by_label(outcome, found.rows):
                    expect_rows(keyvault, [named], {named.number}, delivery, feed_name)
    _summary(bar, interrupted=stop.asked, looked=screen == "now")


def outcomes_of(delivered: Iterable[Delivered], intake: Intake, crew: "Crew | None") -> Iterator[Outcome]:
    """Take slides in with whoever works on them, and give each one's outcome when it is known."""
    if crew is None:
        return ingest_batch(delivered, intake)
    from ingest.scaleout.many import ingest_many

    return ingest_many(delivered, intake, crew)


def _named_by_label(outcome: Outcome, rows: Iterable[Row]) -> Row | None:
    """Give the row that only the label of a slide told of, so that it is no longer missing."""
    if outcome.receipt is None or outcome.delivered.row is not None:
        return None
    return next((row for row in rows if row.number == outcome.receipt.row_number), None)


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


def _require_answered_for(rows: Sequence[Row], archive: Path, actor: Actor | None) -> None:
    """Have somebody answer for what a list says that people attest; a plain list needs nobody."""
    if any(row.stated.second_person for row in rows):
        require_own_word(archive, [SECOND_WORD])
    if any(row.evidence for row in rows):
        in_person(actor)


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


@dataclass(frozen=True)
class _Found:
    """What was delivered: the files, each with its row, and all rows of the list."""

    files: list[Delivered]
    rows: tuple[Row, ...]

    @property
    def arrived(self) -> set[int]:
        """The numbers of the rows whose files are there."""
        return {one.row.number for one in self.files if one.row}


def _delivered(paths: Sequence[Path], delivery: Path, mapping: Path | None, feed: Feed | None) -> _Found:
    """Read the list, find the files, and put each row to its file."""
    rows = _read(delivery, mapping, feed)
    named = {row.file.name for row in rows if row.file}
    files = [file for file in find_files(paths, named) if file.absolute() != delivery.absolute()]
    matching = match(rows, files, delivery.parent)
    for row in matching.rows_without_file:
        out().print(f"[yellow]row {row.number}:[/yellow] its file is not among those delivered")
    found = [Delivered(file, row, row.facts(feed)) for row, file in matching.pairs]
    return _Found(found + [Delivered(file, None) for file in matching.files_without_row], rows)


def _summary(bar: SlideProgress, *, interrupted: bool, looked: bool) -> None:
    if bar.kept > 1:
        out().print(f"The pace was {bar.pace}.")
    out().print(f"{bar.kept} kept, {bar.known} known already, {bar.refused} refused.")
    if bar.kept and not looked:
        out().print("Nobody looked for writing in their pixels yet, and nobody can teach with them: coverslip rescreen")
    if bar.refused:
        out().print("What was refused waits in quarantine: coverslip quarantine list")
    if interrupted:
        out().print("Ended before all slides were taken. The same command goes on with what is left.")
        raise typer.Exit(INTERRUPTED)
    if bar.refused:
        raise typer.Exit(REFUSED)
