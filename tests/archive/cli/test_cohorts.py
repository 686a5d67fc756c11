"""A project is opened and given cohorts by the command line, which names nobody and tells no small figure."""

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.archive.server.taught import TaughtArchive

ROOT = Path(__file__).resolve().parents[3]

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TaughtArchive]:
    """Three slides with pixels."""
    made = TaughtArchive(tmp_path_factory.mktemp("stocked") / "archive")
    with made.archive:
        for _ in range(3):
            made.add()
        yield made


@pytest.fixture
def run(stocked: TaughtArchive) -> Run:
    def running(*words: str, ends: int = 0) -> subprocess.CompletedProcess[str]:
        said = subprocess.run(
            [sys.executable, "-W", "error", "-m", "archive", *words],
            env=os.environ | {"COVERSLIP_ARCHIVE": str(stocked.root), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode == ends, said.stdout + said.stderr
        assert "Traceback" not in said.stderr
        return said

    return running


def test_a_project_is_opened_and_given_a_cohort(run: Run, tmp_path: Path) -> None:
    assert "no project" in run("cohort", "stain = HE", "--project", "grading", ends=1).stderr.replace("such ", "")
    assert "is open" in run("project", "add", "grading").stdout
    assert run("project", "list").stdout == "grading\n"
    shown = run("cohort", "stain = HE and mpp = 0.5", "--project", "grading").stdout
    assert len(re.findall(r"N-\w{5}-\w{5}", shown)) == 3
    assert "3 scans for grading (3 slides, 3 cases, 3 patients), decided now for research" in shown
    table, columns = tmp_path / "cohort.csv", tmp_path / "cohort.parquet"
    run("cohort", "stain = HE", "--project", "grading", "--csv", str(table), "--parquet", str(columns))
    with table.open(newline="") as file:
        scans = [row["scan"] for row in csv.DictReader(file)]
    assert scans == parquet.read_table(columns)["scan"].to_pylist()
    assert set(scans) == set(re.findall(r"N-\w{5}-\w{5}", shown))


def test_a_count_of_few_patients_is_not_told(run: Run) -> None:
    few, none = (run("cohort", f"stain = {stain}", "--count").stdout for stain in ("HE", "PAS"))
    assert few == none
    assert "none, or seven patients or fewer" in few
    assert "H&E" not in run("cohort", "stain = HE", "--by", "stain").stdout


def test_a_faulty_query_is_told_with_every_fault(run: Run) -> None:
    said = run("cohort", "stainn = HE and mpp < much", "--count", ends=1).stderr
    assert "2 faults" in said
    assert "at character 1:" in said
    assert "at character 23:" in said


def test_without_a_project_there_are_no_rows(run: Run) -> None:
    assert "--project" in run("cohort", "stain = HE", ends=1).stderr
    assert "laboratory" in run("cohort", "stain = HE", "--project", "laboratory", ends=1).stderr


def test_the_list_is_given_in_pages(run: Run) -> None:
    every = [slide["slide"] for slide in json.loads(run("list", "--json").stdout)]
    assert len(every) == 3
    first = run("list", "--limit", "2").stdout
    assert re.findall(r"^S-\w{5}-\w{5}", first, re.MULTILINE) == every[:2]
    assert f"go on with: coverslip list --after {every[1]}" in first
    last = run("list", "--limit", "2", "--after", every[1]).stdout
    assert re.findall(r"^S-\w{5}-\w{5}", last, re.MULTILINE) == every[2:]
    assert "go on" not in last
    assert "No slide comes behind" in run("list", "--after", every[2]).stdout
    assert json.loads(run("list", "--json", "--after", every[2]).stdout) == []
