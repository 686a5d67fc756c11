"""What is asked of a large catalogue is answered from indexes: nothing reads or sorts everything for a small answer."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from archive.catalogue import Catalogue, codes, counting, schema, slides
from archive.catalogue.journal_rows import Touched
from archive.codes import Code, Kind, new_key
from archive.cohorts.asking import Asking, Rules
from archive.cohorts.query import parse
from archive.consent import Facts, MightIdentify, Purpose, Recipient
from archive.consent.terms import Consent, TissueSource

Plans = Callable[[Callable[[Any], object]], list[str]]
LIVING = Facts(source=TissueSource.LIVING)


@pytest.fixture
def plans(tmp_path: Path, make_chain: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Plans]:
    """Ask an SQLite catalogue something, as if all that it has were many, and tell how each question was answered."""
    monkeypatch.setattr(counting, "FEW", 0)
    catalogue = Catalogue.open(tmp_path / "catalogue.sqlite")
    with catalogue.writing() as writing:
        for facts in (LIVING, dataclasses.replace(LIVING, consent=Consent.REFUSED)):
            case, slide, scan = make_chain(facts)
            shown = MightIdentify.screened("structure-1")
            slides.add_case(writing.connection, case)
            slides.add_slide(writing.connection, slide)
            slides.add_scan(writing.connection, dataclasses.replace(scan, deidentified=True, might_identify=shown))
            for kind, key in ((Kind.PATIENT, case.patient), (Kind.CASE, case.key), (Kind.SLIDE, slide.key)):
                codes.add_code(writing.connection, 1, kind, key)
            codes.add_code(writing.connection, 1, Kind.SCAN, scan.key)
        writing.tell("commit")

    def planning(act: Callable[[Any], object]) -> list[str]:
        asked: list[tuple[str, Any]] = []
        with catalogue.reading() as connection:

            def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
                asked.append((statement, parameters))

            event.listen(connection, "before_cursor_execute", note)
            act(connection)
            event.remove(connection, "before_cursor_execute", note)
            told = [
                "; ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters))
                for statement, parameters in asked
                if statement.startswith("SELECT")
            ]
        assert told
        return told

    yield planning
    catalogue.close()


def ask(text: str) -> Callable[[Any], object]:
    def asking(connection: Any) -> object:
        return Asking(connection, parse(text), Rules.ask(connection, Purpose.RESEARCH, Recipient.PROJECT)).usable()

    return asking


def by_patient(told: list[str]) -> list[str]:
    """Choose the questions that group scans by patients; the others ask whether a situation has many."""
    return [plan for plan in told if "CO-ROUTINE" in plan and "INDEX ix_searched_situation" not in plan]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("stain = HE", "ix_searched_stain"),
        ("objective = 40", "ix_searched_objective"),
        ("scanner = GT450", "ix_searched_model"),
        ("mpp < 0.3", "ix_searched_numbers"),
        ("mpp < 0.3 and width > 10000", "ix_searched_numbers"),
    ],
)
def test_patients_are_counted_in_the_order_of_an_index(plans: Plans, query: str, index: str) -> None:
    of_patients = by_patient(plans(ask(query)))
    (plan,) = of_patients
    assert f"USING COVERING INDEX {index}" in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize("query", ["stain = HE", "stain = HE and mpp < 0.3", "mpp < 0.3", "fidelity = copied"])
def test_slides_with_several_scans_are_counted_from_their_own_index(plans: Plans, query: str) -> None:
    (again,) = (plan for plan in plans(ask(query)) if "ix_searched_again" in plan)
    assert "USING COVERING INDEX" in again


@pytest.mark.parametrize("query", ["organ = colon and stain = HE", "stain = HE and organ = colon and mpp < 0.3"])
def test_an_organ_is_looked_up_and_the_rest_compared(plans: Plans, query: str) -> None:
    searches = [plan for plan in plans(ask(query)) if "searched" in plan]
    assert any("ix_searched_organ" in plan for plan in searches)
    assert not any("ix_searched_stain" in plan for plan in searches)


def test_frequent_values_together_are_read_in_the_order_of_patients(plans: Plans) -> None:
    of_patients = by_patient(plans(ask("stain = HE and objective = 40 and fidelity = copied")))
    (plan,) = of_patients
    assert "SCAN searched" in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    "act",
    [
        lambda connection: slides.held(connection, 1, new_key()),
        lambda connection: slides.held(connection, 1, limit=100),
        lambda connection: slides.held(connection, 1, after=Code.random(Kind.SLIDE), limit=100),
        lambda connection: slides.slides_of_case(connection, new_key()),
        lambda connection: codes.projects_of(connection, new_key()),
        lambda connection: codes.codes_of(connection, 1, Kind.SCAN, [new_key()]),
    ],
)
def test_slides_are_found_by_indexes_alone(plans: Plans, act: Callable[[Any], object]) -> None:
    for plan in plans(act):
        assert "SCAN" not in plan.replace("SCAN projects", "").replace("SCAN CONSTANT ROW", ""), plan


def test_what_an_act_touched_is_read_again_by_its_whole_key(plans: Plans) -> None:
    touched = Touched()
    touched.note(schema.codes, [(1, kind.value, str(new_key())) for kind in Kind], must_stay=False)
    told = plans(touched.content)
    assert len(told) == len(Kind)
    for plan in told:
        assert "(project=? AND kind=? AND key=?)" in plan
