"""Prove a staged scan: its pixels are the source's, and no identifier of the case is in it.

The proofs of the pixels do not need one another, so they run side by side: tiles are re-read here while the jail
compares a sample with other decoders, and the files are digested and forced to the disk.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from archive import fixity
from archive.errors import DamagedPyramid
from archive.holdings.pixels import LevelLayout, Origin, SourceFile, shard_keys, verify_level
from ingest.auditor import Needles, audit_folder
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.answers import MAX_TILES, Compared, level_to_json
from ingest.pipeline.jailed import compare
from ingest.pipeline.source import Source

COMPARED_TILES, FEWEST_COMPARED, COMPARED_ONE_IN = 64, 8, 64
"""Unless all are asked for, other decoders look at one in 64 of each kept level's tiles: at least 8, at most 64. Every
tile is compared with the source byte by byte; whether a level's colours and places are right shows in a few."""


@dataclass(frozen=True)
class Staged:
    """What lies staged: the folder of the scan's pixels, its levels, and where their tiles came from."""

    folder: Path
    levels: tuple[LevelLayout, ...]
    places: Path


@dataclass(frozen=True)
class Proof:
    """What was found right, in tiles, and the digests of the files as they were then, by path."""

    tiles: int
    same_bytes: int
    same_pixels: int
    by_openslide: int
    digests: dict[str, str]


def prove(
    staged: Staged, source: Source, *, every_tile: bool, keep_out: Sequence[Path] = (), one_core: bool = False
) -> Proof:
    """Re-read a staged scan, compare it with its source, and force it to the disk meanwhile.

    Other decoders look at both in a jail of their own, which can write nothing.

    Parameters
    ----------
    staged : Staged
        Nobody writes to it any more.
    source : Source
        The file that it was made from.
    every_tile : bool
        Compare every tile of the kept levels with other decoders, and not a sample.
    keep_out : sequence of Path
        Folders that the decoders must have no way into.
    one_core : bool
        Do one proof after the other, and not side by side.

    Raises
    ------
    SlideRefused
        If any proof fails.
    """
    _require_nothing_else(staged)
    counts = [level.columns * level.rows if every_tile else compared_tiles(level) for level in staged.levels]
    levels: list[dict[str, Any]] = [level_to_json(level) for level in staged.levels]
    with source.jail(read=[staged.folder], keep_out=keep_out) as jail, ThreadPoolExecutor(2) as side:
        compared = side.submit(jail.call, compare, str(source.path), str(staged.folder), levels, counts, source.region)
        if one_core:
            wait([compared])
        digested = side.submit(_digest_and_flush, staged.folder)
        tiles, same = verify_pixels(staged, source)
        answer = Compared.from_json(compared.result())
        digests = digested.result()
    source.require_unchanged()
    return Proof(tiles, same, answer.tiles, answer.by_openslide, digests)


def compared_tiles(level: LevelLayout) -> int:
    """Tell how many tiles of a level other decoders look at."""
    return min(COMPARED_TILES, max(FEWEST_COMPARED, level.columns * level.rows // COMPARED_ONE_IN))


def _require_nothing_else(staged: Staged) -> None:
    """Refuse a folder that holds anything but the levels and their metadata."""
    files = {"zarr.json"}
    for number, level in enumerate(staged.levels):
        files.add(f"{number}/zarr.json")
        files |= set(shard_keys(number, level))
    folders = {parent.as_posix() for file in files for parent in PurePosixPath(file).parents}
    for path in staged.folder.rglob("*"):
        expected = folders if path.is_dir() else files
        if path.is_symlink() or path.relative_to(staged.folder).as_posix() not in expected:
            raise SlideRefused(Reason.READER_CRASHED)


def _digest_and_flush(folder: Path) -> dict[str, str]:
    """Digest every file, and start it on its way to the disk; the commit then has little left to wait for."""
    digests = {file.path: file.sha256 for file in fixity.measure(folder).files}
    fixity.flush(folder)
    return digests


class Search:
    """Searches what will be kept for a case's identifiers; called with the folder, just before it is committed."""

    def __init__(self, needles: Needles) -> None:
        self._needles = needles
        self.bytes_searched = 0

    @property
    def words_left_out(self) -> int:
        """How many words of the file's own metadata were too many to look for."""
        return self._needles.left_out

    def __call__(self, folder: Path) -> None:
        """Search a folder.

        Raises
        ------
        SlideRefused
            If an identifier was found, or something could not be searched.
        """
        sizes = frozenset(float(file.stat().st_size) for file in folder.rglob("*") if file.is_file())
        audit = audit_folder(folder, self._needles.with_numbers(sizes))  # the manifest tells them
        if not audit.is_clean:
            raise SlideRefused(Reason.IDENTIFIER_FOUND)
        self.bytes_searched = audit.bytes_scanned


def verify_pixels(staged: Staged, source: Source) -> tuple[int, int]:
    """Re-read every stored tile; compare those that were copied with the source, byte by byte.

    Returns
    -------
    tuple of int
        Tiles that were read, and tiles whose entropy-coded bytes are the source's.

    Raises
    ------
    SlideRefused
        If anything is not as it should be.
    """
    tiles = same = 0
    with _damage_refuses(), SourceFile(*source.files) as original:
        for number, level in enumerate(staged.levels):
            copied = level.origin is Origin.COPIED
            places = read_places(staged.places / f"{number}.places", level) if copied else None
            check = verify_level(staged.folder, number, level, original if copied else None, places)
            tiles, same = tiles + check.tiles, same + check.compared
    return tiles, same


@contextmanager
def _damage_refuses() -> Iterator[None]:
    try:
        yield
    except DamagedPyramid as error:
        raise SlideRefused(Reason.PIXELS_DIFFER) from error
    except OSError as error:
        raise SlideRefused(Reason.UNREADABLE_FILE) from error


def read_places(path: Path, level: LevelLayout) -> npt.NDArray[np.int64]:
    """Read where the copied tiles of a level lie in the source, as the jail wrote it: numbers and nothing else.

    Returns
    -------
    numpy.ndarray
        ``(rows, columns, runs, 2)`` int64: offset and length in bytes of each piece of a tile.

    Raises
    ------
    SlideRefused
        If it is not just so many numbers.
    """
    tiles = level.rows * level.columns
    try:
        with open(path, "rb", opener=_open_no_link) as file:
            runs, rest = divmod(os.fstat(file.fileno()).st_size, tiles * 2 * np.dtype(np.int64).itemsize)
            if rest or not 1 <= runs <= max(1, MAX_TILES // tiles):
                raise SlideRefused(Reason.READER_CRASHED)
            numbers = np.fromfile(file, np.int64, tiles * runs * 2)
    except OSError as error:
        raise SlideRefused(Reason.READER_CRASHED) from error
    if numbers.size != tiles * runs * 2:
        raise SlideRefused(Reason.READER_CRASHED)
    return numbers.reshape(level.rows, level.columns, runs, 2)


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)
