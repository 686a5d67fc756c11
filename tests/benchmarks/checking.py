"""How fast everything is read again, beside SHA-256 alone over the same files, with as many threads."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from statistics import median

from archive.codes import new_key
from archive.fixity import READERS
from archive.holdings import PIXELS, Archive
from archive.holdings.checking.running import Plan, Progress
from archive.holdings.checking.whole import ArchiveCheck
from archive.settings import ArchiveSettings
from ingest.cli.demo_slide import draw_demo_slide
from tests.benchmarks.ingesting import MemoryWatch, timed, whole_ingest
from tests.benchmarks.report import Row

ROUNDS = 3
LEAST_BYTES = 2 << 30
"""So much lies in the archive, so that opening it counts little: a laboratory's day is ten times that."""


def measure(slide: Path) -> list[Row]:
    """Check an archive of many copies of a slide, in turns with SHA-256 alone."""
    with tempfile.TemporaryDirectory() as folder:
        archive = taken_in(slide, Path(folder) / "large")
        copy_scan(archive)
        files = [file for file in (archive / "scans").rglob("*") if file.is_file()]
        size = sum(file.stat().st_size for file in files)
        rates = []
        for _ in range(ROUNDS):
            bare = timed(lambda: digest(files))
            ours = timed(lambda: check_again(archive))
            rates.append((size / ours / 1e6, size / bare / 1e6))
        ours, bare = median(rate[0] for rate in rates), median(rate[1] for rate in rates)
        ratio = median(rate[0] / rate[1] for rate in rates)
        draw_demo_slide(Path(folder) / "small.svs", width=3000, height=2000)
        small = taken_in(Path(folder) / "small.svs", Path(folder) / "small")
        peaks = [peak_bytes(one) for one in (archive, small)]
    return [
        Row("check, MB/s", ours, f"SHA-256 alone, {READERS} threads", bare, ratio, "at least 0.6"),
        Row(
            "check, RssAnon, MB", peaks[0] / 1e6, "of a small slide", peaks[1] / 1e6, peaks[0] / peaks[1], "at most 1.2"
        ),
    ]


def taken_in(slide: Path, folder: Path) -> Path:
    """Take a slide in and give its archive."""
    folder.mkdir()
    subprocess.run(whole_ingest(slide, folder), check=True, stdout=subprocess.DEVNULL)
    return folder / "archive"


def copy_scan(folder: Path) -> None:
    """Commit the one scan again and again, each time as another one of its slide, until there is enough."""
    with Archive.open(folder) as archive:
        (slide,) = archive.slides()
        first, case = slide.scans[0].record, archive.case(slide.record.case)
        if case is None:
            raise SystemExit("the slide has no case")
        for _ in range(LEAST_BYTES // first.stored_bytes):
            with archive.stage() as staged:
                shutil.copytree(archive.place.of_scan(first.key) / PIXELS, staged.folder, dirs_exist_ok=True)
                scan = replace(first, key=new_key(), stored_bytes=0, manifest_sha256="")
                archive.commit(staged, case, slide.record, scan)


def digest(files: list[Path]) -> None:
    """Read files for their SHA-256 and nothing else."""

    def one(file: Path) -> str:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()

    with ThreadPoolExecutor(READERS) as readers:
        list(readers.map(one, files))


def check_again(archive: Path) -> None:
    """Check the whole archive, from opening it to the record of the check."""
    faults = list(ArchiveCheck(ArchiveSettings(archive=archive), Plan(), Progress()).run())
    if faults:
        raise SystemExit(f"a whole archive has faults: {faults[0]}")


def peak_bytes(archive: Path) -> int:
    """Run the command and give the largest anonymous memory that it had."""
    watch: MemoryWatch = MemoryWatch()
    watch.run([sys.executable, "-m", "archive", "check", "--archive", str(archive)])
    return watch.peak_bytes
