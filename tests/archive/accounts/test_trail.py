"""The access trail tells of each opening once an hour, in roles and codes, and shows when it was changed."""

import json
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from archive.accounts import AccountStore, Actor, Grant, Role
from archive.auditchain import Fault, verify
from archive.errors import FreeTextRefused, InvalidValue
from tests.archive.accounts.conftest import OTHER, Clock

MakeStore = Callable[..., AccountStore]
ED, LEA = Actor("ed", Role.EDUCATOR), Actor("lea", Role.LEARNER)
ROS = Actor("ros", Role.RESEARCHER, "melanoma")
EDUCATOR, LEARNER = Grant(Role.EDUCATOR), Grant(Role.LEARNER)


def told(store: AccountStore, act: str) -> list[dict[str, object]]:
    with store.entries() as entries:
        return [entry for each in entries if (entry := json.loads(each.text))["act"] == act]


def faults(store: AccountStore) -> tuple[Fault, ...]:
    trail = store.sealed_trail()
    return verify(trail.entries(), trail.first, trail.heads())


def test_opening_a_slide_is_told_once_an_hour(make_store: MakeStore, clock: Clock) -> None:
    store = make_store(ed=[EDUCATOR])
    assert store.note_opening(ED, "slide-a", collection="c")
    for _ in range(59):
        clock.passes(60)
        assert not store.note_opening(ED, "slide-a", collection="c")
    clock.passes(60)
    assert store.note_opening(ED, "slide-a", collection="c")
    assert len(told(store, "open slide")) == 2


def test_each_person_role_project_and_slide_is_told(make_store: MakeStore) -> None:
    store = make_store(ed=[EDUCATOR, LEARNER], lea=[LEARNER], ros=[Grant(Role.RESEARCHER, "melanoma")])
    actors = [ED, LEA, Actor("ed", Role.LEARNER), ROS, Actor("ros", Role.RESEARCHER, "naevus")]
    for slide in ("slide-a", "slide-b"):
        for actor in actors:
            assert store.note_opening(actor, slide)
            assert not store.note_opening(actor, slide)
    entries = told(store, "open slide")
    assert len(entries) == 10
    assert entries[3] | {"at": ""} == {
        "act": "open slide",
        "actor": "ros",
        "at": "",
        "project": "melanoma",
        "role": "researcher",
        "slide": "slide-a",
    }


def test_a_clock_that_was_set_back_does_not_silence_the_trail(make_store: MakeStore, clock: Clock) -> None:
    store = make_store(ed=[EDUCATOR])
    store.note_opening(ED, "slide-a")
    clock.passes(-7200)
    assert store.note_opening(ED, "slide-a")


def test_a_reason_is_screened_and_nothing_else_is_kept_of_it(make_store: MakeStore) -> None:
    store = make_store()
    head = store.head()
    with pytest.raises(FreeTextRefused):
        store.note("look up", "carol", reason="for a.smith@example.org")
    assert store.head() == head
    store.note("look up", "carol", reason="asked by the ward")
    assert told(store, "look up")[0]["reason"] == "asked by the ward"


def test_an_entry_cannot_give_itself_another_actor(make_store: MakeStore) -> None:
    with pytest.raises(InvalidValue):
        make_store().note("look", ED, at="then")


def test_the_role_in_an_entry_is_the_actors_own(make_store: MakeStore) -> None:
    store = make_store()
    store.note("look", ED, role="custodian")
    assert told(store, "look")[0]["role"] == "educator"


def filled(store: AccountStore) -> AccountStore:
    for number in range(12):
        store.note("look", LEA, slide=f"slide-{number}")
    return store


def test_an_unchanged_trail_has_no_fault(make_store: MakeStore) -> None:
    assert faults(filled(make_store(lea=[LEARNER]))) == ()


TAMPERINGS = {
    "edit": "UPDATE trail SET text = replace(text, 'lea', 'eve') WHERE number = {n}",
    "edit the digest": "UPDATE trail SET digest = substr(digest, 2) || '0' WHERE number = {n}",
    "delete": "DELETE FROM trail WHERE number = {n}",
    "cut off": "DELETE FROM trail WHERE number >= {n}",
    "swap": "UPDATE trail SET text = (SELECT text FROM trail t WHERE t.number = 21 - {n}) WHERE number = {n}",
    "move": "UPDATE trail SET number = number + 100 WHERE number = {n}",
    "forget the head": "UPDATE store SET head_number = head_number - 1",
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_every_tampering_shows(make_store: MakeStore, tmp_path: Path, tampering: str) -> None:
    store = filled(make_store(lea=[LEARNER]))
    number = random.Random(tampering).randint(6, 14)
    connection = sqlite3.connect(tmp_path / "accounts.sqlite")
    assert connection.execute(TAMPERINGS[tampering].format(n=number)).rowcount
    connection.commit()
    connection.close()
    assert faults(store)


def test_the_trail_of_one_archive_is_not_that_of_another(make_store: MakeStore, tmp_path: Path) -> None:
    store = filled(make_store(lea=[LEARNER]))
    (tmp_path / "other").mkdir()
    with AccountStore.open(tmp_path / "other", create=True) as other:
        mine, theirs = store.sealed_trail(), other.sealed_trail()
        assert verify(mine.entries(), mine.first) == ()
        assert verify(mine.entries(), theirs.first)


def test_signing_in_and_out_and_choosing_are_told(make_store: MakeStore) -> None:
    store = make_store(both=[EDUCATOR, LEARNER])
    token = store.sign_in("both", OTHER).token
    store.choose_role(token, Role.LEARNER)
    store.sign_out(token)
    with store.entries() as entries:
        acts = [json.loads(entry.text)["act"] for entry in entries]
    assert acts[-3:] == ["sign in", "choose role", "sign out"]
