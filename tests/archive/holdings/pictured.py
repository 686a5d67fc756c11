"""Scans with a name written on them, for what is done with pixels that are held.

As a program it blacks a scan out and is killed: ``python -m tests.archive.holdings.pictured ARCHIVE SCAN MOMENT``.
"""

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from archive.codes import Code, InternalKey, new_key
from archive.consent import Facts, MightIdentify
from archive.consent.terms import TissueSource
from archive.geometry import Rectangle, Size
from archive.holdings import PIXELS, Archive
from archive.holdings.pixels import Coding, Origin, ScanLayout, ShardGrid, encode_jpeg
from archive.holdings.redacting import redact
from archive.holdings.writing import LevelWriter, LocalStore
from archive.pyramid.jpeg import plain_header
from archive.pyramid.jpeg_header import parse_header
from archive.pyramid.layout import LevelLayout
from archive.pyramid.reader import Pyramid
from archive.records import CaseRecord, Fidelity, ScanRecord, SlideRecord, Stain

NAME = Rectangle(70, 90, 100, 20)
WHY = "a label lies on the glass"
TILE = 64


@dataclass(frozen=True)
class Held:
    """A scan that is held."""

    key: InternalKey
    code: Code
    slide: Code


def tissue(size: tuple[int, int]) -> Image.Image:
    """Draw something like tissue, with a name at `NAME`."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    grain = np.random.default_rng(5).integers(0, 40, (size[1], size[0]))
    drawn = np.stack([200 + grain % 50, 120 + (x + grain) % 60, 160 + (y + grain) % 60], -1).astype(np.uint8)
    picture = Image.fromarray(drawn)
    ImageDraw.Draw(picture).text((NAME.x + 2, NAME.y + 2), "MUSTERMANN, ERIKA", fill=(0, 0, 60))
    return picture


def hold(archive: Archive, redactions: Sequence[Rectangle] = ()) -> Held:
    """Commit a scan of two levels in JPEG tiles."""
    case = CaseRecord(new_key(), new_key(), Facts(source=TissueSource.LIVING))
    slide = SlideRecord(new_key(), case.key, new_key(), Stain.HE)
    scan = ScanRecord(
        key=new_key(),
        slide=slide.key,
        size=Size(400, 300),
        level_count=2,
        fidelity=Fidelity.COPIED,
        might_identify=MightIdentify.screened("structure-1"),
        rescreen=False,
        deidentified=True,
    )
    whole = tissue((400, 300))
    with archive.stage() as staged:
        layouts = []
        for number, picture in enumerate((whole, whole.resize((100, 75), Image.Resampling.LANCZOS))):
            size = Size(*picture.size)
            layout = LevelLayout(size, Size(TILE, TILE), Coding.JPEG, Origin.COPIED, ShardGrid(3, 2))
            with LevelWriter(LocalStore(staged.folder), number, layout) as writer:
                for row in range(layout.rows):
                    for column in range(layout.columns):
                        place = (column * TILE, row * TILE, (column + 1) * TILE, (row + 1) * TILE)
                        stream = encode_jpeg(np.asarray(picture.crop(place)), quality=85)
                        header = parse_header(stream)
                        writer.add(column, row, plain_header(header, ycbcr=True) + stream[header.length :])
            layouts.append(layout)
        staged.describe(ScanLayout(tuple(layouts)))
        committed = archive.commit(staged, case, slide, scan, redactions=redactions)
    return Held(scan.key, committed.scan_code, committed.slide_code)


def shown(folder: Path) -> npt.NDArray[np.uint8]:
    """Read what stands at `NAME` in the folder of a scan."""
    with Pyramid.open(folder / PIXELS) as pyramid:
        return pyramid.level(0).read_region(NAME.x, NAME.y, NAME.width, NAME.height)


def is_black(folder: Path) -> bool:
    """Tell whether nothing stands at `NAME` any more, at both levels."""
    with Pyramid.open(folder / PIXELS) as pyramid:
        small = pyramid.level(1).read_region(17, 22, 26, 6)
    return not shown(folder).any() and not small.any()


def main(root: Path, scan: str, moment: str) -> None:
    """Black a scan out, and end at a moment as if the power had gone."""

    def step(name: str) -> None:
        if name == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    with Archive.open(root, step=step) as archive:
        redact(archive, scan, [NAME], reason=WHY)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
