"""Slides on whose tissue something is written, printed or stuck, and one that waits in quarantine for it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from archive.geometry import Size
from ingest.errors import Reason
from ingest.keyvault import KeyVault
from ingest.pipeline.seen import told
from ingest.quarantine.waiting import Quarantine
from ingest.screening import Finding, Kind, Place
from tests.slides.svs import label_picture, make_svs
from tests.slides.tissue import Picture, tissue
from tests.slides.written import Written, barcode_of, laid, written

WIDTH, HEIGHT = 760, 560


def with_writing() -> Written:
    """Write a made-up name on tissue."""
    return written(tissue(WIDTH, HEIGHT, seed=4), 3)


def with_barcode() -> Written:
    """Print a code on tissue that a label printer prints."""
    mask, rng = barcode_of("S23-10442", "DataMatrix", 80), np.random.default_rng(5)
    return laid(tissue(WIDTH, HEIGHT, seed=11), mask, "", 0.0, (0, 0, 0), (255, 255, 255), rng)


def with_paper() -> Written:
    """Stick paper without a word on tissue."""
    picture = tissue(WIDTH, HEIGHT, seed=11)
    picture[80:300, 110:450] = (236, 222, 150)
    return Written(picture, (110, 80, 340, 220), "")


def with_label(label: Path | None = None) -> Written:
    """Lay a label over tissue: that of a real slide, or a made-up one."""
    picture = tissue(WIDTH, HEIGHT, seed=11)
    image = Image.open(label).convert("RGB") if label else Image.fromarray(label_picture("S26-0815", "Doe, Jane"))
    image.thumbnail((380, 380))
    picture[40 : 40 + image.height, 60 : 60 + image.width] = np.asarray(image)
    return Written(picture, (60, 40, image.width, image.height), "")


SEEN: dict[Reason, Callable[[], Written]] = {
    Reason.WRITING_IN_PICTURE: with_writing,
    Reason.BARCODE_IN_PICTURE: with_barcode,
    Reason.STICKER_IN_PICTURE: with_paper,
}
"""By the reason for which each waits."""


def slide_of(path: Path, picture: Picture) -> Path:
    """Write a scanner's file with this picture: two levels of JPEG tiles, with label, macro and thumbnail."""
    return make_svs(path, picture=picture, factors=(1, 4), quality=90).path


@dataclass(frozen=True)
class Waiting:
    """A slide that waits for writing in its picture: its file, its number, and where the writing is."""

    path: Path
    number: str
    place: Place
    size: Size


def waiting(vault: KeyVault, path: Path) -> Waiting:
    """Have a new slide wait, as an ingest that saw writing on it leaves it."""
    one = with_writing()
    slide_of(path, one.picture)
    size, place = Size(WIDTH, HEIGHT), Place(*one.place)
    reason = Reason.WRITING_IN_PICTURE
    entry = Quarantine(vault).set_aside(path, reason, told(size, [Finding(Kind.TEXT, place, 0.9)]))
    return Waiting(path, entry.number, place, size)
