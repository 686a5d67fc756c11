"""How fast many slides are taken in, one after the other and with one worker and two, beside copying the same files.

The slides are of 12,000 x 9,000 pixels and about 20 MB. They are one picture under many names, and the last bytes of
each file are its own, so that all of them are different files. Where a delivery is longer than the disk can hold, a
file is delivered again with other last bytes, and what was stored is removed as soon as it is counted.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from archive.consent import Facts
from archive.consent.terms import TissueSource
from archive.records import Stain
from ingest.cli.places import Places
from ingest.delivery import Row
from ingest.pipeline.batch import Delivered, ingest_batch
from ingest.pipeline.jailed import PREPARED
from ingest.pipeline.slide import Intake
from ingest.sandbox import prepare
from ingest.scaleout.crew import hired
from ingest.scaleout.many import ingest_many
from tests.benchmarks.ingesting import rss_anon_bytes, timed
from tests.benchmarks.report import Row as Figure
from tests.slides.svs import make_svs
from tests.slides.tissue import tissue

WIDTH, HEIGHT, QUALITY = 12_000, 9_000, 86
FILES = 100
"""Different paths; a longer delivery uses each of them several times."""

WARM = 4
"""Slides for each worker before the clock starts: a laboratory's thousand begin once."""

OWN_BYTES = 8
LIVING = Facts(source=TissueSource.LIVING)


@dataclass(frozen=True)
class Run:
    """One delivery: slides and bytes a second, and the coordinator's own memory at its start, middle and end.

    With 0 ``workers`` the slides were taken in one after the other, in the coordinator itself.
    """

    workers: int
    slides: int
    seconds: float
    source_bytes: int
    rss_anon_bytes: tuple[int, int, int]

    @property
    def rate(self) -> float:
        """Slides a second."""
        return self.slides / self.seconds


def measure(count: int, folder: Path | None = None) -> list[Figure]:
    """Take in so many slides without workers, with one and with two, in processes of their own."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="coverslip-bench-") as name:
        files = write_slides(Path(name) / "delivery", min(count, FILES))
        copied = min(len(files), 50)
        copies = copied / timed(lambda: copy_and_sync(files[:copied], Path(name) / "copies"))
        shutil.rmtree(Path(name) / "copies")
        alone, one, two = (_run_apart(workers, count, Path(name)) for workers in (0, 1, 2))
        size = files[0].stat().st_size / 1e6
    begin, _, end = two.rss_anon_bytes
    return [
        Figure("slides/s, one after the other", alone.rate, "cp and sync", copies, alone.rate / copies, ""),
        Figure("slides/s, 1 worker", one.rate, "cp and sync", copies, one.rate / copies, ""),
        Figure("slides/s, 2 workers", two.rate, "cp and sync", copies, two.rate / copies, ""),
        Figure("slides/s, 2 workers", two.rate, "limit", 4, two.rate / 4, "at least 1"),
        Figure("slides/s, 2 workers", two.rate, "one after the other", alone.rate, two.rate / alone.rate, ""),
        Figure("slides/s, 2 workers", two.rate, "1 worker", one.rate, two.rate / one.rate, "at least 1.7"),
        Figure("MB/s, 2 workers", two.rate * size, "cp and sync", copies * size, two.rate / copies, ""),
        Figure(
            f"coordinator after {two.slides} slides, MB", end / 1e6, "at first", begin / 1e6, end / begin, "about 1"
        ),
    ]


def write_slides(folder: Path, count: int) -> list[Path]:
    """Draw one slide, and give it many names."""
    folder.mkdir()
    picture = np.tile(tissue(WIDTH // 4, HEIGHT // 4, 7), (4, 4, 1))
    drawn = make_svs(folder / "0000.svs", picture=picture, width=WIDTH, height=HEIGHT, quality=QUALITY).path
    with drawn.open("ab") as file:
        file.write(bytes(OWN_BYTES))
    files = [drawn.with_stem(f"{number:04}") for number in range(count)]
    for file in files[1:]:
        shutil.copyfile(drawn, file)
    os.sync()  # as if delivered some time ago
    return files


def copy_and_sync(files: list[Path], folder: Path) -> None:
    """Copy files and flush them to the disk."""
    folder.mkdir()
    subprocess.run(["cp", *files, folder], check=True)
    subprocess.run(["sync", *folder.iterdir()], check=True)


def delivered(files: list[Path], count: int, seed: int) -> Iterator[Delivered]:
    """Deliver so many slides, each its own patient's; the last bytes of a file are written when it is asked for."""
    for number in range(count):
        file = files[number % len(files)]
        with file.open("r+b") as opened:
            opened.seek(-OWN_BYTES, os.SEEK_END)
            opened.write((seed * 1_000_000 + number + 1).to_bytes(OWN_BYTES, "little"))
        case = f"S26-{seed}-{number:06}"
        row = Row(
            number=number + 2, file=PurePosixPath(file.name), patient=f"H-{case}", case=case, block="A1", stain=Stain.HE
        )
        yield Delivered(file, row, LIVING)


def take_in(workers: int, count: int, folder: Path, *, screen: bool = False, warm: int | None = None) -> Run:
    """Take in a delivery in this process; its pixels are looked at if it is asked for."""
    files = sorted((folder / "delivery").glob("*.svs"))
    places = Places.of(folder / f"archive-{workers}{'-screened' if screen else ''}")
    places.create()
    with ExitStack() as stack:
        archive, vault = stack.enter_context(places.opened())
        intake = Intake(archive, vault, keep_out=places.secret, screen=screen)
        warm = (WARM if warm is None else warm) * max(1, workers)
        slides = delivered(files, warm + count, workers + 10 * screen)
        prepare(*PREPARED)
        outcomes = (
            ingest_many(slides, intake, stack.enter_context(hired(workers)))
            if workers
            else ingest_batch(slides, intake)
        )
        memory, began = [0, 0, 0], 0.0
        source_bytes = 0
        for number, outcome in enumerate(outcomes, 1):
            if outcome.receipt is None or outcome.receipt.scan is None:
                raise SystemExit(f"a slide was refused: {outcome.reason}")
            shutil.rmtree(archive.place.of_scan(outcome.receipt.scan))  # the next one needs the room
            if number == warm:
                began, memory[0] = time.perf_counter(), rss_anon_bytes(os.getpid())
            elif number > warm:
                source_bytes += outcome.receipt.source_bytes
            if number == warm + count // 2:
                memory[1] = rss_anon_bytes(os.getpid())
        seconds = time.perf_counter() - began
        memory[2] = rss_anon_bytes(os.getpid())
    begin, middle, end = memory
    return Run(workers, count, seconds, source_bytes, (begin, middle, end))


def _run_apart(workers: int, count: int, folder: Path) -> Run:
    command = [sys.executable, "-m", "tests.benchmarks.intake", str(workers), str(count), str(folder)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    print(told, file=sys.stderr)
    run = json.loads(told)
    return Run(**{**run, "rss_anon_bytes": tuple(run["rss_anon_bytes"])})


if __name__ == "__main__":
    print(json.dumps(asdict(take_in(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))))
