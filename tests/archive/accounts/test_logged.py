"""Whoever raises alarms hears of each act of the access trail, and of no slide."""

import logging
from collections.abc import Callable

import pytest

from archive.accounts import AccountStore, Actor, Grant, Role
from archive.errors import SignInRefused

SLIDE = "a-handle-of-a-slide"


def test_the_log_tells_who_failed_to_come_in_and_not_what_was_opened(
    make_store: Callable[..., AccountStore], caplog: pytest.LogCaptureFixture
) -> None:
    store = make_store(lena=[Grant(Role.LEARNER)])
    with caplog.at_level(logging.INFO, "archive"):
        with pytest.raises(SignInRefused):
            store.sign_in("lena", "a password that is not hers")
        store.note_opening(Actor("lena", Role.LEARNER), SLIDE)
    assert "Access trail: sign in failed, by lena." in caplog.messages
    assert "Access trail: open slide, by lena." in caplog.messages
    assert SLIDE not in caplog.text
