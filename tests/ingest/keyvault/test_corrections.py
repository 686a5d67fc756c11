"""What was delivered under a wrong name is hung where it belongs: keys stay, and everything goes with its patient."""

from collections.abc import Callable
from pathlib import Path

import pytest

from archive.codes import InternalKey, new_key
from archive.errors import CatalogueUnavailable, InvalidValue, UnknownCode
from ingest.errors import VaultUnavailable
from ingest.keyvault import BegunCorrection, Keys, KeyVault, Whereabouts
from ingest.keyvault.register import State
from tests.ingest.keyvault.conftest import JANE, JOHN, Place, digest

Scanned = Callable[..., tuple[Keys, InternalKey]]

WHY = "wrong patient on the list"
JOHNS = Whereabouts(JOHN.patient, "S26-0077777", "B2", "HE 3")


def move(vault: KeyVault, slide: InternalKey, to: Whereabouts, *evidence: str) -> BegunCorrection:
    begun = vault.corrections.move_slide(slide, to, evidence, repr, who="a.clinician", reason=WHY)
    vault.corrections.finish(begun, str)
    return begun


def move_case(vault: KeyVault, case: InternalKey, patient: str | None, *evidence: str) -> BegunCorrection:
    begun = vault.corrections.move_case(case, patient, evidence, repr, who="a.clinician", reason=WHY)
    vault.corrections.finish(begun, str)
    return begun


def whereabouts(vault: KeyVault, key: InternalKey) -> tuple[str | None, ...]:
    told = vault.identify(key, "a.clinician", "a test")
    return told.patient, told.case, told.block, told.slide, told.file


def test_a_slide_keeps_its_keys_and_belongs_to_the_other_patient(vault: KeyVault, scanned: Scanned) -> None:
    keys, scan = scanned()
    move(vault, keys.slide, JOHNS)
    assert whereabouts(vault, scan) == (JOHN.patient, "S26-0077777", "B2", "HE 3", "planted-file-name-0001.svs")
    assert vault.scan_of_file(digest("planted-file-name-0001.svs")) == scan
    new = vault.keys_for(JOHN, "S26-0077777", "B2", "HE 3")
    assert new.slide == keys.slide
    assert {new.patient, new.case, new.block}.isdisjoint({keys.patient, keys.case, keys.block})
    assert vault.keys_for(JANE, "S26-0012345", "A1", "HE 1").slide != keys.slide
    assert vault.check() == ()


def test_erasing_the_old_patient_leaves_the_slide_whole(vault: KeyVault, scanned: Scanned) -> None:
    keys, scan = scanned()
    move(vault, keys.slide, JOHNS)
    vault.erase(keys.patient, "a.clinician", "request 17")
    assert whereabouts(vault, scan)[:2] == (JOHN.patient, "S26-0077777")
    assert vault.check() == ()


def test_erasing_the_new_patient_takes_the_slide_and_its_file(place: Place, vault: KeyVault, scanned: Scanned) -> None:
    keys, scan = scanned()
    other, _ = scanned(slide="HE 2", file_name="stays.svs")
    move(vault, keys.slide, JOHNS)
    vault.erase(vault.keys_for(JOHN, "S26-0077777", "B2", "HE 3").patient, "a.clinician", "request 17")
    for key in (keys.slide, scan):
        with pytest.raises(UnknownCode):
            vault.identify(key, "a.clinician", "a test")
    assert vault.scan_of_file(digest("planted-file-name-0001.svs")) is None
    assert place.change("SELECT slide FROM file") == [(other.slide,)]
    assert vault.check() == ()


def test_where_it_was_is_read_with_the_old_patients_key_only(vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned()
    move(vault, keys.slide, JOHNS)
    old, new = vault.trail()[-2:]
    was = f"was patient {JANE.patient}, case S26-0012345, block A1, slide HE 1"
    assert (old.act, old.subject, old.reason, old.before) == ("corrected slide", keys.slide, WHY, was)
    assert (new.act, new.subject, new.reason, new.before) == ("received slide", keys.slide, WHY, None)
    vault.erase(keys.patient, "a.clinician", "request 17")
    told = vault.trail()[old.number - 1 : new.number]
    assert [(entry.reason, entry.before) for entry in told] == [(None, None), (WHY, None)]
    assert vault.verify_trail() == ()


def test_a_slide_moves_within_its_patient(vault: KeyVault, scanned: Scanned) -> None:
    keys, scan = scanned()
    move(vault, keys.slide, Whereabouts(JANE.patient, "S26-0099999", "A1", "HE 1"))
    assert whereabouts(vault, scan)[:4] == (JANE.patient, "S26-0099999", "A1", "HE 1")
    assert vault.keys_for(JANE, "S26-0099999", "A1", "HE 1").patient == keys.patient
    assert vault.check() == ()


def test_a_stain_that_was_wrong_is_mended_in_its_place(vault: KeyVault, scanned: Scanned) -> None:
    keys, scan = scanned()
    move(vault, keys.slide, Whereabouts(JANE.patient, "S26-0012345", "A1", "PAS 1"))
    assert vault.keys_for(JANE, "S26-0012345", "A1", "PAS 1") == keys
    assert whereabouts(vault, scan)[3] == "PAS 1"
    assert vault.check() == ()


def test_a_case_of_that_number_is_found_afterwards(vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned()
    move(vault, keys.slide, JOHNS)
    (case,) = vault.directory.find_case("S26-0077777", who="a.clinician", purpose="a test")
    assert [slide.key for slide in case.slides] == [keys.slide]
    (emptied,) = vault.directory.find_case("S26-0012345", who="a.clinician", purpose="a test")
    assert emptied.slides == ()


def test_a_place_that_a_refused_list_only_asked_for_is_free(vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned()
    asked = vault.keys_for(JOHN, JOHNS.case, JOHNS.block, JOHNS.slide)  # the corrected list came first
    move(vault, keys.slide, JOHNS)
    assert vault.keys_for(JOHN, JOHNS.case, JOHNS.block, JOHNS.slide) == Keys(
        asked.patient, asked.case, asked.block, keys.slide
    )
    assert vault.check() == ()


def test_a_place_that_another_slide_has_is_refused_and_nothing_changes(vault: KeyVault, scanned: Scanned) -> None:
    keys, scan = scanned()
    scanned(JOHN, JOHNS.case, JOHNS.block, JOHNS.slide, "john.svs")
    before = whereabouts(vault, scan)
    with pytest.raises(InvalidValue, match="another slide's"):
        move(vault, keys.slide, JOHNS)
    assert whereabouts(vault, scan) == before
    assert vault.corrections.begun() == ()
    assert vault.check() == ()


def test_an_ingest_that_is_under_way_goes_with_its_slide(vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned()
    pending = vault.record_file(digest("second"), keys.slide, "second.svs")
    move(vault, keys.slide, JOHNS)
    vault.confirm(pending)
    assert whereabouts(vault, pending)[0] == JOHN.patient
    assert vault.check() == ()


def test_a_case_moves_with_everything_below_it(vault: KeyVault, scanned: Scanned) -> None:
    keys, scan = scanned()
    other, _ = scanned(block="A2", file_name="two.svs")
    vault.keep_evidence(keys.case, ["might not identify, said by Dr A. Curator"])
    stays, _ = scanned(case="S26-0099999", file_name="stays.svs")
    move_case(vault, keys.case, JOHN.patient, "might not identify, said by Dr B. Reader")
    new = vault.keys_for(JOHN, "S26-0012345", "A1", "HE 1")
    assert (new.case, new.block, new.slide) == (keys.case, keys.block, keys.slide)
    assert vault.keys_for(JOHN, "S26-0012345", "A2", "HE 1").slide == other.slide
    vault.erase(keys.patient, "a.clinician", "request 17")
    assert whereabouts(vault, scan)[:2] == (JOHN.patient, "S26-0012345")
    assert len(vault.evidence(keys.case, "a.clinician", "a test")) == 2
    with pytest.raises(UnknownCode):
        vault.identify(stays.slide, "a.clinician", "a test")
    assert vault.check() == ()


def test_a_case_takes_the_place_that_a_refused_list_asked_for_and_keeps_what_was_attested(
    vault: KeyVault, scanned: Scanned
) -> None:
    keys, _ = scanned()
    asked = vault.keys_for(JOHN, "S26-0012345", "A1", "HE 1")
    for case in (keys.case, asked.case):
        vault.keep_evidence(case, ["said by both", f"said of {case}"])
    move_case(vault, keys.case, JOHN.patient)
    assert vault.keys_for(JOHN, "S26-0012345", "A1", "HE 1").slide == keys.slide
    said = {"said by both", f"said of {keys.case}", f"said of {asked.case}"}
    assert set(vault.evidence(keys.case, "a.clinician", "a test")) == said
    assert len(vault.directory.find_case("S26-0012345", who="a.clinician", purpose="a test")) == 1
    assert vault.check() == ()


def test_a_case_that_the_other_patient_has_slides_of_is_refused(vault: KeyVault, scanned: Scanned) -> None:
    keys, scan = scanned()
    scanned(JOHN, file_name="john.svs")
    with pytest.raises(InvalidValue, match="one by one"):
        move_case(vault, keys.case, JOHN.patient)
    assert whereabouts(vault, scan)[0] == JANE.patient
    assert vault.check() == ()


def test_the_path_of_its_file_goes_with_the_slide_and_what_its_list_said_is_forgotten(
    vault: KeyVault, scanned: Scanned, tmp_path: Path
) -> None:
    keys, scan = scanned()
    file = tmp_path / "planted.svs"
    vault.register.note(file, State.KEPT, moment=(7, 7), scan=scan, told={"as": "what the list said"})
    move(vault, keys.slide, JOHNS)
    vault.erase(keys.patient, "a.clinician", "request 17")
    entry = vault.register.find(file)
    assert entry is not None
    assert (entry.scan, entry.told) == (scan, {})
    assert vault.check() == ()


def test_what_the_archive_is_to_record_stays_begun_until_it_has(
    place: Place, vault: KeyVault, scanned: Scanned
) -> None:
    keys, _ = scanned()
    told: list[Keys] = []

    def intent(new: Keys) -> str:
        told.append(new)
        return "the archive's part"

    begun = vault.corrections.move_slide(keys.slide, JOHNS, (), intent, who="a.clinician", reason=WHY)
    vault.close()
    with place.open() as again:
        assert again.corrections.begun() == (begun,)
        assert begun.text == "the archive's part"
        assert told == [again.keys_for(JOHN, JOHNS.case, JOHNS.block, JOHNS.slide)]
        with pytest.raises(VaultUnavailable, match="being corrected"):
            move(again, keys.slide, JOHNS)
        recorded: list[str] = []
        for _ in range(2):
            again.corrections.finish(begun, recorded.append)
        assert recorded == [begun.text]
        assert again.corrections.begun() == ()
        assert again.check() == ()


def test_what_the_archive_could_not_record_stays_begun(vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned()
    begun = vault.corrections.move_slide(keys.slide, JOHNS, (), repr, who="a.clinician", reason=WHY)

    def fails(text: str) -> None:
        raise CatalogueUnavailable("the disk is full")

    with pytest.raises(CatalogueUnavailable):
        vault.corrections.finish(begun, fails)
    assert vault.corrections.begun() == (begun,)


def test_an_intent_that_is_refused_leaves_everything_as_it_was(vault: KeyVault, scanned: Scanned) -> None:
    keys, scan = scanned()

    def refuses(new: Keys) -> str:
        raise InvalidValue("out of date")

    with pytest.raises(InvalidValue, match="out of date"):
        vault.corrections.move_slide(keys.slide, JOHNS, (), refuses, who="a.clinician", reason=WHY)
    assert whereabouts(vault, scan)[0] == JANE.patient
    assert vault.corrections.begun() == ()
    assert vault.check() == ()


def test_a_correction_that_was_begun_lies_sealed_and_an_edit_of_it_is_noticed(
    place: Place, vault: KeyVault, scanned: Scanned
) -> None:
    keys, _ = scanned()
    vault.corrections.move_slide(keys.slide, JOHNS, (), lambda _: "plain words", who="a.clinician", reason=WHY)
    assert b"plain words" not in bytes(place.change("SELECT text FROM correction")[0][0])
    place.change("UPDATE correction SET subject = ?", "0" * 32)
    assert [(fault.code, fault.table) for fault in vault.check()] == [("field-damaged", "correction")]
    with pytest.raises(VaultUnavailable):
        vault.corrections.begun()


@pytest.mark.parametrize("key", [new_key(), ""], ids=["another key", "none"])
def test_what_the_vault_does_not_have_is_not_moved(vault: KeyVault, scanned: Scanned, key: str) -> None:
    keys, _ = scanned()
    with pytest.raises(UnknownCode):
        move(vault, InternalKey(key), JOHNS)
    with pytest.raises(UnknownCode):
        move(vault, keys.case, JOHNS)
    with pytest.raises(UnknownCode):
        move_case(vault, keys.slide, JOHN.patient)


@pytest.mark.parametrize("who", ["", "two words"])
def test_without_an_account_nothing_is_corrected(vault: KeyVault, scanned: Scanned, who: str) -> None:
    keys, scan = scanned()
    with pytest.raises(InvalidValue):
        vault.corrections.move_slide(keys.slide, JOHNS, (), repr, who=who, reason=WHY)
    assert whereabouts(vault, scan)[0] == JANE.patient
