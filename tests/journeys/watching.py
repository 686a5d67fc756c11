"""A laboratory that watches a folder, and what scanners, people and the power supply do to it meanwhile."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from archive.holdings import Archive
from ingest.cli.places import Places
from ingest.keyvault import KeyVault
from tests.journeys.laboratory import ROOT, Laboratory

EVERY, SETTLE = 0.1, 1.5
"""Seconds between two looks, and for which a file must stay as it is: short, so that a test is."""

PATIENCE = 60.0

_COPIER = """
import sys, time
source, target, pieces, pause = open(sys.argv[1], "rb").read(), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
step = -(-len(source) // pieces)
with open(target, "wb", buffering=0) as file:
    for at in range(0, len(source), step):
        file.write(source[at : at + step])
        time.sleep(pause)
"""


@dataclass
class Watch:
    """A running ``coverslip watch``, and what it has said so far."""

    process: "subprocess.Popen[str]"
    output: Path

    @property
    def said(self) -> str:
        """Everything that it has said."""
        return self.output.read_text()

    def wait_for(self, pattern: str, count: int = 1) -> None:
        """Wait until it has said something so many times."""
        wait_until(lambda: len(re.findall(pattern, self.said)) >= count, lambda: f"{pattern!r} not in: {self.said}")

    def kill(self) -> None:
        """Cut the power."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, and give its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@dataclass
class Watching:
    """A laboratory with a folder that is watched."""

    laboratory: Laboratory
    folder: Path
    watches: list[Watch] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    """What a watch is told by its surroundings."""

    @classmethod
    def set_up(cls, home: Path, *feed: str) -> "Watching":
        """Make archive, vault, feed and folder."""
        folder = home / "incoming"
        folder.mkdir(parents=True)
        watching = cls(Laboratory(home / "laboratory"), folder)
        watching.laboratory.home.mkdir()
        watching.laboratory.run("init")
        watching.laboratory.declare_feed("--attested-by", "Dr A. Curator", "--post-mortems", "PM*", *feed)
        return watching

    @contextmanager
    def watch(self, *more: str, settle: float = SETTLE) -> Iterator[Watch]:
        """Watch the folder until the block ends, at the latest."""
        output = self.folder.parent / f"watch-{len(self.watches)}.out"
        environment = self.laboratory._environment() | {"COVERSLIP_SETTLE": str(settle), "PYTHONUNBUFFERED": "1"}
        environment |= self.settings
        command = [sys.executable, "-m", "ingest", "watch", str(self.folder), "--every", str(EVERY), *more]
        with output.open("w") as file:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT, text=True
            )
        watch = Watch(process, output)
        self.watches.append(watch)
        try:
            yield watch
        finally:
            if process.poll() is None:
                watch.end()
            assert "Traceback" not in watch.said, watch.said

    def copy_slowly(self, source: Path, target: Path, pieces: int = 8, pause: float = 0.4) -> "subprocess.Popen[bytes]":
        """Copy a file piece by piece, in a process of its own."""
        words = [str(source), str(target), str(pieces), str(pause)]
        return subprocess.Popen([sys.executable, "-c", _COPIER, *words])

    @property
    def scans(self) -> int:
        """How many scans the archive has; every one of them is whole."""
        with Archive.open(self.laboratory.archive, read_only=True) as archive:
            scans = [scan for slide in archive.slides() for scan in archive.scans_of(slide.record.key)]
            for scan in scans:
                with archive.open_pyramid(scan.key) as pyramid:
                    assert pyramid.levels[0].decoded_tile(0, 0).min() < 255
            return len(scans)

    @property
    def waiting(self) -> dict[str, str]:
        """The reasons of what is in quarantine, by the name of its file."""
        places = Places.of(self.laboratory.archive)
        with KeyVault.open(places.vault, places.key) as vault:
            return {entry.path.name: str(entry.reason) for entry in vault.register.waiting()}


def wait_until(is_so: Callable[[], bool], otherwise: Callable[[], str]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.05)
