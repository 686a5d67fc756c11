"""What people can still do or find out, as changed facts: the raw material of "what would change this decision".

Only what can be established, obtained or prepared is here. A refusal stays a refusal, what might identify stays so, and
history is not rewritten. Whether a change helps is not written here: `archive.consent.ways` finds it by deciding again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from archive.consent.facts import Facts
from archive.consent.situation import Situation
from archive.consent.table import DONE
from archive.consent.terms import (
    Answer,
    Authority,
    Consent,
    Grade,
    Maturity,
    MightIdentify,
    Recorded,
    State,
    TissueSource,
    Vital,
)

_BY_A_PERSON = MightIdentify(Grade.NO_PERSON)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing done or found out, as the end of "if ...", and the facts that it sets."""

    says: str
    sets: Mapping[str, Any]


def _findings(facts: Facts) -> Iterator[Change]:
    """Yield what is unknown now and could be found out."""
    if facts.source is TissueSource.UNKNOWN:
        yield Change("the tissue is found to have been taken in life", {"source": TissueSource.LIVING})
        yield Change("the tissue is found to be post-mortem", {"source": TissueSource.POST_MORTEM})
    if facts.source is not TissueSource.LIVING:
        yield from _findings_post_mortem(facts)
    if facts.vital is Vital.UNKNOWN:
        yield Change("the patient is found to be alive", {"vital": Vital.ALIVE})
    if facts.maturity is Maturity.UNKNOWN:
        yield Change("the patient is found to have been an adult at the time", {"maturity": Maturity.ADULT})
    if facts.had_capacity is Answer.UNKNOWN:
        yield Change("the patient is found to have had capacity", {"had_capacity": Answer.YES})
    if facts.giver_entitled is Answer.UNKNOWN:
        yield Change("whoever consented is found to have been entitled to", {"giver_entitled": Answer.YES})


def _findings_post_mortem(facts: Facts) -> Iterator[Change]:
    if facts.authority is Authority.UNKNOWN:
        for authority, whose in (
            (Authority.HOSPITAL, "a hospital's"),
            (Authority.CORONER, "the coroner's or fiscal's"),
        ):
            yield Change(f"the examination is found to have been {whose}", {"authority": authority})
    if facts.authority_open is not Answer.NO:
        yield Change("the coroner's or fiscal's authority is known to have ended", {"authority_open": Answer.NO})
    if facts.recorded is Recorded.UNKNOWN:
        yield Change(
            "the picture is found to have been made as part of the examination",
            {"recorded": Recorded.AS_PART_OF_EXAMINATION},
        )
    if facts.consent in (Consent.UNKNOWN, Consent.NOT_RECORDED):
        yield Change(
            "the papers show, and a named person attests, that this purpose was not foreseen",
            {"consent": Consent.NOT_FORESEEN},
        )


def _consents(situation: Situation) -> Iterator[Change]:
    """Yield the consents that may still be asked for: none where somebody refused or withdrew."""
    facts = situation.facts
    if situation.refused or facts.consent is Consent.WITHDRAWN:
        return
    purposes = {use.purpose for use in situation.as_made_for()} if situation.keeping else {situation.purpose}
    covers = facts.covers | {purpose for purpose in purposes if purpose.secondary}
    living = facts.source is TissueSource.LIVING
    consent = Consent.OBTAINED if living else Consent.SEPARATELY
    giver = "the patient" if living else "somebody entitled to give it"
    sets = {"consent": consent, "giver_entitled": Answer.YES, "covers": covers}
    if situation.publishing:
        yield Change(f"{giver} consents to this publication", sets | {"covers_publication": Answer.YES})
    else:
        yield Change(f"{giver} consents to this purpose", sets)
        yield Change("the consent is for identifiable use too", {"covers_identifiable": Answer.YES})


def _preparations(situation: Situation) -> Iterator[Change]:
    """Yield what can be done to the copy, or to how it is shown."""
    facts = situation.facts
    if facts.state is not State.ANONYMISED:
        sets = {"state": State.ANONYMISED, "report_bound": True}
        yield Change("an anonymised copy with a passed de-identification report is shown", sets)
    if facts.state is State.IDENTIFIABLE:
        sets = {"state": State.CODED, "report_bound": True}
        yield Change("a coded copy with a passed de-identification report is shown", sets)
    elif not facts.report_bound:
        yield Change("a passed de-identification report is bound to this copy", {"report_bound": True})
    if facts.might_identify.grade in (Grade.UNASSESSED, Grade.NO_SCREENED):
        looked = {"might_identify": _BY_A_PERSON}
        yield Change("a person looks and finds nothing that might identify the patient", looked)
        if situation.publishing:
            yield Change(
                "two persons look and find nothing that might identify the patient", looked | {"second_person": True}
            )
    elif facts.might_identify.grade is Grade.NO_PERSON and not facts.second_person:
        yield Change("a second person looks and also finds nothing", {"second_person": True})
    if situation.holds_key:
        yield Change("those who see it may not look codes up", {"holds_key": False})


def _records(facts: Facts) -> Iterator[Change]:
    for record, done in DONE.items():
        if record not in facts.records:
            yield Change(done, {"records": frozenset({record})})


def possible_changes(situation: Situation) -> tuple[Change, ...]:
    """List all that can still be found out, asked for, prepared or recorded."""
    facts = situation.facts
    return (*_findings(facts), *_consents(situation), *_preparations(situation), *_records(facts))


def apply(change: Change, situation: Situation) -> Situation:
    """Give the same question after one change."""
    sets = dict(change.sets)
    holds_key = sets.pop("holds_key", situation.holds_key)
    if "records" in sets:
        sets["records"] |= situation.facts.records
    return replace(situation, facts=replace(situation.facts, **sets), holds_key=holds_key)
