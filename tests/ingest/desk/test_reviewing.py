"""New rules are looked at from the desk before they take effect, and feeds whose day of review has come are named."""

from dataclasses import replace

import pytest

from archive.catalogue import ruling
from archive.consent import RULES_VERSION, evaluate
from archive.consent.table import Effect
from archive.holdings import new_rules
from tests.ingest.desk.conftest import Browser, OpenDesk

NEXT = "next"


@pytest.fixture
def stricter(desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> OpenDesk:
    """Make this process one of a program whose table refuses what it allowed."""
    steps = tuple(
        (replace(row, effect=Effect.DENY) if row.effect is Effect.ALLOW else row, rule) for row, rule in evaluate._STEPS
    )
    monkeypatch.setattr(evaluate, "_STEPS", steps)
    for module in (ruling, new_rules):
        monkeypatch.setattr(module, "RULES_VERSION", NEXT)
    return desk


def test_where_nothing_waits_the_version_in_force_is_told(browser: Browser) -> None:
    assert f"Version {RULES_VERSION} of the rules is in force; nothing waits." in browser.get("/rules").text


def test_new_rules_are_looked_at_and_put_in_force_with_a_reason(stricter: OpenDesk) -> None:
    browser = stricter.browser()
    text = browser.get("/rules").text
    assert f"Version {NEXT} of the rules waits; version {RULES_VERSION} is in force." in text
    assert 'class="differs"' in text
    key, before = browser.key(), stricter.archive.change_count()
    assert browser.send("/rules", {"seen": RULES_VERSION, "reason": ""}, key=key).status_code == 303
    assert stricter.archive.change_count() == before
    browser.send("/rules", {"seen": "another", "reason": "agreed by the board"}, key=key)
    assert "look at the changes again" in browser.get("/rules").text
    assert stricter.archive.change_count() == before
    browser.send("/rules", {"seen": RULES_VERSION, "reason": "agreed by the board"}, key=key)
    assert f"Version {NEXT} of the rules is in force; nothing waits." in browser.get("/rules").text


def test_a_feed_whose_day_has_come_is_named(desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = desk.browser()
    assert "None." in browser.get("/rules").text
    monkeypatch.setattr("ingest.delivery.feed.Feed.is_overdue", lambda feed, on: True)
    assert "coverslip feed add" in browser.get("/rules").text
