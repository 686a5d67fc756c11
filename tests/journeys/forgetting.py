"""Each part that removes something can be switched off for itself, and nothing else is changed.

A part that works in the jail is switched off in there: what the jail is asked to do switches it off first.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pytest

import archive.pyramid.verify as verify
import ingest.pipeline.comparing as comparing
import ingest.pipeline.describing as describing
import ingest.pipeline.looking as looking
import ingest.pipeline.making as making
import ingest.pipeline.proving as proving
import ingest.pipeline.rewriting as rewriting
import ingest.pipeline.storing as storing
from archive.geometry import Size
from archive.pyramid.jpeg_header import APP0, COM, SOS
from ingest.pipeline.jailed import PREPARED
from ingest.sandbox import prepare
from ingest.scanners import AssociatedKind, Scan, ScanReader, SourceLevel
from ingest.scanners.base import Pixels, fill_up
from ingest.scanners.opening import open_scan
from tests.slides import jpegs

Switch = Callable[[], None]


@dataclass(frozen=True)
class Forgetful:
    """Does in the jail what another function does, with one part switched off."""

    inner: Callable[..., Any]
    switch: Switch

    def __call__(self, *args: Any) -> Any:
        """Switch the part off and go on."""
        self.switch()
        return self.inner(*args)


def forget_in_jail(monkeypatch: pytest.MonkeyPatch, *switches: Switch) -> None:
    """Have parts switched off in every jail that a slide is read in."""
    prepare(*PREPARED, __name__)
    for switch in switches:
        monkeypatch.setattr(looking, "describe", Forgetful(looking.describe, switch))
        monkeypatch.setattr(making, "store", Forgetful(making.store, switch))
        monkeypatch.setattr(proving, "compare", Forgetful(proving.compare, switch))


def forget_to_prove_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take any header of a stored tile for one that the archive wrote, and any bytes behind it for a part of it."""

    def check(self: Any, tile: bytes, place: str) -> int:
        return int(self._headers.read(tile).length)

    monkeypatch.setattr(verify._LevelVerifier, "_check_jpeg", check)
    monkeypatch.setattr(verify._LevelVerifier, "_is_the_sources", staticmethod(lambda *_: True))


def keep_segments() -> None:
    """Leave comments and application segments in the headers of tiles."""
    plain = rewriting.Rewriter.plain

    def with_segments(self: Any, stream: bytes) -> tuple[bytes, int, int]:
        tile, start, length = plain(self, stream)
        return jpegs.insert(tile, *_segments(self._level.jpeg_tables or b""), *_segments(stream)), start, length

    rewriting.Rewriter.plain = with_segments  # type: ignore[method-assign]


def keep_what_follows() -> None:
    """Leave what stands behind a tile's end."""
    plain = rewriting.Rewriter.plain

    def with_the_rest(self: Any, stream: bytes) -> tuple[bytes, int, int]:
        tile, start, length = plain(self, stream)
        return tile + stream[start + length + 2 :], start, length

    rewriting.Rewriter.plain = with_the_rest  # type: ignore[method-assign]


def take_for_levels(*kinds: AssociatedKind) -> None:
    """Take pictures of some kinds for levels of the slide, the smallest ones."""

    def open_with_pictures(path: Any) -> ScanReader:
        reader = open_scan(path)
        scan, *others = reader.scans()
        picture = next((picture for kind in kinds for picture in reader.pictures(kind)), None)
        if picture is not None:
            levels = *scan.levels, _Pictured(picture, scan.levels[-1].size)
            reader.scans = lambda: (_with_levels(scan, levels), *others)  # type: ignore[method-assign]
        return reader

    for module in (describing, storing, comparing):
        module.open_scan = open_with_pictures  # type: ignore[attr-defined]


def forget_to_lay_levels_beside_each_other() -> None:
    """Take whatever a smaller level shows for a smaller picture of the larger one."""
    comparing.shows_another_picture = lambda *_: False  # type: ignore[attr-defined]


def take_label_for_level() -> None:
    """Take the label for a level."""
    take_for_levels(AssociatedKind.LABEL)


def take_macro_for_level() -> None:
    """Take the macro for a level."""
    take_for_levels(AssociatedKind.MACRO)


class _Pictured(SourceLevel):
    """A picture as a level, made a little smaller than the one before."""

    def __init__(self, picture: Pixels, before: Size) -> None:
        colour = picture if picture.ndim == 3 else np.stack([picture] * 3, axis=-1)
        factor = min((before.width - 1) / colour.shape[1], (before.height - 1) / colour.shape[0], 1)
        width, height = int(colour.shape[1] * factor), int(colour.shape[0] * factor)
        self._pixels = np.asarray(cv2.resize(colour, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        self.size, self.tile, self.channels = Size(width, height), Size(256, 256), 3

    def decoded_tiles(self) -> Iterator[tuple[int, int, Pixels]]:
        columns, rows = self.size.tiles(self.tile)
        for row in range(rows):
            for column in range(columns):
                yield column, row, self.decoded_tile(column, row)

    def decoded_tile(self, column: int, row: int) -> Pixels:
        x, y = column * self.tile.width, row * self.tile.height
        return fill_up(self._pixels[y : y + self.tile.height, x : x + self.tile.width], self.tile)


def _with_levels(scan: Scan, levels: tuple[SourceLevel, ...]) -> Scan:
    return Scan(scan.maker, levels, scan.associated, scan.properties, scan.icc_profile)


def _segments(stream: bytes) -> Iterator[bytes]:
    """Give the comments and application segments of a header; Adobe's is written anew."""
    at = 2
    while stream[at : at + 1] == b"\xff" and stream[at + 1] not in (SOS, 0xD9):
        end = at + 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
        if stream[at + 1] == COM or APP0 <= stream[at + 1] < jpegs.APP14:
            yield stream[at:end]
        at = end
