"""How a watched folder stands, on the terminal: by list and row and entry number, never by a file's name."""

import time

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from archive.amounts import counted
from ingest.pipeline.watching import Stand, Standing, View, WatchedList
from ingest.pipeline.watching.standing import rows_named

MOST_NAMED = 8
"""Rows or entries that a line of the table names; the report names all."""


class Teller:
    """Tells what has changed since it was told last."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: set[str] = set()
        self._summary = ""

    def tell(self, view: View) -> None:
        """Tell of new lists, of what is wrong with them, and what waits for what."""
        for one in view.lists:
            self._tell_list(one)
        for one, fault in view.faults:
            self.once(f"[yellow]{one.called}: {escape(fault)}[/yellow]", str(one.moment))
        if view.summary != self._summary:
            self._summary = view.summary
            self._console.print(f"[dim]{time.strftime('%H:%M:%S')}[/dim]  {view.summary}", soft_wrap=True)

    def once(self, line: str, of: str = "") -> None:
        """Tell something, unless it was told before."""
        if line + of not in self._told:
            self._told.add(line + of)
            self._console.print(line, soft_wrap=True)

    def again(self, line: str) -> None:
        """Forget that something was told, because it is not so any more."""
        self._told.discard(line)

    def _tell_list(self, one: WatchedList) -> None:
        if not one.faults:
            self.once(f"{one.called}: {counted(len(one.rows), 'row')}", str(one.moment))
            return
        self.once(f"{one.called}: {counted(len(one.faults), 'fault')}; correct it and save it again", str(one.moment))
        for fault in one.faults:
            self.once(f"[yellow]{one.called}: {escape(fault)}[/yellow]", str(one.moment))


def tell_view(view: View, console: Console) -> None:
    """Show how everything stands in a table."""
    table = Table("", "", "which", box=None, pad_edge=False, show_header=False)
    for stand in Stand:
        found = view.of(stand)
        if found and stand is not Stand.ARRIVES:
            table.add_row(f"{len(found):,}", f"slide{'s' if len(found) != 1 else ''} {stand}", _which(found))
    if view.arriving or view.of(Stand.ARRIVES):
        count = view.arriving + len(view.of(Stand.ARRIVES))
        table.add_row(f"{count:,}", f"file{'s' if count != 1 else ''} still arriving", "")
    if view.awaited:
        what = "rows waiting for their files" if len(view.awaited) != 1 else "row waiting for its file"
        table.add_row(f"{len(view.awaited):,}", what, rows_named(view.awaited, MOST_NAMED))
    if view.others:
        table.add_row(f"{view.others:,}", f"other file{'s' if view.others != 1 else ''}, no slide", "")
    console.print(table if table.row_count else "Nothing is there.")


def _which(found: tuple[Standing, ...]) -> str:
    if found[0].stand in (Stand.DONE, Stand.READY):
        return ""
    called = [one.called for one in found if one.called]
    more = len(called) - MOST_NAMED
    return ", ".join(called[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
