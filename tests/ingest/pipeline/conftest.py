"""A laboratory in one process: an archive and a vault into which slides are taken with a few words about each."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from archive.consent import Facts
from archive.consent.terms import TissueSource
from archive.holdings import Archive
from archive.records import Stain
from ingest.cli.places import Places
from ingest.delivery import Row
from ingest.keyvault import KeyVault
from ingest.pipeline.jailed import MODULES
from ingest.pipeline.receipt import Receipt
from ingest.pipeline.slide import Intake, ingest_slide
from ingest.sandbox import prepare
from tests.ingest.scanners.conftest import cutting

__all__ = ["cutting"]

LIVING = Facts(source=TissueSource.LIVING)


@pytest.fixture(scope="session", autouse=True)
def prepared() -> None:
    prepare(*MODULES)


@dataclass(frozen=True)
class Laboratory:
    """Where slides are taken in."""

    archive: Archive
    vault: KeyVault

    def take_in(self, path: Path, facts: Facts = LIVING, watch: Any = None, **told: Any) -> Receipt:
        """Take in a slide; what is not told of it is made up from its name."""
        words = {"patient": f"H-{path.stem}", "case": f"S26-{path.stem}", "block": "A1", "stain": Stain.HE, **told}
        row = Row(number=2, file=PurePosixPath(path.name), **words)
        intake = Intake(self.archive, self.vault, **({"watch": watch} if watch else {}))
        return ingest_slide(path, row, facts, intake)

    def folder_of(self, receipt: Receipt) -> Path:
        """Give the folder in which a scan is kept."""
        (scan,) = self.archive.scans_of(self.archive.slide(receipt.slide_code).record.key)
        return self.archive.place.of_scan(scan.key)


@pytest.fixture
def make_laboratory(tmp_path: Path) -> Iterator[Callable[[], Laboratory]]:
    opened: list[AbstractContextManager[tuple[Archive, KeyVault]]] = []

    def make() -> Laboratory:
        places = Places.of(tmp_path / f"laboratory-{len(opened)}")
        places.create()
        context = places.opened()
        opened.append(context)
        return Laboratory(*context.__enter__())

    yield make
    for context in opened:
        context.__exit__(None, None, None)


@pytest.fixture
def laboratory(make_laboratory: Callable[[], Laboratory]) -> Laboratory:
    return make_laboratory()


@pytest.fixture
def born() -> date:
    return date(1948, 7, 5)
