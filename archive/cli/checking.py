"""Read again what is kept: ``check``."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from archive.accounts import Action, Actor
from archive.amounts import bytes_told, counted
from archive.cli.checking_bar import Bar
from archive.cli.proving import Who, actor_of, signed
from archive.cli.sentences import ArchiveFolder, AsJson, out, said
from archive.errors import InvalidValue
from archive.holdings import Archive
from archive.holdings.checking.faults import Fault
from archive.holdings.checking.repairing import Repair, Repaired
from archive.holdings.checking.rounds import OVERDUE_DAYS, Rounds
from archive.holdings.checking.running import Plan, Progress, scan_sizes
from archive.holdings.checking.whole import ArchiveCheck
from archive.settings import ArchiveSettings

FOUND = 4
"""Exit code when faults were found; all of them were told."""

STOPPED = 5
"""Exit code when time was up before everything was read, and no fault was found until then."""

LISTED = 20
"""Codes of overdue scans that are told; the rest is told as a number."""

Subset = Annotated[
    str, typer.Option("--subset", metavar="1/N", help="Read the part of the scans that was read longest ago.")
]
MaxDuration = Annotated[
    str | None,
    typer.Option(
        "--max-duration", metavar="2h", help="Stop after so long (30s, 45m, 2h, 1h30m); the next run goes on."
    ),
]
NoMark = Annotated[bool, typer.Option("--no-mark", help="Do not mark damaged scans; they go on being shown.")]
Status = Annotated[bool, typer.Option("--status", help="Read nothing; tell what was read when, and what is overdue.")]
DoRepair = Annotated[bool, typer.Option("--repair", help="Repair marked scans from a good copy that you name.")]
From = Annotated[
    Path | None, typer.Option("--from", metavar="BACKUP", help="With --repair: folder of a second copy of the archive.")
]

_SHARE = re.compile(r"1/([1-9]\d{0,5})")
_DURATION = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,4})m)?(?:(\d{1,5})s)?")


@said
def check(
    archive: ArchiveFolder = Path("coverslip-archive"),
    subset: Subset = "1/1",
    max_duration: MaxDuration = None,
    no_mark: NoMark = False,
    repair: DoRepair = False,
    backup: From = None,
    status: Status = False,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Read everything that is kept again, and tell every fault: what, where, expected, found.

    A scan that is not what was stored is marked, and from then on shown to nobody. A check that was stopped goes on
    when the same command is run again.

    Exit code 0: no fault; 4: faults were found, and all are told; 5: time was up, run the same command again; 1: it
    could not be checked.
    """
    settings, actor = ArchiveSettings(archive=archive), actor_of(archive, who, Action.CHECK_ARCHIVE)
    if status:
        tell_status(settings, as_json=as_json)
    elif repair or backup is not None:
        copy = named_copy(repair, backup)
        tell_repairs(settings, lambda work: work.from_copy(copy), actor, as_json=as_json)
    else:
        tell_check(settings, plan_of(subset, max_duration, no_mark), actor, as_json=as_json)


def plan_of(subset: str, max_duration: str | None, no_mark: bool) -> Plan:
    """Read what a check is to do from its options.

    Raises
    ------
    InvalidValue
        If the part or the duration is none.
    """
    share = _SHARE.fullmatch(subset)
    if share is None:
        raise InvalidValue("a part is written as 1/30, for the thirtieth that was read longest ago")
    return Plan(int(share[1]), None if max_duration is None else _seconds(max_duration), not no_mark)


def _seconds(duration: str) -> float:
    match = _DURATION.fullmatch(duration.strip())
    seconds = (
        sum(int(number or 0) * unit for number, unit in zip(match.groups(), (3600, 60, 1), strict=True)) if match else 0
    )
    if not seconds:
        raise InvalidValue("a duration is written as 30s, 45m, 2h or 1h30m")
    return seconds


def named_copy(repair: bool, backup: Path | None) -> Path:
    """Give the copy to repair from.

    Raises
    ------
    InvalidValue
        If there is none, or nobody asked for a repair.
    """
    if backup is None:
        raise InvalidValue("nothing is repaired but from a good copy; name one: --repair --from BACKUP")
    if not repair:
        raise InvalidValue("--from names a copy to repair from; say --repair too")
    return backup


def tell_check(
    settings: ArchiveSettings,
    plan: Plan,
    actor: Actor | None,
    *,
    as_json: bool,
    first: Callable[[], Iterable[Fault]] = tuple,
) -> None:
    """Run a check, tell every fault as it is found, and end the program with the exit code.

    Parameters
    ----------
    settings, plan
        What is checked, and how much of it.
    actor
        Who checks, where the archive has accounts.
    as_json
        One JSON object a line, and nothing else.
    first
        What else is checked, before the archive.
    """
    progress = Progress()
    running = ArchiveCheck(settings, plan, progress, **signed(actor, "check"))
    with Bar(progress, shown=not as_json) as bar:
        for fault in _all(first, running, progress):
            bar.tell(json.dumps(fault.as_json()) if as_json else f"{fault}")
    if not as_json:
        _summary(running, progress)
    if progress.faults:
        raise typer.Exit(FOUND)
    if running.checked.left:
        raise typer.Exit(STOPPED)


def _all(first: Callable[[], Iterable[Fault]], running: ArchiveCheck, progress: Progress) -> Iterator[Fault]:
    for fault in first():
        progress.faults += 1
        yield fault
    yield from running.run()


def _summary(running: ArchiveCheck, progress: Progress) -> None:
    checked = running.checked
    read = f"{counted(checked.scans, 'scan')}, {bytes_told(progress.read_bytes)} read"
    count = counted(progress.faults, "fault") if progress.faults else "no fault"
    out().print(f"{read}: {count}.", markup=False)
    if checked.marked:
        out().print(f"Shown to nobody until repaired: {', '.join(map(str, checked.marked))}", markup=False)
    if checked.unmarked:
        out().print(f"Whole again: {', '.join(map(str, checked.unmarked))}", markup=False)
    if running.hindered:
        out().print(f"The rest could not be checked: {running.hindered}", markup=False, soft_wrap=True)
    if checked.left:
        out().print(f"Time was up with {counted(checked.left, 'scan')} left; run the same command again to go on.")


def tell_repairs(
    settings: ArchiveSettings,
    repairs: Callable[[Repair], Iterable[Repaired]],
    actor: Actor | None,
    *,
    as_json: bool,
) -> None:
    """Repair scans and tell what became of each; ends the program with exit code 4 if some are still damaged."""
    count = left = 0
    with Archive.open(settings.archive, settings=settings, **signed(actor, "check")) as archive:
        for repaired in repairs(Repair(archive)):
            count, left = count + 1, left + (not repaired.whole)
            _tell_repaired(repaired, as_json)
    if not as_json:
        out().print(f"{count - left:,} of {count:,} repaired." if count else "No scan is marked as damaged or missing.")
    if left:
        raise typer.Exit(FOUND)


def _tell_repaired(repaired: Repaired, as_json: bool) -> None:
    if as_json:
        faults = [fault.as_json() for fault in repaired.left]
        print(json.dumps({"scan": str(repaired.scan), "files": repaired.files, "left": faults}))
        return
    files = f"{repaired.files} file{'s' if repaired.files != 1 else ''} put back"
    out().print(f"{repaired.scan}: {files}, {'whole again' if repaired.whole else 'still damaged'}", markup=False)
    for fault in repaired.left:
        out().print(f"  {fault}", markup=False, soft_wrap=True)


def tell_status(settings: ArchiveSettings, *, as_json: bool) -> None:
    """Tell how many scans were read within the last month and quarter, and which are overdue."""
    today = date.today()
    with Archive.open(settings.archive, settings=settings, read_only=True) as archive:
        rounds, keys = Rounds(archive.place.checks), scan_sizes(archive)
        late = rounds.overdue(keys, today)
        found = (archive.scan(key) for key in late)
        codes = [str(held.code) for held in found if held is not None]
    told = {
        "scans": len(keys),
        "read_within_30_days": rounds.read_since(keys, today, 30),
        "read_within_90_days": rounds.read_since(keys, today, OVERDUE_DAYS),
        "never_read": rounds.never(keys),
        "overdue": codes,
    }
    if as_json:
        print(json.dumps(told))
        return
    out().print(
        f"{counted(len(keys), 'scan')}; {told['read_within_30_days']:,} were read again within 30 days, "
        f"{told['read_within_90_days']:,} within {OVERDUE_DAYS}; {told['never_read']:,} were never read again."
    )
    if codes:
        more = f", and {len(codes) - LISTED:,} more" if len(codes) > LISTED else ""
        out().print(f"Overdue: {', '.join(codes[:LISTED])}{more}. Run: coverslip check --subset 1/30", soft_wrap=True)
