"""Rules that a program brings decide nothing until somebody has seen what they would change and put them in force."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from archive.catalogue import audit, ruling
from archive.cohorts import add_project, cohort, count
from archive.consent import RULES_VERSION, Purpose, Recipient, evaluate
from archive.consent.table import Effect
from archive.errors import CatalogueUnavailable, InvalidValue, RulesNotInForce
from archive.holdings import Archive, new_rules
from archive.holdings.new_rules import look, put_in_force
from archive.records import HeldSlide, ScanStatus
from archive.teaching import compose, shown_collections
from tests.archive.holdings.committing import commit_one
from tests.archive.holdings.rows import rows_of

NEXT = "next"
Change = Callable[..., None]


@pytest.fixture
def held(archive: Archive) -> HeldSlide:
    return archive.slide(commit_one(archive).slide_code)


@pytest.fixture
def change_rules(monkeypatch: pytest.MonkeyPatch) -> Change:
    """Make this process one of a program whose table differs in the effect of some rows."""

    def change(version: str = NEXT, **effects: Effect) -> None:
        steps = tuple((replace(row, effect=effects.get(row.key, row.effect)), rule) for row, rule in evaluate._STEPS)
        monkeypatch.setattr(evaluate, "_STEPS", steps)
        for module in (ruling, new_rules):
            monkeypatch.setattr(module, "RULES_VERSION", version)

    return change


def test_a_new_archive_is_under_the_rules_of_the_program_that_made_it(archive: Archive, held: HeldSlide) -> None:
    found = look(archive)
    assert (found.wait, found.in_force, found.changes) == (False, RULES_VERSION, ())
    with pytest.raises(InvalidValue, match="in force already"):
        put_in_force(archive, seen=RULES_VERSION, reason="agreed")


def test_until_new_rules_are_in_force_nothing_is_decided_taught_counted_given_or_taken_in(
    archive: Archive, held: HeldSlide, change_rules: Change
) -> None:
    compose(archive, "Colon", [held.code])
    add_project(archive, "Colon")
    change_rules()
    with pytest.raises(RulesNotInForce, match="coverslip consent review"):
        archive.decide(held.record.key, Purpose.CARE, Recipient.CARE_TEAM)
    for ask in (
        lambda: shown_collections(archive),
        lambda: compose(archive, "Other", [held.code]),
        lambda: count(archive, "stain = HE"),
        lambda: cohort(archive, "stain = HE", project="Colon"),
        lambda: commit_one(archive),
    ):
        with pytest.raises(RulesNotInForce):
            ask()
    assert issubclass(RulesNotInForce, CatalogueUnavailable)  # so that servers answer as if the catalogue were gone
    assert len(archive.slides()) == 1


def test_what_would_change_is_told_before_and_nothing_is_written(
    archive: Archive, held: HeldSlide, change_rules: Change
) -> None:
    compose(archive, "Colon", [held.code])
    before = rows_of(archive)
    change_rules(L3=Effect.DENY)
    found = look(archive)
    assert (found.wait, found.in_force, found.of_program) == (True, RULES_VERSION, NEXT)
    assert {(one.question, one.before, one.after) for one in found.changes} == {
        ("audit for the project", ("allow", "L3"), ("deny", "L3")),
        ("research for the project", ("allow", "L3"), ("deny", "L3")),
        ("teaching for the class", ("allow", "L3"), ("deny", "L3")),
        ("other secondary for the project", ("allow", "L3"), ("deny", "L3")),
    }
    assert all((one.scans, one.slides, one.named, one.turns) == (1, 1, (held.code,), True) for one in found.changes)
    assert {one.question: one.collections for one in found.changes if one.collections} == {
        "teaching for the class": ("Colon",)
    }
    assert rows_of(archive) == before


def test_put_in_force_they_decide_and_the_trail_tells_what_they_changed(
    archive: Archive, held: HeldSlide, change_rules: Change
) -> None:
    compose(archive, "Colon", [held.code])
    change_rules(L3=Effect.DENY)
    put_in_force(archive, seen=RULES_VERSION, reason="agreed by the governance group")
    assert not archive.decide(held.record.key, Purpose.TEACHING, Recipient.CLASS).allowed
    assert shown_collections(archive) == ()
    assert not look(archive).wait
    with archive.catalogue.reading() as connection:
        entry = json.loads(audit.newest_text(connection) or "")
    assert (entry["act"], entry["before"], entry["rules"]) == ("put rules in force", RULES_VERSION, NEXT)
    assert ["teaching for the class", ["allow", "L3"], ["deny", "L3"], 1] in entry["changed"]
    assert archive.audit_faults() == ()
    change_rules("third", L3=Effect.ALLOW)
    assert ("deny", "L3") in {one.before for one in look(archive).changes}  # kept when they were put in force


def test_a_program_with_the_old_rules_decides_nothing_any_more(
    archive: Archive, held: HeldSlide, change_rules: Change
) -> None:
    change_rules(L3=Effect.DENY)
    put_in_force(archive, seen=RULES_VERSION, reason="agreed")
    change_rules(RULES_VERSION, L3=Effect.ALLOW)
    with pytest.raises(RulesNotInForce):
        archive.decide(held.record.key, Purpose.TEACHING, Recipient.CLASS)


def test_what_may_not_be_kept_by_them_is_put_away_and_kept_again_by_later_ones(
    archive: Archive, held: HeldSlide, change_rules: Change
) -> None:
    change_rules(K1=Effect.DENY)
    (foreseen,) = look(archive).handlings
    assert (foreseen.before, foreseen.after) == (ScanStatus.KEPT, ScanStatus.QUARANTINED)
    put_in_force(archive, seen=RULES_VERSION, reason="agreed")
    (scan,) = archive.slide(held.code).scans
    assert scan.record.status is ScanStatus.QUARANTINED
    change_rules("third", K1=Effect.ALLOW)
    put_in_force(archive, seen=NEXT, reason="agreed")
    (scan,) = archive.slide(held.code).scans
    assert scan.record.status is ScanStatus.KEPT


def test_rules_are_put_in_force_against_what_somebody_saw(
    archive: Archive, held: HeldSlide, change_rules: Change
) -> None:
    change_rules()
    with pytest.raises(InvalidValue, match="look at the changes again"):
        put_in_force(archive, seen="older", reason="agreed")
    assert look(archive).wait


def test_a_situation_that_occurs_between_is_told_as_never_ruled_on(
    archive: Archive, held: HeldSlide, change_rules: Change
) -> None:
    change_rules()
    facts = replace(archive.facts_of(held.record.key), pre_1997_collection=True)
    archive.record_facts(held.record.case, facts, reason="an old collection")
    assert {one.before for one in look(archive).changes} == {None}
