"""Who signed is sealed under the patient's key, is read with a reason, and goes with the patient."""

from collections.abc import Callable
from datetime import date

import pytest

from archive.codes import InternalKey, new_key
from archive.errors import InvalidValue, UnknownCode
from ingest.errors import VaultUnavailable
from ingest.keyvault import Evidence, Keys, KeyVault
from tests.ingest.keyvault.conftest import JANE, JOHN, Place

Scanned = Callable[..., tuple[Keys, InternalKey]]
WHY = "request 17"


def signed(name: str = "Planted^Jane-Melisande") -> Evidence:
    return Evidence(new_key(), name, date(2026, 3, 1), "planted cabinet 9", "planted why")


def test_evidence_is_read_as_it_was_kept_by_the_records_it_proves(vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned()
    of_case, of_patient = signed(), signed("Planted^Relative")
    vault.keep_evidence(keys.case, ["might not identify, said by Dr B. Reader", '{"x": 1}', "[]"])
    for _ in range(2):
        vault.consent.keep(keys.case, of_case, who="j.doe")
    vault.consent.keep(keys.patient, of_patient, who="j.doe")
    assert vault.consent.read(keys.case, who="j.doe", reason=WHY) == {of_case.record: of_case}
    assert vault.consent.read(keys.patient, who="j.doe", reason=WHY) == {of_patient.record: of_patient}
    assert [entry.act for entry in vault.trail()][-2:] == ["read evidence"] * 2
    assert vault.check() == vault.verify_trail() == ()


def test_a_patient_is_the_same_before_and_after_the_first_slide(vault: KeyVault, scanned: Scanned) -> None:
    key = vault.consent.patient(JANE.patient, who="j.doe")
    assert vault.consent.patient("9434765919", who="j.doe") == key
    keys, _ = scanned()
    assert keys.patient == key
    assert vault.consent.patient(JOHN.patient, who="j.doe") != key
    assert vault.check() == ()


def test_evidence_goes_with_the_patient(place: Place, vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned()
    vault.consent.keep(keys.case, signed(), who="j.doe")
    vault.consent.keep(keys.patient, signed(), who="j.doe")
    vault.erase(keys.patient, "j.doe", WHY)
    assert place.change("SELECT count(*) FROM entry WHERE kind = 'evidence'") == [(0,)]
    with pytest.raises(UnknownCode):
        vault.consent.read(keys.case, who="j.doe", reason=WHY)


def test_nothing_of_it_is_in_clear_or_shows_itself(place: Place, vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned()
    evidence = signed()
    vault.consent.keep(keys.case, evidence, who="j.doe")
    stored = b"".join(file.read_bytes() for file in place.folder.iterdir() if file.is_file())
    assert b"lanted" not in stored
    assert "lanted" not in repr(evidence)
    assert evidence.record not in repr(evidence)


def test_what_cannot_be_kept_or_read_is_refused(vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned()
    with pytest.raises(InvalidValue, match="reason"):
        vault.consent.read(keys.case, who="j.doe", reason=" ")
    with pytest.raises(UnknownCode):
        vault.consent.keep(keys.slide, signed(), who="j.doe")
    with pytest.raises(UnknownCode):
        vault.consent.keep(new_key(), signed(), who="j.doe")
    with pytest.raises(InvalidValue):
        vault.consent.patient("\u200b", who="j.doe")
    long = dict.fromkeys(("name", "document", "why"), '"' * 200)  # each fits, and written down together they do not
    for parts in ({"name": "é" * 201}, {"why": "é\né"}, long):
        with pytest.raises(InvalidValue) as refusal:
            Evidence(new_key(), **parts)
        assert "é" not in str(refusal.value)


def test_a_patient_who_is_being_erased_is_not_made_again_meanwhile(
    place: Place, vault: KeyVault, scanned: Scanned
) -> None:
    keys, _ = scanned()
    place.change("INSERT INTO erasure (patient) VALUES (?)", keys.patient)
    with pytest.raises(VaultUnavailable):
        vault.consent.patient(JANE.patient, who="j.doe")
