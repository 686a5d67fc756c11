"""Which entries of the vault's trail are about a patient, and which are about somebody else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from archive.codes import InternalKey, new_key
from archive.errors import UnknownCode
from ingest.keyvault import Keys, KeyVault, Whereabouts
from tests.ingest.keyvault.conftest import JOHN

Scanned = Callable[..., tuple[Keys, InternalKey]]
CASE, JOHNS_CASE = "S26-0012345", "S26-0077777"


def acts_about(vault: KeyVault, patient: InternalKey) -> list[str]:
    """Tell the acts about a patient in their order, without those of taking slides in."""
    numbers = vault.entries_about(patient)
    return [entry.act for entry in vault.trail() if entry.number in numbers and entry.act != "coded"]


def test_everything_that_was_asked_or_done_about_a_patient_is_theirs_and_nobody_elses(
    vault: KeyVault, scanned: Scanned
) -> None:
    (janes, scan), (johns, _) = scanned(), scanned(JOHN, JOHNS_CASE, file_name="another.svs")
    vault.directory.find_case(CASE, who="a.reader", purpose="request 1")
    vault.note_opening(janes.slide, "a.reader", "request 1")
    vault.approvals.ask([scan], "a.reader", "request 2")
    vault.identify(janes.block, "a.reader", "request 3")
    vault.evidence(janes.case, "a.reader", "request 4")
    file = vault.register.note(Path("/in/1.svs"), "kept", moment=(1, 1), scan=scan)
    vault.register.looked_at(file.number, "a.reader")
    theirs = ["found case", "opened slide", "asked to identify", "identified", "read evidence", "looked at file"]
    assert acts_about(vault, janes.patient) == theirs
    assert acts_about(vault, johns.patient) == []

    vault.directory.find_case("S26-nobodys", who="a.reader", purpose="request 5")
    vault.register.looked_at(vault.register.note(Path("/in/2.svs"), "waits", moment=(1, 1)).number, "a.reader")
    with pytest.raises(UnknownCode):
        vault.identify(new_key(), "a.reader", "request 6")
    assert acts_about(vault, janes.patient) == theirs


def test_a_slide_that_was_another_patients_by_mistake_is_told_to_both(vault: KeyVault, scanned: Scanned) -> None:
    (janes, _), (johns, _) = scanned(), scanned(JOHN, JOHNS_CASE, file_name="another.svs")
    vault.note_opening(janes.slide, "a.reader", "request 1")
    to = Whereabouts(JOHN.patient, JOHNS_CASE, "B2", "HE 3")
    vault.corrections.finish(
        vault.corrections.move_slide(janes.slide, to, (), repr, who="a.reader", reason="wrong label"), str
    )
    vault.note_opening(janes.slide, "a.reader", "request 2")
    assert acts_about(vault, johns.patient) == ["opened slide", "corrected slide", "received slide", "opened slide"]
    assert acts_about(vault, janes.patient) == ["opened slide", "corrected slide"]
