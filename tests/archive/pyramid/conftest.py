"""Stored scans with known pixels, written by the archive's own writer from tiles that Pillow encoded."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from zarr.storage import LocalStore

from archive.geometry import MicronsPerPixel, Size
from archive.pyramid.jpeg import HeaderReader, plain_header
from archive.pyramid.layout import Coding, LevelLayout, Origin, ScanLayout
from archive.pyramid.metadata import write_metadata
from archive.pyramid.shard import ShardGrid
from archive.pyramid.writer import LevelWriter, encode_lossless

Pixels = npt.NDArray[np.uint8]
StoredScan = Callable[..., Path]


def picture(width: int, height: int, seed: int = 1) -> Pixels:
    """Smooth colours with some grain: JPEG keeps them closely, and no two places are alike."""
    y, x = np.mgrid[0:height, 0:width]
    grain = np.random.default_rng(seed).integers(0, 30, (height, width))
    return np.stack([(x * 3 + grain) % 256, (y * 2 + grain) % 256, (x + y + grain) % 256], -1).astype(np.uint8)


def jpeg(pixels: Pixels, **options: object) -> bytes:
    """Encode with Pillow, which is not the encoder that the archive uses."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", **{"quality": 90, **options})
    return out.getvalue()


def as_stored(stream: bytes) -> bytes:
    """Put the archive's own header on a JPEG stream."""
    header = HeaderReader().read(stream)
    return plain_header(header, ycbcr=True) + stream[header.length :]


def tiles_of(pixels: Pixels, tile: Size) -> list[tuple[int, int, Pixels]]:
    """Cut a picture into tiles, the last ones filled up."""
    found = []
    for y in range(0, pixels.shape[0], tile.height):
        for x in range(0, pixels.shape[1], tile.width):
            cut = pixels[y : y + tile.height, x : x + tile.width]
            pad = [(0, tile.height - cut.shape[0]), (0, tile.width - cut.shape[1])] + [(0, 0)] * (pixels.ndim - 2)
            found.append((x // tile.width, y // tile.height, np.pad(cut, pad, mode="edge")))
    return found


@pytest.fixture
def stored_scan(tmp_path: Path) -> StoredScan:
    """Make a stored scan from pictures, one a level."""

    def make(
        *pictures: Pixels,
        tile: Size = Size(64, 64),
        coding: Coding = Coding.JPEG,
        grid: ShardGrid = ShardGrid(3, 2),
        absent: tuple[tuple[int, int], ...] = (),
        mpp: MicronsPerPixel | None = MicronsPerPixel(0.5, 0.25),
    ) -> Path:
        folder = tmp_path / f"scan-{len(list(tmp_path.iterdir()))}"
        layouts = []
        for number, pixels in enumerate(pictures):
            size, channels = Size(pixels.shape[1], pixels.shape[0]), 1 if pixels.ndim == 2 else 3
            layout = LevelLayout(size, tile, coding, Origin.COPIED, grid, channels)
            with LevelWriter(LocalStore(folder), number, layout) as writer:
                for column, row, cut in tiles_of(pixels, tile):
                    if number or (column, row) not in absent:
                        stored = as_stored(jpeg(cut)) if coding is Coding.JPEG else encode_lossless(cut)
                        writer.add(column, row, stored)
            layouts.append(layout)
        write_metadata(str(folder), ScanLayout(tuple(layouts), mpp, 20.0))
        return folder

    return make
