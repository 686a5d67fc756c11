"""A name that the hospital gives to a new person does not give them the account of whoever had it before."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from archive.accounts import AccountStore, Grant, Role, Vouched
from archive.errors import InvalidValue, SignInRefused, UnknownAccount
from tests.archive.accounts.conftest import OTHER

MakeStore = Callable[..., AccountStore]
LEARNER = [Grant(Role.LEARNER)]


def vouched(name: str, subject: str, issuer: str = "https://login.hospital.example") -> Vouched:
    return Vouched(name, issuer, subject)


def comes(store: AccountStore, who: Vouched) -> bool:
    try:
        return store.sign_in_vouched(who.name, "openid", who.person).account == who.name
    except SignInRefused:
        return False


def acts(store: AccountStore) -> list[str]:
    with store.entries() as entries:
        return [json.loads(entry.text)["act"] for entry in entries]


@pytest.fixture
def store(make_store: MakeStore) -> AccountStore:
    return make_store(ann=LEARNER, bob=LEARNER)


def test_the_first_to_be_vouched_for_has_the_account_from_then_on(store: AccountStore) -> None:
    assert comes(store, vouched("ann", "1"))
    assert not comes(store, vouched("ann", "2"))
    assert comes(store, vouched("ann", "1"))
    assert [act for act in acts(store) if "person" in act] == ["tie to person", "another person"]


def test_the_same_subject_of_another_provider_is_somebody_else(store: AccountStore) -> None:
    assert comes(store, vouched("ann", "1"))
    assert not comes(store, vouched("ann", "1", "https://login.elsewhere.example"))


def test_whoever_has_an_account_cannot_take_another_by_a_new_name(store: AccountStore) -> None:
    assert comes(store, vouched("ann", "1"))
    assert not comes(store, vouched("bob", "1"))
    assert comes(store, vouched("bob", "2"))


def test_a_disabled_account_becomes_nobodys(store: AccountStore) -> None:
    store.disable("ann")
    assert not comes(store, vouched("ann", "1"))
    store.enable("ann")
    assert comes(store, vouched("ann", "2"))


def test_a_custodian_lets_another_person_in_and_whoever_was_in_is_out(store: AccountStore) -> None:
    was = store.sign_in_vouched("ann", "openid", vouched("ann", "1").person)
    store.untie("ann")
    assert store.session(was.token) is None
    assert comes(store, vouched("ann", "2"))
    assert not comes(store, vouched("ann", "1"))


def test_only_what_is_tied_is_untied(store: AccountStore) -> None:
    with pytest.raises(InvalidValue, match="vouched for nobody"):
        store.untie("ann")
    with pytest.raises(UnknownAccount):
        store.untie("nobody")


def test_a_password_is_not_asked_whose_the_account_is(store: AccountStore) -> None:
    assert comes(store, vouched("ann", "1"))
    assert store.sign_in("ann", OTHER).account == "ann"


def test_neither_subject_nor_issuer_is_kept_or_shown(store: AccountStore, tmp_path: Path) -> None:
    who = vouched("ann", "a.very.telling.subject")
    assert comes(store, who)
    assert "telling" not in repr(who)
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert who.person.encode() in kept
    assert b"telling" not in kept
    assert b"login.hospital" not in kept


@pytest.mark.parametrize(("one", "other"), [(("a", "bc"), ("ab", "c")), (("a", '","b'), ('a","', "b"))])
def test_no_two_people_are_taken_for_one(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert Vouched("ann", *one).person != Vouched("ann", *other).person
