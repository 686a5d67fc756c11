"""What the screening of pixels finds, what it takes for writing that is none, and what it costs."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from ingest.screening import Screener, Screening
from tests.benchmarks.intake import OWN_BYTES, take_in
from tests.benchmarks.report import Row
from tests.slides.real_pictures import OneLevel, fields, real_pictures
from tests.slides.tissue import Picture
from tests.slides.written import written

FIELD_PX = 1280
DRAWN = ("grey10kx5k.tif", "yb10kx5k.zstd.tiff")
"""Test charts among the real slides; what stands on them was drawn, and nothing is written on them here."""


def measure(folder: Path, composites: int, clean_fields: int, verbose: bool = False) -> list[Row]:
    """Measure recall over composites, and false alarms on the slides of a folder and on fields cut from them."""
    named = list(real_pictures(folder))
    bases = [picture for path, picture in named if path.name not in DRAWN]
    seconds: list[float] = []
    with Screener() as screener:

        def alarms(pictures: Iterable[tuple[str, Picture]]) -> tuple[int, int]:
            found = total = 0
            for name, picture in pictures:
                began = time.monotonic()
                verdict = screener.screen([OneLevel(picture)])
                if verdict.complete and not verdict.alarms:
                    seconds.append(verdict.cpu_seconds)
                found, total = found + bool(verdict.alarms), total + 1
                if verbose:
                    print(name, picture.shape, _told(verdict), f"{time.monotonic() - began:.1f} s", flush=True)
            return found, total

        slides = alarms((path.name, picture) for path, picture in named)
        found = alarms(
            (f"composite {number}: {one.text!r}", one.picture)
            for number, one in ((n, written(bases[n % len(bases)], n)) for n in range(composites))
        )
        false = alarms((f"field {n}", field) for n, field in enumerate(fields(bases, clean_fields, FIELD_PX)))
        memory = screener.peak_rss_anon_bytes or 0
    rows = [Row("slides on which something is seen", slides[0], "of", slides[1], slides[0] / slides[1], "none")]
    if composites:
        rows.append(Row("composites in which writing is found", *_of(found), "at least 0.95"))
    if clean_fields:
        rows.append(Row("clean fields in which something is seen", *_of(false), "at most 0.02"))
    rows.append(
        Row("CPU seconds a clean picture, median", median(seconds), "limit", 6, median(seconds) / 6, "at most 1")
    )
    rows.append(Row("CPU seconds a clean picture, most", max(seconds), "limit", 6, max(seconds) / 6, "at most 1"))
    return [*rows, Row("RssAnon, MB", memory / 1e6, "limit", 944, memory / 944e6, "at most 1")]


def cost(slide: Path, count: int) -> list[Row]:
    """Take in so many copies of a slide, looking at their pixels later and at once, on every core."""
    workers = max(2, os.cpu_count() or 1)
    with tempfile.TemporaryDirectory(prefix="coverslip-bench-") as name:
        folder = Path(name) / "delivery"
        folder.mkdir()
        for number in range(2 * workers + 2):  # more are never in hand
            copy = Path(shutil.copyfile(slide, folder / f"{number:04}.svs"))
            with copy.open("ab") as file:
                file.write(bytes(OWN_BYTES))
        later = take_in(workers, count, Path(name), warm=1)
        now = take_in(workers, count, Path(name), screen=True, warm=1)
    what = f"slides/s of {slide.stat().st_size / 1e6:,.0f} MB looked at, {workers} workers, {count} slides"
    return [Row(what, now.rate, "looked at later", later.rate, now.rate / later.rate, "at least 0.6")]


def _of(counted: tuple[int, int]) -> tuple[float, str, float, float]:
    return counted[0], "of", counted[1], counted[0] / counted[1]


def _told(verdict: Screening) -> str:
    seen = ", ".join(f"{one.kind} {one.confidence:.2f} {one.place}" for one in verdict.findings)
    return f"{seen or 'nothing'}; {verdict.views} views, {verdict.cpu_seconds:.1f} CPU s, {verdict.complete=}"
