"""The same person, case, block and slide always have the same internal keys; others have others."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.codes import InternalKey, new_key
from archive.errors import InvalidValue, UnknownCode
from ingest.keyvault import Keys, KeyVault, PersonalIdentity
from tests.ingest.keyvault.conftest import JANE, JOHN, Place

Scanned = Callable[..., tuple[Keys, InternalKey]]


def test_keys_are_random_and_the_same_when_asked_again(vault: KeyVault) -> None:
    first = vault.keys_for(JANE, "S26-1", "A1", "HE 1")
    assert vault.keys_for(JANE, "S26-1", "A1", "HE 1") == first
    every = {first.patient, first.case, first.block, first.slide}
    assert len(every) == 4
    assert all(re.fullmatch(r"[0-9a-f]{32}", key) for key in every)


def test_keys_outlive_the_process(place: Place, vault: KeyVault) -> None:
    first = vault.keys_for(JANE, "S26-1", "A1", "HE 1")
    vault.close()
    with place.open() as again:
        assert again.keys_for(JANE, "S26-1", "A1", "HE 1") == first


def test_a_slide_shares_what_it_comes_from_with_its_neighbours(vault: KeyVault) -> None:
    first = vault.keys_for(JANE, "S26-1", "A1", "HE 1")
    second = vault.keys_for(JANE, "S26-1", "A1", "HE 2")
    other_block = vault.keys_for(JANE, "S26-1", "A2", "HE 1")
    other_case = vault.keys_for(JANE, "S26-2", "A1", "HE 1")
    assert (second.patient, second.case, second.block) == (first.patient, first.case, first.block)
    assert (other_block.patient, other_block.case) == (first.patient, first.case)
    assert other_case.patient == first.patient
    assert len({first.block, other_block.block, other_case.block}) == 3
    assert other_case.case != first.case
    assert len({first.slide, second.slide, other_block.slide, other_case.slide}) == 4


def test_two_patients_share_nothing_though_all_their_labels_are_the_same(vault: KeyVault) -> None:
    jane = vault.keys_for(JANE, "S26-1", "A1", "HE 1")
    john = vault.keys_for(JOHN, "S26-1", "A1", "HE 1")
    assert {jane.patient, jane.case, jane.block, jane.slide}.isdisjoint(
        {john.patient, john.case, john.block, john.slide}
    )


@pytest.mark.parametrize(
    "spelling",
    ["9434765919", " 943 476 5919 ", "943\u00a0476\u00a05919", "\u200e943476\u200b5919", "９４３４７６５９１９"],
)
def test_spaces_and_width_do_not_make_another_patient(vault: KeyVault, spelling: str) -> None:
    assert vault.keys_for(PersonalIdentity(spelling), "c", "b", "s") == vault.keys_for(JANE, "C", "B", "S")


@pytest.mark.parametrize("number", ["943-476-5919", "94347659190", "O434765919"])
def test_punctuation_and_characters_make_another_patient(vault: KeyVault, number: str) -> None:
    other = vault.keys_for(PersonalIdentity(number), "S26-1", "A1", "HE")
    assert other.patient != vault.keys_for(JANE, "S26-1", "A1", "HE").patient


def test_a_space_tells_two_blocks_apart_and_its_length_does_not(vault: KeyVault) -> None:
    first = vault.keys_for(JANE, "S26-1", "1 1", "HE")
    assert vault.keys_for(JANE, "S26-1", "1  1", "HE").block == first.block
    assert vault.keys_for(JANE, "S26-1", "11", "HE").block != first.block


@pytest.mark.parametrize("bad", ["", "   ", "\u200b", "x" * 201, "A\x00B", "A\nB"])
@pytest.mark.parametrize("which", ["patient", "case", "block", "slide"])
def test_a_label_that_cannot_be_is_refused_and_not_repeated(vault: KeyVault, which: str, bad: str) -> None:
    words = {"patient": "P1", "case": "C1", "block": "B1", "slide": "S1", which: bad}
    with pytest.raises(InvalidValue) as refusal:
        vault.keys_for(PersonalIdentity(words["patient"]), words["case"], words["block"], words["slide"])
    assert which in str(refusal.value)
    assert not bad.strip() or not bad.isprintable() or bad not in str(refusal.value)
    assert vault.check() == ()


def test_identify_tells_everything_down_to_the_key_that_was_asked_for(vault: KeyVault, scanned: Scanned) -> None:
    keys, scan = scanned()
    of_scan = vault.identify(scan, "a.clinician", "request 17")
    assert of_scan.patient == JANE.patient
    assert of_scan.names == (JANE.name,)
    assert of_scan.birth_dates == ("1948-07-05",)
    assert (of_scan.case, of_scan.block, of_scan.slide) == ("S26-0012345", "A1", "HE 1")
    assert of_scan.file == "planted-file-name-0001.svs"
    of_case = vault.identify(keys.case, "a.clinician", "request 17")
    assert (of_case.case, of_case.block, of_case.slide, of_case.file) == ("S26-0012345", None, None, None)
    assert vault.identify(keys.patient, "a.clinician", "request 17").case is None


def test_every_name_a_patient_was_delivered_under_is_known(vault: KeyVault) -> None:
    keys = vault.keys_for(JANE, "S26-1", "A1", "HE")
    vault.keys_for(PersonalIdentity(JANE.patient, "Married^Jane"), "S26-2", "A1", "HE")
    assert vault.identify(keys.patient, "a.clinician", "request 17").names == ("Married^Jane", JANE.name)


def test_who_asked_and_why_is_written_down_also_in_vain(vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned()
    vault.identify(keys.slide, "a.clinician", "request 17 for Planted^Jane")
    with pytest.raises(UnknownCode):
        vault.identify(new_key(), "a.clinician", "request 18")
    found, missed = vault.trail()[-2:]
    assert (found.act, found.who, found.subject) == ("identified", "a.clinician", keys.slide)
    assert found.reason == "request 17 for Planted^Jane"
    assert (missed.act, missed.reason) == ("not identified", "request 18")
    assert vault.verify_trail() == ()


@pytest.mark.parametrize(("who", "reason"), [("", "request"), ("two words", "request"), ("me", " "), ("me", "x" * 501)])
def test_without_account_or_reason_nobody_is_identified(
    vault: KeyVault, scanned: Scanned, who: str, reason: str
) -> None:
    keys, _ = scanned()
    before = vault.trail_head()
    with pytest.raises(InvalidValue):
        vault.identify(keys.slide, who, reason)
    assert vault.trail_head() == before


def test_the_needles_of_a_case_are_its_own_identifiers_and_nobody_elses(vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned()
    scanned(slide="HE 2", file_name="planted-file-name-0002.svs")
    scanned(case="S26-0099999", file_name="of-another-case.svs")
    scanned(JOHN, file_name="of-another-patient.svs")
    assert set(vault.needles(keys.case)) == {
        "S26-0012345",
        JANE.patient,
        JANE.name,
        "1948-07-05",
        "planted-file-name-0001.svs",
        "planted-file-name-0002.svs",
    }


def test_what_was_attested_is_kept_with_its_case_and_read_with_a_reason(vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned()
    other, _ = scanned(case="S26-0099999", file_name="other.svs")
    sentence = "not foreseen, attested by Dr A. Curator on 2026-03-01: " + "why " * 100
    for _ in range(2):
        vault.keep_evidence(keys.case, [sentence.strip(), "might not identify, said by Dr B. Reader"])
    assert set(vault.evidence(keys.case, "a.clinician", "request 17")) == {
        sentence.strip(),
        "might not identify, said by Dr B. Reader",
    }
    assert vault.evidence(other.case, "a.clinician", "request 18") == ()
    assert [entry.reason for entry in vault.trail()][-2:] == ["request 17", "request 18"]
    with pytest.raises(InvalidValue):
        vault.evidence(keys.case, "a.clinician", "")
    assert sentence.strip() not in vault.needles(keys.case)
    assert vault.check() == ()


def test_values_that_name_somebody_do_not_show_themselves(vault: KeyVault, scanned: Scanned) -> None:
    keys, scan = scanned()
    shown = repr((JANE, keys, vault, vault.identify(scan, "a.clinician", "request 17"), vault.trail()))
    secret = [JANE.patient, str(JANE.name), "1948", "S26-0012345", "planted", keys.slide, scan, "request"]
    assert [word for word in secret if word in shown] == []


words = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf")), min_size=1, max_size=30).filter(str.strip)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words, words, words, words, st.none() | words, st.none() | st.dates())
def test_whatever_the_labels_asking_twice_gives_the_same(
    vault: KeyVault, patient: str, case: str, block: str, slide: str, name: str | None, born: date | None
) -> None:
    person = PersonalIdentity(patient, name, born)
    keys = vault.keys_for(person, case, block, slide)
    assert vault.keys_for(person, case, block, slide) == keys
    told = vault.identify(keys.slide, "a.clinician", "request 17")
    assert told.slide is not None
    assert " ".join(told.slide.casefold().split()) != ""
    assert vault.keys_for(PersonalIdentity(told.patient), str(told.case), str(told.block), told.slide) == keys
