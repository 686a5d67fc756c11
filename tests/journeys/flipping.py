"""A disk changes one bit. Whichever it is, the next check finds it, and meanwhile nobody is shown anything wrong.

Every kind of stored file is aimed at equally often, so that a byte of metadata is not missed beside megabytes of
pixels. Of a shard the tiles and the index are kinds of their own.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from archive import fixity
from archive.errors import DamagedPyramid
from archive.fixity import Manifest
from archive.geometry import Size
from archive.holdings import PIXELS, Archive
from archive.holdings.pixels import Level
from archive.pyramid.layout import read_layout
from archive.pyramid.reader import Pyramid
from archive.records import ScanRecord
from tests.journeys.delivered import deliver
from tests.journeys.laboratory import Laboratory
from tests.slides.generic import make_tiff
from tests.slides.planted import Plant
from tests.slides.svs import make_svs
from tests.slides.tissue import Picture

Address = tuple[int, int, int]
"""Level, column and row of a tile."""


@dataclass
class Flipped:
    """How many bits were changed in each kind of file, and what reading said of it: ``damaged`` or ``unchanged``."""

    bits: Counter[str] = field(default_factory=Counter)
    readings: Counter[tuple[str, str]] = field(default_factory=Counter)
    tiles: Counter[str] = field(default_factory=Counter)
    """Tiles that were asked for, by what was given: ``right`` or ``damaged``."""


def taken_in(home: Path) -> Archive:
    """Take in slides that together have every kind of stored file; white glass and grey tiles are among them."""
    delivery = home / "delivery"
    delivery.mkdir()
    sparse = frozenset({(0, 0, 0), (0, 3, 3)})
    make_svs(
        delivery / "copied.svs", width=500, height=460, tile=(128, 128), factors=(1,), sparse=sparse, plant=Plant()
    )
    make_svs(delivery / "grey.svs", width=300, height=260, tile=(128, 128), factors=(1, 2), colours="grey")
    make_tiff(delivery / "lossless.tif", "deflate", width=300, height=260, tile=(128, 128), factors=(1, 2))
    delivered = deliver(Laboratory(home), delivery, ["copied.svs", "grey.svs", "lossless.tif"], ends=0)
    return Archive.open(delivered.laboratory.archive, read_only=True)


def flip_bits(archive: Archive, count: int, seed: int = 7) -> Flipped:
    """Change so many bits of what is stored, one at a time; each must be found, and no tile may be shown wrongly."""
    rng = np.random.default_rng(seed)
    scans = [scan for slide in archive.slides() for scan in archive.scans_of(slide.record.key)]
    targets = [(scan, kind, place) for scan in scans for kind, place in places_in(archive, scan)]
    by_kind = {kind: [one for one in targets if one[1] == kind] for _, kind, _ in targets}
    right = {scan.key: _tiles(archive, scan) for scan in scans}
    flipped = Flipped()
    for number in range(count):
        kind = sorted(by_kind)[number % len(by_kind)]
        scan, _, (path, begin, end) = by_kind[kind][int(rng.integers(len(by_kind[kind])))]
        with _one_bit_changed(path, int(rng.integers(begin, end)), int(rng.integers(8))):
            _must_be_found(archive, scan, path)
            reading = _read(archive, scan, right[scan.key], flipped)
        flipped.bits[kind] += 1
        flipped.readings[kind, reading] += 1
    return flipped


def places_in(archive: Archive, scan: ScanRecord) -> Iterator[tuple[str, tuple[Path, int, int]]]:
    """Give every stretch of bytes of a scan's folder, with the kind of file that it belongs to."""
    folder = archive.place.of_scan(scan.key)
    index_bytes = {number: level.grid.index_bytes for number, level in enumerate(read_layout(folder / PIXELS).levels)}
    for path in sorted(file for file in folder.rglob("*") if file.is_file()):
        size, parts = path.stat().st_size, path.relative_to(folder).parts
        if "c" not in parts:
            yield ("level/" if len(parts) == 3 else "") + path.name, (path, 0, size)
            continue
        index = size - index_bytes[int(parts[1])]
        yield "index of a shard", (path, index, size)
        if index:
            yield "tiles of a shard", (path, 0, index)


@contextmanager
def _one_bit_changed(path: Path, at: int, bit: int) -> Iterator[None]:
    whole = path.read_bytes()
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
    try:
        yield
    finally:
        path.write_bytes(whole)


def _must_be_found(archive: Archive, scan: ScanRecord, path: Path) -> None:
    """See that the digests tell which file was changed: of the manifest the catalogue's, of all others its own."""
    folder = archive.place.of_scan(scan.key)
    text = (folder / fixity.MANIFEST).read_bytes()
    if path.name == fixity.MANIFEST:
        assert hashlib.sha256(text).hexdigest() != scan.manifest_sha256
    else:
        faults = fixity.verify(folder, Manifest.from_bytes(text))
        assert [fault.place for fault in faults] == [path.relative_to(folder).as_posix()]


def _tiles(archive: Archive, scan: ScanRecord) -> dict[Address, Picture]:
    with archive.open_pyramid(scan.key) as pyramid:
        return {at: level.decoded_tile(at[1], at[2]) for at, level in _addresses(pyramid)}


def _addresses(pyramid: Pyramid) -> Iterator[tuple[Address, Level]]:
    for level in pyramid.levels:
        for row in range(level.rows):
            for column in range(level.columns):
                yield (level.index, column, row), level


def _read(archive: Archive, scan: ScanRecord, right: dict[Address, Picture], flipped: Flipped) -> str:
    """Ask for every tile; what is given must be right. Say whether anything was called damaged."""
    try:
        pyramid = archive.open_pyramid(scan.key)
    except DamagedPyramid:
        return "damaged"
    damaged = 0
    with pyramid:
        assert pyramid.size == Size(scan.size.width, scan.size.height)
        assert dict(_addresses(pyramid)).keys() == right.keys()
        for at, level in _addresses(pyramid):
            try:
                assert np.array_equal(level.decoded_tile(at[1], at[2]), right[at]), f"tile {at} is shown wrongly"
                flipped.tiles["right"] += 1
            except DamagedPyramid:
                damaged += 1
    flipped.tiles["damaged"] += damaged
    return "damaged" if damaged else "unchanged"
