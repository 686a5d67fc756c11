"""A session lasts while it is used, in one role, and ends for everybody at once."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from archive.accounts import AccountStore, Action, Grant, Role
from archive.errors import NotAllowed, SignInRefused
from tests.archive.accounts.conftest import OTHER, Clock

MakeStore = Callable[..., AccountStore]
LEARNER, EDUCATOR, PATHOLOGIST = Grant(Role.LEARNER), Grant(Role.EDUCATOR), Grant(Role.PATHOLOGIST)
RESEARCHER = Grant(Role.RESEARCHER, "melanoma")
MINUTE, HOUR = 60, 3600


def test_a_session_that_is_not_used_ends_after_half_an_hour(make_store: MakeStore, clock: Clock) -> None:
    store = make_store(lea=[LEARNER])
    token = store.sign_in("lea", OTHER).token
    clock.passes(30 * MINUTE - 1)
    assert store.session(token)
    clock.passes(30 * MINUTE - 1)
    assert store.session(token)
    clock.passes(30 * MINUTE)
    assert store.session(token) is None


def test_a_session_that_is_used_ends_after_twelve_hours(make_store: MakeStore, clock: Clock) -> None:
    store = make_store(lea=[LEARNER])
    session = store.sign_in("lea", OTHER)
    for _ in range(12 * 6 - 1):
        clock.passes(10 * MINUTE)
        assert store.session(session.token)
    clock.passes(10 * MINUTE)
    assert store.session(session.token) is None


def test_using_a_session_does_not_write_with_every_tile(make_store: MakeStore, clock: Clock) -> None:
    store = make_store(lea=[LEARNER])
    token = store.sign_in("lea", OTHER).token
    before = store.change_count()
    for _ in range(59):
        clock.passes(1)
        store.session(token)
    assert store.change_count() == before
    clock.passes(2)
    store.session(token)
    assert store.change_count() != before


@pytest.mark.parametrize("back", [2 * MINUTE, 24 * HOUR])
def test_a_clock_that_was_set_back_lets_nobody_in_again(make_store: MakeStore, clock: Clock, back: float) -> None:
    store = make_store(lea=[LEARNER])
    token = store.sign_in("lea", OTHER).token
    clock.passes(-back)
    assert store.session(token) is None


@pytest.mark.parametrize("token", ["", "x", "\udce4", "a" * 10_000])
def test_an_invented_cookie_is_nobodys(make_store: MakeStore, token: str) -> None:
    assert make_store().session(token) is None


def test_tokens_are_never_the_same(make_store: MakeStore) -> None:
    store = make_store(lea=[LEARNER])
    assert len({store.sign_in("lea", OTHER).token for _ in range(20)}) == 20


def test_a_person_with_two_roles_chooses_one(make_store: MakeStore) -> None:
    store = make_store(both=[EDUCATOR, RESEARCHER])
    token = store.sign_in("both", OTHER).token
    found = store.session(token)
    assert found is not None
    assert found.actor is None
    assert set(found.grants) == {EDUCATOR, RESEARCHER}
    chosen = store.choose_role(token, Role.RESEARCHER, "melanoma")
    assert chosen.actor is not None
    assert chosen.actor.may(Action.QUERY_COHORT)
    assert not chosen.actor.may(Action.MAKE_COLLECTION)
    changed = store.choose_role(token, Role.EDUCATOR)
    assert changed == store.session(token)
    assert changed.actor is not None
    assert not changed.actor.may(Action.QUERY_COHORT)
    assert changed.ends == chosen.ends


def test_a_role_that_was_not_given_cannot_be_chosen(make_store: MakeStore) -> None:
    store = make_store(both=[EDUCATOR, RESEARCHER])
    token = store.sign_in("both", OTHER).token
    for role, project in ((Role.CUSTODIAN, None), (Role.RESEARCHER, "naevus")):
        with pytest.raises(NotAllowed):
            store.choose_role(token, role, project)
    with pytest.raises(SignInRefused):
        store.choose_role("nobodys", Role.EDUCATOR)
    found = store.session(token)
    assert found is not None
    assert found.actor is None


def test_one_person_is_in_one_role_at_a_time(make_store: MakeStore) -> None:
    store = make_store(both=[EDUCATOR, PATHOLOGIST], lea=[EDUCATOR])
    first, second = (store.sign_in("both", OTHER).token for _ in range(2))
    other_persons = store.sign_in("lea", OTHER).token
    store.choose_role(first, Role.EDUCATOR)
    store.choose_role(second, Role.EDUCATOR)
    assert store.session(first), "two screens in the same role are one person in one role"
    store.choose_role(second, Role.PATHOLOGIST)
    assert store.session(first) is None
    assert store.session(other_persons)


def test_a_screen_on_which_no_role_was_chosen_stays(make_store: MakeStore) -> None:
    store = make_store(both=[EDUCATOR, PATHOLOGIST])
    first, second = (store.sign_in("both", OTHER).token for _ in range(2))
    store.choose_role(first, Role.EDUCATOR)
    waiting = store.session(second)
    assert waiting is not None
    assert waiting.actor is None


def test_signing_out_ends_one_session(make_store: MakeStore) -> None:
    store = make_store(lea=[LEARNER])
    first, second = (store.sign_in("lea", OTHER).token for _ in range(2))
    store.sign_out(first)
    store.sign_out(first)
    assert store.session(first) is None
    assert store.session(second)


@pytest.mark.parametrize("ending", ["disable", "end_all", "set_password", "rescue"])
def test_what_ends_all_sessions_ends_them_at_once(make_store: MakeStore, ending: str) -> None:
    store = make_store(lea=[LEARNER, Grant(Role.CUSTODIAN)])
    tokens = [store.sign_in("lea", OTHER).token for _ in range(3)]
    words = (OTHER,) if ending in ("set_password", "rescue") else ()
    getattr(store, ending)("lea", *words)
    assert [store.session(token) for token in tokens] == [None] * 3


def test_enabling_an_account_brings_no_session_back(make_store: MakeStore) -> None:
    store = make_store(lea=[LEARNER])
    token = store.sign_in("lea", OTHER).token
    store.disable("lea")
    store.enable("lea")
    assert store.session(token) is None
    assert store.sign_in("lea", OTHER)


def test_a_role_that_is_taken_away_ends_the_sessions_in_it(make_store: MakeStore) -> None:
    store = make_store(both=[EDUCATOR, RESEARCHER])
    teaching, waiting = (store.sign_in("both", OTHER).token for _ in range(2))
    store.choose_role(teaching, Role.EDUCATOR)
    store.revoke("both", Role.EDUCATOR)
    assert store.session(teaching) is None
    found = store.session(waiting)
    assert found is not None
    assert found.grants == (RESEARCHER,)


def test_every_worker_sees_a_change_by_its_count(make_store: MakeStore, clock: Clock, tmp_path: Path) -> None:
    store = make_store(lea=[LEARNER])
    with AccountStore.open(tmp_path, clock=clock) as worker:
        token = store.sign_in("lea", OTHER).token
        changes: list[Callable[[], object]] = [
            lambda: store.grant("lea", Role.EDUCATOR),
            lambda: store.choose_role(token, Role.EDUCATOR),
            lambda: store.revoke("lea", Role.EDUCATOR),
            lambda: store.end_all("lea"),
            lambda: store.disable("lea"),
        ]
        for change in changes:
            before = worker.change_count()
            assert worker.change_count() == before
            change()
            assert worker.change_count() != before
            assert store.change_count() == store.change_count()


def test_a_session_tells_when_it_ends(make_store: MakeStore, clock: Clock) -> None:
    session = make_store(lea=[LEARNER]).sign_in("lea", OTHER)
    assert session.ends.utcoffset() == timedelta(0)
    assert session.ends.timestamp() == clock.seconds + 12 * HOUR
