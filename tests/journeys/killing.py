"""A laboratory whose ingests are killed: what lies there then, what still runs, and what the next one makes of it."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from archive import fixity
from archive.codes import InternalKey
from archive.fixity import Manifest, StoredFile
from archive.holdings import PIXELS, Archive
from archive.records import ScanRecord, SlideRecord
from ingest.cli.places import Places
from ingest.keyvault import KeyVault
from tests.journeys.laboratory import ROOT, Laboratory, Said, row_of, write_list
from tests.journeys.mixing import Ended, Mixture, how_it_ended
from tests.slides.svs import make_svs

WAIT_SECONDS = 20.0
NOBODY = InternalKey("0" * 32)


@dataclass(frozen=True)
class Content:
    """Everything that is kept of a slide, but for keys and codes, which are random."""

    slide: SlideRecord
    scans: tuple[ScanRecord, ...]
    files: tuple[tuple[StoredFile, ...], ...]


@dataclass
class Delivery:
    """Copies of one slide with the same pixels; a byte behind the end tells them apart, as files."""

    folder: Path
    whole: bytes = b""
    files: list[Path] = field(default_factory=list)

    @property
    def list(self) -> Path:
        """The delivery list."""
        return self.folder / "list.csv"

    def make(self, count: int) -> "Delivery":
        """Write the slides and their list. Small tiles make many of them, so that there is progress to be told."""
        self.folder.mkdir(parents=True, exist_ok=True)
        made = make_svs(self.folder / "slide.svs", width=1900, height=1700, tile=(64, 64), factors=(1, 4))
        self.whole = made.path.read_bytes()
        made.path.unlink()
        self.files = [self.folder / f"{number:03}.svs" for number in range(count)]
        for number, file in enumerate(self.files):
            file.write_bytes(self.whole + number.to_bytes(2, "little"))
        write_list(self.list, *(row_of(file, f"S26-{file.stem}", tissue="living") for file in self.files))
        return self


@dataclass
class Killings:
    """A laboratory in a folder, whose processes all have a mark to be known by and one folder for temporary files."""

    home: Path
    mark: str = field(default_factory=lambda: f"LC_{secrets.token_hex(8)}")

    def __post_init__(self) -> None:
        self.laboratory = Laboratory(self.home)
        self.temporary = self.home / "temporary"
        self.temporary.mkdir(parents=True)
        self.settings = {"TMPDIR": str(self.temporary), self.mark: "C"}

    def kill_at(self, moment: str, file: Path, delivery: Delivery) -> None:
        """Have the ingest of a slide killed at a moment of `tests.journeys.dying`."""
        process = self.start("-m", "tests.journeys.dying", moment, *self._ingest(file, delivery))
        _, error = process.communicate(timeout=300)
        assert process.returncode == -signal.SIGKILL, f"{moment} never came: {error}"
        self.wait_for_the_rest()

    def kill_after(self, seconds: float, file: Path, delivery: Delivery) -> bool:
        """Start the ingest of a slide and kill it so many seconds later; false if it was done before."""
        process = self.start("-m", "ingest", *self._ingest(file, delivery))
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate(timeout=300)
        assert process.returncode in (0, -signal.SIGKILL)
        self.wait_for_the_rest()
        return process.returncode != 0

    def ingest(self, file: Path, delivery: Delivery) -> Said:
        """Ingest a slide as people do; it must be kept, or known."""
        return self.laboratory.run(*self._ingest(file, delivery), settings=self.settings)

    def listed(self) -> list[str]:
        """Give the codes of all slides, as ``list`` tells them."""
        said = self.laboratory.run_archive("list", "--json", settings=self.settings)
        return [slide["slide"] for slide in json.loads(said.out)]

    def contents(self) -> dict[str, Content]:
        """Give everything that is kept, by code; every file of it must be what was stored, and readable."""
        with Archive.open(self.laboratory.archive, read_only=True) as archive:
            assert archive.audit_faults() == ()
            return {str(slide.code): _content(archive, slide.record) for slide in archive.slides()}

    def wait_for_the_rest(self) -> None:
        """See that whatever the killed process had started ends by itself."""
        deadline = time.monotonic() + WAIT_SECONDS
        while left := _marked(self.mark):
            assert time.monotonic() < deadline, f"processes {left} outlived the one that started them"
            time.sleep(0.02)

    def assert_tidy(self) -> None:
        """See that nothing half-made is left: no staged folder, no temporary file, no pending entry of the vault."""
        assert list(self.temporary.iterdir()) == []
        for place in ("staging", "aside"):
            assert list((self.laboratory.archive / place).iterdir()) == []
        places = Places.of(self.laboratory.archive)
        with KeyVault.open(places.vault, places.key) as vault:
            assert (vault.pending(), vault.check(), vault.verify_trail()) == ((), (), ())

    def _ingest(self, file: Path, delivery: Delivery) -> tuple[str, ...]:
        return "ingest", str(file), "--delivery", str(delivery.list)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start a Python program in this laboratory, marked as one of its processes."""
        environment = {**os.environ, **self.settings, "COVERSLIP_ARCHIVE": str(self.laboratory.archive)}
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def kill_at_random_times(killings: Killings, delivery: Delivery, seed: int = 7) -> tuple[int, dict[str, Content]]:
    """Kill the ingest of each slide but the first at a random time, check, and ingest it again.

    Gives how many ingests were killed before they were done, and what is kept in the end. The shortest ingest so far
    tells how long one takes; in its first third the command only imports its modules.
    """
    rng = np.random.default_rng(seed)
    shortest, killed = float("inf"), 0
    for number, file in enumerate(delivery.files, 1):
        if number > 1:
            killed += killings.kill_after(float(rng.uniform(0.3, 1.0)) * shortest, file, delivery)
            assert number - 1 <= len(killings.contents()) <= number
        begun = time.monotonic()
        killings.ingest(file, delivery)
        shortest = min(shortest, time.monotonic() - begun)
        assert len(killings.contents()) == number
        killings.assert_tidy()
    return killed, killings.contents()


def kill_on_the_way(killings: Killings, mixture: Mixture, count: int, seed: int = 7) -> Ended:
    """Kill the ingest of a delivery by two workers so often, each time when it has kept some more, and let it end."""
    killings.laboratory.declare_feed()
    rng = np.random.default_rng(seed)
    most_kept = mixture.scans // (count + 1)  # so that there is always work left
    for _ in range(count):
        _kill_after_slides(killings, mixture, int(rng.integers(1, most_kept)), float(rng.uniform(0, 0.5)))
    killings.laboratory.take_in(mixture.folder, mixture.list, "--workers", 2, ends=3)
    return how_it_ended(killings.laboratory, mixture)


def _kill_after_slides(killings: Killings, mixture: Mixture, kept: int, seconds: float) -> None:
    """Start the ingest, and kill its first process so long after it told of so many slides."""
    delivery = "--delivery", str(mixture.list)
    process = killings.start("-m", "ingest", "ingest", str(mixture.folder), *delivery, "--workers", "2")
    assert process.stdout is not None
    for line in process.stdout:
        kept -= line.startswith("kept")
        if not kept:
            time.sleep(seconds)
            process.kill()
            break
    process.communicate(timeout=600)
    killings.wait_for_the_rest()
    assert process.returncode == -signal.SIGKILL, "the ingest was done before it was killed"


def _content(archive: Archive, slide: SlideRecord) -> Content:
    scans, files = [], []
    for scan in archive.scans_of(slide.key):
        scans.append(replace(scan, key=NOBODY, slide=NOBODY, manifest_sha256=""))
        folder = archive.place.of_scan(scan.key)
        manifest = Manifest.from_bytes((folder / fixity.MANIFEST).read_bytes())
        assert manifest.sha256 == scan.manifest_sha256
        assert fixity.verify(folder, manifest) == ()
        files.append(tuple(file for file in manifest.files if file.path.startswith(PIXELS)))
        with archive.open_pyramid(scan.key) as pyramid:
            assert (pyramid.size, len(pyramid.levels)) == (scan.size, scan.level_count)
            for level in pyramid.levels:
                assert level.decoded_tile(0, 0).min() < 255
                assert level.decoded_tile(level.columns - 1, level.rows - 1).min() < 255
    return Content(replace(slide, key=NOBODY, case=NOBODY, block=NOBODY), tuple(scans), tuple(files))


def _marked(mark: str) -> list[int]:
    """Find the processes that have a mark in their environment and have not ended."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
    return found
