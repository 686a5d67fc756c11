"""A letter that comes before the slides is recorded for the patient, and decides about what is taken in later."""

import pytest

from archive.consent.terms import Consent, Purpose
from archive.holdings.consenting import of_patient
from tests.ingest.desk.conftest import WHO, Browser, OpenDesk
from tests.ingest.desk.furnished import CASE, PATIENT
from tests.ingest.desk.test_consenting import consent_recorded

LETTER = {"answer": "refused", "giver": "self", "reason": "letter received"}
NOBODY_YET = "H-1234567"


def test_a_refusal_of_somebody_without_slides_waits_for_them(desk: OpenDesk, browser: Browser) -> None:
    sent = browser.send("/patient", {"patient": NOBODY_YET, "name": "Beispiel, Berta", **LETTER})
    assert (sent.status_code, sent.headers["location"]) == (303, "/patient")
    page = browser.get("/patient").text
    assert "Recorded for the patient. No case is decided anew" in page
    assert "Berta" not in page
    patient = desk.vault.directory.patient_of(NOBODY_YET)
    assert patient
    (kept,) = of_patient(desk.archive, patient)
    assert (kept.record.by, kept.record.scope >= {Purpose.TEACHING, Purpose.RESEARCH}) == (WHO, True)
    proof = desk.vault.consent.read(patient, who="test", reason="test")
    assert [one.name for one in proof.values()] == ["Beispiel, Berta"]


def test_an_answer_of_somebody_known_is_of_the_cases_they_have(desk: OpenDesk, browser: Browser) -> None:
    browser.send("/patient", {"patient": PATIENT, **LETTER})
    assert "One case is decided anew" in browser.get("/patient").text
    assert consent_recorded(desk, CASE) is Consent.REFUSED


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"patient": "", **LETTER}, "empty"),
        ({"patient": NOBODY_YET, "reason": "letter"}, "Choose what was answered"),
        ({"patient": NOBODY_YET, **LETTER, "reason": f"letter about {CASE}"}, "identif"),
        ({"patient": NOBODY_YET, **LETTER, "on": "2999-01-31"}, "still to come"),
    ],
)
def test_what_is_missing_is_told_and_nobody_becomes_known(
    desk: OpenDesk, browser: Browser, fields: dict[str, str], why: str
) -> None:
    refused = browser.send("/patient", fields)
    assert refused.status_code == 400
    assert why in refused.text
    assert desk.vault.directory.patient_of(NOBODY_YET) is None


def test_no_address_names_the_patient(desk: OpenDesk, browser: Browser) -> None:
    browser.send("/patient", {"patient": PATIENT, **LETTER})
    browser.get("/patient")
    assert PATIENT not in " ".join(browser.addresses)
