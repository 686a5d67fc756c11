"""A TIFF file is a chain of directories, each a table of tags that say where the pixels lie.

Classic TIFF counts in 32 bits, BigTIFF in 64. Hamamatsu's NDPI is a classic TIFF that outgrew four gigabytes: the
place of a directory is told in 64 bits, and after each directory's table stand the upper 32 bits of every value in it.
A directory may name further ones (SubIFDs), where OME-TIFF keeps the smaller levels.

Sources: TIFF 6.0 (Adobe, 1992); the BigTIFF proposal; NDPI as OpenSlide and tifffile document it.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ingest.errors import Reason, SlideRefused
from ingest.precheck.source import Source

MAX_DIRECTORIES: Final = 512
"""A slide has about ten; a stack of focal planes some hundred."""

MAX_ENTRIES: Final = 512
"""The TIFF tag registers know fewer; real directories hold 10 to 80."""

MAX_SUBDIRECTORY_DEPTH: Final = 4
"""Readers look one deep."""

MAX_VALUE_BYTES: Final = 64 << 20
"""The longest real values are XML of a few megabytes and lists of restart markers of some tens; tile tables apart."""

NDPI_MARK: Final = 65420
"""The tag that Hamamatsu's scanners write first in each directory of an NDPI file."""

SUB_IFDS: Final = 330
TABLES: Final = frozenset({273, 279, 324, 325})
"""Where the tiles or strips lie and how long they are; long on purpose, and checked by themselves."""

TYPE_BYTES: Final = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
WHOLE_NUMBERS: Final = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag's type, number of values, and the place where they begin; inline values have a place, too.

    ``high_bits`` are what NDPI adds above a single inline 32-bit number.
    """

    type: int
    count: int
    place: int
    high_bits: int = 0

    @property
    def length(self) -> int:
        """The values' length in bytes."""
        return self.count * TYPE_BYTES[self.type]


@dataclass(frozen=True, slots=True)
class Encoding:
    """How numbers are written in this file."""

    order: str
    big: bool
    ndpi: bool

    @property
    def first_directory_at(self) -> int:
        """The place of the pointer to the first directory."""
        return 8 if self.big else 4

    @property
    def pointer(self) -> struct.Struct:
        """How the place of a directory is written."""
        return struct.Struct(self.order + ("Q" if self.big or self.ndpi else "I"))

    @property
    def entry(self) -> struct.Struct:
        """How tag, type, count and value are written."""
        return struct.Struct(self.order + ("HHQQ" if self.big else "HHII"))

    @property
    def count(self) -> struct.Struct:
        """How the number of entries is written."""
        return struct.Struct(self.order + ("Q" if self.big else "H"))


Directory = dict[int, Entry]


class TiffFile:
    """The directories of one TIFF file, in no more memory than a few of them take."""

    def __init__(self, source: Source, *, ndpi: bool) -> None:
        self.source = source
        self.encoding = _encoding(source, ndpi=ndpi)
        self._seen: set[int] = set()

    def directories(self) -> Iterator[Directory]:
        """Go through every directory, SubIFDs included.

        Raises
        ------
        SlideRefused
            If they form a loop, are too many, or lie outside the file.
        """
        first = self._pointer_at(self.encoding.first_directory_at)
        if first == 0:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        yield from self._chain(first, (), depth=0)

    def numbers(self, entry: Entry, limit: int) -> list[int]:
        """Read the whole numbers of an entry that may have at most ``limit``."""
        if entry.type not in WHOLE_NUMBERS or not 1 <= entry.count <= limit:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        layout = struct.Struct(f"{self.encoding.order}{entry.count}{WHOLE_NUMBERS[entry.type]}")
        values = list(layout.unpack(self.source.read(entry.place, layout.size)))
        return [values[0] | entry.high_bits << 32] if entry.high_bits else values

    def _chain(self, place: int, parents: tuple[int, ...], depth: int) -> Iterator[Directory]:
        own: list[int] = []
        while place:
            if place in parents or place in own:
                raise SlideRefused(Reason.ENDLESS_STRUCTURE)
            if place in self._seen:  # two directories share a SubIFD: it was gone through already
                return
            if len(self._seen) >= MAX_DIRECTORIES:
                raise SlideRefused(Reason.TOO_LARGE)
            self._seen.add(place)
            own.append(place)
            directory, following = self._read(place)
            yield directory
            yield from self._subdirectories(directory, (*parents, *own), depth + 1)
            place = following

    def _subdirectories(self, directory: Directory, parents: tuple[int, ...], depth: int) -> Iterator[Directory]:
        entry = directory.get(SUB_IFDS)
        if entry is None or entry.count == 0:
            return
        if depth > MAX_SUBDIRECTORY_DEPTH:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        for place in self.numbers(entry, MAX_DIRECTORIES):
            yield from self._chain(place, parents, depth)

    def _read(self, place: int) -> tuple[Directory, int]:
        """Read the directory at a place, and where the next one lies."""
        encoding = self.encoding
        if place < encoding.first_directory_at + encoding.pointer.size:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        (count,) = encoding.count.unpack(self.source.read(place, encoding.count.size))
        if not 1 <= count <= MAX_ENTRIES:
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)
        table_at = place + encoding.count.size
        table = self.source.read(table_at, count * encoding.entry.size)
        following_at = table_at + len(table)
        following = self._pointer_at(following_at)
        high_bits = self._high_bits(following_at, count)
        directory: Directory = {}
        for index, (tag, kind, number, value) in enumerate(encoding.entry.iter_unpack(table)):
            if tag in directory:
                raise SlideRefused(Reason.DAMAGED_STRUCTURE)
            if kind in TYPE_BYTES:  # readers pass over a tag of unknown type
                value_at = table_at + (index + 1) * encoding.entry.size - (8 if encoding.big else 4)
                directory[tag] = self._entry(tag, Entry(kind, number, value_at), value, high_bits[index])
        return directory, following

    def _entry(self, tag: int, inline: Entry, value: int, high_bits: int) -> Entry:
        """Find where an entry's values lie, and refuse values outside the file or longer than any real ones."""
        if inline.length > MAX_VALUE_BYTES and tag not in TABLES:
            raise SlideRefused(Reason.TRUNCATED if inline.length > self.source.size else Reason.TOO_LARGE)
        if inline.length <= (8 if self.encoding.big else 4):
            single = inline.count == 1 and inline.type in {4, 13}
            return Entry(inline.type, inline.count, inline.place, high_bits if single else 0)
        place = value | high_bits << 32
        if not self.source.holds(place, inline.length):
            raise SlideRefused(Reason.TRUNCATED)
        return Entry(inline.type, inline.count, place)

    def _pointer_at(self, place: int) -> int:
        pointer = self.encoding.pointer
        (value,) = pointer.unpack(self.source.read(place, pointer.size))
        return int(value)

    def _high_bits(self, following_at: int, count: int) -> tuple[int, ...]:
        """Read the upper 32 bits that NDPI keeps for each entry behind the pointer to the next directory."""
        if not self.encoding.ndpi:
            return (0,) * count
        table = self.source.read(following_at + self.encoding.pointer.size, 4 * count)
        return struct.unpack(f"<{count}I", table)


def is_tiff(source: Source) -> bool:
    """Tell whether a file begins as TIFF or BigTIFF."""
    return source.head(4) in {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}


def is_ndpi(source: Source) -> bool:
    """Tell whether a TIFF file is Hamamatsu's NDPI: its first directory, found by 64 bits, has Hamamatsu's mark."""
    if source.head(4) != b"II*\0" or not source.holds(4, 8):
        return False
    (place,) = struct.unpack("<Q", source.read(4, 8))
    if not source.holds(place, 2):
        return False
    (count,) = struct.unpack("<H", source.read(place, 2))
    table = source.head(12 * min(count, MAX_ENTRIES), place + 2)
    whole = len(table) - len(table) % 12
    return any(tag == NDPI_MARK for tag, _ in struct.iter_unpack("<H10s", table[:whole]))


def _encoding(source: Source, *, ndpi: bool) -> Encoding:
    mark = source.head(4)
    order = "<" if mark.startswith(b"II") else ">"
    big = mark in {b"II+\0", b"MM\0+"}
    if big and source.read(4, 4) != struct.pack(order + "HH", 8, 0):
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    return Encoding(order, big, ndpi)
