"""Signing in: one answer for every refusal, and no number of tries gets past the lock-out."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive.accounts import AccountStore, Action, Grant, Limits, Role
from archive.errors import InvalidValue, NotAllowed, SignInRefused
from tests.archive.accounts.conftest import GOOD, OTHER, Clock

MakeStore = Callable[..., AccountStore]
LEARNER = Grant(Role.LEARNER)
MINUTE = 60


def told(store: AccountStore) -> list[dict[str, object]]:
    with store.entries() as entries:
        return [json.loads(entry.text) for entry in entries]


def refused(store: AccountStore, name: str, password: str) -> str:
    with pytest.raises(SignInRefused) as refusal:
        store.sign_in(name, password)
    return str(refusal.value)


def test_a_person_with_one_role_acts_in_it_at_once(make_store: MakeStore) -> None:
    session = make_store(lea=[LEARNER]).sign_in("lea", OTHER)
    assert session.actor is not None
    assert (session.actor.account, session.actor.role) == ("lea", Role.LEARNER)
    assert len(session.token) >= 43  # 256 bits, six to a character


def test_every_refusal_sounds_the_same(make_store: MakeStore) -> None:
    store = make_store(lea=[LEARNER], off=[LEARNER], shut=[LEARNER])
    store.add("sso", None, [LEARNER])
    store.disable("off")
    for _ in range(5):
        refused(store, "shut", "wrong")
    heard = {
        refused(store, "nobody", OTHER),
        refused(store, "Not A Name", OTHER),
        refused(store, "", ""),
        refused(store, "lea", "wrong"),
        refused(store, "off", OTHER),
        refused(store, "shut", OTHER),
        refused(store, "sso", OTHER),
    }
    assert len(heard) == 1


def test_five_wrong_passwords_lock_an_account_for_a_quarter_of_an_hour(make_store: MakeStore, clock: Clock) -> None:
    store = make_store(lea=[LEARNER])
    for _ in range(4):
        refused(store, "lea", "wrong")
    assert store.account("lea").locked_until is None
    refused(store, "lea", "wrong")
    assert store.account("lea").locked_until is not None
    clock.passes(15 * MINUTE - 1)
    refused(store, "lea", OTHER)
    clock.passes(1)
    assert store.account("lea").locked_until is None
    store.sign_in("lea", OTHER)


def test_tries_while_it_is_locked_do_not_lock_it_longer(make_store: MakeStore, clock: Clock) -> None:
    store = make_store(lea=[LEARNER])
    for _ in range(5):
        refused(store, "lea", "wrong")
    for _ in range(20):
        clock.passes(MINUTE / 2)
        refused(store, "lea", "wrong")
    clock.passes(5 * MINUTE)
    store.sign_in("lea", OTHER)


def test_the_right_password_makes_wrong_ones_forgotten(make_store: MakeStore) -> None:
    store = make_store(lea=[LEARNER])
    for _ in range(3):
        for _ in range(4):
            refused(store, "lea", "wrong")
        store.sign_in("lea", OTHER)


def test_a_custodian_can_unlock(make_store: MakeStore) -> None:
    store = make_store(lea=[LEARNER])
    for _ in range(5):
        refused(store, "lea", "wrong")
    store.unlock("lea")
    store.sign_in("lea", OTHER)


def test_of_many_tries_at_once_no_more_than_five_are_borne(make_store: MakeStore) -> None:
    store = make_store(lea=[LEARNER])
    guesses = ["wrong"] * 11 + [OTHER]

    def tried(guess: str) -> bool:
        try:
            store.sign_in("lea", guess)
        except SignInRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as crowd:
        let_in = sum(crowd.map(tried, guesses))
    acts = [entry["act"] for entry in told(store)]
    # The right one may come before the lock or after it; a success starts the count anew.
    assert acts.count("sign in failed") <= 5 * (1 + let_in)
    assert acts.count("lock account") >= 1
    assert acts.count("sign in") == let_in


def test_two_stores_of_one_archive_count_together(make_store: MakeStore, clock: Clock, tmp_path: Path) -> None:
    store = make_store(lea=[LEARNER])
    with AccountStore.open(tmp_path, clock=clock) as other:
        for _ in range(2):
            refused(store, "lea", "wrong")
            refused(other, "lea", "wrong")
        refused(other, "lea", "wrong")
    refused(store, "lea", OTHER)


def test_another_number_of_tries_can_be_borne(make_store: MakeStore) -> None:
    store = make_store(Limits(failures=1, lock_seconds=5), lea=[LEARNER])
    refused(store, "lea", "wrong")
    refused(store, "lea", OTHER)


def test_the_trail_tells_of_failures_and_never_what_was_typed(make_store: MakeStore) -> None:
    store = make_store(lea=[LEARNER])
    refused(store, "lea", "my-wrong-password")
    refused(store, "my-password-in-the-wrong-field", "x")
    *_, failed, stranger = told(store)
    assert (failed["act"], failed["actor"], failed["failures"]) == ("sign in failed", "lea", 1)
    assert (stranger["act"], stranger["actor"], stranger["tries"]) == ("sign in refused", "nobody", 1)
    assert "wrong" not in json.dumps(told(store))


def test_a_flood_of_strangers_is_counted_and_not_written_one_by_one(make_store: MakeStore, clock: Clock) -> None:
    store = make_store()
    for _ in range(50):
        refused(store, "nobody", "x")
    clock.passes(MINUTE)
    refused(store, "nobody", "x")
    tries = [entry["tries"] for entry in told(store) if entry["act"] == "sign in refused"]
    assert tries == [1, 50]


def test_who_is_vouched_for_needs_no_password_but_an_account(make_store: MakeStore) -> None:
    store = make_store()
    store.add("sso", None, [LEARNER])
    assert not store.account("sso").has_password
    session = store.sign_in_vouched("sso", "oidc", "them")
    assert session.actor is not None
    assert told(store)[-1]["means"] == "oidc"
    store.disable("sso")
    for name in ("sso", "nobody"):
        with pytest.raises(SignInRefused):
            store.sign_in_vouched(name, "oidc", "them")


def test_one_act_is_done_in_the_role_that_may(make_store: MakeStore) -> None:
    store = make_store(both=[LEARNER, Grant(Role.LABORATORY), Grant(Role.RESEARCHER, "melanoma")])
    assert store.act_as("both", OTHER, Action.INGEST).role is Role.LABORATORY
    assert store.act_as("both", OTHER, Action.QUERY_COHORT).project == "melanoma"
    assert store.act_as("both", OTHER, Action.QUERY_COHORT, "melanoma").project == "melanoma"
    with pytest.raises(NotAllowed):
        store.act_as("both", OTHER, Action.QUERY_COHORT, "naevus")
    with pytest.raises(NotAllowed):
        store.act_as("both", OTHER, Action.IDENTIFY)
    assert [entry["act"] for entry in told(store)[-5:]] == ["act once"] * 3 + ["not allowed"] * 2
    with pytest.raises(SignInRefused):
        store.act_as("both", "wrong", Action.INGEST)


def test_whoever_looks_codes_up_on_the_command_line_is_out_where_slides_are_coded(make_store: MakeStore) -> None:
    store = make_store(both=[Grant(Role.EDUCATOR), Grant(Role.LABORATORY)])
    session = store.sign_in("both", OTHER).token
    store.choose_role(session, Role.EDUCATOR)
    assert store.act_as("both", OTHER, Action.LIST_SLIDES).role is Role.EDUCATOR
    assert store.session(session)
    assert store.act_as("both", OTHER, Action.FIND_CASE).role is Role.LABORATORY
    assert store.session(session) is None


def test_a_person_changes_their_own_password_with_the_old_one(make_store: MakeStore) -> None:
    store = make_store(lea=[LEARNER])
    session = store.sign_in("lea", OTHER)
    with pytest.raises(SignInRefused):
        store.change_password("lea", "wrong", GOOD)
    with pytest.raises(InvalidValue):
        store.change_password("lea", OTHER, "short")
    store.change_password("lea", OTHER, GOOD)
    assert store.session(session.token) is None
    refused(store, "lea", OTHER)
    store.sign_in("lea", GOOD)
