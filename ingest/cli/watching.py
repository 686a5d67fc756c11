"""Watch a folder and take in what arrives: ``watch``."""

import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archive.accounts import Action
from archive.cli.proving import Who, actor_of, require_still
from archive.cli.sentences import ArchiveFolder, out, said
from archive.errors import InvalidValue
from ingest.cli.hands import Hands
from ingest.cli.places import KeyFile, LimitsOnly, Places, VaultFolder
from ingest.cli.progress import SlideProgress
from ingest.cli.standing import Teller, tell_view
from ingest.cli.taking_in import REFUSED, FeedName, MappingFile, Screen, choose_feed, outcomes_of
from ingest.delivery import ColumnMapping, Feed
from ingest.pipeline.batch import Delivered
from ingest.pipeline.jailed import PREPARED
from ingest.pipeline.recovery import recover
from ingest.pipeline.slide import Intake
from ingest.pipeline.watching import Settling, View, Watched, Watcher
from ingest.pipeline.watching.settling import SETTLING_SECONDS
from ingest.sandbox import prepare

if TYPE_CHECKING:
    from ingest.scaleout.crew import Crew

EVERY_SECONDS = 5.0
"""Between two looks. One through 10,000 files takes some tenths of a second, on a share some seconds."""

GONE = "[red]The folder cannot be read; is its disk or share there? Waiting for it.[/red]"

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder that slides are copied into.")]
ListElsewhere = Annotated[
    Path | None, typer.Option("--delivery", help="A delivery list that lies elsewhere; those in DIR are read, too.")
]
Settle = Annotated[
    float,
    typer.Option(
        min=0, envvar="COVERSLIP_SETTLE", help="Seconds for which a file must have stayed as it is to be whole."
    ),
]


@said
def watch(
    folder: Folder,
    feed: FeedName = None,
    delivery: ListElsewhere = None,
    mapping: MappingFile = None,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks at the folder.")] = EVERY_SECONDS,
    settle: Settle = SETTLING_SECONDS,
    once: Annotated[bool, typer.Option("--once", help="Take what is whole, show what waits, and end.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try again, once, what waits in quarantine.")] = False,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Slides that are worked on at once.")] = 1,
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    screen: Screen = "now",
    limits_only: LimitsOnly = False,
    who: Who = None,
) -> None:
    """Take in slides as they arrive in a folder, each when it is whole and a list has a row for it.

    Lists are CSV files that are put into the same folder, before the slides or after them. A file is whole when its
    size and time have stayed the same for a while; a slide of several files, when all of them are there. What was taken
    is never taken again, also after a restart: the key vault remembers. Ctrl-C ends it after the slide in hand and
    shows what waits for what. Exit code with --once: 0, or 3 if a slide was refused.

    Where there are accounts, it acts for the account that began it, best by a service's token (coverslip account token
    make), and ends when that may not take slides in any more. A list in which somebody attests something is not taken
    from the folder, but by coverslip ingest, which asks who answers for it.
    """
    prepare(*PREPARED)
    places = Places.of(archive, vault, vault_key)
    _require_folder(folder)
    _require_apart(folder.absolute(), places)
    actor = actor_of(archive, who, Action.INGEST)
    with _alone(folder), places.opened(actor) as (holdings, keyvault):
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
            may_attest=actor is None,
        )
        watcher = Watcher(watched, keyvault, Settling(settle))
        intake = Intake(
            holdings,
            keyvault,
            keep_out=places.secret,
            limits_only=limits_only,
            feed=chosen,
            screen=screen == "now",
        )
        with _until_told() as stop, Hands(workers, None).for_slides(workers) as crew:
            rounds = Rounds(watcher, intake, crew, stop, lambda: require_still(archive, actor, Action.INGEST))
            if once:
                rounds.once(settle)
            else:
                rounds.go_on(every)
        tell_view(watcher.view, out())
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
    crew
        Who works on them; None for this process alone.
    stop
        Set when it shall end; slides in hand are finished.
    require
        Raises where whoever began this may not do it any more.
    """

    def __init__(
        self,
        watcher: Watcher,
        intake: Intake,
        crew: "Crew | None",
        stop: threading.Event,
        require: Callable[[], None],
    ) -> None:
        self.refused = 0
        self._require = require
        self._watcher, self._intake, self._crew, self._stop = watcher, intake, crew, stop
        self._teller = Teller(out())

    def once(self, settle: float) -> None:
        """Look twice, as far apart as a file needs to settle, and take what is ready."""
        self._look()
        self._stop.wait(settle)
        while (view := self._look()).ready or self._watcher.is_reading:
            self._take(view, float("inf"))
            if self._stop.is_set():
                return

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
            self._teller.once(GONE)
            return View()
        self._teller.again(GONE)
        self._teller.tell(view)
        return view

    def _take(self, view: View, until: float) -> None:
        """Take what is ready. The next look comes in time: what is left then is ready at that look, too."""
        if not view.ready:
            return
        self._require()
        of = {one.path: one.of for one in view.ready}
        bar = SlideProgress(len(view.ready))
        intake = replace(self._intake, rows=self._watcher.rows, watch=bar.watch)
        with bar.progress:
            for outcome in outcomes_of(self._supply(view, until), intake, self._crew):
                self._watcher.note(outcome)
                spoken_of = of[outcome.delivered.path]
                if spoken_of and len(view.lists) > 1:
                    bar.progress.console.print(f"{spoken_of.called}:", end=" ")
                bar.ended(outcome)
        self.refused += bar.refused

    def _supply(self, view: View, until: float) -> Iterator[Delivered]:
        for ready in view.ready:
            if self._stop.is_set() or time.monotonic() > until:
                return
            yield self._watcher.delivered(ready)


def _tell_overdue(feed: Feed | None) -> None:
    if feed and feed.is_overdue(date.today()):
        out().print(f"[yellow]The feed {feed.name!r} should have been looked at again by {feed.review_date}.[/yellow]")


def _require_folder(folder: Path) -> None:
    """See that the folder is one; what was typed may be a slide's name, and is not repeated into a service's log."""
    if not folder.is_dir():
        raise InvalidValue("the folder to be watched is not there, or is a file; check its spelling")


def _require_apart(folder: Path, places: Places) -> None:
    """See that there is an archive, and that nobody watches its own files."""
    if not places.exist:
        raise InvalidValue("there is no archive here yet; make one with: coverslip init")
    own = (places.archive, places.vault, places.key)
    if any(folder.resolve() in (path.resolve(), *path.resolve().parents) for path in own):
        raise InvalidValue("archive, key vault or key lie in this folder; watch one that only slides are put into")


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
