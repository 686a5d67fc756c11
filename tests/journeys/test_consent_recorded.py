"""A laboratory records what patients and families said, by its command line, and the next use is decided by it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from archive.catalogue import audit
from archive.consent import Purpose, Recipient
from archive.holdings import Archive
from ingest.cli.places import Places
from ingest.keyvault import KeyVault
from tests.journeys.laboratory import Laboratory, row_of, write_list
from tests.slides.svs import make_svs

CASE, AUTOPSY, LATER = "S26-0012345", "PM26-0000077", "S26-0098765"
PATIENT = "H-0011223344"
SIGNER, FORM = "Quillfeather", "cabinet 9 drawer 4"
WHY = ("--reason", "form received")
NAMES = (CASE, AUTOPSY, LATER, PATIENT, SIGNER, FORM)
EXAMINED = {
    "tissue": "post-mortem",
    "authority": "coroner",
    "recorded": "as part of the examination",
    "might_identify": "no",
    "assessed_by": "Dr A. Curator",
}


class Ward:
    """A laboratory with files to be delivered."""

    def __init__(self, home: Path) -> None:
        self.laboratory = Laboratory(home)
        self.laboratory.declare_feed()
        self._whole = make_svs(home / "slide.svs", width=700, height=600, tile=(128, 128), factors=(1, 2)).path
        self._folder = home / "slides"
        self._folder.mkdir()

    def deliver(self, case: str, patient: str = PATIENT, ends: int = 0, **told: object) -> str:
        """Take in one slide of a case and give its code."""
        number = len(list(self._folder.glob("*.svs"))) + 1
        file = self._folder / f"{number}.svs"
        file.write_bytes(self._whole.read_bytes() + bytes([number]))
        row = row_of(file, case, patient=patient, slide=number, **told)
        said = self.laboratory.take_in(file, write_list(self._folder / "list.csv", row), ends=ends)
        self.laboratory.grade_as_clean()
        return next(iter(said.slides.values()), "")

    def record(self, number: str, *words: object, ends: int = 0) -> str:
        """Record what was said, and give what was answered."""
        return self.laboratory.run("consent", "record", number, *words, *WHY, ends=ends).everything

    def entries(self) -> tuple[int, int]:
        """Count the entries of the catalogue's trail and of the vault's."""
        places = Places.of(self.laboratory.archive, None, None)
        with (
            Archive.open(places.archive, read_only=True) as archive,
            archive.catalogue.reading() as connection,
            KeyVault.open(places.vault, places.key) as vault,
        ):
            return audit.head(connection).number, vault.trail_head().number

    def decisions(self, slide: str) -> dict[str, str]:
        """Give verdict and row for teaching and research."""
        asked = ((Purpose.TEACHING, Recipient.CLASS), (Purpose.RESEARCH, Recipient.PROJECT))
        with Archive.open(self.laboratory.archive, read_only=True) as archive:
            key = archive.slide(slide).record.key
            found = [(purpose, to, archive.decide(key, purpose, to)) for purpose, to in asked]
        return {f"{purpose} {to}": f"{one.verdict} {one.row}" for purpose, to, one in found}

    def owed(self, *words: object) -> list[tuple[str, str]]:
        """Give the work list: case and obligation."""
        told = json.loads(self.laboratory.run("obligations", "list", "--json", *words).out)
        return [(one["case"], one["code"]) for one in told]

    def case_of(self, slide: str) -> str:
        """Give the code of a slide's case."""
        with Archive.open(self.laboratory.archive, read_only=True) as archive:
            return str(archive.slide(slide).case_code)

    def assert_nobody_named(self, *but: str) -> None:
        """See that no command said a name or a number, nor did the catalogue, and that all is sound."""
        places = Places.of(self.laboratory.archive)
        with Archive.open(self.laboratory.archive, read_only=True) as archive:
            with archive.catalogue.reading() as connection:
                trail = "".join(entry.text for entry in audit.entries(connection))
            assert archive.audit_faults() == ()
        with KeyVault.open(places.vault, places.key) as vault:
            assert vault.check() == vault.verify_trail() == ()
        said = trail + "".join(one.everything for one in self.laboratory.said)
        assert [name for name in NAMES if name in said and name not in but] == []
        at_rest = b"".join(file.read_bytes() for file in self.laboratory.archive.rglob("*") if file.is_file())
        assert [name for name in NAMES if name.encode() in at_rest] == []


@pytest.fixture
def ward(tmp_path: Path) -> Callable[[], Ward]:
    return lambda: Ward(tmp_path)


def test_a_refusal_is_decided_by_at_once_and_lifted_by_the_patient(ward: Callable[[], Ward]) -> None:
    here = ward()
    slide = here.deliver(CASE)
    assert here.decisions(slide)["teaching class"] == "allow L3"
    said = here.record(CASE, "--answer", "refused", "--from", "self", "--purpose", "research")
    assert "refused_for: not recorded -> research" in said
    assert here.decisions(slide)["research project"] == "deny N1"
    assert here.decisions(slide)["teaching class"] == "allow L3"

    here.record(CASE, "--answer", "refused", "--from", "self", "--name", SIGNER, "--document", FORM)
    assert here.decisions(slide)["teaching class"] == "deny N1"
    relation = ("--from", "qualifying relation", "--rank", 1, "--entitled")
    said = here.record(CASE, "--answer", "given", *relation, "--purpose", "teaching")
    assert "No case is decided otherwise" in said
    assert here.decisions(slide)["teaching class"] == "deny N1"
    here.record(CASE, "--answer", "given", "--from", "self", "--purpose", "teaching")
    assert here.decisions(slide)["teaching class"] == "allow L3"
    assert here.decisions(slide)["research project"] == "deny N1"

    shown = here.laboratory.run("consent", "show", CASE, *WHY).out
    assert shown.count("refused") >= 2
    here.assert_nobody_named()
    proven = here.laboratory.run("consent", "show", CASE, "--evidence", *WHY).out
    assert SIGNER in proven
    assert FORM in proven


def test_a_post_mortem_waits_for_what_the_rules_ask_and_is_taught_when_it_is_done(ward: Callable[[], Ward]) -> None:
    here = ward()
    slide = here.deliver(AUTOPSY, **EXAMINED)
    case = here.case_of(slide)
    assert (case, "establish the facts") in here.owed()
    attested = ("--name", SIGNER, "--on", "2026-03-01", "--why", "collection planned later")
    assert "is attested" in here.record(AUTOPSY, "--answer", "not foreseen", ends=1)
    here.record(AUTOPSY, "--answer", "not foreseen", *attested)
    assert here.owed() == [(case, "coroner's agreement")]
    assert here.decisions(slide)["teaching class"] == "requires M5"
    here.laboratory.run("obligations", "done", case, "coroner's agreement", *WHY)
    assert here.decisions(slide)["teaching class"] == "allow M5"
    assert here.owed() == []
    assert (case, "governance sign-off") in here.owed("--publication")
    here.laboratory.run("obligations", "reopen", case, "coroner's agreement", *WHY)
    assert here.decisions(slide)["teaching class"] == "requires M5"
    here.record(AUTOPSY, "--set", "authority_open=no")
    assert here.decisions(slide)["teaching class"] == "allow M5"
    here.assert_nobody_named()


def test_an_opt_out_list_reaches_cases_that_come_later_and_no_list_undoes_it(
    ward: Callable[[], Ward], tmp_path: Path
) -> None:
    here = ward()
    slide = here.deliver(CASE)
    opt_outs = write_list(
        tmp_path / "opt-outs.csv", {"patient": "h-00 1122 3344", "purposes": ""}, {"patient": "H-unknown"}
    )
    said = here.laboratory.run("consent", "import", opt_outs, *WHY).out
    assert "2 refusals are new, 0 were known" in said
    assert here.case_of(slide) in said
    assert here.decisions(slide)["research project"] == "deny N1"
    entries = here.entries()
    assert "0 refusals are new, 2 were known" in here.laboratory.run("consent", "import", opt_outs, *WHY).out
    assert here.entries() == entries

    another, later, unknown = here.deliver(CASE), here.deliver(LATER), here.deliver("S26-0000001", "H-unknown")
    for one in (another, later, unknown):
        assert here.decisions(one)["teaching class"] == "deny N1"
    numbers = here.laboratory.run("consent", "show", PATIENT, "--patient", *WHY).out
    here.laboratory.run("consent", "annul", numbers.splitlines()[1].split()[0], PATIENT, "--patient", *WHY)
    assert here.decisions(later)["teaching class"] == "allow L3"
    assert here.decisions(unknown)["teaching class"] == "deny N1"
    here.laboratory.run("check")
    here.assert_nobody_named()


def test_correcting_what_a_list_told_keeps_what_was_said_since(ward: Callable[[], Ward]) -> None:
    here = ward()
    slide = here.deliver(CASE)
    here.record(CASE, "--answer", "refused", "--from", "self")
    here.laboratory.run("correct", "case", CASE, "--set", "vital=dead", *WHY)
    assert here.decisions(slide)["teaching class"] == "deny N1"
    here.laboratory.run("correct", "case", CASE, "--set", "consent=obtained", "--set", "covers=teaching", *WHY)
    assert here.decisions(slide)["teaching class"] == "deny N1"


WRONG = {
    "no answer": (("--from", "self"), "say what was answered"),
    "no giver": (("--answer", "refused"), "say in which role"),
    "no such word": (("--answer", SIGNER), "--answer: expected one of"),
    "a withdrawal": (("--answer", "withdrawn"), "coverslip consent withdraw"),
    "no purpose": (("--answer", "given", "--from", "self"), "names its purposes"),
    "a made-up purpose": (("--answer", "refused", "--from", "self", "--purpose", SIGNER), "--purpose: expected"),
    "another fact": (("--set", "consent=refused"), "can be established"),
    "nothing": ((), "says what was answered, or what was found out"),
    "a post-mortem made living": (("--set", "authority=coroner"), "'post-mortem'"),
    "a day to come": (("--answer", "refused", "--from", "self", "--on", "2999-01-01"), "--on: expected"),
}


def test_what_cannot_be_recorded_is_refused_with_a_sentence_and_changes_nothing(ward: Callable[[], Ward]) -> None:
    here = ward()
    slide = here.deliver(CASE)
    before = here.decisions(slide)
    for words, sentence in WRONG.values():
        assert sentence in here.record(CASE, *words, ends=1)
    assert "check the number" in here.record("S26-0000000", "--answer", "refused", "--from", "self", ends=1)
    refused = here.laboratory.run("obligations", "done", here.case_of(slide), "establish the facts", *WHY, ends=1)
    assert "facts are established with" in refused.err
    assert here.decisions(slide) == before
    here.assert_nobody_named()
