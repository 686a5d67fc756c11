"""A laboratory finds its slides by case number and puts right what came under a wrong name, by its command line."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from archive.catalogue import audit
from archive.holdings import Archive
from archive.records import ScanStatus
from ingest.cli.places import Places
from ingest.keyvault import KeyVault
from tests.journeys.dying_correcting import MOMENTS, UNCHANGED
from tests.journeys.laboratory import ROOT, Laboratory, row_of, write_list
from tests.slides.svs import make_svs

OLD, NEW = "H-0011223344", "H-0055667788"
CASE, OTHER = "S26-0012345", "S26-0098765"
WHY = ("--reason", "wrong patient on the list")
PURPOSE = ("--purpose", "second opinion")


class Bench:
    """A laboratory with slides, all delivered as the old patient's."""

    def __init__(self, home: Path, count: int) -> None:
        self.slides = home / "slides"
        self.slides.mkdir()
        self.laboratory = Laboratory(home)
        self.laboratory.declare_feed()
        whole = make_svs(home / "slide.svs", width=700, height=600, tile=(128, 128), factors=(1, 2)).path.read_bytes()
        self.files = [self.slides / f"{number}.svs" for number in range(count)]
        for number, file in enumerate(self.files):
            file.write_bytes(whole + bytes([number]))
        said = self.laboratory.take_in(self.slides, self.told(OLD, CASE))
        self.codes = [said.slides[row] for row in sorted(said.slides)]

    def told(self, patient: str, case: str, **more: object) -> Path:
        """Write a list that says the same of every file, but for the slide's number."""
        rows = [row_of(file, case, patient=patient, slide=number) for number, file in enumerate(self.files, 1)]
        return write_list(self.slides / "list.csv", *({**row, **more} for row in rows))

    def find(self, number: str, ends: int = 0) -> list[str]:
        """Give the codes of the slides that are found."""
        told = json.loads(self.laboratory.run("find", number, *PURPOSE, "--json", ends=ends).out)
        return [slide["slide"] for case in told["cases"] for slide in case["slides"]]

    def places(self) -> Places:
        """Where the three places lie."""
        return Places.of(self.laboratory.archive)

    def vault(self) -> KeyVault:
        """Open the key vault."""
        return KeyVault.open(self.places().vault, self.places().key)

    def erase(self, patient: str) -> None:
        """Erase a patient for good."""
        with self.vault() as vault:
            key = vault.directory.patient_of(patient)
            assert key is not None
            vault.erase(key, "a.clinician", "request 17")
            assert vault.check() == ()

    def status(self, code: str) -> ScanStatus:
        """Give what a slide's only scan is."""
        with Archive.open(self.laboratory.archive, read_only=True) as archive:
            (scan,) = archive.slide(code).scans
            return scan.record.status

    def assert_whole(self) -> None:
        """See that vault and archive are whole and at one about whose every slide is."""
        with Archive.open(self.laboratory.archive, read_only=True) as archive, self.vault() as vault:
            assert archive.audit_faults() == ()
            assert vault.check() == vault.verify_trail() == vault.pending() == vault.corrections.begun() == ()
            for code in self.codes:
                slide = archive.slide(code).record
                told = vault.identify(slide.key, "a.clinician", "a test")
                found = vault.directory.case_of(told.patient, told.case or "")
                case = archive.case(slide.case)
                assert found is not None
                assert case is not None
                assert (found.key, found.patient) == (case.key, case.patient)


@pytest.fixture
def bench(tmp_path: Path) -> Callable[[int], Bench]:
    return lambda count=1: Bench(tmp_path, count)


def test_a_slide_of_the_wrong_patient_goes_to_the_right_one_and_is_erased_with_that_one_only(
    bench: Callable[[int], Bench],
) -> None:
    here = bench(2)
    laboratory, (moves, stays) = here.laboratory, here.codes
    assert set(here.find(CASE)) == {moves, stays}
    said = laboratory.take_in(here.files[0], here.told(NEW, OTHER), ends=3)
    assert said.refused == {"row 2": "held-as-another"}
    assert "coverslip correct slide" in said.out
    assert "held-as-another" in laboratory.run("find", OTHER, *PURPOSE).out

    laboratory.run("correct", "slide", moves, "--patient", NEW, "--case", OTHER, *WHY)

    here.assert_whole()
    assert (here.find(CASE), here.find(OTHER)) == ([stays], [moves])
    assert laboratory.take_in(here.files[0], here.told(NEW, OTHER)).slides == {2: moves}
    old_list = laboratory.take_in(here.files[0], here.told(OLD, CASE), ends=3)
    assert old_list.refused == {"row 2": "held-as-another"}

    here.erase(OLD)
    assert here.find(CASE, ends=1) == []
    assert here.find(OTHER) == [moves]
    stored_in_clear_nowhere(here)
    here.erase(NEW)
    assert here.find(OTHER, ends=1) == []
    names_nobody(laboratory)


def test_a_case_goes_to_the_right_patient_with_all_its_slides(bench: Callable[[int], Bench]) -> None:
    here = bench(2)
    here.laboratory.run("correct", "case", CASE, "--patient", NEW, *WHY)
    here.assert_whole()
    assert here.laboratory.take_in(here.slides, here.told(NEW, CASE)).out.endswith(
        "0 kept, 2 known already, 0 refused.\n"
    )
    here.erase(OLD)
    assert sorted(here.find(CASE)) == sorted(here.codes)


def test_a_collection_shows_what_consent_allows_within_a_second_of_the_correction(
    bench: Callable[[int], Bench],
) -> None:
    here = bench(1)
    laboratory, (code,) = here.laboratory, here.codes
    laboratory.grade_as_clean()
    handle = laboratory.teach("Liver, week 3", code)
    with laboratory.serving() as base:
        page = f"{base}/collections/{handle}"
        assert httpx.get(page).status_code == 200
        said = laboratory.run("correct", "case", CASE, "--set", "might_identify=yes", *WHY)
        assert "'Liver, week 3' does not show it any more" in said.out
        assert ends_as(page, 404)
        laboratory.run("correct", "case", CASE, "--set", "might_identify=", *WHY)
        assert ends_as(page, 200)
    assert here.status(code) is ScanStatus.KEPT
    refused = laboratory.take_in(here.slides, here.told(OLD, CASE, consent="refused"), ends=3).refused
    assert set(refused.values()) == {"facts-conflict"}


def test_what_the_laboratory_may_not_keep_is_put_away_and_comes_back(bench: Callable[[int], Bench]) -> None:
    here = bench(1)
    laboratory, (code,) = here.laboratory, here.codes
    known = ("--set", "tissue=post-mortem", "--set", "authority=coroner")
    said = laboratory.run("correct", "case", CASE, *known, *WHY, ends=3)
    assert "may not keep it" in said.out
    assert here.status(code) is ScanStatus.QUARANTINED
    assert "put away" in laboratory.run("find", CASE, *PURPOSE).out
    laboratory.run("correct", "case", CASE, "--set", "recorded=as part of the examination", *WHY)
    assert here.status(code) is ScanStatus.KEPT
    here.assert_whole()


def test_a_dry_run_tells_the_same_and_changes_nothing(bench: Callable[[int], Bench]) -> None:
    here = bench(1)
    laboratory, (code,) = here.laboratory, here.codes
    before = laboratory.run("show", code, "--json").out
    words = ("correct", "case", CASE, "--set", "tissue=post-mortem", *WHY)
    dry = laboratory.run(*words, "--dry-run").out
    assert laboratory.run("show", code, "--json").out == before
    assert here.status(code) is ScanStatus.KEPT
    real = laboratory.run(*words, ends=3).out
    told = [line.replace("would be", "is") for line in dry.splitlines()]
    assert told[:-1] == [line for line in real.splitlines() if not line.startswith("Corrected.")]
    assert told[-1] == "Nothing was changed."


def test_a_wrong_description_is_mended(bench: Callable[[int], Bench]) -> None:
    here = bench(1)
    here.laboratory.run(
        *("correct", "slide", here.codes[0], "--stain", "PAS", "--block", "B2", "--organ", "C18.9"), *WHY
    )
    (case,) = json.loads(here.laboratory.run("find", CASE, *PURPOSE, "--json").out)["cases"]
    assert [(slide["block"], slide["stain"]) for slide in case["slides"]] == [("B2", "PAS 1")]
    told = here.laboratory.run("find", CASE, *PURPOSE).out
    assert f"  {here.codes[0]}  block B2, PAS 1\n" in told
    assert re.search(r"^    keep: allow K1; teach: \w+ \w+; research: \w+ \w+$", told, re.MULTILINE)
    assert max(map(len, told.splitlines())) <= 80, "a terminal has no more columns"
    shown = json.loads(here.laboratory.run("show", here.codes[0], "--json").out)
    assert (shown["stain"], shown["organ"]) == ("PAS", "ICD-O-3 C18.9")
    again = ("correct", "slide", here.codes[0], "--stain", "PAS", *WHY)
    assert "recorded so already" in here.laboratory.run(*again, ends=1).err
    here.assert_whole()


def test_an_identifier_of_the_new_case_in_what_is_stored_puts_the_scan_away(bench: Callable[[int], Bench]) -> None:
    here = bench(1)
    with Archive.open(here.laboratory.archive, read_only=True) as archive:
        (scan,) = archive.slide(here.codes[0]).scans
        shard = next(archive.place.of_scan(scan.record.key).glob("**/c/0/0/0"))
    stored = bytearray(shard.read_bytes())
    stored[200 : 200 + len(OTHER)] = OTHER.encode()
    shard.write_bytes(stored)
    said = here.laboratory.run("correct", "slide", here.codes[0], "--case", OTHER, "--patient", OLD, *WHY, ends=3)
    assert "found in 1 scan\n" in said.out
    assert here.status(here.codes[0]) is ScanStatus.WITHDRAWN
    assert here.find(OTHER) == here.codes
    names_nobody(here.laboratory)


def test_whose_a_new_case_is_must_be_told(bench: Callable[[int], Bench]) -> None:
    here = bench(1)
    said = here.laboratory.run("correct", "slide", here.codes[0], "--case", OTHER, *WHY, ends=1)
    assert "say whose it is" in said.err
    here.assert_whole()


def test_a_number_can_be_typed_so_that_no_shell_keeps_it(bench: Callable[[int], Bench]) -> None:
    here = bench(1)
    environment = {**os.environ, "COVERSLIP_ARCHIVE": str(here.laboratory.archive)}
    for words in (["find", *PURPOSE, "--json"], ["find", "-", *PURPOSE, "--json"]):
        said = subprocess.run(
            [sys.executable, "-m", "ingest", *words],
            input=f"{CASE}\n",
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(said.stdout)["cases"][0]["slides"][0]["slide"] == here.codes[0]
    assert "no case number was given" in here.laboratory.run("find", *PURPOSE, ends=1).err
    assert here.laboratory.run("find", CASE, ends=2)
    assert "date" in here.laboratory.run("find", CASE, "--purpose", "born 1948-07-05", ends=1).err


@pytest.mark.parametrize("what", ["slide", "case"])
def test_killed_between_its_steps_a_correction_is_not_made_or_is_finished_by_the_next_start(
    what: str, tmp_path: Path
) -> None:
    here = Bench(tmp_path, 1)
    patients = [f"H-00990000{number}" for number in range(len(MOMENTS))]
    for moment, patient in zip(MOMENTS, patients, strict=True):
        (before,) = here.find(CASE)
        subject = here.codes[0] if what == "slide" else CASE
        words = ("correct", what, subject, "--patient", patient, *WHY)
        killed = subprocess.run(
            [sys.executable, "-m", "tests.journeys.dying_correcting", moment, *words],
            cwd=ROOT,
            env={**os.environ, "COVERSLIP_ARCHIVE": str(here.laboratory.archive)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL, f"{moment} never came: {killed.stderr}"
        if moment not in UNCHANGED:
            assert here.laboratory.take_in(here.slides, here.told(patient, CASE)).slides == {2: before}
        here.assert_whole()
        with here.vault() as vault:
            assert (vault.directory.case_of(patient, CASE) is None) == (moment in UNCHANGED)
    acts = corrections_told(here)
    assert len(acts) == len(MOMENTS) - len(UNCHANGED)  # each was recorded once


def corrections_told(here: Bench) -> list[str]:
    """Give the archive's acts of correction."""
    with (
        Archive.open(here.laboratory.archive, read_only=True) as archive,
        archive.catalogue.reading() as connection,
    ):
        told = [json.loads(entry.text)["act"] for entry in audit.entries(connection)]
    return [act for act in told if act.startswith("correct ")]


def ends_as(address: str, status: int) -> bool:
    """Tell whether an address answers so within a second."""
    until = time.monotonic() + 1.0
    while time.monotonic() < until:
        if httpx.get(address).status_code == status:
            return True
        time.sleep(0.05)
    return False


def stored_in_clear_nowhere(here: Bench) -> None:
    """See that no number of a patient or a case is in any byte of archive or vault."""
    places = here.places()
    files = [file for place in (places.archive, places.vault) for file in place.rglob("*") if file.is_file()]
    assert len(files) > 10
    for file in files:
        stored = file.read_bytes()
        assert not [word for word in (OLD, NEW, CASE, OTHER) if word.encode() in stored], file.name


def names_nobody(laboratory: Laboratory) -> None:
    """See that no command repeated a number of a patient or a case."""
    for said in laboratory.said:
        assert not [word for word in (OLD, NEW, CASE, OTHER) if word in said.everything]
