"""A case number leads to the cases that have it, whoever's they are. Asking is written down; old copies say nothing."""

import shutil
from collections.abc import Callable

import pytest

from archive.codes import InternalKey
from archive.errors import InvalidValue
from ingest.errors import VaultUnavailable
from ingest.keyvault import FoundCase, Keys, KeyVault
from tests.ingest.keyvault.conftest import JOHN, Place

Scanned = Callable[..., tuple[Keys, InternalKey]]


def found(vault: KeyVault, number: str) -> tuple[FoundCase, ...]:
    return vault.directory.find_case(number, who="a.clinician", purpose="second opinion")


def test_a_case_is_found_by_its_number_with_its_slides(vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned()
    second, _ = scanned(block="A2", slide="PAS 1", file_name="two.svs")
    scanned(case="S26-0099999", file_name="other.svs")
    (case,) = found(vault, "S26-0012345")
    assert (case.key, case.patient, case.number) == (keys.case, keys.patient, "S26-0012345")
    told = [(slide.key, slide.block, slide.slide) for slide in case.slides]
    assert told == [(keys.slide, "A1", "HE 1"), (second.slide, "A2", "PAS 1")]


@pytest.mark.parametrize("spelling", ["s26-0012345", " S26 - 001 2345 ", "Ｓ26-0012345"])
def test_letter_case_width_and_spaces_do_not_matter(vault: KeyVault, scanned: Scanned, spelling: str) -> None:
    keys, _ = scanned()
    assert [case.key for case in found(vault, spelling)] == [keys.case]


@pytest.mark.parametrize("other", ["S260012345", "S26-001234", "0012345"])
def test_another_number_finds_nothing(vault: KeyVault, scanned: Scanned, other: str) -> None:
    scanned()
    assert found(vault, other) == ()


def test_two_patients_with_one_number_are_both_found(vault: KeyVault, scanned: Scanned) -> None:
    jane, _ = scanned()
    john, _ = scanned(JOHN, file_name="john.svs")
    assert {(case.key, case.patient) for case in found(vault, "S26-0012345")} == {
        (jane.case, jane.patient),
        (john.case, john.patient),
    }


def test_the_cases_of_a_patient_are_found_by_the_patients_number(vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned()
    other, _ = scanned(case="S26-0099999", file_name="other.svs")
    scanned(JOHN, file_name="john.svs")
    cases = vault.directory.find_patient("9434765919", who="a.clinician", purpose="request 17")
    assert {case.key for case in cases} == {keys.case, other.case}
    assert vault.directory.find_patient("nobody", who="a.clinician", purpose="request 17") == ()
    assert vault.directory.patient_of("nobody") is None


def test_who_looked_and_what_for_is_written_down_also_in_vain(vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned()
    found(vault, "S26-0012345")
    found(vault, "S26-0000000")
    hit, miss = vault.trail()[-2:]
    assert (hit.act, hit.who, hit.subject, hit.reason) == ("found case", "a.clinician", keys.case, "second opinion")
    assert (miss.act, miss.who, miss.subject, miss.reason) == ("found no case", "a.clinician", "", "second opinion")


@pytest.mark.parametrize(("who", "purpose"), [("", "second opinion"), ("a.clinician", " "), ("two words", "why")])
def test_without_account_or_purpose_nothing_is_found(vault: KeyVault, scanned: Scanned, who: str, purpose: str) -> None:
    scanned()
    head = vault.trail_head()
    with pytest.raises(InvalidValue):
        vault.directory.find_case("S26-0012345", who=who, purpose=purpose)
    assert vault.trail_head() == head


def test_an_erased_patients_case_is_not_found_and_all_others_are(vault: KeyVault, scanned: Scanned) -> None:
    jane, _ = scanned()
    john, _ = scanned(JOHN, file_name="john.svs")
    other, _ = scanned(JOHN, case="S26-2", file_name="two.svs")
    vault.erase(jane.patient, "a.clinician", "request 17")
    assert [case.key for case in found(vault, "S26-0012345")] == [john.case]
    assert [case.key for case in found(vault, "S26-2")] == [other.case]
    assert vault.check() == ()


def test_an_erasure_changes_every_index_so_that_old_copies_cannot_be_asked(
    place: Place, vault: KeyVault, scanned: Scanned
) -> None:
    jane, _ = scanned()
    scanned(JOHN, case="S26-2", file_name="two.svs")
    before = {row[0] for row in place.change("SELECT look_up FROM directory")}
    vault.erase(jane.patient, "a.clinician", "request 17")
    after = {row[0] for row in place.change("SELECT look_up FROM directory")}
    assert (len(before), len(after)) == (2, 1)
    assert before.isdisjoint(after)


def test_an_old_copy_of_the_rows_under_todays_keys_finds_no_case(
    place: Place, vault: KeyVault, scanned: Scanned
) -> None:
    jane, _ = scanned()
    vault.close()
    old = place.folder / "vault.sqlite"
    copy = shutil.copy(old, place.folder.parent / "old.sqlite")
    with place.open() as again:
        again.erase(jane.patient, "a.clinician", "request 17")
    shutil.copy(copy, old)
    with place.open() as restored:
        assert found(restored, "S26-0012345") == ()


def test_a_rotation_keeps_every_case_findable(place: Place, vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned()
    new = place.key_file.with_name("new.key")
    vault.rotate(new, who="a.clinician")
    vault.close()
    with KeyVault.open(place.folder, new) as again:
        assert [case.key for case in found(again, "S26-0012345")] == [keys.case]
        assert again.check() == ()


def test_nothing_is_found_while_an_erasure_is_not_finished(place: Place, vault: KeyVault, scanned: Scanned) -> None:
    scanned()
    place.change("INSERT INTO erasure VALUES (?)", "0" * 32)
    with pytest.raises(VaultUnavailable, match="being erased"):
        found(vault, "S26-0012345")


@pytest.mark.parametrize(
    "damage",
    ["DELETE FROM directory", "UPDATE directory SET look_up = zeroblob(32)", "UPDATE directory SET patient = '0'"],
)
def test_a_case_that_is_not_found_is_a_fault(place: Place, vault: KeyVault, scanned: Scanned, damage: str) -> None:
    scanned()
    assert vault.check() == ()
    place.change(damage)
    assert [(fault.code, fault.table) for fault in vault.check()] == [("case-not-found", "entry")]


def test_a_number_that_leads_to_no_case_is_a_fault(place: Place, vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned()
    place.change("INSERT INTO directory VALUES (?, ?, zeroblob(32))", "0" * 32, keys.patient)
    assert [(fault.code, fault.table) for fault in vault.check()] == [("parent-missing", "directory")]


def test_what_is_found_does_not_show_itself(vault: KeyVault, scanned: Scanned) -> None:
    scanned()
    shown = repr(found(vault, "S26-0012345"))
    assert not [word for word in ("S26", "A1", "HE 1") if word in shown]
