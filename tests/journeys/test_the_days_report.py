"""At the end of a day a laboratory is told what came, what became of it, and what may be deleted; nobody is named."""

import csv
import json
import re
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.laboratory import Laboratory, row_of, write_list
from tests.slides.planted import Plant
from tests.slides.svs import make_svs


class Day:
    """One delivery: two good slides, one of them twice, one cut short, one without a row."""

    def __init__(self, home: Path) -> None:
        self.laboratory, self.names = Laboratory(home), Plant(seed=11)
        self.folder = home / "delivered"
        self.folder.mkdir()
        self.laboratory.declare_feed()
        self.first = self._slide("first", 1)
        self.second = self._slide("second", 2)
        self.again = Path(shutil.copy(self.first, self._named("again")))
        self.short = self._named("short")
        self.short.write_bytes(self.first.read_bytes()[:3000])
        self.unlisted = self._slide("unlisted", 3)
        rows = [row_of(self.first, "S26-1"), row_of(self.second, "S26-2"), row_of(self.again, "S26-1")]
        self.rows = [*rows, row_of(self.short, "S26-3"), row_of(self._named("absent"), "S26-4")]
        self.list = write_list(home / "list.csv", *self.rows)
        self.took = self.laboratory.take_in(self.folder, self.list, ends=3)

    def _named(self, what: str) -> Path:
        return self.folder / f"{self.names(what)}.svs"

    def _slide(self, what: str, seed: int) -> Path:
        return make_svs(self._named(what), width=300, height=260, factors=(1,), seed=seed).path

    def waiting(self, *more: str) -> dict[str, str]:
        """Give the numbers of what waits, by reason."""
        told = json.loads(self.laboratory.run("quarantine", "list", "--json", *more).out)
        return {entry["reason"]: entry["number"] for entry in told}

    def silent_about_names(self, *files: Path) -> bool:
        """Whether neither what was said nor these files name anybody."""
        texts = [said.everything.encode() for said in self.laboratory.said]
        return not any(self.names.survivors(text) for text in [*texts, *(file.read_bytes() for file in files)])


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return Day(tmp_path_factory.mktemp("day"))


def figures(said: str) -> dict[str, str]:
    """Give the lines of a report by what they are about."""
    return {name.strip(): rest.strip() for name, rest in re.findall(r"^([a-z][a-z ]+?)  +(.+)$", said, re.MULTILINE)}


def test_the_report_tells_what_came_and_what_became_of_it(day: Day) -> None:
    told = figures(day.laboratory.run("report").out)
    assert (told["arrived"], told["kept"], told["known already"]) == ("5", "2", "1")
    assert told["in quarantine"] == "2 of this day, 2 in all"
    assert (told["expected"], told["missing"]) == ("5", "1: row 6")
    assert "no-row" in day.laboratory.said[-1].out
    assert " of intake at " in told["disk"]
    assert day.silent_about_names()


def test_the_report_is_a_page_of_its_own_and_a_table_with_a_row_for_each_file(day: Day, tmp_path: Path) -> None:
    page, table = tmp_path / "day.html", tmp_path / "day.csv"
    day.laboratory.run("report", "--html", page, "--csv", table)
    assert day.silent_about_names(page, table)
    text = page.read_text()
    assert f"{date.today():%A, %-d %B %Y}" in text
    assert not re.search(r"""(?:src|href)\s*=|url\(|@import|<script""", text)
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["state"] for row in rows) == ["kept", "kept", "known", "waits", "waits"]
    assert {row["code"] for row in rows if row["state"] == "kept"} == set(day.took.slides.values())
    assert {row["reason"] for row in rows if row["state"] == "waits"} == set(day.took.refused.values())
    sizes = [file.stat().st_size for file in day.folder.iterdir()]
    assert sum(int(row["source_bytes"]) for row in rows) == sum(sizes)
    assert [int(row["stored_bytes"]) > 0 for row in rows] == [row["state"] == "kept" for row in rows]


def test_another_day_is_empty(day: Day) -> None:
    told = figures(day.laboratory.run("report", "--day", date.today() - timedelta(1)).out)
    assert (told["arrived"], told["kept"], told["delivered"]) == ("0", "0", "0.0 kB")


def test_a_report_that_cannot_be_written_says_so(day: Day, tmp_path: Path) -> None:
    said = day.laboratory.run("report", "--html", tmp_path / "no folder" / "day.html", ends=1)
    assert "the report cannot be written there" in said.err


def test_sources_may_be_deleted_as_long_as_they_are_what_was_taken_in(tmp_path: Path) -> None:
    day = Day(tmp_path)
    listed = day.laboratory.run("report", "--releasable").out.splitlines()
    assert sorted(listed) == sorted(map(str, (day.first, day.second, day.again)))
    day.again.write_bytes(b"something else")
    day.second.unlink()
    assert day.laboratory.run("report", "--releasable").out.splitlines() == [str(day.first)]
    said = day.laboratory.run("report").out
    assert figures(said)["sources"].startswith("1 may be deleted")
    assert "1 not yet: the file changed since it was taken in" in said
    assert "1 not yet: the file is not there any more" in said


def test_what_waits_is_shown_without_a_name_unless_somebody_asks(day: Day) -> None:
    number = day.waiting()["no-row"]
    shown = day.laboratory.run("quarantine", "show", number).out
    assert "reason no-row size" in " ".join(shown.split())
    assert "what to do the delivery list has no row for this file; add one" in " ".join(shown.split())
    assert "lies there as it did" in shown
    assert day.names.survivors(shown.encode()) == []
    revealed = day.laboratory.run("quarantine", "show", number, "--reveal")
    assert day.unlisted.name in "".join(revealed.out.split())
    day.laboratory.said.remove(revealed)


def test_a_picture_is_written_where_only_one_can_see_it(day: Day, tmp_path: Path) -> None:
    number, picture = day.waiting()["no-row"], tmp_path / "picture.jpg"
    said = day.laboratory.run("quarantine", "show", number, "--picture", picture)
    assert "The picture was written (macro). It may show a name" in said.out
    assert picture.read_bytes().startswith(b"\xff\xd8")
    assert picture.stat().st_mode & 0o777 == 0o600
    again = day.laboratory.run("quarantine", "show", number, "--picture", picture, ends=1)
    assert "there is a file of that name already" in again.err
    none = day.laboratory.run("quarantine", "show", number, "--picture", tmp_path / "b.jpg", "--of", "passport", ends=1)
    assert "no such picture; it has: label, macro, thumbnail" in none.err


def test_what_no_person_can_judge_is_not_released(day: Day) -> None:
    said = day.laboratory.run("quarantine", "release", day.waiting()["no-row"], "--reason", "please", ends=1)
    assert "the delivery list has no row for this file" in said.err
    assert day.laboratory.run("quarantine", "release", "00000000", "--reason", "please", ends=1).err.count("\n") == 1


def test_a_refused_file_is_not_taken_again_until_that_is_taken_back(tmp_path: Path) -> None:
    day = Day(tmp_path)
    laboratory, number = day.laboratory, day.waiting()["no-row"]
    laboratory.run("quarantine", "refuse", number, "--reason", "not ours", "--who", "a.clinician")
    assert number not in day.waiting().values()
    assert day.waiting("--refused") == {"refused-by-hand": number}
    mended = write_list(tmp_path / "mended.csv", *day.rows, row_of(day.unlisted, "S26-5"))
    assert laboratory.take_in(day.folder, mended, ends=3).refused["row 7"] == "refused-by-hand"
    laboratory.run("quarantine", "release", number, "--reason", "ours after all", "--who", "a.clinician")
    assert "ingest it again: it was released" in " ".join(laboratory.run("quarantine", "list").out.split())
    assert set(laboratory.take_in(day.folder, mended, ends=3).slides) == {2, 3, 4, 7}
    assert number not in {**day.waiting(), **day.waiting("--refused")}.values()
    assert _acts(laboratory) == [("refused file", "a.clinician"), ("released file", "a.clinician")]
    assert day.silent_about_names()


def test_a_label_that_contradicts_its_row_is_judged_by_a_person(tmp_path: Path) -> None:
    laboratory, plant = Laboratory(tmp_path / "laboratory"), Plant(seed=12)
    laboratory.home.mkdir()
    laboratory.declare_feed()
    said_by_label = plant("on the label")
    slide = make_svs(tmp_path / "a.svs", width=300, height=260, factors=(1,), barcode=said_by_label).path
    listed = write_list(tmp_path / "list.csv", row_of(slide, "S26-1", barcode=plant("on the list")))
    assert laboratory.take_in(slide, listed, ends=3).refused == {"row 2": "wrong-barcode"}
    (waits,) = json.loads(laboratory.run("quarantine", "list", "--json").out)
    shown = " ".join(laboratory.run("quarantine", "show", waits["number"]).out.split())
    assert "case is known; to read it: --reveal" in shown
    laboratory.run("quarantine", "release", waits["number"], "--reason", "label printed twice")
    assert laboratory.take_in(slide, listed).slides.keys() == {2}
    assert laboratory.run("quarantine", "list").out == "Nothing waits.\n"
    told = figures(laboratory.run("report").out)
    assert (told["arrived"], told["kept"], told["in quarantine"]) == ("1", "1", "0 of this day, 0 in all")
    assert not any(plant.survivors(said.everything.encode()) for said in laboratory.said)


def test_a_row_whose_slide_is_found_by_its_label_is_not_missing(tmp_path: Path) -> None:
    laboratory = Laboratory(tmp_path / "laboratory")
    laboratory.home.mkdir()
    laboratory.declare_feed()
    slide = make_svs(tmp_path / "a.svs", width=300, height=260, factors=(1,), barcode="S26-0012345;A1;1").path
    row = {**row_of(slide, "S26-1"), "file": "", "barcode": "S26-0012345;A1;1"}
    other = {**row_of(slide, "S26-2"), "file": "", "barcode": "S26-0067890;A1;1"}
    assert set(laboratory.take_in(slide, write_list(tmp_path / "list.csv", row, other)).slides) == {2}
    told = figures(laboratory.run("report").out)
    assert (told["expected"], told["arrived"], told["missing"]) == ("2", "1", "1: row 3")


def _acts(laboratory: Laboratory) -> list[tuple[str, str]]:
    from ingest.cli.places import Places

    with Places.of(laboratory.archive).opened() as (_, vault):
        entries: list[Any] = [entry for entry in vault.trail() if entry.act.endswith(" file")]
        return [(entry.act, entry.who) for entry in entries]
