"""Who fails too often is turned away with the address they come from, before they have locked everybody out."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive.accounts import AccountStore, Grant, Limits, Role
from archive.errors import InvalidValue, SignInRefused, TooManyTries
from tests.archive.accounts.conftest import GOOD, OTHER, Clock

MakeStore = Callable[..., AccountStore]
HERE, THERE = "10.0.0.1", "10.0.0.2"
STAFF = [f"staff{number}" for number in range(12)]


@pytest.fixture
def store(make_store: MakeStore) -> AccountStore:
    return make_store(**{name: [Grant(Role.LEARNER)] for name in STAFF})


def fail(store: AccountStore, name: str, address: str | None = HERE) -> type[Exception]:
    with pytest.raises((SignInRefused, TooManyTries)) as caught:
        store.sign_in(name, "wrong", address)
    return caught.type


def locked(store: AccountStore) -> list[str]:
    return [account.name for account in store.accounts() if account.locked_until is not None]


def test_from_one_address_four_accounts_at_most_are_locked(store: AccountStore) -> None:
    for name in STAFF:
        for _ in range(5):
            fail(store, name)
    assert len(locked(store)) == 4
    assert store.sign_in(STAFF[-1], OTHER, THERE).account == STAFF[-1]


def test_tries_at_once_get_no_further(store: AccountStore) -> None:
    with ThreadPoolExecutor(8) as threads:
        kinds = list(threads.map(lambda name: fail(store, name), STAFF * 5))
    assert kinds.count(SignInRefused) == 20
    assert len(locked(store)) <= 4


def test_whoever_is_turned_away_is_not_told_that_a_password_fits(store: AccountStore) -> None:
    for _ in range(20):
        fail(store, "nobody")
    for name, password in ((STAFF[0], OTHER), (STAFF[0], "wrong"), ("nobody", "wrong")):
        with pytest.raises(TooManyTries) as caught:
            store.sign_in(name, password, HERE)
        assert 0 < caught.value.seconds <= 900


def test_it_ends_a_quarter_of_an_hour_after_the_first_failure(store: AccountStore, clock: Clock) -> None:
    for _ in range(20):
        fail(store, "nobody")
        clock.passes(1)
    with pytest.raises(TooManyTries) as caught:
        store.sign_in(STAFF[0], OTHER, HERE)
    assert caught.value.seconds == 880
    clock.passes(880)
    assert store.sign_in(STAFF[0], OTHER, HERE).account == STAFF[0]


def test_failures_now_and_then_turn_nobody_away(store: AccountStore, clock: Clock) -> None:
    for _ in range(60):
        fail(store, "nobody")
        clock.passes(60)
    assert store.sign_in(STAFF[0], OTHER, HERE).account == STAFF[0]


def test_coming_in_forgives_no_failure(store: AccountStore) -> None:
    for _ in range(19):
        fail(store, "nobody")
    store.sign_in(STAFF[0], OTHER, HERE)
    assert fail(store, "nobody") is SignInRefused
    assert fail(store, "nobody") is TooManyTries


def test_a_clock_that_was_set_back_keeps_nobody_out(store: AccountStore, clock: Clock) -> None:
    for _ in range(20):
        fail(store, "nobody")
    clock.passes(-3600)
    assert store.sign_in(STAFF[0], OTHER, HERE).account == STAFF[0]


def test_where_no_address_is_known_the_account_alone_is_counted(store: AccountStore) -> None:
    for _ in range(30):
        assert fail(store, "nobody", None) is SignInRefused
    assert store.sign_in(STAFF[0], OTHER, None).account == STAFF[0]


def test_all_workers_know_and_starting_anew_forgives_nothing(store: AccountStore, clock: Clock, tmp_path: Path) -> None:
    for _ in range(20):
        fail(store, "nobody")
    with AccountStore.open(tmp_path, clock=clock) as another, pytest.raises(TooManyTries):
        another.sign_in("carol", GOOD, HERE)


def test_the_trail_tells_once_which_address_is_turned_away(store: AccountStore) -> None:
    for _ in range(40):
        fail(store, "nobody")
    with store.entries() as entries:
        told = [entry.content for entry in entries if entry.content["act"] == "turn away"]
    assert [(one["address"], one["minutes"], one["actor"]) for one in told] == [(HERE, 15, "nobody")]


@pytest.mark.parametrize("wrong", [{"address_failures": 0}, {"address_seconds": 0}])
def test_limits_are_something(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidValue):
        Limits(**wrong)
