"""Slides with a few bytes changed, cut out or missing are taken in one after the other, in one process."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath

from archive.consent import Facts
from archive.consent.terms import TissueSource
from archive.holdings import Archive
from archive.records import Stain
from ingest.cli.places import Places
from ingest.delivery import Row
from ingest.pipeline.batch import Delivered, Outcome, ingest_batch
from ingest.pipeline.jailed import MODULES
from ingest.pipeline.slide import Intake
from ingest.sandbox import prepare
from tests.slides.generic import APERIO_JPEG2000, make_tiff
from tests.slides.malformed import mutants
from tests.slides.ome import make_ome_tiff
from tests.slides.svs import make_svs

SEEDS: dict[str, Callable[[Path], object]] = {
    "Aperio": partial(make_svs, width=300, height=260, tile=(64, 64), factors=(1, 2), macro=False, label="jpeg"),
    "Aperio in JPEG 2000": partial(
        make_tiff,
        coding="jpeg2000",
        description=APERIO_JPEG2000,
        width=300,
        height=260,
        tile=(128, 128),
        factors=(1,),
    ),
    "BigTIFF in Deflate": partial(
        make_tiff, coding="deflate", width=300, height=260, tile=(128, 128), factors=(1, 2), big=True
    ),
    "strips in LZW": partial(make_tiff, coding="lzw", width=300, height=260, tile=None, factors=(1,)),
    "OME-TIFF": partial(make_ome_tiff, width=300, height=260, tile=64, factors=(1, 2)),
}
"""Makers of the sound slides that mutants are made of: small, so that each part is hit often."""

FACTS = Facts(source=TissueSource.LIVING)


@dataclass
class Mutated:
    """How mutants ended, and how long the slowest took."""

    outcomes: Counter[str] = field(default_factory=Counter)
    slowest_seconds: float = 0.0


def ingest_mutants(whole: bytes, count: int, home: Path, seed: int = 7) -> Mutated:
    """Take in so many mutants of a slide; whatever was kept must be whole and readable."""
    prepare(*MODULES)
    home.mkdir(parents=True, exist_ok=True)
    places = Places.of(home / "archive")
    places.create()
    found = Mutated()
    with places.opened() as (archive, vault):
        intake = Intake(archive, vault, keep_out=places.secret)
        delivery = _delivery(home / "mutant", mutants(whole, count, seed))
        begun = time.monotonic()
        for outcome in ingest_batch(delivery, intake):
            ended = time.monotonic()
            found.slowest_seconds = max(found.slowest_seconds, ended - begun)
            found.outcomes[_called(outcome)] += 1
            begun = ended
        _read_all(archive)
    return found


def _delivery(path: Path, spoilt: list[bytes]) -> Iterator[Delivered]:
    """Write one mutant after the other to the same place."""
    for number, data in enumerate(spoilt, 2):
        path.write_bytes(data)
        file, case = PurePosixPath(path.name), f"S26-{number:06}"
        row = Row(number=number, file=file, patient=f"H-{number:07}", case=case, block="A1", stain=Stain.HE)
        yield Delivered(path, row, FACTS)


def _called(outcome: Outcome) -> str:
    if outcome.receipt is not None:
        return "kept" if outcome.receipt.new else "known"
    assert outcome.reason is not None
    return outcome.reason.value


def _read_all(archive: Archive) -> None:
    assert list(archive.place.staging.iterdir()) == []
    for slide in archive.slides():
        for scan in archive.scans_of(slide.record.key):
            with archive.open_pyramid(scan.key) as pyramid:
                for level in pyramid.levels:
                    level.read_region(0, 0, level.size.width, level.size.height)
