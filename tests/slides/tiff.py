"""A TIFF is a chain of directories of tags; scanners, and whoever tampers, may put anything anywhere in it.

This writer does what a library refuses to do: both byte orders, classic and BigTIFF, empty tiles, private tags,
directories that no chain reaches, bytes between and behind the structures.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Literal

Segment = bytes | None
"""One tile or strip as stored; None is a sparse one, with offset 0 and byte count 0."""


class Type(IntEnum):
    """TIFF data types that are used here."""

    BYTE = 1
    ASCII = 2
    SHORT = 3
    LONG = 4
    RATIONAL = 5
    UNDEFINED = 7
    DOUBLE = 12
    IFD = 13
    LONG8 = 16
    IFD8 = 18


_CODES = {Type.SHORT: "H", Type.LONG: "I", Type.RATIONAL: "I", Type.DOUBLE: "d", Type.LONG8: "Q"}


class Compression(IntEnum):
    """TIFF's numbers for ways to compress."""

    NONE = 1
    LZW = 5
    JPEG = 7
    DEFLATE = 8
    JPEG2000_APERIO = 33005
    ZSTD = 50000
    WEBP = 50001


class Photometric(IntEnum):
    """TIFF's numbers for what the samples mean."""

    GREY = 1
    RGB = 2
    YCBCR = 6


@dataclass
class Directory:
    """One image file directory: tags, the tiles or strips, and directories that only a tag leads to.

    ``tags`` maps a code to (type, value): text, bytes or a sequence of numbers. ``below`` maps a code such as 330
    (SubIFDs) or 34665 (EXIF) to the directories that it points at.
    """

    tags: dict[int, tuple[Type, str | bytes | Sequence[float]]]
    segments: list[Segment] = field(default_factory=list)
    tiled: bool = True
    below: dict[int, list["Directory"]] = field(default_factory=dict)


def picture(
    width: int,
    height: int,
    segments: list[Segment],
    *,
    tile: tuple[int, int] | None = None,
    rows_per_strip: int | None = None,
    compression: int = Compression.NONE,
    photometric: int = Photometric.RGB,
    samples: int = 3,
    bits: int = 8,
    subfile: int = 0,
    description: str | None = None,
    tables: bytes | None = None,
    sampling: tuple[int, int] | None = None,
    predictor: bool = False,
    mpp: float | None = None,
) -> Directory:
    """Return the directory of one image; ``tile`` is (width, height) in pixels, strips have ``rows_per_strip``."""
    tags: dict[int, tuple[Type, str | bytes | Sequence[float]]] = {
        254: (Type.LONG, [subfile]),
        256: (Type.LONG, [width]),
        257: (Type.LONG, [height]),
        258: (Type.SHORT, [bits] * samples),
        259: (Type.SHORT, [compression]),
        262: (Type.SHORT, [photometric]),
        277: (Type.SHORT, [samples]),
        284: (Type.SHORT, [1]),
    }
    if tile:
        tags |= {322: (Type.LONG, [tile[0]]), 323: (Type.LONG, [tile[1]])}
    else:
        tags[278] = (Type.LONG, [rows_per_strip or height])
    if description is not None:
        tags[270] = (Type.ASCII, description)
    if tables is not None:
        tags[347] = (Type.UNDEFINED, tables)
    if sampling is not None:
        tags[530] = (Type.SHORT, sampling)
    if predictor:
        tags[317] = (Type.SHORT, [2])
    if mpp is not None:
        per_centimetre = [round(10_000 / mpp * 1000), 1000]
        tags |= {282: (Type.RATIONAL, per_centimetre), 283: (Type.RATIONAL, per_centimetre), 296: (Type.SHORT, [3])}
    return Directory(tags, segments, tiled=tile is not None)


@dataclass
class Writer:
    """Lays directories one after the other into a file's bytes and links them."""

    big: bool = False
    order: Literal["<", ">"] = "<"
    data: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        mark = b"II" if self.order == "<" else b"MM"
        self._offset = "Q" if self.big else "I"
        head = struct.pack(self.order + "HHHQ", 43, 8, 0, 0) if self.big else struct.pack(self.order + "HI", 42, 0)
        self.data += mark + head
        self._link = len(self.data) - struct.calcsize(self._offset)

    def append(self, directory: Directory, *, linked: bool = True) -> int:
        """Write a directory with all that belongs to it and return its offset; unlinked, no chain leads to it."""
        places, counts = [], []
        for segment in directory.segments:
            places.append(self.put(segment) if segment else 0)
            counts.append(len(segment or b""))
        tags = dict(directory.tags)
        kind = Type.LONG8 if self.big else Type.LONG
        if directory.segments:
            offsets, lengths = (324, 325) if directory.tiled else (273, 279)
            tags |= {offsets: (kind, places), lengths: (kind, counts)}
        for code, children in directory.below.items():
            tags[code] = (kind, [self.append(child, linked=False) for child in children])
        return self._directory(tags, linked)

    def put(self, raw: bytes) -> int:
        """Write bytes that belong to nothing yet, at an even place, and return the place."""
        self.data += b"\0" * (len(self.data) % 2)
        self.data += raw
        return len(self.data) - len(raw)

    def save(self, path: Path) -> Path:
        """Write the file."""
        path.write_bytes(self.data)
        return path

    def _directory(self, tags: dict[int, tuple[Type, str | bytes | Sequence[float]]], linked: bool) -> int:
        entries = b""
        room = struct.calcsize(self._offset)
        for code, (kind, value) in sorted(tags.items()):
            raw, count = self._pack(kind, value)
            inline = raw.ljust(room, b"\0") if len(raw) <= room else self._number(self.put(raw))
            entries += struct.pack(self.order + "HH", code, kind) + self._number(count) + inline
        at = self.put(struct.pack(self.order + ("Q" if self.big else "H"), len(tags)) + entries + self._number(0))
        if linked:
            self.data[self._link : self._link + room] = self._number(at)
            self._link = len(self.data) - room
        return at

    def _pack(self, kind: Type, value: str | bytes | Sequence[float]) -> tuple[bytes, int]:
        if isinstance(value, str):
            value = value.encode() + b"\0"
        if isinstance(value, bytes):
            return value, len(value)
        count = len(value) // 2 if kind is Type.RATIONAL else len(value)
        return struct.pack(f"{self.order}{len(value)}{_CODES[kind]}", *value), count

    def _number(self, value: int) -> bytes:
        return struct.pack(self.order + self._offset, value)


def grid(width: int, height: int, tile: tuple[int, int]) -> list[tuple[int, int]]:
    """Return (column, row) of every tile, in the order in which TIFF stores them."""
    return [(column, row) for row in range(-(-height // tile[1])) for column in range(-(-width // tile[0]))]
