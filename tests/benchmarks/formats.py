"""What it costs to take in a slide of each format, beside copying its files and flushing them.

The slides are made here, for only of a few formats are there real ones of a realistic size: one piece of tissue laid
side by side, as each scanner would store it. Formats that are decoded are made half as wide and high.
"""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any
from unittest import mock

import numpy as np

from archive.consent import Facts
from archive.consent.terms import TissueSource
from archive.records import Stain
from ingest.cli.places import Places
from ingest.delivery import Row
from ingest.pipeline.batch import Delivered, ingest_batch
from ingest.pipeline.jailed import PREPARED
from ingest.pipeline.receipt import Receipt
from ingest.pipeline.slide import Intake
from ingest.sandbox import prepare
from tests.journeys.mutating import jails_watched
from tests.slides.bif import make_bif
from tests.slides.dicom import make_dicom
from tests.slides.generic import APERIO_JPEG2000, make_tiff
from tests.slides.made import MadeSlide
from tests.slides.mirax import make_mirax
from tests.slides.ndpi import make_ndpi
from tests.slides.ome import make_fluorescence_ome_tiff, make_ome_tiff
from tests.slides.philips import make_philips
from tests.slides.qptiff import make_qptiff
from tests.slides.sakura import make_sakura
from tests.slides.scn import Tissue, make_scn
from tests.slides.svs import make_svs
from tests.slides.tissue import Picture, tissue
from tests.slides.trestle import make_trestle
from tests.slides.vms import make_vms

SIDE_PX = 8192
PIECE_PX = 1024
"""Side of the piece of tissue."""

MAKERS = (
    "bif",
    "dicom",
    "generic",
    "mirax",
    "ndpi",
    "ome",
    "philips",
    "qptiff",
    "sakura",
    "scn",
    "svs",
    "trestle",
    "vms",
)
HEAD = "| format | px | source, MB | MB/s | beside `cp` and `sync` | its pixels are | stored / source | jail, MB |"


@dataclass(frozen=True)
class Sample:
    """A slide to be made: its maker, its file's name, and how it is made."""

    make: Callable[..., MadeSlide]
    name: str
    options: Mapping[str, Any]


def samples(side: int) -> dict[str, Sample]:
    """Tell what is made of each format; ``side`` is in pixels, a multiple of 2,048."""
    half, size = side // 2, {"width": side, "height": side, "factors": (1, 4)}
    small = {"width": half, "height": half, "factors": (1, 4)}
    scn = {"regions": (Tissue(width=side, height=side, factors=(1, 4)),)}
    return {
        "Aperio": Sample(make_svs, "a.svs", size),
        "NDPI, narrow intervals": Sample(make_ndpi, "a.ndpi", {**size, "intervals": (512, 512)}),
        "NDPI, wide intervals": Sample(make_ndpi, "a.ndpi", {**size, "intervals": (side, None)}),
        "Philips": Sample(make_philips, "a.tiff", {**size, "tile": 512}),
        "Leica SCN": Sample(make_scn, "a.scn", scn),
        "DICOM, JPEG": Sample(make_dicom, "a", size),
        "QPTIFF": Sample(make_qptiff, "a.qptiff", size),
        "OME-TIFF, JPEG": Sample(make_ome_tiff, "a.ome.tif", size),
        "TIFF, JPEG": Sample(make_tiff, "a.tif", {**size, "coding": "jpeg"}),
        "TIFF, Deflate": Sample(make_tiff, "a.tif", {**small, "coding": "deflate"}),
        "TIFF, LZW in strips": Sample(make_tiff, "a.tif", {**small, "coding": "lzw", "tile": None}),
        "Aperio, JPEG 2000": Sample(
            make_tiff, "a.svs", {**small, "coding": "jpeg2000", "description": APERIO_JPEG2000}
        ),
        "DICOM, JPEG 2000": Sample(make_dicom, "a", {**small, "syntax": "jpeg2000"}),
        "OME-TIFF, 16 bit, channels": Sample(make_fluorescence_ome_tiff, "a.ome.tif", small),
        "MIRAX": Sample(make_mirax, "a.mrxs", {"photographs": (half // 512, half // 512), "side": (256, 256)}),
        "Ventana BIF": Sample(make_bif, "a.bif", {"tiles": (half // 512, half // 512), "side": 512}),
        "Trestle": Sample(make_trestle, "a.tif", {"width": half, "height": half}),
        "Sakura": Sample(make_sakura, "a.svslide", {"width": half, "height": half}),
        "Hamamatsu VMS": Sample(make_vms, "a.vms", {"side": (half // 2, half // 2)}),
    }


def measure(side: int = SIDE_PX) -> Iterator[str]:
    """Make and take in one slide of each format; give a line of the table for each when it is known."""
    prepare(*PREPARED)
    yield HEAD
    yield "|---" * (HEAD.count("|") - 1) + "|"
    for called, sample in samples(side).items():
        with tempfile.TemporaryDirectory() as folder:
            yield f"| {called} | {_line(sample, Path(folder))} |"


def _line(sample: Sample, home: Path) -> str:
    source = home / "source"
    source.mkdir()
    with ExitStack() as patched:
        for maker in MAKERS:
            patched.enter_context(mock.patch.object(import_module(f"tests.slides.{maker}"), "tissue", _laid))
        path = sample.make(source / sample.name, **sample.options).path
    copy = _seconds(lambda: _copy(source, home / "copy"))
    jails = [0]
    with jails_watched(jails.append):
        began = time.perf_counter()
        receipt = _taken_in(home / "copy" / path.relative_to(source), home)
        whole = time.perf_counter() - began
    size = receipt.size
    assert size is not None
    rate = receipt.source_bytes / 1e6 / whole
    figures = [f"{receipt.source_bytes / 1e6:.1f}", f"{rate:.2g}", f"{whole / copy:,.0f}", receipt.pixels]
    figures += [f"{receipt.stored_bytes / receipt.source_bytes:.2f}", f"{max(jails) / 1e6:.0f}"]
    return " | ".join([f"{size.width:,} x {size.height:,}", *figures])


def _laid(width: int, height: int, seed: int = 7) -> Picture:
    """Lay one piece of tissue side by side, ``(height, width, 3)`` uint8 RGB."""
    piece = tissue(min(width, PIECE_PX), min(height, PIECE_PX), seed)
    times = (-(-height // piece.shape[0]), -(-width // piece.shape[1]), 1)
    return np.ascontiguousarray(np.tile(piece, times)[:height, :width])


def _copy(source: Path, to: Path) -> None:
    subprocess.run(["cp", "-r", source, to], check=True)
    subprocess.run(["sync", *(file for file in to.rglob("*") if file.is_file())], check=True)


def _taken_in(path: Path, home: Path) -> Receipt:
    """Take a slide in, in this process, which has imported everything."""
    places = Places.of(home / "archive")
    places.create()
    row = Row(number=2, file=PurePosixPath(path.name), patient="H-1", case="S26-0000001", block="A1", stain=Stain.HE)
    with places.opened() as (archive, vault):
        intake = Intake(archive, vault, keep_out=places.secret)
        (outcome,) = ingest_batch([Delivered(path, row, Facts(source=TissueSource.LIVING))], intake)
    if outcome.receipt is None:
        raise SystemExit(f"{path.name} was refused: {outcome.sentence}")
    return outcome.receipt


def _seconds(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
