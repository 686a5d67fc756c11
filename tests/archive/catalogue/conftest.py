"""Every catalogue test runs on SQLite and on a real PostgreSQL."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archive.catalogue import Catalogue


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where an empty catalogue may be made."""
    if request.param == "sqlite":
        return tmp_path / "catalogue.sqlite"
    emptied: str = request.getfixturevalue("postgresql").emptied()
    return emptied


@pytest.fixture
def tamper(request: pytest.FixtureRequest, place: Path | str) -> Callable[[str], None]:
    """Change the database past the code under test."""

    def tampering(statement: str) -> None:
        if isinstance(place, str):
            request.getfixturevalue("postgresql").execute(statement)
            return
        connection = sqlite3.connect(place)
        with connection:
            connection.execute(statement)
        connection.close()

    return tampering


@pytest.fixture
def open_catalogue(place: Path | str) -> Iterator[Callable[..., Catalogue]]:
    """Open the catalogue at that place, any number of times; all are closed at the end."""
    opened: list[Catalogue] = []

    def opening(**differences: object) -> Catalogue:
        opened.append(Catalogue.open(place, **differences))  # type: ignore[arg-type]
        return opened[-1]

    yield opening
    for catalogue in opened:
        catalogue.close()


@pytest.fixture
def catalogue(open_catalogue: Callable[..., Catalogue]) -> Catalogue:
    return open_catalogue()
