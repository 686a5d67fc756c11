"""Facts are mended in the words of a delivery list, and what contradicts itself is refused without repeating it."""

from datetime import date

import pytest

from archive.consent import Facts, MightIdentify
from archive.consent.terms import Authority, Consent, Grade, Jurisdiction, Purpose, Recorded, TissueSource, Vital
from archive.errors import InvalidValue
from archive.records import Stain
from ingest.delivery import Feed
from ingest.delivery.mending import SETTABLE, read_settings

LIVING = Facts(source=TissueSource.LIVING)


def surgical() -> Feed:
    return Feed(
        name="surgical",
        source=TissueSource.LIVING,
        jurisdiction=Jurisdiction.ENGLAND,
        attested_by="Dr A. Curator",
        review_date=date(2030, 1, 1),
        post_mortem_patterns=("PM*",),
    )


def mended(before: Facts, *texts: str, case: str = "S26-1", feed: Feed | None = None) -> Facts:
    return read_settings(texts).mended(before, case, feed)


def test_what_is_set_replaces_what_was_recorded_and_the_rest_stays() -> None:
    before = Facts(source=TissueSource.LIVING, vital=Vital.ALIVE, covers=frozenset({Purpose.AUDIT}))
    after = mended(before, "consent = opted out", "vital=deceased")
    assert after == Facts(
        source=TissueSource.LIVING, vital=Vital.DEAD, covers=frozenset({Purpose.AUDIT}), consent=Consent.REFUSED
    )


def test_several_words_are_separated_by_semicolons() -> None:
    after = mended(LIVING, "consent=obtained", "covers=teaching; research")
    assert after.covers == {Purpose.TEACHING, Purpose.RESEARCH}


def test_nothing_behind_the_sign_empties_a_column() -> None:
    before = Facts(source=TissueSource.LIVING, consent=Consent.OBTAINED, covers=frozenset({Purpose.TEACHING}))
    assert mended(before, "covers=").covers == frozenset()
    assert mended(before, "tissue=").source is TissueSource.UNKNOWN


def test_a_consent_that_is_recorded_needs_not_be_told_again() -> None:
    before = Facts(source=TissueSource.LIVING, consent=Consent.OBTAINED)
    assert mended(before, "covers=teaching").covers == {Purpose.TEACHING}
    with pytest.raises(InvalidValue, match="a consent with it"):
        mended(LIVING, "covers=teaching")


def test_who_attested_something_goes_to_the_vault_and_not_into_the_facts() -> None:
    settings = read_settings(["might_identify=no", "assessed_by=Dr A. Curator", "assessed_also_by=Dr B. Reader"])
    after = settings.mended(LIVING, "S26-1", None)
    assert (after.might_identify, after.second_person) == (MightIdentify(Grade.NO_PERSON), True)
    assert settings.evidence == (
        "might not identify, said by Dr A. Curator",
        "might not identify, said by Dr B. Reader",
    )
    with pytest.raises(InvalidValue, match="the person who looked"):
        mended(LIVING, "might_identify=no")


def test_a_new_look_by_one_person_is_not_that_of_two() -> None:
    before = Facts(source=TissueSource.LIVING, might_identify=MightIdentify(Grade.NO_PERSON), second_person=True)
    assert not mended(before, "might_identify=no", "assessed_by=Dr C. Looker").second_person


@pytest.mark.parametrize(
    "texts",
    [
        ("authority=hospital",),
        ("recorded=as part of the examination",),
        ("consent=obtained with the post-mortem consent",),
    ],
)
def test_living_tissue_has_no_fact_of_a_post_mortem(texts: tuple[str, ...]) -> None:
    with pytest.raises(InvalidValue, match="post-mortem"):
        mended(LIVING, *texts)
    after = mended(LIVING, "tissue=post-mortem", *texts)
    assert after.source is TissueSource.POST_MORTEM


def test_a_case_whose_number_is_a_post_mortems_is_not_of_the_living() -> None:
    before = Facts(source=TissueSource.POST_MORTEM, authority=Authority.UNKNOWN)
    assert mended(before, "tissue=living", case="S26-1", feed=surgical()).source is TissueSource.LIVING
    with pytest.raises(InvalidValue, match="post-mortem"):
        mended(before, "tissue=living", case="PM26-1", feed=surgical())


def test_a_consent_of_the_living_is_not_a_post_mortems() -> None:
    with pytest.raises(InvalidValue, match=Consent.SEPARATELY):
        mended(Facts(source=TissueSource.POST_MORTEM), "consent=obtained")


def test_a_new_case_has_the_feeds_defaults_and_what_was_set() -> None:
    feed = surgical()
    facts = read_settings(["vital=dead"]).facts_of_new("H-1", "S26-1", Stain.HE, feed)
    assert facts == Facts(source=feed.source, jurisdiction=feed.jurisdiction, vital=Vital.DEAD)
    told = ["recorded=as part of the examination", "authority=hospital"]
    facts = read_settings(told).facts_of_new("H-1", "PM26-1", Stain.HE, feed)
    assert (facts.source, facts.recorded) == (TissueSource.POST_MORTEM, Recorded.AS_PART_OF_EXAMINATION)
    with pytest.raises(InvalidValue, match="tissue"):
        read_settings(["tissue=living"]).facts_of_new("H-1", "PM26-1", Stain.HE, feed)


@pytest.mark.parametrize(
    "text",
    ["consent", "consent:refused", "patient=H-1", "patient_name=Planted^Jane", "case=S26-1", "state=coded", "=x"],
)
def test_what_is_no_setting_of_a_fact_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="COLUMN=VALUE") as refusal:
        read_settings([text])
    assert "Planted" not in str(refusal.value)


def test_all_faults_are_told_together_and_values_that_may_be_names_are_not_repeated() -> None:
    with pytest.raises(InvalidValue) as refusal:
        read_settings(["consent=Planted^Jane", "vital=alve", "covers=teaching"])
    said = str(refusal.value)
    assert "consent: found 12 characters" in said
    assert "vital: found 'alve'" in said
    assert "Planted" not in said


def test_what_was_attested_is_never_emptied() -> None:
    with pytest.raises(InvalidValue, match="never taken back"):
        mended(LIVING, "assessed_by=")


def test_every_fact_that_a_list_tells_of_a_case_can_be_set() -> None:
    own_to_a_copy = {"state", "report_bound", "second_person"}
    by_consent_records_alone = {"refused_for", "refused_publication"}
    facts = {"tissue" if name == "source" else name for name in Facts().to_json()}
    facts -= own_to_a_copy | by_consent_records_alone
    assert facts <= set(SETTABLE)
