"""A store of accounts in a folder of its own, with a clock that is set by hand."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from archive.accounts import AccountStore, Grant, Limits, Role, passwords

GOOD = "violin grape umbrella"
OTHER = "turnip bassoon lake"


class Clock:
    """Tells the time that it was set to, in seconds."""

    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds

    def passes(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash with the least memory and one pass: the same algorithm, a thousand times faster."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobodys.cache_clear()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_store(tmp_path: Path, clock: Clock, quick_hashes: None) -> Iterator[Callable[..., AccountStore]]:
    """Make a store whose custodian is carol; further accounts are given as name=roles."""
    made: list[AccountStore] = []

    def making(limits: Limits | None = None, **others: list[Grant]) -> AccountStore:
        store = AccountStore.open(tmp_path, create=True, limits=limits, clock=clock)
        made.append(store)
        store.add("carol", GOOD, [Grant(Role.CUSTODIAN)])
        for name, grants in others.items():
            store.add(name, OTHER, grants)
        return store

    yield making
    for store in made:
        store.close()
