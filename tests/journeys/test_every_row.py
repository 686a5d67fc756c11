"""Every row of RULES section 2, from the list to the picture: taken in, put in a collection, asked for, queried.

What should come of it is never read from the program: `tests.archive.consent.restated` says it from the text, from the
very words of the list. The archive holds coded copies only, so what the text says of anonymised ones is compared with a
decision about such a copy of the facts that came in with the list.
"""

import csv
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from archive.codes import Kind
from archive.consent import Decision, Facts, MightIdentify, Purpose, Recipient, decide
from archive.consent.terms import Grade, State
from archive.holdings import Archive
from ingest.screening import VERSION
from tests.archive.consent.restated import IDS, PURPOSES, RECIPIENTS, SECONDARY, Answer, restated
from tests.journeys.laboratory import Laboratory, Said, row_of, write_list
from tests.journeys.told import CASES, CLASS, Told, known_of
from tests.slides.svs import make_svs

PROJECT = "every-row"
HOLD_NO_KEY = ("project", "class", "public")
"""Who gets codes or handles only, and cannot look them up (Z2)."""

FIRST_ROW = 2
IN_FORCE_SECONDS = 1.0
"""A server acts on what was recorded within a second."""

TAKEN_AWAY = "a report taken away"
"""A slide whose copy is no longer known to have passed de-identification (Z1)."""


def the_text_says(told: Told, purpose: str, recipient: str) -> Answer:
    """Answer a question about the coded copy of a case, from RULES alone."""
    return restated(known_of(told), purpose, recipient, holds_key=recipient not in HOLD_NO_KEY)


def allowed(told: Told, purpose: str, recipient: str) -> bool:
    return the_text_says(told, purpose, recipient).verdict == "allow"


KEPT = {name: told for name, told in CASES.items() if allowed(told, "keep", "laboratory")}
WAITS_FOR = {"K4": "unknown-authority", "Z4": "unknown-authority"}


@dataclass(frozen=True)
class Taken:
    """A laboratory that was delivered one slide of every case, and as many surgical slides that nobody asks about.

    ``codes`` are those of the slides that are in the archive, ``plain`` those of the surgical ones, by the name of the
    case that each is going to be told of later.
    """

    laboratory: Laboratory
    codes: dict[str, str]
    plain: dict[str, str]
    said: Said


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Taken:
    home = tmp_path_factory.mktemp("every-row")
    delivery = home / "delivery"
    delivery.mkdir()
    laboratory = Laboratory(home / "laboratory")
    laboratory.home.mkdir()
    laboratory.declare_feed()
    plain = {name: Told() for name in (*CASES, TAKEN_AWAY)}
    rows = [draw(delivery, number, told) for number, told in enumerate((*CASES.values(), *plain.values()))]
    said = laboratory.take_in(delivery, write_list(delivery / "list.csv", *rows), ends=3)
    laboratory.grade_as_clean()
    codes = dict(enumerate(CASES, FIRST_ROW))
    after = dict(enumerate(plain, FIRST_ROW + len(CASES)))
    return Taken(
        laboratory,
        {codes[row]: code for row, code in said.slides.items() if row in codes},
        {after[row]: code for row, code in said.slides.items() if row in after},
        said,
    )


def draw(folder: Path, number: int, told: Told) -> dict[str, object]:
    """Draw a slide that no other looks like, and write its row."""
    path = make_svs(folder / f"{number}.svs", width=260, height=200, factors=(1,), seed=number).path
    return row_of(path, f"{'PM' if told.post_mortem else 'S'}26-{number:05}", **told.columns)


@pytest.fixture
def archive(taken: Taken) -> Iterator[Archive]:
    with Archive.open(taken.laboratory.archive, actor="curator") as opened:
        yield opened


def same(decision: Decision, said: Answer) -> bool:
    return decision.verdict == said.verdict and said.row in (None, decision.row)


# Taken in


@pytest.mark.parametrize("name", CASES)
def test_a_slide_is_kept_only_where_the_rules_let_the_laboratory_keep_it(taken: Taken, name: str) -> None:
    said = the_text_says(CASES[name], "keep", "laboratory")
    row = FIRST_ROW + list(CASES).index(name)
    if said.verdict == "allow":
        assert name in taken.codes
    else:
        assert taken.said.refused[f"row {row}"] == WAITS_FOR.get(str(said.row), "consent-refuses")
        assert name not in taken.codes


def test_some_of_the_cases_are_kept_and_some_are_not(taken: Taken) -> None:
    assert taken.codes.keys() == KEPT.keys()
    assert {name.partition(",")[0] for name in CASES.keys() - KEPT.keys()} == {"Z4", "K3", "K4", "R2"}
    assert taken.plain.keys() == {*CASES, TAKEN_AWAY}


# Asked about


@pytest.mark.parametrize("name", KEPT)
def test_every_question_about_it_is_answered_as_the_text_says(taken: Taken, archive: Archive, name: str) -> None:
    slide = archive.slide(taken.codes[name]).record.key
    for purpose in PURPOSES:
        for recipient in RECIPIENTS:
            decision = archive.decide(slide, Purpose(purpose), Recipient(recipient))
            said = the_text_says(CASES[name], purpose, recipient)
            assert same(decision, said), f"{purpose} to {recipient}: {decision.row} instead of {said}"


def as_anonymised(facts: Facts, purpose: str, recipient: str) -> Decision:
    """Decide about an anonymised copy of a case with these facts."""
    grade = facts.might_identify if facts.might_identify.grade is not Grade.UNASSESSED else SCREENED
    copy = replace(facts, state=State.ANONYMISED, report_bound=True, might_identify=grade)
    return decide(copy, Purpose(purpose), Recipient(recipient), holds_key=recipient not in HOLD_NO_KEY)


SCREENED = MightIdentify.screened(VERSION)


@pytest.mark.parametrize("name", KEPT)
def test_and_so_it_would_be_of_an_anonymised_copy(taken: Taken, archive: Archive, name: str) -> None:
    facts = archive.facts_of(archive.slide(taken.codes[name]).record.key)
    known = {**known_of(CASES[name]), "state": "anonymised"}
    for purpose in PURPOSES:
        for recipient in RECIPIENTS:
            decision = as_anonymised(facts, purpose, recipient)
            said = restated(known, purpose, recipient, holds_key=recipient not in HOLD_NO_KEY)
            assert same(decision, said), f"{purpose} to {recipient}: {decision.row} instead of {said}"


@pytest.mark.parametrize("name", CASES)
def test_the_row_that_a_case_is_named_after_is_met_on_the_way(taken: Taken, archive: Archive, name: str) -> None:
    told, row = CASES[name], name.partition(",")[0]
    if name in KEPT:
        slide = archive.slide(taken.codes[name]).record.key
        purpose, recipient = told.question
        decision = archive.decide(slide, Purpose(purpose), Recipient(recipient))
        imagined = as_anonymised(archive.facts_of(slide), *told.question)
    else:
        facts = Facts.from_json(known_of(told))  # type: ignore[arg-type] # plain words
        decision = imagined = decide(facts, *(Purpose(told.question[0]), Recipient(told.question[1])))
    met = {one.id for one in (*decision.trail, *imagined.trail)} | {gate.row.id for gate in decision.glass}
    assert row in met


def test_every_row_of_the_text_has_its_case() -> None:
    assert {name.partition(",")[0] for name in CASES} | {"Z1"} == {*IDS, "default"}


# Put in a collection, and asked for


def test_a_collection_has_what_may_be_taught_and_nothing_else(taken: Taken) -> None:
    taught = [taken.codes[name] for name, told in KEPT.items() if allowed(told, *CLASS)]
    others = [code for code in taken.codes.values() if code not in taught]
    assert len(taught) > 10 < len(others)
    laboratory = taken.laboratory
    said = laboratory.run("teach", "Nothing of this", *others, ends=1)
    assert said.out.count("not put in: ") == len(others)
    assert "Nothing was put in" in said.out
    said = laboratory.run("teach", "All that may be", *taken.codes.values(), ends=1)
    assert said.out.count("not put in: ") == len(others)
    assert f"shows {len(taught)} slides" in said.out
    handle = said.out.rsplit("/collections/", 1)[1].strip()
    with laboratory.serving() as base, httpx.Client(base_url=base) as client:
        places = client.get(f"/api/collections/{handle}").json()["slides"]
        assert len(places) == len(taught)
        assert [asked(client, place["handle"]) for place in places] == [200] * len(taught)


def asked(client: httpx.Client, handle: str) -> int:
    """Ask for a tile; give the status, having seen that a picture is one."""
    answer = client.get(f"/slides/{handle}/tiles/0/0_0.jpg")
    assert (answer.status_code == 200) == answer.content.startswith(b"\xff\xd8")
    return answer.status_code


def queried(taken: Taken, tmp_path: Path, purpose: str) -> set[str]:
    """Ask for every slide as a project; give the laboratory's codes of what is given."""
    table = tmp_path / f"{purpose}.csv"
    everything = ("cohort", "width > 1", "--project", PROJECT, "--purpose", purpose, "--csv", table)
    taken.laboratory.run("project", "add", PROJECT)
    taken.laboratory.run(*everything)
    with Archive.open(taken.laboratory.archive, read_only=True) as archive, table.open(newline="") as file:
        found = {archive.key_of(row["slide"], Kind.SLIDE, PROJECT) for row in csv.DictReader(file)}
        return {str(archive.held(key).code) for key in found}


@pytest.mark.parametrize("purpose", SECONDARY)
def test_a_query_gives_what_the_project_may_have_and_nothing_else(taken: Taken, tmp_path: Path, purpose: str) -> None:
    given = queried(taken, tmp_path, purpose) & set(taken.codes.values())
    assert given == {taken.codes[name] for name, told in KEPT.items() if allowed(told, purpose, "project")}
    assert given


# Found out only after it was put in a collection


def test_a_slide_that_is_shown_follows_what_is_found_out_of_its_case(taken: Taken, tmp_path: Path) -> None:
    laboratory = taken.laboratory
    handle = laboratory.teach("Shown until then", *taken.plain.values())
    with laboratory.serving() as base, httpx.Client(base_url=base) as client:
        places = client.get(f"/api/collections/{handle}").json()["slides"]
        handles = dict(zip(taken.plain, (place["handle"] for place in places), strict=True))
        assert {asked(client, one) for one in handles.values()} == {200}
        find_out(taken)
        time.sleep(IN_FORCE_SECONDS)
        for _ in range(3):  # each worker answers some of them
            assert {name: asked(client, one) for name, one in handles.items()} == {
                name: 200 if name in CASES and allowed(CASES[name], *CLASS) else 404 for name in handles
            }
    for purpose in SECONDARY:
        given = queried(taken, tmp_path, purpose) & set(taken.plain.values())
        assert given == {taken.plain[name] for name, told in CASES.items() if allowed(told, purpose, "project")}


def find_out(taken: Taken) -> None:
    """Record of each surgical slide's case what the list told of another, and take one slide's report away."""
    with Archive.open(taken.laboratory.archive, actor="curator") as archive:
        for name, told in CASES.items():
            slide = archive.slide(taken.plain[name]).record
            facts = Facts.from_json(known_of(told))  # type: ignore[arg-type] # plain words
            grade = MightIdentify() if facts.might_identify == SCREENED else facts.might_identify
            of_the_case = replace(facts, state=State.IDENTIFIABLE, report_bound=False, might_identify=grade)
            archive.record_facts(slide.case, of_the_case, reason="found out in a test")
        (scan,) = archive.slide(taken.plain[TAKEN_AWAY]).scans
    with sqlite3.connect(taken.laboratory.archive / "catalogue.sqlite") as catalogue:
        assert catalogue.execute("UPDATE scans SET deidentified = 0 WHERE key = ?", (scan.record.key,)).rowcount == 1
    catalogue.close()
