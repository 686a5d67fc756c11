"""The story of one slide once more, with each part done where it can be done; and many such stories at once."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from archive.errors import ArchiveError
from archive.holdings import StagedScan
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.noting import Arrival, Delivered, Outcome
from ingest.pipeline.receipt import Receipt, receipt_of_file
from ingest.pipeline.slide import Admitted, Intake, admit, commit
from ingest.sandbox import require_apart
from ingest.scaleout.bench import UNSEEN, LookOrder, Probe, Unseen, look_at, make_of
from ingest.scaleout.crew import Crew
from ingest.scaleout.dispatch import Dispatch, Here, Story, There, WorkerDied

TRIES = 2
"""A worker may die of something else than the slide; twice is no chance."""


def ingest_many(delivery: Iterable[Delivered], intake: Intake, crew: Crew) -> Iterator[Outcome]:
    """Take in many slides at once; give each one's outcome when it is known, in no order.

    Parameters
    ----------
    delivery : iterable of Delivered
        It is asked for the next file only when there is somebody to work on it, and may wait.
    intake : Intake
        Where they go.
    crew : Crew
        Who does the work; see `ingest.scaleout.crew`.

    Raises
    ------
    ArchiveError
        If archive, vault, disk or the whole crew fail: then nothing that follows could be taken in either.
    """
    with intake.archive.stage() as shared:
        crew.get_ready(Probe.lay(shared.notes))
        yield from Dispatch(crew).run(_story(one, intake, crew) for one in delivery)


def _story(one: Delivered, intake: Intake, crew: Crew) -> Story:
    arrival = Arrival(one, intake)
    try:
        held: Outcome | None = yield Here(arrival.held)
        if held is not None:
            return held
        receipt: Receipt = yield from _taken(one, intake, crew)
    except SlideRefused as refused:
        outcome: Outcome = yield Here(partial(arrival.refused, refused))
        return outcome
    kept: Outcome = yield Here(partial(arrival.kept, receipt))
    return kept


def _taken(one: Delivered, intake: Intake, crew: Crew) -> Any:
    """Take a file in: all its regions are made before the first is committed."""
    keep_out = intake.keep_out if crew.is_here else ()  # elsewhere these folders are not, and nobody learns of them
    with ExitStack() as stages:
        commits = []
        for looked in (yield from _tried(partial(_looked_at, one, intake, keep_out))):
            admitted = yield Here(partial(admit, looked, one.row, one.facts, intake))
            commits.append((yield from _tried(partial(_made, admitted, stages, intake, keep_out))))
        receipts = []
        for commit_one in commits:
            receipts.append((yield Here(commit_one)))
    return receipt_of_file(receipts)


def _tried(part: Callable[[], Any]) -> Any:
    for _ in range(TRIES):
        with suppress(WorkerDied):
            return (yield from part())
    raise SlideRefused(Reason.READER_CRASHED)


def _looked_at(one: Delivered, intake: Intake, keep_out: tuple[Path, ...]) -> Any:
    regions = yield There(look_at, LookOrder(one.path, intake.limits_only, keep_out))
    if isinstance(regions, Unseen):
        raise _unseen(one)
    require_apart(intake.keep_out, regions[0].source.files)
    return regions


def _made(admitted: Admitted | Receipt, stages: ExitStack, intake: Intake, keep_out: tuple[Path, ...]) -> Any:
    """Have a scan made, unless it is held; give what commits it."""
    if isinstance(admitted, Receipt):
        return lambda: admitted
    staged = intake.archive.stage()
    stages.callback(_discard, staged)
    order = yield Here(partial(admitted.order, staged, intake))
    made = yield There(make_of, replace(order, keep_out=keep_out, one_core=True), begun=True)
    return partial(commit, admitted, staged, made, intake)


def _unseen(one: Delivered) -> ArchiveError:
    return ArchiveError(UNSEEN) if one.path.exists() else SlideRefused(Reason.UNREADABLE_FILE)


def _discard(staged: StagedScan) -> None:
    """Remove what was not committed; a worker that was lost may still write there, and recovery will see to it."""
    with suppress(ArchiveError):
        staged.discard()
