"""Jails that are made quickly, because one fork server has imported what their inmates need."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ingest.sandbox import Jail, prepare

ACTS = "tests.ingest.sandbox.acts"


@pytest.fixture(scope="session", autouse=True)
def prepared() -> None:
    prepare(ACTS, "openslide")


@pytest.fixture
def jail() -> Iterator[Callable[..., Jail]]:
    """Make a jail that ends with the test."""
    with ExitStack() as stack:

        def make(**options: Any) -> Jail:
            return stack.enter_context(Jail(**{"read": [], **options}))

        yield make


@pytest.fixture
def is_gone() -> Callable[[int], bool]:
    """Wait a few seconds for a process to end; one that is only waited for counts as ended."""

    def wait(process: int) -> bool:
        for _ in range(200):
            try:
                if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                    return True
            except OSError:
                return True
            time.sleep(0.02)
        return False

    return wait
