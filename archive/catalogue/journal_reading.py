"""A journal is read from its newest snapshot on, and says where it is not what was written.

No number is left out among the acts, so a lost file, a lost line and a damaged line all show as missing numbers. What
shows nowhere is an end that was cut off between two lines; the heads of the audit trail, kept in a second place, do.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path

from archive import fixity
from archive.catalogue.journal import Line, Segment, segments


class FaultCode(StrEnum):
    """What can be wrong with a journal. The values are stable: scripts may rely on them."""

    ABSENT = "no-snapshot"
    """There is no journal, or none that says where it begins."""
    SNAPSHOT = "snapshot-damaged"
    DAMAGED = "line-damaged"
    MISSING = "acts-missing"
    OUT_OF_ORDER = "act-out-of-order"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a journal: its place (a file, or a line of one), what was expected and what was found."""

    place: str
    code: FaultCode
    expected: str
    found: str


Tell = Callable[[Fault], None]


def verify(folder: Path) -> tuple[Fault, ...]:
    """Read a journal from its newest snapshot on and list its faults."""
    faults: list[Fault] = []
    for _ in read(folder, faults.append):
        pass
    return tuple(faults)


def newest_is_sound(folder: Path) -> bool:
    """Tell whether the file that acts are being added to is as it was written; it is read whole, 16 MiB at most."""
    last = segments(folder)[-1:]
    return bool(last) and (last[0].is_snapshot or _is_sound(last[0]))


def mend(folder: Path, copy: Path) -> Fault | None:
    """Put back what is damaged or missing in a journal from an older copy of it.

    Segments are only ever added to, so a sound copy of one is how it must begin.

    Returns
    -------
    Fault or None
        That the journal's end was missing: the copy does not know what was told after it was made.
    """
    fault = _missing_end(segments(folder), segments(copy))
    for segment in segments(copy):
        own, good = folder / segment.path.name, segment.path.read_bytes()
        there = own.read_bytes() if own.exists() else b""
        if there[: len(good)] != good and _is_sound(segment):
            folder.mkdir(mode=0o750, exist_ok=True)
            fixity.write(own, good + there[len(good) :])
    return fault


def _missing_end(own: list[Segment], copied: list[Segment]) -> Fault | None:
    if not copied:
        return None
    last = copied[-1]
    there = own[-1].path.stat().st_size if own and own[-1].number == last.number else 0
    if (own and own[-1].number > last.number) or there >= last.path.stat().st_size:
        return None
    return Fault(last.path.name, FaultCode.MISSING, f"{last.path.stat().st_size} bytes or more", f"{there} bytes")


def _is_sound(segment: Segment) -> bool:
    """Tell whether every line of a segment is there that was written into it."""
    header = segment.header()
    faults: list[Fault] = []
    if header is not None:
        deque(
            _snapshot(segment, faults.append)
            if segment.is_snapshot
            else _acts([segment], header.number, faults.append),
            0,
        )
    return header is not None and not faults


def read(folder: Path, tell: Tell) -> Iterator[Line]:
    """Give the snapshot's lines and then one line for each act that came to pass, in the order of the acts.

    Parameters
    ----------
    folder
        The journal.
    tell
        Called with each fault, at the place among the lines where it is.
    """
    found = segments(folder)
    first = max((place for place, segment in enumerate(found) if segment.is_snapshot), default=None)
    if first is None:
        tell(Fault("journal", FaultCode.ABSENT, "a snapshot", "none"))
        return
    number = yield from _snapshot(found[first], tell)
    yield from _acts(found[first + 1 :], number, tell)


def _snapshot(segment: Segment, tell: Tell) -> Generator[Line, None, int]:
    """Give the lines of a snapshot; its number is returned."""
    number, count, told = 0, 0, None
    for _, line in _lines(segment):
        if line is not None:
            number = line.number
            told = line.content.get("lines", told)
            if "put" in line.content:
                count += 1
                yield line
    if told != count or segment.header() is None:
        expected = "its end" if told is None else f"{told} lines"
        tell(Fault(segment.path.name, FaultCode.SNAPSHOT, expected, f"{count} lines"))
    return number


def _acts(found: list[Segment], number: int, tell: Tell) -> Iterator[Line]:
    """Give the acts after a number; a line is held back until another number shows that it stands."""
    held: Line | None = None
    damaged: Fault | None = None
    for place, line in chain.from_iterable(map(_lines, found)):
        if line is None:
            damaged = damaged or Fault(place, FaultCode.DAMAGED, "the checksum that was written", "another one")
        elif "format" in line.content:
            continue
        elif line.number <= number:
            tell(Fault(place, FaultCode.OUT_OF_ORDER, f"act {number + 1}", f"act {line.number}"))
        else:
            if held is not None and line.number > held.number:
                number = held.number
                if not held.is_void:
                    yield held
            if line.number > number + 1:
                tell(damaged or Fault(place, FaultCode.MISSING, f"act {number + 1}", f"act {line.number}"))
            held, damaged = line, None
    if held is not None and not held.is_void:
        yield held
    if damaged is not None:
        tell(damaged)


def _lines(segment: Segment) -> Iterator[tuple[str, Line | None]]:
    """Give the lines of a segment with their places, and None for each that is damaged.

    An end that lacks its line feed was cut short by a crash, before its act was committed.
    """
    with segment.path.open("rb") as file:
        for count, stored in enumerate(file, start=1):
            if stored.endswith(b"\n") and stored != b"\n":
                yield f"{segment.path.name}, line {count}", Line.parse(stored[:-1])
