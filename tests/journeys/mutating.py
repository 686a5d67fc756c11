"""Slides with something changed, cut out or missing are taken in one after the other, in one process.

That process must live, and not grow; no slide may take long, and no reader in its jail much memory; and what is kept in
the end must be whole, by the archive's own check and by reading all of it.
"""

import resource
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final
from unittest import mock

import numpy as np

from archive.consent import Facts
from archive.consent.terms import TissueSource
from archive.holdings import Archive
from archive.holdings.checking.running import Plan, Progress
from archive.holdings.checking.whole import ArchiveCheck
from archive.records import Stain
from archive.settings import ArchiveSettings
from ingest.cli.places import Places
from ingest.delivery import Row
from ingest.errors import Reason
from ingest.pipeline.batch import Delivered, Outcome, ingest_batch
from ingest.pipeline.jailed import MODULES
from ingest.pipeline.slide import Intake
from ingest.sandbox import Jail, Limits, prepare
from tests.slides.bif import make_bif
from tests.slides.dicom import make_dicom
from tests.slides.generic import APERIO_JPEG2000, make_tiff
from tests.slides.made import MadeSlide
from tests.slides.mirax import make_mirax
from tests.slides.mutants import spoil
from tests.slides.ndpi import make_ndpi
from tests.slides.ome import make_fluorescence_ome_tiff, make_ome_tiff
from tests.slides.philips import make_philips
from tests.slides.qptiff import make_qptiff
from tests.slides.sakura import make_sakura
from tests.slides.scn import Tissue, make_scn
from tests.slides.svs import make_svs
from tests.slides.trestle import make_trestle
from tests.slides.vms import make_vms
from tests.slides.vmu import make_vmu


@dataclass(frozen=True)
class Seed:
    """A sound slide that mutants are made of, and what its file is called; small, so that each part is hit often."""

    maker: Callable[..., MadeSlide]
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def make(self, folder: Path) -> Path:
        """Write the slide into a new folder, and give its main file."""
        folder.mkdir(parents=True)
        return self.maker(folder / self.name, **self.options).path


_SMALL = {"width": 300, "height": 260, "tile": (128, 128), "factors": (1, 2)}

SEEDS: Mapping[str, Seed] = {
    "Aperio": Seed(make_svs, "slide.svs", {**_SMALL, "tile": (64, 64), "macro": False, "label": "jpeg"}),
    "Aperio in JPEG 2000": Seed(
        make_tiff,
        "slide.svs",
        {**_SMALL, "coding": "jpeg2000", "description": APERIO_JPEG2000, "factors": (1,)},
    ),
    "BigTIFF in Deflate": Seed(make_tiff, "slide.tif", {**_SMALL, "coding": "deflate", "big": True}),
    "strips in LZW": Seed(make_tiff, "slide.tif", {**_SMALL, "coding": "lzw", "tile": None, "factors": (1,)}),
    "BigTIFF in Zstandard": Seed(make_tiff, "slide.tif", {**_SMALL, "coding": "zstd", "big": True, "factors": (1,)}),
    "TIFF in WebP": Seed(make_tiff, "slide.tif", {**_SMALL, "coding": "webp", "factors": (1,)}),
    "TIFF in JPEG 2000": Seed(make_tiff, "slide.tif", {**_SMALL, "coding": "jpeg2000", "factors": (1,)}),
    "OME-TIFF in fluorescence": Seed(
        make_fluorescence_ome_tiff, "slide.ome.tif", {"width": 300, "height": 260, "tile": 64, "factors": (1, 2)}
    ),
    "OME-TIFF": Seed(make_ome_tiff, "slide.ome.tif", {**_SMALL, "tile": 64}),
    "NDPI": Seed(make_ndpi, "slide.ndpi", {"width": 512, "height": 384, "factors": (1, 2), "intervals": (256, None)}),
    "Philips": Seed(make_philips, "slide.tiff", {"width": 384, "height": 256, "factors": (1, 2), "where": "both"}),
    "SCN": Seed(make_scn, "slide.scn", {"regions": (Tissue(width=300, height=260, factors=(1, 2)),), "tile": 128}),
    "QPTIFF": Seed(make_qptiff, "slide.qptiff"),
    "QPTIFF in fluorescence": Seed(
        make_qptiff, "slide.qptiff", {"factors": (1, 2), "channels": (("DAPI", "0,0,255"), ("CD8", "255,0,0"))}
    ),
    "DICOM": Seed(make_dicom, "slide", {**_SMALL, "parts": 2, "table": "extended", "associated": ("label",)}),
    "DICOM in JPEG-LS, sparse": Seed(
        make_dicom, "slide", {**_SMALL, "syntax": "jpeg-ls", "sparse": True, "factors": (1,), "associated": ()}
    ),
    "MIRAX": Seed(make_mirax, "slide.mrxs", {"photographs": (3, 2), "levels": 2, "left_out": frozenset()}),
    "BIF": Seed(make_bif, "slide.bif"),
    "Trestle": Seed(make_trestle, "slide.tif"),
    "Sakura": Seed(make_sakura, "slide.svslide"),
    "VMS": Seed(make_vms, "slide.vms"),
    "VMU": Seed(make_vmu, "slide.vmu", {"width": 512, "height": 300}),
}

FACTS = Facts(source=TissueSource.LIVING)

NEVER: Final = frozenset({Reason.PIXELS_DIFFER, Reason.TOO_SLOW})
"""Reasons that no damage may lead to."""

LONGEST_SECONDS: Final = 30.0
"""What a small slide may take on a busy machine; a second is usual, and its jail would end it after 80."""

MOST_GROWTH_BYTES: Final = 256 << 20
"""Of the process that keeps the vault, however much a mutant asks for."""

MOST_JAIL_BYTES: Final = Limits().memory_bytes
"""Of a reader in its jail."""


@dataclass
class Mutated:
    """How mutants ended, by what was done to them, and what it cost.

    Attributes
    ----------
    by_way
        How often each outcome came, by what was done.
    slowest_seconds
        The longest that one slide took.
    grown_bytes
        By how much this process grew.
    jails
        How many readers there were, each in a jail of its own, and ...
    jail_bytes
        ... most memory that one of them had, by the kernel's own mark, and at least what its keeper saw.
    faults
        What the check of archive and vault found in the end.
    """

    by_way: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    slowest_seconds: float = 0.0
    grown_bytes: int = 0
    jails: int = 0
    jail_bytes: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def outcomes(self) -> Counter[str]:
        """How they ended, whatever was done to them."""
        return sum(self.by_way.values(), Counter())

    def note_jail(self, most_bytes: int) -> None:
        """Count a jail."""
        self.jails, self.jail_bytes = self.jails + 1, max(self.jail_bytes, most_bytes)

    @property
    def within_limits(self) -> bool:
        """Whether none was too slow, and neither this process nor a jail, all of which were measured, grew too much."""
        return (
            self.slowest_seconds < LONGEST_SECONDS
            and self.grown_bytes < MOST_GROWTH_BYTES
            and (self.jail_bytes > 0) == (self.jails > 0)
            and self.jail_bytes <= MOST_JAIL_BYTES
        )


def ingest_mutants(seed: Seed, count: int, home: Path, chance: int = 7) -> Mutated:
    """Take in so many mutants of a slide, and look at all that is kept.

    Parameters
    ----------
    seed
        The slide.
    count
        How many.
    home
        A folder for the slide, its mutants, and the archive.
    chance
        Other numbers give other mutants.
    """
    prepare(*MODULES)
    whole = seed.make(home / "whole")
    places = Places.of(home / "archive")
    places.create()
    found, before = Mutated(), _most_memory_bytes()
    with places.opened() as (archive, vault), jails_watched(found.note_jail):
        intake = Intake(archive, vault, keep_out=places.secret)
        spoilt: list[tuple[str, float]] = []
        for outcome in ingest_batch(_delivery(whole, home, count, chance, spoilt), intake):
            way, begun = spoilt[-1]
            found.slowest_seconds = max(found.slowest_seconds, time.monotonic() - begun)
            found.by_way[way][_called(outcome)] += 1
        found.grown_bytes = _most_memory_bytes() - before
        slides = _read_all(archive)
    found.faults = _faults(places)
    if slides != found.outcomes["kept"]:
        found.faults.append(f"{found.outcomes['kept']} slides were told to be kept, and {slides} are there")
    return found


def _most_memory_bytes() -> int:
    """Tell how much memory this process had at most; what is read in jails is theirs."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


@contextmanager
def jails_watched(note: Callable[[int], None]) -> Iterator[None]:
    """Tell of every jail that is closed the most memory that it had, in bytes: the kernel remembers while it lives."""
    close = Jail.close

    def seen(jail: Jail) -> None:
        if jail.process is not None:
            note(max(_most_of(jail.process), jail.peak_rss_anon_bytes or 0))
        close(jail)

    with mock.patch.object(Jail, "close", seen):
        yield


def _most_of(process: int) -> int:
    """Tell the most memory that a process had, shared libraries included; 0 if it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM")), 0)


def _delivery(whole: Path, home: Path, count: int, seed: int, spoilt: list[tuple[str, float]]) -> Iterator[Delivered]:
    """Write one mutant after the other to the same place, and note what was done to it and when it was handed over."""
    chance = np.random.default_rng(seed)
    sound, folder = home / "whole", home / "mutant"
    for number in range(2, 2 + count):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(sound, folder)
        path = folder / whole.relative_to(sound)
        way = spoil(path, chance)
        file, case = PurePosixPath(path.name), f"S26-{number:06}"
        row = Row(number=number, file=file, patient=f"H-{number:07}", case=case, block="A1", stain=Stain.HE)
        spoilt.append((way, time.monotonic()))
        yield Delivered(path, row, FACTS)


def _called(outcome: Outcome) -> str:
    if outcome.receipt is not None:
        return "kept" if outcome.receipt.new else "known"
    assert outcome.reason is not None
    return outcome.reason.value


def _read_all(archive: Archive) -> int:
    """Read every pixel that is kept, and see that nothing else lies there; gives the number of slides."""
    assert [list(place.iterdir()) for place in (archive.place.staging, archive.place.aside)] == [[], []]
    slides = archive.slides()
    for scan in (scan for slide in slides for scan in archive.scans_of(slide.record.key)):
        with archive.open_pyramid(scan.key) as pyramid:
            for level in pyramid.levels:
                level.read_region(0, 0, level.size.width, level.size.height)
    return len(slides)


def _faults(places: Places) -> list[str]:
    """Check the archive and the vault as people do, and tell what is found.

    What the vault recorded of a file that was refused after that is left for the file's next try.
    """
    check = ArchiveCheck(ArchiveSettings(archive=places.archive), Plan(mark=False), Progress())
    faults = [str(fault) for fault in check.run()]
    with places.opened() as (archive, vault):
        half = [f"{one.scan} is not confirmed" for one in vault.pending() if archive.scan(one.scan) is not None]
        return [*faults, *half, *map(str, (*vault.check(), *vault.verify_trail()))]
