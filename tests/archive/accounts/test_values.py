"""An account, a role given and an actor are refused at birth where they cannot be."""

from datetime import UTC, datetime

import pytest

from archive.accounts import Account, Actor, Grant, Limits, NewToken, Role, Session
from archive.errors import InvalidValue


@pytest.mark.parametrize("name", ["a", "a.b-c_9", "x" * 64])
def test_a_staff_login_is_a_name(name: str) -> None:
    assert Account(name).name == name


@pytest.mark.parametrize("name", ["", "Anna", "a b", "a/b", "ä", "x" * 65, "a\n", "a@b"])
def test_anything_else_is_no_name_and_is_not_repeated(name: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        Account(name)
    assert len(name) < 3 or name not in str(refused.value)
    with pytest.raises(InvalidValue):
        Actor(name, Role.LEARNER)


def test_a_researcher_is_one_in_a_project_and_nobody_else_is() -> None:
    assert str(Grant(Role.RESEARCHER, "melanoma")) == "researcher in melanoma"
    for role in Role:
        with pytest.raises(InvalidValue):
            Grant(role, None if role is Role.RESEARCHER else "melanoma")
        with pytest.raises(InvalidValue):
            Actor("sam", role, None if role is Role.RESEARCHER else "melanoma")
    with pytest.raises(InvalidValue):
        Grant(Role.RESEARCHER, "x" * 65)


def test_a_role_is_one_of_the_seven() -> None:
    with pytest.raises(ValueError, match="visitor"):
        Grant("visitor")  # type: ignore[arg-type]


def test_no_secret_is_shown_by_printing() -> None:
    now = datetime.now(UTC)
    shown = f"{Session('cookie-secret', 'sam', (), None, now)!r} {NewToken(1, 'token-secret', now)!r}"
    assert "secret" not in shown


@pytest.mark.parametrize(
    "limits",
    [{"idle_seconds": 0}, {"session_seconds": -1}, {"failures": 0}, {"lock_seconds": 0}, {"opening_seconds": 0}],
)
def test_limits_that_let_nobody_or_everybody_in_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(InvalidValue):
        Limits(**limits)
