"""An erased patient is nowhere: not in the vault, not in an old copy of its rows, not in an old copy of its keys."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from archive.codes import InternalKey, new_key
from archive.errors import InvalidValue, UnknownCode
from ingest.errors import VaultUnavailable
from ingest.keyvault import Keys, KeyVault
from tests.ingest.keyvault.conftest import JANE, JOHN, Place, digest
from tests.slides.planted import Plant

Scanned = Callable[..., tuple[Keys, InternalKey]]


def copied(place: Place, name: str) -> Place:
    """Copy vault and key file, as a backup does."""
    to = place.folder.parent.parent / name
    shutil.copytree(place.folder, to / "vault")
    shutil.copytree(place.key_file.parent, to / "key")
    return Place(to / "vault", to / "key" / place.key_file.name)


def test_an_erased_patient_is_unknown_and_the_others_stay(vault: KeyVault, scanned: Scanned) -> None:
    jane, scan = scanned(JANE)
    john, _ = scanned(JOHN, file_name="johns.svs")
    vault.erase(jane.patient, "a.clinician", "request 17")
    for key in (jane.patient, jane.case, jane.slide, scan):
        with pytest.raises(UnknownCode):
            vault.identify(key, "a.clinician", "request 18")
    assert vault.identify(john.slide, "a.clinician", "request 18").patient == JOHN.patient
    assert vault.keys_for(JOHN, "S26-0012345", "A1", "HE 1") == john
    assert vault.scan_of_file(digest("planted-file-name-0001.svs")) is None
    assert vault.check() == ()


def test_an_erased_patient_who_comes_back_is_somebody_new(vault: KeyVault, scanned: Scanned) -> None:
    before, _ = scanned(JANE)
    vault.erase(before.patient, "a.clinician", "request 17")
    after, _ = scanned(JANE)
    assert {before.patient, before.case, before.slide}.isdisjoint({after.patient, after.case, after.slide})


STAY = {"a.svs", "d.svs", "S26-00123456-A.svs", "XS26-0012345.svs"}
"""Whatever is another number: one with hyphens, or one that has the patient's in it."""


def test_what_waits_and_names_the_erased_goes_with_them(vault: KeyVault, scanned: Scanned) -> None:
    jane, _ = scanned(JANE)
    scanned(JOHN, file_name="johns.svs", case="S26-0054321")
    told = {
        "a.svs": {"list patient": "943-476-5919"},
        "b.svs": {"list patient": JANE.patient.replace(" ", "")},
        "c.svs": {"list case": "s26-0012345"},
        "S26-0012345-B.svs": {},
        "S26-0012345_A1.svs": {},
        "S26-00123456-A.svs": {},
        "XS26-0012345.svs": {},
        "d.svs": {"list patient": JOHN.patient, "list case": "S26-0054321"},
    }
    for name, said in told.items():
        vault.register.note(Path("/delivered", name), "waits", moment=(1, 1), reason="wrong-barcode", told=said)
    vault.erase(jane.patient, "a.clinician", "request 17")
    assert {entry.path.name for entry in vault.register.in_state("waits")} == STAY
    assert vault.check() == ()


def test_the_erasure_is_told_and_the_patients_reasons_are_gone(vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned(JANE)
    vault.identify(keys.slide, "a.clinician", "asked by Planted^Jane herself")
    vault.erase(keys.patient, "a.clinician", "request 17")
    identified, erased = vault.trail()[-2:]
    assert (identified.act, identified.who, identified.reason) == ("identified", "a.clinician", None)
    assert (erased.act, erased.subject, erased.reason) == ("erased", keys.patient, "request 17")
    assert vault.verify_trail() == ()


def test_an_old_copy_of_the_rows_says_nothing_of_the_erased(place: Place, vault: KeyVault, scanned: Scanned) -> None:
    jane, scan = scanned(JANE)
    john, _ = scanned(JOHN, file_name="johns.svs")
    vault.close()
    backup = copied(place, "backup")
    with place.open() as again:
        again.erase(jane.patient, "a.clinician", "request 17")
    shutil.copy(backup.folder / "vault.sqlite", place.folder / "vault.sqlite")
    with place.open() as restored:
        for key in (jane.patient, jane.case, jane.slide, scan):
            with pytest.raises(VaultUnavailable):
                restored.identify(key, "a.clinician", "request 18")
        with pytest.raises(VaultUnavailable):
            restored.needles(jane.case)
        assert restored.identify(john.slide, "a.clinician", "request 18").patient == JOHN.patient
        assert restored.keys_for(JANE, "S26-0012345", "A1", "HE 1").patient != jane.patient


def test_an_old_copy_of_the_key_store_does_not_open(place: Place, vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned(JANE)
    vault.close()
    backup = copied(place, "backup")
    with place.open() as again:
        again.erase(keys.patient, "a.clinician", "request 17")
    with pytest.raises(VaultUnavailable):
        KeyVault.open(backup.folder, place.key_file)


def test_no_look_up_of_the_erased_can_be_tried_out_with_todays_keys(
    place: Place, vault: KeyVault, scanned: Scanned
) -> None:
    keys, _ = scanned(JANE)
    vault.close()
    old = copied(place, "backup")
    with place.open() as again:
        again.erase(keys.patient, "a.clinician", "request 17")
        stored = {row[0] for row in old.change("SELECT look_up FROM entry")}
        stored |= {row[0] for row in old.change("SELECT look_up FROM wrapped_key", file="patient-keys.sqlite")}
        stored |= {row[0] for row in old.change("SELECT look_up FROM directory")}
        assert len(stored) == 10
        key_store = again._store
        held = [key_store.vault_key, key_store.directory_key, *key_store.key_file.keys]
    guesses = ["9434765919", "s26-0012345", "a1", "he 1", "1948-07-05", "planted^jane-melisande"]
    kinds = [
        ("patient",),
        ("patient", ""),
        ("case",),
        ("case", keys.patient),
        ("block", keys.case),
        ("name", keys.patient),
    ]
    tried = {key.look_up(*kind, guess) for key in held for kind in kinds for guess in guesses}
    tried |= {outer.look_up("wrapped key", inner) for outer in held for inner in tried}
    assert stored.isdisjoint(tried)


def test_nothing_of_the_old_key_stays_in_the_key_file(place: Place, vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned(JANE)
    old = place.key_file.read_text().split('"keys"')[1]
    vault.erase(keys.patient, "a.clinician", "request 17")
    assert place.key_file.read_text().split('"keys"')[1] != old
    assert [path.name for path in place.key_file.parent.iterdir()] == [place.key_file.name]


def test_who_had_the_vault_open_meanwhile_goes_on_with_the_new_key(place: Place, vault: KeyVault) -> None:
    keys = vault.keys_for(JANE, "S26-1", "A1", "HE")
    john = vault.keys_for(JOHN, "S26-2", "A1", "HE")
    with place.open() as other:
        other.erase(keys.patient, "a.clinician", "request 17")
        other.erase(other.keys_for(JANE, "S26-1", "A1", "HE").patient, "a.clinician", "request 18")
    assert vault.keys_for(JOHN, "S26-2", "A1", "HE") == john
    with pytest.raises(UnknownCode):
        vault.needles(keys.case)
    assert vault.check() == ()


def test_erasing_needs_a_patient_and_a_reason(vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned(JANE)
    for key in (new_key(), keys.slide):
        with pytest.raises(UnknownCode):
            vault.erase(key, "a.clinician", "request 17")
    with pytest.raises(InvalidValue):
        vault.erase(keys.patient, "a.clinician", " ")
    assert vault.identify(keys.slide, "a.clinician", "request 17").patient == JANE.patient


def test_a_key_folder_that_cannot_be_written_leaves_the_patient_as_before(
    place: Place, vault: KeyVault, scanned: Scanned, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, _ = scanned(JANE)
    (place.key_file.parent / (place.key_file.name + ".new")).mkdir()  # where the new key file would be written
    with pytest.raises(VaultUnavailable, match="key file's folder"):
        vault.erase(keys.patient, "a.clinician", "request 17")
    assert vault.identify(keys.slide, "a.clinician", "request 17").patient == JANE.patient


def test_a_rotated_vault_opens_with_the_new_key_file_only(
    place: Place, vault: KeyVault, scanned: Scanned, tmp_path: Path
) -> None:
    keys, scan = scanned(JANE)
    new = tmp_path / "new place" / "new.key"
    vault.rotate(new, who="a.clinician")
    assert vault.identify(scan, "a.clinician", "request 17").patient == JANE.patient
    vault.close()
    with pytest.raises(VaultUnavailable, match="does not belong"):
        place.open()
    with KeyVault.open(place.folder, new) as again:
        assert again.keys_for(JANE, "S26-0012345", "A1", "HE 1") == keys
        assert again.check() == ()
        assert [entry.act for entry in again.trail()][-3:] == ["rotated", "identified", "coded"]


def test_a_vault_is_not_rotated_to_another_vaults_key(place: Place, vault: KeyVault, tmp_path: Path) -> None:
    other = Place(tmp_path / "another" / "vault", tmp_path / "other" / "vault.key")
    other.create().close()
    with pytest.raises(VaultUnavailable, match="another key vault"):
        vault.rotate(other.key_file, who="a.clinician")
    with pytest.raises(VaultUnavailable, match="elsewhere"):
        vault.rotate(place.folder / "vault.key", who="a.clinician")
    vault.close()
    place.open().close()
    other.open().close()


def test_erasing_leaves_no_identifier_in_any_byte(place: Place, vault: KeyVault, scanned: Scanned) -> None:
    plant = Plant({"number": "9434765919-HOSP", "case": "S26-0012345"})
    keys, _ = scanned(JANE)
    vault.erase(keys.patient, "a.clinician", "request 17")
    plant("number")
    plant("case")
    assert plant.survivors_under(place.folder) == []
