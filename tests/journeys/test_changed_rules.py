"""A new version of the program brings other rules: they are looked at first, and decide nothing until then."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.journeys.laboratory import ROOT, Laboratory, Said, row_of, write_list
from tests.slides.svs import make_svs

PROGRAM = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); runpy.run_module('ingest', run_name='__main__')"


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """Copy the program, with a table in which coded pictures of the living are refused to secondary purposes."""
    program = tmp_path / "program"
    for package in ("archive", "ingest"):
        shutil.copytree(ROOT / package, program / package, ignore=shutil.ignore_patterns("viewer", "__pycache__"))
    table = program / "archive" / "consent" / "table.toml"
    text = re.sub(r'^version = ".*"$', 'version = "next"', table.read_text(), flags=re.MULTILINE)
    row = re.search(r'id = "L3".*?effect = "allow"', text, re.DOTALL)
    assert row
    table.write_text(text.replace(row[0], row[0].replace('"allow"', '"deny"')))
    return program


def run_newer(laboratory: Laboratory, program: Path, *words: str, ends: int = 0) -> Said:
    return laboratory._run([sys.executable, "-c", PROGRAM, str(program), *words], ends, None)


def test_new_rules_are_reported_before_they_take_effect(tmp_path: Path, newer: Path) -> None:
    laboratory = Laboratory(tmp_path / "laboratory")
    laboratory.home.mkdir()
    laboratory.declare_feed()
    slide = make_svs(tmp_path / "one.svs", width=300, height=260, factors=(1,)).path
    (code,) = laboratory.take_in(slide, write_list(tmp_path / "list.csv", row_of(slide, "S26-0001"))).slides.values()
    laboratory.grade_as_clean()
    laboratory.teach("Colon", code)
    assert "nothing waits" in laboratory.run("consent", "review").out

    explain = ("explain", code, "--purpose", "teaching", "--to", "class")
    assert "see what would change" in run_newer(laboratory, newer, *explain, ends=1).err
    assert "nothing is decided" in run_newer(laboratory, newer, "teach", "Other", code, ends=1).err
    assert "row L3" in laboratory.run(*explain).out  # the program of before goes on as before

    report = " ".join(run_newer(laboratory, newer, "consent", "review").out.split())
    assert "Version next of the rules waits; version" in report
    assert f"teaching for the class: allow (L3) -> deny (L3), 1 slide ({code}); in the collections 'Colon'" in report
    assert "keep for the laboratory" not in report
    refused = run_newer(laboratory, newer, "consent", "review", "--put-in-force", "other", "--reason", "x", ends=1)
    assert "can put no other in force" in refused.err

    accept = ("consent", "review", "--put-in-force", "next", "--reason", "agreed by the governance group")
    assert "Version next of the rules is in force." in run_newer(laboratory, newer, *accept).out
    assert "Refused: teaching" in run_newer(laboratory, newer, *explain).out
    assert "nothing waits" in run_newer(laboratory, newer, "consent", "review").out
    assert "see what would change" in laboratory.run(*explain, ends=1).err  # nobody decides by the old ones any more
