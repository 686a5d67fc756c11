"""A day's report is made of what the register noted that day; it can be made again at any time."""

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from archive.codes import Code
from archive.errors import UnknownCode
from archive.holdings import Archive
from ingest.keyvault import Entry, Event, KeyVault, State
from ingest.pipeline.reporting.releasing import Hold, Releasing
from ingest.pipeline.reporting.telling import DayReport, Disk, FileLine, MissingRow

USUAL_DAYS = 14
"""Days of intake of which the mean is taken: two weeks have a slow day and a busy one."""

TAKEN_IN = (State.KEPT, State.KNOWN)


def gather(archive: Archive, vault: KeyVault, day: date) -> DayReport:
    """Make the report of a day, by the machine's clock."""
    register = vault.register
    lines = _lines(register.day(day))
    entries = register.entries(number for number, line in lines.items() if line.state in TAKEN_IN)
    begins, ends = (datetime.combine(day + timedelta(later), time.min).astimezone() for later in (0, 1))
    awaited = register.awaited(day)
    releasing = Releasing(archive, vault)
    return DayReport(
        day,
        tuple(replace(line, code=_code_of(archive, entries.get(number))) for number, line in lines.items()),
        sum(row.since >= begins for row in awaited),
        tuple(MissingRow(row.row, row.since) for row in awaited if row.arrived is None or row.arrived >= ends),
        register.count(State.WAITS),
        Disk(shutil.disk_usage(archive.place.root).free, _usual(register.stored_by_day(day, USUAL_DAYS))),
        Counter[Hold](releasing.hold(entry) for entry in entries.values()),
    )


def _lines(events: Iterable[Event]) -> dict[str, FileLine]:
    """Put the events of a day together, file by file, in the order in which the files first appeared."""
    lines: dict[str, FileLine] = {}
    for event in events:
        before = lines.get(event.number)
        lines[event.number] = FileLine(
            event.number,
            event.state,
            event.reason,
            None,
            event.source_bytes,
            event.stored_bytes + (before.stored_bytes if before else 0),
            event.is_first or (before is not None and before.is_new),
        )
    return lines


def _code_of(archive: Archive, entry: Entry | None) -> Code | None:
    held = archive.scan(entry.scan) if entry is not None and entry.scan else None
    try:
        return archive.held(held.record.slide).code if held else None
    except UnknownCode:
        return None


def _usual(stored: Mapping[date, int]) -> float | None:
    return sum(stored.values()) / len(stored) if stored else None
