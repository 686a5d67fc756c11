"""A file is whole when nobody has touched it for a while, and only our own clock tells how long that is.

Network shares send no word when a file is written, so the folder is looked through again and again. Their clocks may be
wrong, and programs that copy give a file the time of its source, so its time of last change is never compared with
now: a file has settled if size and time were the same at every look for long enough.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.quarantine.moment import Moment

SETTLING_SECONDS = 30.0
"""How long a file must stay as it is. A copy over a network pauses for some seconds, hardly for half a minute."""

UNFINISHED = (".part", ".partial", ".filepart", ".crdownload", ".download", ".tmp", "~")
"""Endings that programs give to a file while they write it; they rename it when it is whole."""


@dataclass(slots=True)
class _Seen:
    """A file as it was at the last looks: since when it has been as it is, and at how many looks."""

    moment: Moment
    since: float
    looks: int = 1


class Settling:
    """The files of a folder, and which of them have settled.

    Parameters
    ----------
    seconds
        How long a file must have stayed as it is.
    clock
        Tells seconds; only differences count.
    """

    def __init__(self, seconds: float = SETTLING_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._seen: dict[Path, _Seen] = {}
        self._now = clock()

    def look(self, folder: Path, also: Iterable[Path] = ()) -> None:
        """Look through a folder and everything below it.

        Parameters
        ----------
        folder
            The folder.
        also
            Other files to look at.

        Raises
        ------
        OSError
            If the folder cannot be read; then nothing is known of it any more.
        """
        before, self._seen, self._now = self._seen, {}, self._clock()
        there = dict(_files_below(folder))
        there |= {path.absolute(): moment for path in also if (moment := _moment(path)) is not None}
        for path, moment in there.items():
            seen = before.get(path)
            if seen is None or seen.moment != moment:
                self._seen[path] = _Seen(moment, self._now)
            else:
                seen.looks += 1
                self._seen[path] = seen

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that were there at the last look, in the order of their paths."""
        return tuple(sorted(self._seen))

    def moment(self, path: Path) -> Moment | None:
        """Give size and time of last change of a file as it was at the last look; None if it was not there."""
        seen = self._seen.get(path)
        return seen.moment if seen else None

    def is_settled(self, path: Path) -> bool:
        """Tell whether a file has settled; one that was not there has not."""
        seen = self._seen.get(path)
        return seen is not None and seen.looks > 1 and self._now - seen.since >= self._seconds

    @property
    def state(self) -> frozenset[tuple[Path, Moment, bool]]:
        """Everything that is known; what follows from it is the same as long as this is."""
        return frozenset((path, seen.moment, self.is_settled(path)) for path, seen in self._seen.items())


def _files_below(folder: Path) -> Iterator[tuple[Path, Moment]]:
    """Give every ordinary file below a folder that is not hidden or being written under another name."""
    folders = [os.fspath(folder.absolute())]
    for number, current in enumerate(folders):
        try:
            entries = list(os.scandir(current))
        except OSError:
            if number == 0:
                raise
            continue  # it went away, or is not for us
        for entry in entries:
            if entry.name.startswith((".", "~")) or entry.name.lower().endswith(UNFINISHED):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif entry.is_file(follow_symlinks=False) and (moment := _moment(entry)) is not None:
                yield Path(entry.path), moment


def _moment(file: "os.DirEntry[str] | Path") -> Moment | None:
    try:
        status = file.stat(follow_symlinks=False)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
