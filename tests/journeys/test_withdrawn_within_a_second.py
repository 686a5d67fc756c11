"""A slide that is withdrawn while two workers serve it to many is gone within a second: by the clock, and byte by byte.

Somebody else watches when the act is committed. Whatever was asked for later than a second after that is looked through
for every byte by which the slide could be known; so is what a project is given, and every file of the archive but the
scan's own.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from archive.holdings import Archive
from tests.journeys.browsing import Browsing, Taught, files_with, moment_of, teach, telling
from tests.journeys.laboratory import Laboratory

LEVEL_0 = [(column, row) for row in range(2) for column in range(2)]
PICTURES = (
    *(f"/slides/{{handle}}/tiles/0/{column}_{row}.jpg" for column, row in LEVEL_0),
    *("/slides/{handle}/thumbnail.jpg", "/slides/{handle}_files/9/0_0.jpeg", "/slides/{handle}_files/7/0_0.jpeg"),
)
PAGES = ("/", "/collections/{collection}", "/api/collections", "/api/collections/{collection}", "/api/slides/{handle}")
CASES = ("S26-0001", "S26-0002", "S26-0003", "S26-0004")
GOING, STAYING = CASES[:3], CASES[3]


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Taught:
    """Set up slides that go, one after the other, and one that stays."""
    made = teach(tmp_path_factory.mktemp("withdrawing"), CASES, factors=(1, 2))
    made.laboratory.run("project", "add", "Colon")
    return made


def withdraw(laboratory: Laboratory, case: str) -> float:
    """Withdraw a case in a process of its own; gives the moment from which that could be seen."""
    words = ("consent", "withdraw", case, "--from", "self", "--reason", "a letter came")
    return moment_of(laboratory.archive, Archive.newest_withdrawal, lambda: laboratory.run(*words))


def given(laboratory: Laboratory, path: Path) -> list[str]:
    """Ask for a cohort, and give the lines that the project gets."""
    laboratory.run("cohort", "stain = HE", "--project", "Colon", "--csv", path)
    return path.read_text().splitlines()[1:]


def test_it_is_gone_within_a_second_on_two_workers_under_load(
    taught: Taught, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    laboratory = taught.laboratory
    before = given(laboratory, tmp_path / "before.csv")
    assert len(before) == len(CASES)
    latest: dict[str, float] = {}
    with laboratory.serving(workers=2) as base:
        handles = taught.handles(base)
        load = Browsing(base, taught.collection, list(handles.values()), PICTURES, PAGES)
        committed: dict[str, float] = {}
        with load.running():
            load.wait_for_rounds(0)
            for case in GOING:
                committed[case] = withdraw(laboratory, case)
                load.wait_for_rounds(committed[case] + 1)

    bodies = {case: {one.body for one in load.of(handles[case]) if one.status == 200} for case in CASES}
    for case in GOING:
        handle, moment = handles[case], committed[case]
        assert len([one for one in load.of(handle, before=moment) if one.status == 200]) > 20
        latest[case] = max(one.answered for one in load.of(handle) if one.status in (200, 304)) - moment
        later = [one for one in load.asked if one.sent > moment + 1]
        assert len(later) > 20
        assert {one.status for one in load.of(handle, after=moment + 1)} == {404}

        needles = telling(
            sorted(bodies[case]), b"".join(set().union(*(bodies[name] for name in CASES if name != case)))
        )
        assert len(needles) > 100
        answered = b"".join({one.body for one in later})
        assert [run for run in needles if run in answered] == []
        assert handle.encode() not in answered
        assert_only_the_scan_has(laboratory.archive, taught.codes[case], needles)
    assert {one.status for one in load.of(handles[STAYING])} == {200, 304}
    assert {one.status for one in load.asked if one.handle == handles[STAYING] and one.known_tag is None} == {200}
    record_property("requests", len(load.asked))
    record_property("shown for seconds after the act", latest)


def assert_only_the_scan_has(root: Path, code: str, needles: list[bytes]) -> None:
    """See that no file of the archive has a picture of a slide but those of its own scan."""
    with Archive.open(root, read_only=True) as archive:
        (scan,) = archive.slide(code).scans
        own = archive.place.of_scan(scan.record.key)
    assert {path.is_relative_to(own) for path in files_with(root, needles)} == {True}


def test_neither_cohort_nor_export_gives_it_any_more_and_the_report_names_what_was_given(
    taught: Taught, tmp_path: Path
) -> None:
    laboratory, case = taught.laboratory, STAYING
    (line,) = given(laboratory, tmp_path / "before.csv")
    project_code = line.split(",")[2]
    said = laboratory.run("consent", "withdraw", case, "--from", "self", "--reason", "a letter came").out
    plain = " ".join(said.split())
    assert f"{taught.codes[case]}: taken out of the collection 'Colon', number 4" in plain
    assert f"given before to the project 'Colon': {project_code} (its cohorts: entries" in plain
    assert "make one now (coverslip backup)" in plain
    assert "Withdrawn. It is entry" in plain
    assert given(laboratory, tmp_path / "after.csv") == []
    assert project_code not in (tmp_path / "after.csv").read_text()
    again = laboratory.run("consent", "withdraw", case, "--from", "self", "--reason", "a letter came").out
    assert "All of this was so already." in again


def test_no_name_and_no_number_is_in_what_was_said(taught: Taught) -> None:
    for said in taught.laboratory.said:
        if "withdraw" in said.words:
            assert [case for case in CASES if case in said.everything] == []
