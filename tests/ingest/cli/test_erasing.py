"""A patient is erased by two people who know what it reaches, and only once nobody can use the slides any more."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from archive.accounts import AccountStore, Grant, Role
from archive.codes import new_key
from archive.consent import Facts
from archive.consent.records import ConsentRecord, Giver, Said
from archive.consent.terms import TissueSource
from archive.holdings import Archive
from archive.holdings.consenting import Subject, record
from archive.records import CaseRecord, SlideRecord, Stain
from ingest.cli.main import app
from ingest.cli.places import Places
from ingest.keyvault import KeyVault, PersonalIdentity
from tests.archive.holdings.committing import commit_one

NUMBER, CAROL, DAN = "H-4711", "violin grape umbrella", "seven tall purple ships"
WHY = ("--reason", "decision 17")


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """Make a laboratory that holds one slide of one patient, and has two custodians."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COVERSLIP_WHO", "carol")
    made = Places.of(tmp_path / "coverslip-archive")
    made.create()
    with made.opened() as (archive, vault):
        keys = vault.keys_for(PersonalIdentity(NUMBER), "S26-1", "A1", "H&E 1")
        case = CaseRecord(keys.case, keys.patient, Facts(source=TissueSource.LIVING))
        other = archive.slide(commit_one(archive).slide_code).scans[0].record
        with archive.stage() as staged:
            (staged.folder / "zarr.json").write_text("{}")
            scan = replace(other, key=new_key(), slide=keys.slide)
            archive.commit(staged, case, SlideRecord(keys.slide, keys.case, keys.block, Stain.HE), scan)
    AccountStore.found(made.archive, "carol", CAROL)
    with AccountStore.open(made.archive) as store:
        store.add("dan", DAN, [Grant(Role.CUSTODIAN)])
        store.add("lab", DAN, [Grant(Role.LABORATORY)])
    return made


def run(*words: str, typed: str = f"{CAROL}\n{DAN}\n") -> Result:
    return CliRunner().invoke(app("erase"), ["erase", NUMBER, *words], input=typed)


def is_known(places: Places) -> bool:
    with KeyVault.open(places.vault, places.key) as vault:
        return vault.directory.patient_of(NUMBER) is not None


def refuse(places: Places) -> None:
    with places.opened() as (archive, vault):
        patient = vault.directory.patient_of(NUMBER)
        said = ConsentRecord(by="carol", said=Said.REFUSED, giver=Giver.SELF)
        record(archive, Subject(patient=patient), new_key(), said, reason="a letter")


def test_a_dry_run_tells_what_it_reaches_and_erases_nothing(places: Places) -> None:
    told = run(*WHY, "--dry-run")
    assert told.exit_code == 0, told.output
    assert "1 case is known of this patient, and 1 slide is held" in told.output
    assert "may be used" in told.output
    assert "Not reached" in told.output
    assert "Nothing was erased" in told.output
    assert NUMBER not in told.output
    assert is_known(places)


def test_two_custodians_erase_a_patient_whose_slides_nobody_uses(places: Places) -> None:
    refuse(places)
    done = run(*WHY, "--second", "dan")
    assert done.exit_code == 0, done.output
    assert "Erased." in done.output
    assert "destroy every older copy" in " ".join(done.output.split())
    assert not is_known(places)
    with KeyVault.open(places.vault, places.key) as vault:
        (entry,) = (one for one in vault.trail() if one.act == "erased")
        assert (entry.who, "second person: dan" in entry.reason) == ("carol", True)
    with Archive.open(places.archive, read_only=True) as archive:
        assert len(archive.slides()) == 2, "the pictures stay"
    assert run(*WHY, "--second", "dan").exit_code == 1


def test_slides_in_use_are_withdrawn_first_unless_that_is_meant(places: Places) -> None:
    refused = run(*WHY, "--second", "dan")
    assert refused.exit_code == 1
    assert "coverslip consent withdraw" in refused.output
    assert is_known(places)
    assert run(*WHY, "--second", "dan", "--uses-go-on").exit_code == 0
    assert not is_known(places)


@pytest.mark.parametrize(
    ("words", "typed", "sentence"),
    [
        ((), f"{CAROL}\n", "a second custodian must want this"),
        (("--second", "carol"), f"{CAROL}\n{CAROL}\n", "a second custodian must want this"),
        (("--second", "dan"), f"{CAROL}\nwrong\n", "do not fit"),
        (("--second", "lab"), f"{CAROL}\n{DAN}\n", "may"),
        (("--second", "dan"), f"wrong\n{DAN}\n", "do not fit"),
        (
            ("--second", "dan", "--reason", f"letter of {NUMBER}"),
            f"{CAROL}\n{DAN}\n",
            "the reason holds the patient's number",
        ),
    ],
)
def test_nobody_erases_a_patient_alone(places: Places, words: tuple[str, ...], typed: str, sentence: str) -> None:
    refuse(places)
    refused = run(*WHY, *words, typed=typed)
    assert (refused.exit_code, sentence in refused.output) == (1, True), refused.output
    assert is_known(places)


def test_one_person_is_enough_where_custodians_said_so(places: Places) -> None:
    refuse(places)
    with KeyVault.open(places.vault, places.key) as vault:
        vault.approvals.require_second_person(False, "carol", "a small practice")
    assert run(*WHY).exit_code == 0
    assert not is_known(places)
