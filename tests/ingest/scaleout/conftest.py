"""A laboratory with a crew, and deliveries of small slides that are all different files."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import psutil
import pytest

from archive import fixity
from archive.consent import Facts
from archive.consent.terms import TissueSource
from archive.fixity import Manifest
from archive.holdings import Archive
from archive.records import Stain
from ingest.cli.places import Places
from ingest.delivery import Row
from ingest.keyvault import KeyVault
from ingest.pipeline.batch import Delivered, Outcome
from ingest.pipeline.slide import Intake
from ingest.scaleout.crew import Crew, hired
from ingest.scaleout.many import ingest_many
from tests.slides.svs import make_svs

LIVING = Facts(source=TissueSource.LIVING)


@dataclass
class Laboratory:
    """Where slides are taken in by a crew."""

    home: Path
    places: Places
    archive: Archive
    vault: KeyVault
    files: list[Path] = field(default_factory=list)

    @property
    def staging(self) -> list[Path]:
        """What lies staged."""
        return list(self.archive.place.staging.iterdir())

    def deliver(self, count: int) -> list[Delivered]:
        """Write slides; the last bytes of each are its own."""
        folder = self.home / "delivery"
        folder.mkdir(exist_ok=True)
        drawn = make_svs(self.home / "drawn.svs", width=900, height=700, factors=(1, 4)).path
        begin = len(self.files)
        for number in range(begin, begin + count):
            file = Path(shutil.copyfile(drawn, folder / f"{number:03}.svs"))
            with file.open("ab") as opened:
                opened.write(number.to_bytes(4, "little"))
            self.files.append(file)
        return [self.delivered(file, file.stem) for file in self.files[begin:]]

    @staticmethod
    def delivered(file: Path, case: str, facts: Facts = LIVING) -> Delivered:
        """Say whose slide a file is."""
        number = int(case) + 2
        row = Row(
            number=number, file=PurePosixPath(file.name), patient=f"H-{case}", case=case, block="A1", stain=Stain.HE
        )
        return Delivered(file, row, facts)

    def take_in(self, crew: Crew, delivery: list[Delivered]) -> dict[Path, Outcome]:
        """Take slides in; give the outcomes by file."""
        intake = Intake(self.archive, self.vault, keep_out=self.places.secret)
        return {one.delivered.path: one for one in ingest_many(delivery, intake, crew)}

    def assert_whole(self, count: int) -> None:
        """See that so many scans are kept, each of them as its manifest says, and nothing half-made is left."""
        slides = self.archive.slides()
        assert len(slides) == count
        for slide in slides:
            for scan in self.archive.scans_of(slide.record.key):
                folder = self.archive.place.of_scan(scan.key)
                manifest = Manifest.from_bytes((folder / fixity.MANIFEST).read_bytes())
                assert (manifest.sha256, fixity.verify(folder, manifest)) == (scan.manifest_sha256, ())
        assert self.staging == []
        assert (self.vault.pending(), self.archive.audit_faults()) == ((), ())


@pytest.fixture
def laboratory(tmp_path: Path) -> Iterator[Laboratory]:
    places = Places.of(tmp_path / "archive")
    places.create()
    with places.opened() as (archive, vault):
        yield Laboratory(tmp_path, places, archive, vault)


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    with hired(2) as crew:
        yield crew


@pytest.fixture
def workers() -> Callable[[], list[psutil.Process]]:
    """Find the workers' processes: children of this one that were started to be workers of `distributed`."""

    def find() -> list[psutil.Process]:
        found = []
        for process in psutil.Process().children():
            with suppress(psutil.Error):
                if "spawn_main" in " ".join(process.cmdline()):
                    found.append(process)
        return found

    return find
