"""Whatever is typed, people are told what happened: what is in a file, every fault of a list, why nothing was done.

Each answer is a sentence or a table, or JSON for a program, with an exit code that ``--help`` explains. None repeats a
name that stands in a path, a list or a file.
"""

import json
import shutil
from pathlib import Path

import pytest

from tests.journeys.desk import Desk, new_laboratory, set_up
from tests.journeys.laboratory import Laboratory, row_of, write_list
from tests.slides.planted import Plant
from tests.slides.seen import slide_of, with_label
from tests.slides.svs import make_svs


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return set_up(tmp_path_factory.mktemp("desk"))


def test_every_fault_of_a_list_is_told_at_once_with_row_and_column(desk: Desk, tmp_path: Path) -> None:
    names = Plant(seed=3)
    good = row_of(desk.slide, "S26-0001", birth_date="", might_identify="", assessed_by="")
    rows = [
        good,
        {**good, "file": names("second") + ".svs", "stain": names("stain"), "block": ""},
        {**good, "file": names("third") + ".svs", "case": "S26-0003", "birth_date": "31/02/1948"},
        {**good, "case": "S26-0004", "patient": names("patient")},
        {**good, "file": f"../{names('outside')}.svs", "case": "S26-0005", "might_identify": "no"},
    ]
    listed = write_list(tmp_path / f"{names('list')}.csv", *rows)
    with listed.open("a") as file:
        file.write(f"{names('short row')},H-1\n")
    said = desk.laboratory.run("delivery", "check", listed, ends=1)
    found = [line.split(": found ")[0] for line in said.err.splitlines()[1:]]
    assert said.err.startswith("coverslip: the delivery list has 7 faults; correct it and try again\n")
    assert found == [
        *("row 3, block", "row 3, stain", "row 4, birth_date", "row 5, file"),
        *("row 6, file", "row 6, assessed_by", "row 7"),
    ]
    assert all("; expected " in line for line in said.err.splitlines()[1:])
    assert names.survivors(said.everything.encode()) == []
    again = desk.laboratory.take_in(desk.slide, listed, ends=1)
    assert again.err == said.err


def test_a_template_that_was_filled_in_is_a_list_without_faults(desk: Desk, tmp_path: Path) -> None:
    for full in ((), ("--full",)):
        template = desk.laboratory.run("delivery", "template", *full).out
        header = template.splitlines()[-1].split(",")
        assert header[:5] == ["file", "patient", "case", "block", "stain"]
        row = ["slide.svs", "H-1", "S26-0001", "A1", "H&E", *[""] * (len(header) - 5)]
        listed = tmp_path / "list.csv"
        listed.write_text(template + ",".join(row) + "\n")
        said = desk.laboratory.run("delivery", "check", listed)
        assert said.out == "1 row, no fault, with the defaults of the feed 'surgical'.\n"


def test_inspect_tells_what_would_be_kept_and_left_behind_and_writes_nothing(desk: Desk) -> None:
    before = sorted(path.stat().st_mtime_ns for path in desk.folder.rglob("*"))
    said = desk.laboratory.run("inspect", desk.slide).out
    plain = " ".join(said.split())
    assert "level 0 300 x 260 px" in plain
    assert "0.499 x 0.499 micrometres" in plain
    assert "label 387 x 463 px, found by subfile type 1" in plain
    assert "macro 1,280 x 431 px, found by subfile type 9" in plain
    assert desk.silent_about_names()
    told = json.loads(desk.laboratory.run("inspect", desk.slide, "--json").out)
    assert told["kept"]["levels"] == [[300, 260]]
    assert {picture["kind"] for picture in told["left_behind"]["pictures"]} == {"label", "macro", "thumbnail"}
    assert told["left_behind"]["metadata_values"] > 30
    assert desk.silent_about_names()
    assert sorted(path.stat().st_mtime_ns for path in desk.folder.rglob("*")) == before


def test_feeds_are_listed_and_one_is_the_default(tmp_path: Path) -> None:
    laboratory = new_laboratory(tmp_path / "laboratory")
    assert laboratory.run("feed", "list", ends=1).err.startswith("coverslip: there is no archive")
    attests = Plant()("who attests it")
    laboratory.declare_feed("--attested-by", attests, "--post-mortems", "PM*", "--post-mortems", "A##-*")
    post_mortems = ("--source", "post-mortem", "--jurisdiction", "Scotland", "--attested-by", attests)
    laboratory.run("feed", "add", "mortuary", *post_mortems, "--review", "2030-01-31")
    said = laboratory.run("feed", "list")
    lines = {line.split()[0]: " ".join(line.split()) for line in said.out.splitlines()[1:]}
    assert lines["surgical"].startswith("surgical living England PM*, A##-* ")
    assert lines["surgical"].endswith(" default")
    assert lines["mortuary"] == "mortuary post-mortem Scotland - 2030-01-31"
    assert attests not in said.everything


def test_the_doctor_finds_what_is_wrong_and_says_what_to_do(desk: Desk) -> None:
    sick = desk.laboratory.run("doctor", "--vault-key", desk.folder / desk.names("not there"), ends=1).out
    assert "put it back from its safe copy" in " ".join(sick.split())
    assert desk.silent_about_names()
    lacking = [line.split()[1] for line in sick.splitlines() if line.startswith("look")]
    assert lacking[-1] == "archive"
    well = desk.laboratory.run("doctor", ends=1 if lacking[:-1] else 0).out
    assert [line.split()[1] for line in well.splitlines() if line.startswith("look")] == lacking[:-1]
    assert "vault open; its audit trail is whole" in " ".join(well.split())


def test_what_programs_read_is_json(desk: Desk) -> None:
    laboratory = desk.laboratory
    (listed,) = json.loads(laboratory.run("list", "--json").out)
    assert listed["slide"] == desk.code
    shown = json.loads(laboratory.run("show", desk.code, "--json").out)
    assert {use["verdict"] for use in shown["uses"].values()} == {"allow", "deny"}
    assert {name: shown[name] for name in listed} == listed
    assert json.loads(laboratory.run("quarantine", "list", "--json").out) == []


def test_when_some_are_refused_the_rest_is_taken_and_the_code_is_3(desk: Desk, tmp_path: Path) -> None:
    laboratory, names = desk.laboratory, Plant(seed=4)
    good = make_svs(tmp_path / "good.svs", width=300, height=260, factors=(1,), seed=5).path
    broken = Path(shutil.copy(good, tmp_path / f"{names('broken')}.svs"))
    broken.write_bytes(good.read_bytes()[:3000])
    unlisted = make_svs(tmp_path / f"{names('unlisted')}.svs", width=300, height=260, factors=(1,), seed=6).path
    absent = row_of(tmp_path / f"{names('absent')}.svs", "S26-0053")
    listed = write_list(tmp_path / "list.csv", row_of(good, "S26-0051"), row_of(broken, "S26-0052"), absent)
    said = laboratory.take_in(tmp_path, listed, ends=3)
    assert set(said.slides) == {2}
    assert said.refused["a file without a row"] == "no-row"
    assert said.refused["row 3"] in ("truncated", "damaged-structure")
    assert "row 4: its file is not among those delivered" in said.out
    assert "1 kept, 0 known already, 2 refused." in said.out
    waiting = laboratory.run("quarantine", "list")
    assert "no-row" in waiting.out
    assert "2 wait." in waiting.out
    told = json.loads(laboratory.run("quarantine", "list", "--json").out)
    assert {entry["reason"] for entry in told} == set(said.refused.values())
    for one in laboratory.said[-3:]:
        assert names.survivors(one.everything.encode()) == []
    asked_for = laboratory.run("quarantine", "list", "--files").out
    assert unlisted.name in "".join(asked_for.split())


EXIT_CODES = {
    **{0: "done", 1: "could not be done", 2: "a wrong call", 3: "some slides were refused"},
    **{4: "something was found", 5: "time was up before its end", 130: "Ctrl-C ended it"},
}


@pytest.mark.parametrize("module", ["ingest", "archive"])
def test_the_help_explains_every_exit_code(desk: Desk, module: str) -> None:
    run = desk.laboratory.run if module == "ingest" else desk.laboratory.run_archive
    plain = " ".join(run("--help").out.split())
    for code, meaning in EXIT_CODES.items():
        assert f"{code} {meaning}" in plain


def test_the_demonstration_takes_a_slide_of_ones_own(desk: Desk, tmp_path: Path) -> None:
    settings = {"COVERSLIP_DEMO_EXIT": "1"}
    for answer in ("verified", "taken in before"):
        said = desk.laboratory.run("demo", desk.slide, "--folder", tmp_path / "demo", settings=settings)
        assert answer in said.out
        assert "coded  slide S-" in said.out
        assert desk.silent_about_names()
    assert desk.names.survivors_under(tmp_path / "demo" / "archive") == []


def test_the_demonstration_says_where_a_slide_with_writing_on_it_is_looked_at(tmp_path: Path) -> None:
    slide = slide_of(tmp_path / "slide.svs", with_label().picture)
    laboratory = Laboratory(tmp_path)
    settings = {"COVERSLIP_DEMO_EXIT": "1"}
    said = laboratory.run("demo", slide, "--folder", tmp_path / "demo", settings=settings, ends=1)
    told = " ".join(said.err.split())
    assert "written in the picture" in told
    assert "coverslip ingest" in told
    assert "coverslip desk" in told
    assert "black it out, or release" not in told
    assert list((tmp_path / "demo" / "archive" / "scans").iterdir()) == []
