"""Accounts are managed in the open: every change is in the trail, and a custodian always remains."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from archive.accounts import AccountState, AccountStore, Actor, Grant, Role
from archive.errors import InvalidValue, SignInRefused, UnknownAccount
from tests.archive.accounts.conftest import GOOD, OTHER

MakeStore = Callable[..., AccountStore]
CAROL = Actor("carol", Role.CUSTODIAN)
LEARNER = Grant(Role.LEARNER)


def newest(store: AccountStore) -> dict[str, object]:
    with store.entries() as entries:
        *_, last = entries
    found: dict[str, object] = json.loads(last.text)
    return found


def test_accounts_are_listed_with_their_roles(make_store: MakeStore) -> None:
    store = make_store(lea=[LEARNER], ada=[Grant(Role.RESEARCHER, "naevus"), Grant(Role.RESEARCHER, "melanoma")])
    listed = {account.name: [str(grant) for grant in account.grants] for account in store.accounts()}
    assert listed == {
        "ada": ["researcher in melanoma", "researcher in naevus"],
        "carol": ["custodian"],
        "lea": ["learner"],
    }
    assert list(listed) == sorted(listed)


def test_a_name_is_taken_once(make_store: MakeStore) -> None:
    store = make_store(lea=[LEARNER])
    with pytest.raises(InvalidValue):
        store.add("lea", OTHER, [Grant(Role.EDUCATOR)])
    assert store.account("lea").grants == (LEARNER,)


def test_the_first_account_is_a_custodian_or_there_is_none(tmp_path: Path) -> None:
    with AccountStore.open(tmp_path, create=True) as store:
        with pytest.raises(InvalidValue, match="custodian"):
            store.add("lea", OTHER, [LEARNER])
        assert store.accounts() == ()


@pytest.mark.parametrize("taking", ["revoke", "disable"])
def test_the_last_custodian_stays(make_store: MakeStore, taking: str) -> None:
    store = make_store()
    words = (Role.CUSTODIAN,) if taking == "revoke" else ()
    with pytest.raises(InvalidValue, match="no custodian"):
        getattr(store, taking)("carol", *words)
    assert store.account("carol").grants == (Grant(Role.CUSTODIAN),)
    assert store.sign_in("carol", GOOD)
    store.add("dan", OTHER, [Grant(Role.CUSTODIAN)])
    getattr(store, taking)("carol", *words)


def test_a_disabled_custodian_is_none(make_store: MakeStore) -> None:
    store = make_store(dan=[Grant(Role.CUSTODIAN)])
    store.disable("dan")
    with pytest.raises(InvalidValue):
        store.disable("carol")
    assert store.account("dan").state is AccountState.DISABLED


def test_the_trail_names_who_did_it_and_in_which_role(make_store: MakeStore) -> None:
    store = make_store(lea=[LEARNER])
    store.grant("lea", Role.RESEARCHER, "melanoma", by=CAROL)
    told = newest(store)
    assert (told["act"], told["actor"], told["role"]) == ("grant role", "carol", "custodian")
    assert (told["account"], told["grant"]) == ("lea", "researcher in melanoma")


def test_what_changes_nothing_is_not_told(make_store: MakeStore) -> None:
    store = make_store(lea=[LEARNER])
    head = store.head()
    store.grant("lea", Role.LEARNER)
    store.revoke("lea", Role.EDUCATOR)
    assert store.head() == head


@pytest.mark.parametrize(
    ("act", "words"),
    [
        ("account", ()),
        ("grant", (Role.LEARNER,)),
        ("revoke", (Role.LEARNER,)),
        ("disable", ()),
        ("enable", ()),
        ("unlock", ()),
        ("end_all", ()),
        ("set_password", (GOOD,)),
        ("rescue", (GOOD,)),
    ],
)
def test_what_is_asked_about_no_account_changes_nothing(make_store: MakeStore, act: str, words: tuple[str]) -> None:
    store = make_store()
    head = store.head()
    with pytest.raises(UnknownAccount):
        getattr(store, act)("nobody", *words)
    assert store.head() == head


def test_a_custodian_who_is_locked_out_is_rescued_and_nobody_else_is(make_store: MakeStore) -> None:
    store = make_store(lea=[LEARNER])
    for _ in range(5):
        with pytest.raises(SignInRefused):
            store.sign_in("carol", "wrong")
    with pytest.raises(InvalidValue, match="only a custodian"):
        store.rescue("lea", GOOD)
    store.rescue("carol", OTHER)
    assert newest(store)["act"] == "rescue account"
    assert store.sign_in("carol", OTHER)


def test_founding_makes_the_first_custodian_once(tmp_path: Path, quick_hashes: None) -> None:
    folder = tmp_path
    for name, password in (("Carol", GOOD), ("carol", "short")):
        with pytest.raises(InvalidValue):
            AccountStore.found(folder, name, password)
        assert not AccountStore.exists(folder)
    AccountStore.open(folder, create=True).close()
    assert AccountStore.found(folder, "carol", GOOD).grants == (Grant(Role.CUSTODIAN),)
    with pytest.raises(Exception, match="already"):
        AccountStore.found(folder, "dan", OTHER)
