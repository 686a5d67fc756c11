"""A program's token is one role or less of it, ends, and waits while its person looks codes up."""

from collections.abc import Callable

import pytest

from archive.accounts import AccountStore, Action, Actor, Grant, Role, allowed, looks_codes_up
from archive.errors import InvalidValue, NotAllowed, TokenRefused, UnknownAccount
from tests.archive.accounts.conftest import OTHER, Clock

MakeStore = Callable[..., AccountStore]
RESEARCHER = Grant(Role.RESEARCHER, "melanoma")
DAY = 86_400


def test_a_token_acts_in_its_role_until_its_day(make_store: MakeStore, clock: Clock) -> None:
    store = make_store(ros=[RESEARCHER])
    made = store.new_token("ros", Role.RESEARCHER, "melanoma", days=3)
    assert made.secret.startswith("coverslip_")
    assert store.actor_of_token(made.secret) == Actor("ros", Role.RESEARCHER, "melanoma")
    clock.passes(3 * DAY - 1)
    assert store.actor_of_token(made.secret)
    clock.passes(1)
    assert store.actor_of_token(made.secret) is None
    assert store.tokens("ros") == ()


def test_a_token_may_be_for_less_than_its_role(make_store: MakeStore) -> None:
    store = make_store(ros=[RESEARCHER])
    actor = store.actor_of_token(store.new_token("ros", Role.RESEARCHER, "melanoma", [Action.SEE_COUNTS]).secret)
    assert actor is not None
    assert {action for action in Action if actor.may(action)} == {Action.SEE_COUNTS}


def test_a_token_is_never_for_more_than_its_role_or_its_account(make_store: MakeStore) -> None:
    store = make_store(ros=[RESEARCHER])
    with pytest.raises(NotAllowed):
        store.new_token("ros", Role.RESEARCHER, "melanoma", [Action.SEE_COUNTS, Action.MAKE_COLLECTION])
    with pytest.raises(NotAllowed):
        store.new_token("ros", Role.RESEARCHER, "naevus")
    with pytest.raises(NotAllowed):
        store.new_token("ros", Role.EDUCATOR)
    with pytest.raises(UnknownAccount):
        store.new_token("nobody", Role.EDUCATOR)


@pytest.mark.parametrize("role", [role for role in Role if looks_codes_up(role)])
def test_who_may_look_codes_up_acts_in_person(make_store: MakeStore, role: Role) -> None:
    store = make_store(pat=[Grant(role)])
    with pytest.raises(NotAllowed, match="in person"):
        store.new_token("pat", role)


SERVICES = [(role, action) for role in Role if looks_codes_up(role) for action in Action if allowed(role, action)]


@pytest.mark.parametrize(("role", "action"), SERVICES)
def test_a_service_is_given_what_is_done_unattended_and_nothing_else(
    make_store: MakeStore, role: Role, action: Action
) -> None:
    store = make_store(pat=[Grant(role)])
    nights = {Action.INGEST, Action.CHECK_ARCHIVE, Action.BACK_UP, Action.VERIFY_AUDIT, Action.SIGN_AUDIT}
    if action not in nights:
        with pytest.raises(NotAllowed, match="in person"):
            store.new_token("pat", role, actions=[action])
        if mine := [one for one in nights if allowed(role, one)]:
            with pytest.raises(NotAllowed, match="in person"):
                store.new_token("pat", role, actions=[*mine, action])
        return
    secret = store.new_token("pat", role, actions=[action]).secret
    assert store.act_by_token(secret, action) == Actor("pat", role, None, frozenset({action}))
    for other in set(Action) - {action}:
        with pytest.raises(NotAllowed):
            store.act_by_token(secret, other)


def test_a_service_goes_on_while_its_person_looks_codes_up(make_store: MakeStore) -> None:
    store = make_store(lab=[Grant(Role.LABORATORY)])
    secret = store.new_token("lab", Role.LABORATORY, actions=[Action.INGEST]).secret
    assert store.sign_in("lab", OTHER).actor == Actor("lab", Role.LABORATORY)
    assert store.act_by_token(secret, Action.INGEST).account == "lab"


def test_what_is_done_by_a_token_is_in_the_trail_with_its_role_and_so_is_a_bad_one(make_store: MakeStore) -> None:
    store = make_store(ros=[RESEARCHER])
    secret = store.new_token("ros", Role.RESEARCHER, "melanoma").secret
    store.act_by_token(secret, Action.QUERY_COHORT, "melanoma")
    with pytest.raises(NotAllowed):
        store.act_by_token(secret, Action.QUERY_COHORT, "naevus")
    store.end_token(1)
    with pytest.raises(TokenRefused):
        store.act_by_token(secret, Action.QUERY_COHORT, "melanoma")
    with store.entries() as entries:
        *_, done, refused, _, bad = (entry.content for entry in entries)
    assert [one["act"] for one in (done, refused, bad)] == ["act once", "not allowed", "sign in refused"]
    assert (done["actor"], done["role"], done["means"]) == ("ros", "researcher", "token")
    assert secret not in str((done, refused, bad))


@pytest.mark.parametrize("days", [0, -1, 366])
def test_a_token_lasts_a_year_at_most(make_store: MakeStore, days: int) -> None:
    with pytest.raises(InvalidValue):
        make_store(ros=[RESEARCHER]).new_token("ros", Role.RESEARCHER, "melanoma", days=days)


def test_a_token_for_nothing_is_refused(make_store: MakeStore) -> None:
    with pytest.raises(InvalidValue):
        make_store(ros=[RESEARCHER]).new_token("ros", Role.RESEARCHER, "melanoma", [])


def test_a_token_waits_while_its_person_looks_codes_up(make_store: MakeStore) -> None:
    store = make_store(both=[RESEARCHER, Grant(Role.PATHOLOGIST), Grant(Role.EDUCATOR)])
    secret = store.new_token("both", Role.RESEARCHER, "melanoma").secret
    session = store.sign_in("both", OTHER).token
    assert store.actor_of_token(secret)
    store.choose_role(session, Role.EDUCATOR)
    assert store.actor_of_token(secret)
    store.choose_role(session, Role.PATHOLOGIST)
    assert store.actor_of_token(secret) is None
    store.sign_out(session)
    assert store.actor_of_token(secret)


@pytest.mark.parametrize("secret", ["", "coverslip_", "coverslip_" + "A" * 43, "\udce4"])
def test_an_invented_token_is_nobodys(make_store: MakeStore, secret: str) -> None:
    store = make_store(ros=[RESEARCHER])
    store.new_token("ros", Role.RESEARCHER, "melanoma")
    assert store.actor_of_token(secret) is None


def test_a_cookie_is_no_token_and_a_token_no_cookie(make_store: MakeStore) -> None:
    store = make_store(ros=[RESEARCHER])
    secret = store.new_token("ros", Role.RESEARCHER, "melanoma").secret
    assert store.session(secret) is None
    assert store.actor_of_token(store.sign_in("ros", OTHER).token) is None


@pytest.mark.parametrize("ending", ["disable", "end_all", "set_password", "revoke"])
def test_what_ends_a_person_ends_their_tokens(make_store: MakeStore, ending: str) -> None:
    store = make_store(ros=[RESEARCHER])
    secret = store.new_token("ros", Role.RESEARCHER, "melanoma").secret
    words = {"set_password": (OTHER,), "revoke": (Role.RESEARCHER, "melanoma")}.get(ending, ())
    getattr(store, ending)("ros", *words)
    assert store.actor_of_token(secret) is None
    store.enable("ros")
    store.grant("ros", Role.RESEARCHER, "melanoma")
    assert store.actor_of_token(secret) is None


def test_one_token_ends_and_its_number_is_not_used_again(make_store: MakeStore) -> None:
    store = make_store(ros=[RESEARCHER])
    first, second = (store.new_token("ros", Role.RESEARCHER, "melanoma") for _ in range(2))
    store.end_token(second.number)
    assert store.actor_of_token(second.secret) is None
    assert store.actor_of_token(first.secret)
    assert [token.number for token in store.tokens("ros")] == [first.number]
    assert store.new_token("ros", Role.RESEARCHER, "melanoma").number > second.number
    with pytest.raises(UnknownAccount):
        store.end_token(second.number)
