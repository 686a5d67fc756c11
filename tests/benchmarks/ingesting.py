"""How fast a slide is taken in, beside copying the file and beside wsidicomizer, which checks nothing."""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from ingest.pipeline.storing import store
from tests.benchmarks.report import Row

ROUNDS = 3
SAMPLE_SECONDS = 0.01


def against_ome_zarr(slide: Path, eubi: str) -> list[Row]:
    """Measure the whole ingest beside the fastest writer of OME-Zarr that is known, once each, since it is slow."""
    with tempfile.TemporaryDirectory() as folder:
        whole = timed(partial(MemoryWatch().run, whole_ingest(slide, Path(folder))))
        command = [eubi, "to_zarr", str(slide), "--output_path", f"{folder}/zarr"]
        peer = timed(partial(subprocess.run, command, check=True, capture_output=True))
        if not any(Path(folder, "zarr").glob("*.zarr")):
            raise SystemExit("eubi-bridge wrote no OME-Zarr")
    return [Row("the whole ingest, s", whole, "eubi-bridge-lite", peer, whole / peer, "at most 0.1")]


def measure(slide: Path, wsidicomizer: str | None) -> list[Row]:
    """Measure copying the pixels, the whole ingest, its memory and its bytes, in turns with the peers."""
    copies, pixels, wholes, peers, memory, stored = [], [], [], [], [], 0
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            copies.append(timed(partial(copy_and_sync, slide, Path(folder) / "copy")))
            pixels.append(timed(partial(copy_pixels, slide, Path(folder) / "pixels")))
            watch, command = MemoryWatch(), whole_ingest(slide, Path(folder))
            wholes.append(timed(partial(watch.run, command)))
            memory.append(watch.peak_bytes)
            stored = sum(f.stat().st_size for f in (Path(folder) / "archive" / "scans").rglob("*") if f.is_file())
            if wsidicomizer:
                command = [wsidicomizer, "-i", str(slide), "-o", f"{folder}/dicom"]
                peers.append(timed(partial(subprocess.run, command, check=True, capture_output=True)))
    size = slide.stat().st_size
    copy, whole = median(copies), median(wholes)
    rows = [
        Row("copying the pixels, s", median(pixels), "cp and sync", copy, median(pixels) / copy, "at most 6"),
        Row("stored bytes, MB", stored / 1e6, "the source", size / 1e6, stored / size, "at most 1.06"),
        Row("RssAnon of the largest process, MB", max(memory) / 1e6, "limit", 400, max(memory) / 4e8, "at most 1"),
    ]
    if peers:
        peer = median(peers)
        rows.insert(1, Row("the whole ingest, s", whole, "wsidicomizer", peer, whole / peer, "at most 1.5"))
    else:
        rows.insert(1, Row("the whole ingest, s", whole, "cp and sync", copy, whole / copy, ""))
    return rows


def timed(act: Callable[[], object]) -> float:
    """Measure wall-clock seconds."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def copy_and_sync(slide: Path, to: Path) -> None:
    """Copy the file and flush it to the disk."""
    subprocess.run(["cp", slide, to], check=True)
    subprocess.run(["sync", to], check=True)


def copy_pixels(slide: Path, folder: Path) -> None:
    """Write the scan's shards and flush them, without any of the checks."""
    places = folder / "places"
    places.mkdir(parents=True)
    store(lambda _: None, str(slide), str(folder / "scan"), str(places))
    subprocess.run(["sync", *(str(f) for f in (folder / "scan").rglob("*") if f.is_file())], check=True)


def whole_ingest(slide: Path, folder: Path) -> list[str]:
    """Prepare a delivery of one slide; give the command that takes it in, and looks at its pixels later."""
    delivery = folder / "delivery"
    delivery.mkdir()
    copy_and_sync(slide, delivery / "slide.svs")  # flushed, as a file that was delivered some time ago
    rows = "file,patient,case,block,stain,tissue\nslide.svs,P0000001,C0000001,A1,HE,living\n"
    (delivery / "list.csv").write_text(rows)
    command = [sys.executable, "-m", "ingest", "ingest", str(delivery / "slide.svs")]
    later = ["--delivery", str(delivery / "list.csv"), "--screen", "later"]
    return [*command, *later, "--archive", str(folder / "archive")]


class MemoryWatch:
    """Runs a command and samples the anonymous memory of it and all its children."""

    def __init__(self) -> None:
        self.peak_bytes = 0

    def run(self, command: list[str]) -> None:
        """Run to the end; keep the largest RssAnon of any one process."""
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        sampler = threading.Thread(target=self._sample, args=(process,))
        sampler.start()
        code = process.wait()
        sampler.join()
        if code:
            raise SystemExit(f"the ingest ended with exit code {code}")

    def _sample(self, process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None:
            for pid in family(process.pid):
                self.peak_bytes = max(self.peak_bytes, rss_anon_bytes(pid))
            time.sleep(SAMPLE_SECONDS)


def family(pid: int) -> list[int]:
    """List a process and all that descend from it."""
    found = [pid]
    for one in found:
        try:
            found += [int(child) for child in Path(f"/proc/{one}/task/{one}/children").read_text().split()]
        except OSError:
            continue
    return found


def rss_anon_bytes(pid: int) -> int:
    """Read the anonymous memory of a process, 0 if it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon")), 0)
