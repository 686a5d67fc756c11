"""What was read when: one line for each scan that was checked, so that a check that was stopped goes on where it was.

A *round* is what one command set out to read. It may take several runs, because a run may be stopped, killed or given
two hours. Lines are only ever added, each with a crc32c of its own: a killed run loses no line but its last, and a
damaged line is told and makes its scan due again. Days are those of checks; no day tells when a slide came.
"""

import fcntl
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import google_crc32c

from archive import fixity
from archive.codes import InternalKey
from archive.errors import HoldingsUnavailable, InvalidValue
from archive.holdings.place import disk_errors

OVERDUE_DAYS = 90
"""Every scan is read again within a quarter of a year, which is what archives agree on as the least."""

_SPARE_LINES = 1_000
"""The file is written anew when it has so many lines more than twice those that still say something."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What is remembered of a scan: the last round that read it (0 for none), and the day, or when it was first met."""

    round: int
    day: date
    spoilt: bool = False
    """Whether it was then not what was stored."""


@dataclass(frozen=True, slots=True)
class Round:
    """What a command set out to do: its number, the part of the archive that was asked for, and how many scans."""

    number: int
    asked: str
    count: int
    ended: bool = False


class Rounds:
    """The record of checks in one folder, read at once and added to while a check runs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._checked: dict[InternalKey, Checked] = {}
        self._seals: dict[str, Mapping[str, Any]] = {}
        self._last: Round | None = None
        self._lines = 0
        self.damaged_lines = 0
        with disk_errors():
            for line in path.read_bytes().splitlines() if path.exists() else ():
                self._read(line)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other checks of the same archive away; the system lets go when this process ends.

        Raises
        ------
        HoldingsUnavailable
            If another check is running.
        """
        with disk_errors(), self._path.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise HoldingsUnavailable("another check of this archive is running; wait for its end") from None
            yield

    def begin(
        self, asked: str, scans: Iterable[InternalKey], share: int, today: date
    ) -> tuple[Round, list[InternalKey]]:
        """Begin a round, or go on with one that was stopped; give it with the scans that are left, the oldest first.

        Parameters
        ----------
        asked
            What the command asks for, in one word; a stopped round goes on only if the same is asked for.
        scans
            The keys of all scans that there are.
        share
            Which part of them a round reads: 30 for a thirtieth, 1 for all.
        today
            The day from which a scan that was never met before is counted.
        """
        keys = sorted(scans)
        self._write(["seen", key, today.isoformat()] for key in keys if key not in self._checked)
        current = self._last
        if current is None or current.ended or current.asked != asked:
            number = 1 + max([current.number if current else 0, *(one.round for one in self._checked.values())])
            current = Round(number, asked, -(-len(keys) // share))
            self._write([["round", current.number, asked, current.count]])
        left = sorted(
            (key for key in keys if self._checked[key].round != current.number), key=lambda key: self._age(key)
        )
        done = len(keys) - len(left)
        return current, left[: max(0, current.count - done)] if share > 1 else left

    def note(self, scan: InternalKey, current: Round, today: date, *, spoilt: bool = False) -> None:
        """Note that a scan was read, and whether it was what was stored."""
        self._write([["scan", scan, today.isoformat(), current.number, int(spoilt)]])

    def spoilt(self) -> frozenset[InternalKey]:
        """Give the scans that were not what was stored when they were last read."""
        return frozenset(key for key, one in self._checked.items() if one.spoilt)

    def end(self, current: Round) -> None:
        """Note that a round is finished."""
        self._write([["ended", current.number]])
        if self.damaged_lines or self._lines > 2 * (len(self._checked) + len(self._seals)) + _SPARE_LINES:
            self._write_anew()

    def sealed(self, name: str) -> Mapping[str, Any] | None:
        """Give what was last noted of a database file."""
        return self._seals.get(name)

    def seal(self, name: str, what: Mapping[str, Any]) -> None:
        """Note what a database file is now."""
        self._write([["seal", name, dict(what)]])

    def overdue(self, scans: Iterable[InternalKey], today: date) -> list[InternalKey]:
        """Give the scans that nobody read for longer than `OVERDUE_DAYS`, the oldest first."""
        limit = today - timedelta(OVERDUE_DAYS)
        late = [key for key in scans if key in self._checked and self._checked[key].day < limit]
        return sorted(late, key=lambda key: self._age(key))

    def read_since(self, scans: Iterable[InternalKey], today: date, days: int) -> int:
        """Count the scans that were read within so many days."""
        limit = today - timedelta(days)
        known = (self._checked.get(key) for key in scans)
        return sum(1 for one in known if one is not None and one.round and one.day >= limit)

    def never(self, scans: Iterable[InternalKey]) -> int:
        """Count the scans that no check has read yet."""
        return Counter(key not in self._checked or not self._checked[key].round for key in scans)[True]

    def _age(self, key: InternalKey) -> tuple[int, date, str]:
        one = self._checked[key]
        return one.round, one.day, key

    def _read(self, line: bytes) -> None:
        self._lines += 1
        try:
            crc, _, text = line.partition(b" ")
            if crc != _crc(text):
                raise InvalidValue("another line was written")
            self._take(json.loads(text))
        except (ValueError, TypeError, KeyError, IndexError):
            self.damaged_lines += 1

    def _take(self, said: list[Any]) -> None:
        match said:
            case ["seen", str(key), str(day)]:
                self._checked[InternalKey(key)] = Checked(0, date.fromisoformat(day))
            case ["scan", str(key), str(day), int(number), int(spoilt)]:
                self._checked[InternalKey(key)] = Checked(number, date.fromisoformat(day), bool(spoilt))
            case ["round", int(number), str(asked), int(count)]:
                self._last = Round(number, asked, count)
            case ["ended", int(number)] if self._last is not None:
                self._last = Round(number, self._last.asked, self._last.count, ended=True)
            case ["seal", str(name), dict(what)]:
                self._seals[name] = what
            case _:
                raise InvalidValue("a line that says nothing known")

    def _write(self, lines: Iterable[list[Any]]) -> None:
        with disk_errors():
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o640)
            try:
                size = os.fstat(descriptor).st_size
                # What a kill cut short gets an end, so that it spoils no other line.
                cut = b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""
                for said in lines:
                    os.write(descriptor, cut + _line(said))
                    self._take(said)
                    self._lines += 1
                    cut = b""
            finally:
                os.close(descriptor)

    def _write_anew(self) -> None:
        said: list[list[Any]] = [["seal", name, dict(what)] for name, what in sorted(self._seals.items())]
        for key, one in sorted(self._checked.items()):
            day = one.day.isoformat()
            said.append(["scan", key, day, one.round, int(one.spoilt)] if one.round else ["seen", key, day])
        if self._last is not None:
            said += [["round", self._last.number, self._last.asked, self._last.count], ["ended", self._last.number]]
        with disk_errors():
            fixity.write(self._path, b"".join(map(_line, said)))
        self._lines, self.damaged_lines = len(said), 0


def _line(said: list[Any]) -> bytes:
    text = json.dumps(said, separators=(",", ":"), sort_keys=True).encode()
    return _crc(text) + b" " + text + b"\n"


def _crc(text: bytes) -> bytes:
    return b"%08x" % google_crc32c.value(text)
