"""TIFF files whose every number can be chosen, for saying one thing that cannot be true."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from tests.slides.tiff import Compression, Directory, Type, Writer, picture

SIDE = 16
TILE = bytes(SIDE * SIDE * 3)
Change = Callable[[Directory], object]


def level(width: int = 50, height: int = 33) -> Directory:
    """Return the directory of a small level: uncompressed RGB in tiles, twelve of them by default."""
    across, down = -(-width // SIDE), -(-height // SIDE)
    return picture(width, height, [TILE] * (across * down), tile=(SIDE, SIDE))


def described(width: int, height: int, count: int, *, tile: int = 256) -> Directory:
    """Return a level that is only described: ``count`` places and lengths, nothing behind them."""
    directory = picture(width, height, [], tile=(tile, tile), compression=Compression.JPEG)
    directory.tags[324] = (Type.LONG8, [16] * count)
    directory.tags[325] = (Type.LONG8, [1] * count)
    return directory


def save(
    path: Path,
    change: Change | None = None,
    *,
    big: bool = False,
    order: Literal["<", ">"] = "<",
    directory: Directory | None = None,
) -> Path:
    """Write a small slide, three directories and a SubIFD, after changing its first directory."""
    writer = Writer(big=big, order=order)
    first = directory or level()
    first.below.setdefault(330, [level(25, 17)])
    if change is not None:
        change(first)
    if big and 324 in first.tags:
        writer.put(bytes(64))
    writer.append(first)
    writer.append(level(13, 9))
    writer.append(picture(40, 30, [bytes(40 * 10 * 3)] * 3, rows_per_strip=10))
    return writer.save(path)


def tag(number: int, kind: Type, *values: int) -> Change:
    """Return a change that gives a tag other values."""
    return lambda directory: directory.tags.update({number: (kind, list(values))})


def tables(offsets: list[int], lengths: list[int], kind: Type = Type.LONG) -> Change:
    """Return a change that gives places and lengths of the tiles by hand."""

    def change(directory: Directory) -> None:
        directory.segments = []
        directory.tags[324] = (kind, offsets)
        directory.tags[325] = (kind, lengths)

    return change
