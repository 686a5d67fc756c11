"""An archive of real tiles, and the check of it."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from archive.codes import Code
from archive.holdings.checking.faults import Fault
from archive.holdings.checking.running import Checked, Plan, Progress
from archive.holdings.checking.whole import ArchiveCheck
from archive.settings import ArchiveSettings
from tests.archive.server.taught import TaughtArchive, shrunk
from tests.slides.tissue import tissue

TODAY = date(2026, 11, 22)

RunCheck = Callable[..., tuple[list[Fault], Checked]]


@pytest.fixture
def taught(tmp_path: Path) -> Iterator[TaughtArchive]:
    made = TaughtArchive(tmp_path / "archive")
    yield made
    made.archive.close()


@pytest.fixture
def slide(taught: TaughtArchive) -> Code:
    """Add a slide of two levels, with white glass in a corner."""
    picture = tissue(300, 260)
    return taught.add([picture, shrunk(picture, 2)], absent=[(2, 2)])


@pytest.fixture
def run_check(taught: TaughtArchive) -> RunCheck:
    """Check the archive in a run of its own."""

    def run(plan: Plan | None = None, **settings: object) -> tuple[list[Fault], Checked]:
        chosen = ArchiveSettings(archive=taught.root, **settings)
        check = ArchiveCheck(chosen, plan or Plan(today=TODAY), Progress())
        return list(check.run()), check.checked

    return run
