"""A file is known by what is in it, and a slide, a case and a patient by what the list says, from delivery to delivery.

So the same file gets the code that it has, whatever it is called now, and nothing is written; another scan of the same
glass is a second scan of that slide; and a patient with two cases is one patient.
"""

import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.laboratory import Laboratory, row_of, write_list
from tests.slides.svs import make_svs


@dataclass(frozen=True)
class Taken:
    """A laboratory that took one slide in, with its file and its receipt."""

    laboratory: Laboratory
    slide: Path
    receipt: dict[str, Any]

    def take_in(self, *told: tuple[Path, dict[str, object]], ends: int = 0) -> list[dict[str, Any]]:
        """Take files in, each with its row, and give the receipts."""
        folder = told[0][0].parent
        receipts = folder / "receipts.jsonl"
        receipts.unlink(missing_ok=True)
        listed = write_list(folder / "list.csv", *(row for _, row in told))
        words = ["ingest", *(file for file, _ in told), "--delivery", listed, "--receipts", receipts]
        self.laboratory.run(*words, ends=ends)
        return [json.loads(line) for line in receipts.read_text().splitlines()]

    def state(self) -> dict[str, object]:
        """Tell everything that lies in the archive: bytes and times of every file, and every row of the catalogue.

        Left out are the two files that SQLite keeps beside a catalogue while it is open.
        """
        found: dict[str, object] = {}
        for path in self.laboratory.archive.rglob("*"):
            if path.is_file() and not path.name.endswith(("-wal", "-shm")):
                status = path.stat()
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                found[str(path)] = digest, status.st_mtime_ns, status.st_ino
            elif path.is_dir():
                found[str(path)] = path.stat().st_mtime_ns
        address = f"file:{self.laboratory.archive / 'catalogue.sqlite'}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as catalogue:
            found["catalogue"] = list(catalogue.iterdump())
        return found


def draw(path: Path, seed: int) -> Path:
    """Draw a small slide; another seed gives another slide."""
    path.parent.mkdir(exist_ok=True)
    return make_svs(path, width=300, height=260, factors=(1,), seed=seed).path


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Taken:
    home = tmp_path_factory.mktemp("taken")
    laboratory = Laboratory(home / "laboratory")
    laboratory.home.mkdir()
    laboratory.declare_feed()
    slide = draw(home / "delivery" / "slide.svs", seed=1)
    made = Taken(laboratory, slide, {})
    (receipt,) = made.take_in((slide, row_of(slide, "S26-0001", patient="H-1")))
    assert receipt["new"]
    return Taken(laboratory, slide, receipt)


CODES = ("patient", "case", "slide", "scan")


def test_the_same_file_is_answered_with_its_codes_and_nothing_is_written(taken: Taken) -> None:
    before = taken.state()
    (again,) = taken.take_in((taken.slide, row_of(taken.slide, "S26-0001", patient="H-1")))
    assert not again["new"]
    assert {name: again[name] for name in CODES} == {name: taken.receipt[name] for name in CODES}
    assert taken.state() == before
    said = taken.laboratory.said[-1].out
    assert f"known    row 2: {taken.receipt['slide']}  nothing was written" in said
    assert "0 kept, 1 known already, 0 refused." in said


def test_a_renamed_copy_is_known_and_the_source_is_never_changed(taken: Taken, tmp_path: Path) -> None:
    copy = Path(shutil.copy(taken.slide, tmp_path / "renamed.tif"))
    before, source = taken.state(), (copy.read_bytes(), copy.stat().st_mtime_ns)
    (again,) = taken.take_in((copy, row_of(copy, "S26-0001", patient="H-1")))
    assert (again["new"], again["scan"]) == (False, taken.receipt["scan"])
    assert taken.state() == before
    assert (copy.read_bytes(), copy.stat().st_mtime_ns) == source


def test_one_file_under_two_names_in_one_delivery_is_kept_once(taken: Taken, tmp_path: Path) -> None:
    first = draw(tmp_path / "first.svs", seed=2)
    second = Path(shutil.copy(first, tmp_path / "second.svs"))
    row = {"patient": "H-2", "case": "S26-0002"}
    new, known = taken.take_in((first, row_of(first, **row)), (second, row_of(second, **row)))
    assert (new["new"], known["new"]) == (True, False)
    assert new["scan"] == known["scan"]


def test_another_scan_of_the_glass_is_a_second_scan_of_the_slide(taken: Taken, tmp_path: Path) -> None:
    rescan = draw(tmp_path / "rescan.svs", seed=3)
    (second,) = taken.take_in((rescan, row_of(rescan, "s26-0001 ", patient="h-1")))
    assert second["new"]
    for name in ("patient", "case", "slide"):
        assert second[name] == taken.receipt[name]
    assert second["scan"] != taken.receipt["scan"]
    told = json.loads(taken.laboratory.run("show", second["slide"], "--json").out)
    assert {scan["scan"] for scan in told["scans"]} == {second["scan"], taken.receipt["scan"]}
    taken.laboratory.grade_as_clean()
    handle = taken.laboratory.teach("Two scans of one slide", second["slide"])
    with taken.laboratory.serving(workers=1) as base:
        assert len(httpx.get(f"{base}/api/collections/{handle}").json()["slides"]) == 1


def test_a_patient_with_two_cases_is_one_patient_and_another_patient_is_another(taken: Taken, tmp_path: Path) -> None:
    files = [draw(tmp_path / f"{number}.svs", seed=10 + number) for number in range(4)]
    told: list[dict[str, object]] = [
        {"patient": "H-1", "case": "S26-0011"},
        {"patient": "H-9", "case": "S26-0012"},
        {"patient": "H-1", "case": "S26-0011", "block": "B7"},
        {"patient": "H-1", "case": "S26-0011", "stain": "PAS"},
    ]
    other_case, other_patient, other_block, other_stain = taken.take_in(
        *((file, row_of(file, **row)) for file, row in zip(files, told, strict=True))
    )
    assert other_case["patient"] == taken.receipt["patient"]
    assert other_case["case"] != taken.receipt["case"]
    assert other_patient["patient"] != taken.receipt["patient"]
    assert other_block["case"] == other_stain["case"] == other_case["case"]
    assert len({receipt["slide"] for receipt in (other_case, other_block, other_stain, other_patient)}) == 4


def test_a_file_that_changed_by_one_byte_is_another_file(taken: Taken, tmp_path: Path) -> None:
    changed = tmp_path / "changed.svs"
    changed.write_bytes(taken.slide.read_bytes() + b"\0")
    (receipt,) = taken.take_in((changed, row_of(changed, "S26-0021", patient="H-21")))
    assert receipt["new"]
    assert receipt["scan"] != taken.receipt["scan"]


CONTRADICTIONS: dict[str, tuple[dict[str, object], str]] = {
    "another patient": ({"patient": "H-2"}, "held-as-another"),
    "another case": ({"case": "S26-0002"}, "held-as-another"),
    "another stain": ({"stain": "PAS"}, "held-as-another"),
    "a refusal": ({"consent": "refused"}, "facts-conflict"),
}


@pytest.mark.parametrize("contradiction", CONTRADICTIONS)
def test_a_list_that_contradicts_what_is_held_of_the_same_file_is_no_known_slide(
    taken: Taken, contradiction: str
) -> None:
    """A mislabelled row, or a refusal that came late, must not pass as "known already"."""
    changed, reason = CONTRADICTIONS[contradiction]
    before = taken.state()
    listed = write_list(taken.slide.parent / "again.csv", {**row_of(taken.slide, "S26-0001", patient="H-1"), **changed})
    said = taken.laboratory.run("ingest", taken.slide, "--delivery", listed, ends=3)
    assert list(said.refused.values()) == [reason]
    assert taken.state() == before
