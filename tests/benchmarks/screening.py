"""What the screening of pixels finds, what it takes for writing that is none, and what it costs."""

import os
import shutil
import tempfile
from pathlib import Path
from statistics import median

from ingest.screening import Screener
from tests.benchmarks.intake import OWN_BYTES, take_in
from tests.benchmarks.report import Row
from tests.slides.real_pictures import OneLevel, real_pictures
from tests.slides.screened import Counted, Ground, false_alarms, recall


def measure(folder: Path, composites: int, clean_fields: int) -> list[Row]:
    """Measure recall over composites, and false alarms on the slides of a folder and on fields cut from them."""
    ground = Ground.of(folder)
    with Screener() as screener:
        slides = [screener.screen([OneLevel(picture)]) for _, picture in real_pictures(folder)]
        alarms, clean = sum(bool(one.alarms) for one in slides), [one.cpu_seconds for one in slides]
        rows = [Row("slides on which something is seen", alarms, "of", len(slides), alarms / len(slides), "none")]
        if composites:
            rows.append(
                _row("composites in which writing is found", recall(screener, ground, composites), "at least 0.95")
            )
        if clean_fields:
            counted = false_alarms(screener, ground, clean_fields)
            clean += counted.cpu_seconds
            rows.append(_row("clean fields in which something is seen", counted, "at most 0.02"))
        memory = screener.peak_rss_anon_bytes or 0
    rows.append(Row("CPU seconds a clean picture, median", median(clean), "limit", 6, median(clean) / 6, "at most 1"))
    rows.append(Row("CPU seconds a clean picture, most", max(clean), "limit", 6, max(clean) / 6, "at most 1"))
    return [*rows, Row("RssAnon, MB", memory / 1e6, "limit", 944, memory / 944e6, "at most 1")]


def cost(slide: Path, count: int) -> list[Row]:
    """Take in so many copies of a slide, looking at their pixels later and at once, on every core."""
    workers = max(2, os.cpu_count() or 1)
    with tempfile.TemporaryDirectory(prefix="coverslip-bench-") as name:
        folder = Path(name) / "delivery"
        folder.mkdir()
        for number in range(workers + count):  # each its own file, for one that is in hand must not change
            copy = Path(shutil.copyfile(slide, folder / f"{number:04}.svs"))
            with copy.open("ab") as file:
                file.write(bytes(OWN_BYTES))
        later = take_in(workers, count, Path(name), warm=1)
        now = take_in(workers, count, Path(name), screen=True, warm=1)
    what = f"slides/s of {slide.stat().st_size / 1e6:,.0f} MB looked at, {workers} workers, {count} slides"
    return [Row(what, now.rate, "looked at later", later.rate, now.rate / later.rate, "at least 0.6")]


def _row(what: str, counted: Counted, goal: str) -> Row:
    return Row(what, counted.seen, "of", counted.pictures, counted.share, goal)
