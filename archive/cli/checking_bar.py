"""How far a check is: a bar with what was read, how fast, the time left and the faults found so far."""

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Shown

from archive.amounts import counted
from archive.cli.sentences import out
from archive.holdings.checking.running import Progress


class Bar:
    """A bar on the terminal, above which faults are told; nothing is drawn where nobody would see it."""

    def __init__(self, progress: Progress, *, shown: bool) -> None:
        self._shown = shown
        self._bar = Shown(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=out(),
            transient=True,
            disable=not (shown and out().is_terminal),
        )
        self._task = self._bar.add_task("records", total=None)
        progress.watch = self._watch

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._bar.stop()

    def tell(self, line: str) -> None:
        """Tell a line above the bar."""
        if self._shown:
            self._bar.console.print(line, markup=False, soft_wrap=True)
        else:
            print(line, flush=True)

    def _watch(self, progress: Progress) -> None:
        faults = f", {counted(progress.faults, 'fault')}" if progress.faults else ""
        scans = f"scan {min(progress.scans + 1, progress.of_scans):,} of {progress.of_scans:,}"
        self._bar.update(
            self._task,
            description=f"{scans if progress.of_scans else 'records'}{faults}",
            total=progress.total_bytes or None,
            completed=progress.read_bytes,
        )
