"""The journal says again, line by line, what every act changed, so that a lost database can be had back.

Its files are *segments*, below the archive's folder and beside the scans; they are only ever added to::

    journal/000001.snapshot    every row there was when the journal was begun
    journal/000002.acts        one line for each act, with the rows as the act left them

A line is a number, a SHA-256 and canonical JSON. The number is the archive's count of acts, which the act's own
transaction raises, so a line and a committed act have the same number and no number is left out. A line is forced to
the disk before its transaction commits. Where that then fails, the next act takes the same number: of lines with one
number, the last counts. Writers take turns through the catalogue's lock, so nobody else writes here meanwhile.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive import fixity
from archive.catalogue.schema import REVISION
from archive.errors import CatalogueUnavailable

SEGMENT_BYTES = 16 * 2**20
"""A segment that has grown beyond this is closed for good; a backup copies closed segments once."""

FORMAT = 1

_NAME = re.compile(r"(\d{6})\.(snapshot|acts)")
_LOOK_BACK = 2**13
"""Bytes, doubled with each look: most lines are shorter, and a long one is found without reading it often."""

Content = Mapping[str, Any]
"""What a line says: ``put`` and ``drop``, rows by table; or ``void``; or what a segment's first line says of it."""

VOID: Content = {"void": True}
"""Said of a number whose act did not come to pass."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: the number of its act, and what the act changed."""

    number: int
    content: Content

    def to_bytes(self) -> bytes:
        """Give the line as it is stored, with its end."""
        text = json.dumps(self.content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        said = f"{self.number} {text}".encode()
        return b"%d %s %s\n" % (self.number, hashlib.sha256(said).hexdigest().encode(), text.encode())

    @classmethod
    def parse(cls, stored: bytes) -> "Line | None":
        """Read a stored line without its end; None if it is not what was written."""
        number, _, rest = stored.partition(b" ")
        digest, _, text = rest.partition(b" ")
        if hashlib.sha256(number + b" " + text).hexdigest().encode() != digest:
            return None
        return cls(int(number), json.loads(text))

    @property
    def is_void(self) -> bool:
        """Whether the act of this number did not come to pass."""
        return "void" in self.content


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One file of the journal: its place in the order, and whether it is a snapshot."""

    number: int
    is_snapshot: bool
    path: Path

    def header(self) -> Line | None:
        """Read the first line, which tells the act before the segment; None if it is damaged."""
        with self.path.open("rb") as file:
            return Line.parse(file.readline().rstrip(b"\n"))


def segments(folder: Path) -> list[Segment]:
    """List the segments of a journal in their order; none if there is no journal."""
    names = os.listdir(folder) if folder.is_dir() else []
    found = ((_NAME.fullmatch(name), folder / name) for name in names)
    return sorted(Segment(int(match[1]), match[2] == "snapshot", path) for match, path in found if match)


class Journal:
    """The journal of one archive, written to by whoever has the turn to write in the catalogue."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._state: tuple[Path, int] | None = None
        self._knows = -1

    def append(self, number: int, content: Content) -> None:
        """Add a line and force it to the disk.

        Raises
        ------
        CatalogueUnavailable
            If it cannot be written; then the act must not be committed.
        """
        with _sentences():
            path = self._open_segment(number)
            line = Line(number, content).to_bytes()
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW)
            try:
                size = os.fstat(descriptor).st_size
                # A line that a crash cut short gets an end, so that it spoils no other.
                cut = b"" if os.pread(descriptor, 1, size - 1) == b"\n" else b"\n"
                try:
                    _write(descriptor, cut + line)
                    fixity.flush_one(path)
                except OSError:
                    with suppress(OSError):
                        os.ftruncate(descriptor, size)
                    raise
            finally:
                os.close(descriptor)

    def keep_up(self, identity: str, number: int, rows: Iterable[Content], *, anew: bool = False) -> bool:
        """Make the journal say what the catalogue says, whose count of acts this is; the turn to write is taken.

        Parameters
        ----------
        identity
            The archive's random key.
        number
            The number of the newest committed act.
        rows
            All rows of the catalogue, as what several lines put; only asked for if they are needed.
        anew
            Begin the journal anew in any case, because what it says is damaged.

        Returns
        -------
        bool
            Whether anything had to be written: a snapshot where the journal did not know all acts, or a void line
            after an act that was written here and did not come to pass.

        Raises
        ------
        CatalogueUnavailable
            If the journal knows of acts that the catalogue has forgotten, belongs to another archive, or cannot be
            written.
        """
        with _sentences():
            header, knows = self._last_header(), self.knows()
            if header is not None and header.content.get("archive") != identity:
                raise CatalogueUnavailable("the journal beside this catalogue is another archive's; check both paths")
            require_not_older(number, knows)
            if anew or header is None or header.content.get("revision") != REVISION or knows < number:
                self._snapshot(identity, number, rows)
            elif knows > number:
                self.append(knows, VOID)
            else:
                return False
            return True

    def knows(self) -> int:
        """Give the number of the newest act that it tells of as done; -1 if there is none.

        It is read once as long as nothing is added, since the line of a large act is long.
        """
        with _sentences():
            last = segments(self.folder)[-1:]
            state = (last[0].path, last[0].path.stat().st_size) if last else None
            if state is None or state != self._state:
                known = self.newest()
                self._state, self._knows = state, -1 if known is None else known.number - known.is_void
            return self._knows

    def newest(self) -> Line | None:
        """Give the newest line that is whole; None if there is none."""
        for segment in reversed(segments(self.folder)):
            if segment.is_snapshot:
                return segment.header()
            for stored in _backwards(segment.path):
                if line := Line.parse(stored):
                    return line
        return None

    def _last_header(self) -> Line | None:
        found = segments(self.folder)
        return found[-1].header() if found else None

    def _open_segment(self, number: int) -> Path:
        """Give the segment to add to, a new one if need be."""
        found = segments(self.folder)
        if not found:
            raise CatalogueUnavailable(
                "the archive's journal is gone from its folder and nothing was changed; check the archive's disk, and "
                "open the archive anew"
            )
        last = found[-1]
        if not last.is_snapshot and last.path.stat().st_size < SEGMENT_BYTES:
            return last.path
        header = last.header()
        if header is None:
            raise CatalogueUnavailable(
                "the newest file of the journal is damaged and nothing was changed; open the archive anew"
            )
        path = self.folder / f"{last.number + 1:06}.acts"
        fixity.write(path, Line(number - 1, header.content).to_bytes())
        return path

    def _snapshot(self, identity: str, number: int, rows: Iterable[Content]) -> None:
        """Write down all rows, aside first: killed meanwhile, there is the whole snapshot or none."""
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o750)
            fixity.flush_one(self.folder.parent)
        last = segments(self.folder)[-1:]
        path = self.folder / f"{last[0].number + 1 if last else 1:06}.snapshot"
        aside = path.with_name("snapshot.new")
        count = 0
        with aside.open("wb") as file:
            file.write(Line(number, {"archive": identity, "format": FORMAT, "revision": REVISION}).to_bytes())
            for content in rows:
                count += 1
                file.write(Line(number, content).to_bytes())
            file.write(Line(number, {"lines": count}).to_bytes())
        fixity.flush_one(aside)
        aside.rename(path)
        fixity.flush_one(self.folder)


def require_not_older(number: int, knows: int) -> None:
    """Refuse a catalogue that has forgotten acts: by one it may be behind, whose commit is still to come or failed.

    Parameters
    ----------
    number
        The number of the catalogue's newest act.
    knows
        That of the journal's, read before it.

    Raises
    ------
    CatalogueUnavailable
        If the catalogue is older.
    """
    if knows > number + 1:
        raise CatalogueUnavailable(
            "the catalogue is older than its journal, as if an old copy had been put in its place; "
            "run: coverslip rebuild-catalogue"
        )


def _backwards(path: Path) -> Iterator[bytes]:
    """Give the lines of a file, the last one first, without reading more of it than is asked for."""
    with path.open("rb") as file:
        position = file.seek(0, os.SEEK_END)
        rest, step = b"", _LOOK_BACK
        while position > 0:
            step = min(2 * step, position)
            position -= step
            file.seek(position)
            first, *lines = (file.read(step) + rest).split(b"\n")
            yield from (line for line in reversed(lines) if line)
            rest = first
        if rest:
            yield rest


def _write(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        cause = os.strerror(error.errno) if error.errno else "unknown cause"
        raise CatalogueUnavailable(
            f"the archive's journal cannot be written now ({cause}) and nothing was changed; check the archive's disk"
        ) from None
