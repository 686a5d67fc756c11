"""Jails that are made quickly, because one fork server has imported what their inmates need."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
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
