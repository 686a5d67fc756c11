"""Watch a folder and take in what arrives: ``watch``."""

import fcntl
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from archive.cli.sentences import ArchiveFolder, out, said
from archive.errors import InvalidValue
from ingest.cli.places import KeyFile, LimitsOnly, Places, VaultFolder
from ingest.cli.taking_in import REFUSED, FeedName, MappingFile, choose_feed
from ingest.cli.telling import tell_outcome
from ingest.delivery import ColumnMapping, Feed
from ingest.pipeline.batch import Delivered, Outcome, ingest_batch
from ingest.pipeline.jailed import PREPARED
from ingest.pipeline.recovery import recover
from ingest.pipeline.slide import Intake
from ingest.pipeline.watching import Settling, Stand, Standing, View, Watched, Watcher
from ingest.pipeline.watching.settling import SETTLING_SECONDS
from ingest.pipeline.watching.standing import rows_named
from ingest.sandbox import prepare

EVERY_SECONDS = 5.0
"""Between two looks. One through 10,000 files takes some tens of milliseconds, on a share some seconds."""

MOST_NAMED = 8
"""Rows or entries that a line of the table names; the report names all."""

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="The folder that slides are copied into.")
]


@said
def watch(
    folder: Folder,
    feed: FeedName = None,
    delivery: Annotated[
        Path | None, typer.Option("--delivery", help="A delivery list that lies elsewhere; those in DIR are read, too.")
    ] = None,
    mapping: MappingFile = None,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks at the folder.")] = EVERY_SECONDS,
    settle: Annotated[
        float,
        typer.Option(
            min=0, envvar="COVERSLIP_SETTLE", help="Seconds for which a file must have stayed as it is to be whole."
        ),
    ] = SETTLING_SECONDS,
    once: Annotated[bool, typer.Option("--once", help="Take what is whole, show what waits, and end.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try again, once, what waits in quarantine.")] = False,
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    limits_only: LimitsOnly = False,
) -> None:
    """Take in slides as they arrive in a folder, each when it is whole and a list has a row for it.

    Lists are CSV files that are put into the same folder, before the slides or after them. A file is whole when its
    size and time have stayed the same for a while; a slide of several files, when all of them are there. What was taken
    is never taken again, also after a restart: the key vault remembers. Ctrl-C ends it after the slide in hand and
    shows what waits for what. Exit code with --once: 0, or 3 if a slide was refused.
    """
    prepare(*PREPARED)
    places = Places.of(archive, vault, vault_key)
    if not places.exist:
        raise InvalidValue("there is no archive here yet; make one with: coverslip init")
    with _alone(folder), places.opened() as (holdings, keyvault):
        chosen = choose_feed(keyvault, feed)
        _tell_overdue(chosen)
        recover(holdings, keyvault)
        watched = Watched(
            folder.absolute(),
            delivery,
            ColumnMapping.read(mapping) if mapping else None,
            chosen,
            keep_out=places.secret,
            limits_only=limits_only,
            retry=retry,
        )
        intake = Intake(holdings, keyvault, keep_out=places.secret, limits_only=limits_only, feed=chosen)
        with _until_told() as stop:
            rounds = Rounds(Watcher(watched, keyvault, Settling(settle)), intake, stop)
            if once:
                rounds.once(settle)
            else:
                rounds.go_on(every)
        tell_view(rounds.view)
    if once and rounds.refused:
        raise typer.Exit(REFUSED)


class Rounds:
    """Looks at a folder again and again, takes what is ready, and tells what changed.

    Parameters
    ----------
    watcher
        Knows the folder.
    intake
        Where slides go.
    stop
        Set when it shall end; the slide in hand is finished.
    """

    def __init__(self, watcher: Watcher, intake: Intake, stop: threading.Event) -> None:
        self.refused = 0
        self._watcher, self._intake, self._stop = watcher, intake, stop
        self._told: set[str] = set()
        self._summary = ""

    @property
    def view(self) -> View:
        """How everything stands."""
        return self._watcher.view

    def once(self, settle: float) -> None:
        """Look twice, as far apart as a file needs to settle, and take what is ready."""
        self._look()
        self._stop.wait(settle)
        self._take(self._look(), time.monotonic() + threading.TIMEOUT_MAX)
        self._look()

    def go_on(self, every: float) -> None:
        """Look and take until told to end."""
        while not self._stop.is_set():
            next_look = time.monotonic() + every
            self._take(self._look(), next_look)
            self._stop.wait(max(0.0, next_look - time.monotonic()))

    def _look(self) -> View:
        try:
            view = self._watcher.look()
        except OSError:
            self._tell_once("[red]The folder cannot be read; is its disk or share there? Waiting for it.[/red]")
            return View()
        self._tell_changes(view)
        return view

    def _take(self, view: View, until: float) -> None:
        """Take what is ready. The next look comes in time: what is left then is ready at that look, too."""
        by_path = {one.path: one for one in view.ready}
        intake = replace(self._intake, rows=self._watcher.rows)
        for outcome in ingest_batch(self._supply(view, until), intake):
            self._watcher.note(outcome)
            self.refused += outcome.receipt is None
            self._tell_outcome(by_path[outcome.delivered.path], outcome)

    def _supply(self, view: View, until: float) -> Iterator[Delivered]:
        for ready in view.ready:
            if self._stop.is_set() or time.monotonic() > until:
                return
            yield self._watcher.delivered(ready)

    def _tell_outcome(self, standing: Standing, outcome: Outcome) -> None:
        if standing.of and len(self.view.lists) != 1:
            out().print(f"{standing.of.called}:", end=" ")
        tell_outcome(outcome, out())

    def _tell_changes(self, view: View) -> None:
        for one in view.lists:
            count = f"{len(one.rows):,} row{'s' if len(one.rows) != 1 else ''}"
            faults = f"{len(one.faults):,} fault{'s' if len(one.faults) != 1 else ''}; correct it and save it again"
            self._tell_once(f"{one.called}: {faults if one.faults else count}", of=str(one.moment))
            for fault in one.faults:
                self._tell_once(f"[yellow]{one.called}: {escape(fault)}[/yellow]", of=str(one.moment))
        for one, fault in view.faults:
            self._tell_once(f"[yellow]{one.called}: {escape(fault)}[/yellow]", of=str(one.moment))
        if view.summary != self._summary:
            self._summary = view.summary
            out().print(f"[dim]{time.strftime('%H:%M:%S')}[/dim]  {view.summary}", soft_wrap=True)

    def _tell_once(self, line: str, of: str = "") -> None:
        if line + of not in self._told:
            self._told.add(line + of)
            out().print(line, soft_wrap=True)


def tell_view(view: View) -> None:
    """Show how everything stands: what there is of what, and which rows and entries it is, never a name."""
    table = Table("", "", "which", box=None, pad_edge=False, show_header=False)
    for stand in Stand:
        found = view.of(stand)
        if found and stand is not Stand.ARRIVES:
            table.add_row(f"{len(found):,}", f"slide{'s' if len(found) != 1 else ''} {stand}", _which(found))
    arriving = view.arriving + len(view.of(Stand.ARRIVES))
    if arriving:
        table.add_row(f"{arriving:,}", f"file{'s' if arriving != 1 else ''} still arriving", "")
    if view.awaited:
        count = len(view.awaited)
        what = "rows waiting for their files" if count != 1 else "row waiting for its file"
        table.add_row(f"{count:,}", what, rows_named(view.awaited, MOST_NAMED))
    if view.others:
        table.add_row(f"{view.others:,}", f"other file{'s' if view.others != 1 else ''}, no slide", "")
    out().print(table if table.row_count else "Nothing is there.")


def _which(found: tuple[Standing, ...]) -> str:
    if found[0].stand in (Stand.DONE, Stand.READY):
        return ""
    called = [one.called for one in found if one.called]
    more = len(called) - MOST_NAMED
    return ", ".join(called[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _tell_overdue(feed: Feed | None) -> None:
    if feed and feed.is_overdue(date.today()):
        out().print(f"[yellow]The feed {feed.name!r} should have been looked at again by {feed.review_date}.[/yellow]")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """See that nobody else watches the folder on this machine; where a share has no locks, nobody can tell."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidValue("this folder is watched already, by another coverslip watch") from None
        except OSError:
            pass
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _until_told() -> Iterator[threading.Event]:
    """Give an event that is set when somebody asks for an end; whoever asks twice gets it at once."""
    stop, signals = threading.Event(), (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in signals}

    def end(number: int, frame: object) -> None:
        del frame
        stop.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in signals:
        signal.signal(number, end)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
