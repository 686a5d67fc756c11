"""Read every byte of a folder and every name in it, and tell where identifiers are, and of which class.

A hit never holds the identifier, and neither does its place: where a file's name holds one, the name is withheld.
"""

import json
import math
import mmap
import os
import stat
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ingest.auditor.identifiers import IdentifierClass
from ingest.auditor.needles import Needles
from ingest.auditor.text import LARGEST_TEXT_BYTES, Text
from ingest.auditor.unfolding import Unfolding

WORKERS = 2
"""Files read at once: the search itself lets other threads run."""

ARRAY_METADATA = "zarr.json"

WITHHELD = "[name withheld]"


@dataclass(frozen=True, slots=True)
class Hit:
    """An identifier that was found.

    Parameters
    ----------
    place
        The file or folder, relative to what was audited, with ``/``.
    offset
        The byte at which it begins, or at which that begins which holds it in another encoding. None: it is in the
        name. Behind letters beyond ASCII it is near, not exact.
    identifier_class
        What kind of identifier it is.
    """

    place: str
    offset: int | None
    identifier_class: IdentifierClass


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found, at most one hit for each class and file, and what it read.

    ``unsearched`` lists what could not be read to its end: links, and compressed data that does not stop.
    """

    hits: tuple[Hit, ...]
    unsearched: tuple[str, ...]
    files: int
    bytes_scanned: int
    seconds: float

    @property
    def is_clean(self) -> bool:
        """Whether everything was read and nothing was found."""
        return not self.hits and not self.unsearched


def audit_folder(folder: Path, needles: Needles) -> Audit:
    """Search everything in a folder for a case's identifiers.

    Parameters
    ----------
    folder
        A folder that nobody writes to any more. Its own name is not searched, the names in it are.
    needles
        What to look for.

    Raises
    ------
    OSError
        If something in the folder cannot be read: what was not read was not audited.
    """
    started = time.perf_counter()
    entries = dict(_entries(folder))
    sizes = {path: status.st_size for path, status in entries.items() if stat.S_ISREG(status.st_mode)}
    folders = {path for path, status in entries.items() if stat.S_ISDIR(status.st_mode)}
    auditor = _Auditor(folder, needles, _tile_bytes(folder, sizes))
    named = {path: auditor.name(path) for path in entries}
    with ThreadPoolExecutor(WORKERS) as workers:
        largest_first = sorted(sizes, key=lambda path: -sizes[path])
        read = dict(zip(largest_first, workers.map(auditor.file, largest_first), strict=True))
    place = {path: auditor.withheld(path) if named[path].found else path for path in entries}
    hits = [Hit(place[path], None, kind) for path, one in named.items() for kind in one.found]
    hits += [Hit(place[path], offset, kind) for path, one in read.items() for kind, offset in one.found.items()]
    unsearched = entries.keys() - folders - {path for path, one in read.items() if one.is_whole}
    return Audit(
        hits=tuple(sorted(set(hits), key=lambda hit: (hit.place, hit.offset or 0, hit.identifier_class))),
        unsearched=tuple(sorted(place[path] for path in unsearched)),
        files=len(sizes),
        bytes_scanned=sum(sizes.values()),
        seconds=time.perf_counter() - started,
    )


def _entries(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Give every name below a folder, relative to it; links are not followed."""
    for parent, folders, names in os.walk(folder, onerror=_give_up):
        for name in (*folders, *names):
            path = Path(parent, name)
            yield path.relative_to(folder).as_posix(), path.lstat()


def _give_up(error: OSError) -> None:
    raise error


def _tile_bytes(folder: Path, paths: Iterable[str]) -> frozenset[int]:
    """Give the sizes of decompressed tiles, as the metadata of the arrays in the folder tells them."""
    shapes: list[list[int]] = []
    for path in paths:
        if path.endswith(ARRAY_METADATA):
            with suppress(ValueError, RecursionError), open(folder / path, "rb", opener=_open_no_link) as file:
                shapes += _chunk_shapes(json.loads(file.read(LARGEST_TEXT_BYTES)))
    return frozenset(math.prod(shape) for shape in shapes)


def _chunk_shapes(metadata: object) -> Iterator[list[int]]:
    """Give every ``chunk_shape`` in the metadata of an array."""
    if isinstance(metadata, list):
        for item in metadata:
            yield from _chunk_shapes(item)
    elif isinstance(metadata, dict):
        for key, value in metadata.items():
            if key == "chunk_shape" and isinstance(value, list) and all(isinstance(side, int) for side in value):
                yield value
            else:
                yield from _chunk_shapes(value)


class _Auditor:
    """The audit of one folder, for one case's needles."""

    def __init__(self, folder: Path, needles: Needles, tile_bytes: frozenset[int]) -> None:
        self._folder = folder
        self._needles = needles
        self._tile_bytes = tile_bytes

    def name(self, path: str) -> Unfolding:
        """Search the names in a path, but for those that any archive has."""
        has_name = self._needles.vocabulary.has_name
        raw = os.fsencode("/".join("" if has_name(part) else part for part in path.split("/")))
        search = Unfolding(self._needles)
        for codec in ("utf-8", "latin-1"):
            search.text(Text(raw.decode(codec, "replace")))
        return search

    def withheld(self, path: str) -> str:
        """Give a path without the names that are not of an archive."""
        has_name = self._needles.vocabulary.has_name
        return "/".join(part if has_name(part) else WITHHELD for part in path.split("/"))

    def file(self, path: str) -> Unfolding:
        """Search the content of a file."""
        search = Unfolding(self._needles, self._tile_bytes)
        with open(self._folder / path, "rb", opener=_open_no_link) as file:
            if os.fstat(file.fileno()).st_size:
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as data:
                    search.file(data, path)
        return search


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)
