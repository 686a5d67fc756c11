"""When each row of the table applies: one condition a row, under the row's key, and nothing else."""

from collections.abc import Callable

from archive.consent.situation import Situation
from archive.consent.terms import Answer, Consent, Maturity, Purpose, Recorded, State, TissueSource, Vital

Condition = Callable[[Situation], bool]

_READING: dict[str, Condition] = {
    "Z1": lambda s: s.beyond_care and s.unproven,
    "Z2": lambda s: s.beyond_care and s.decodable,
    "Z3": lambda s: s.beyond_care and s.telling and s.facts.state is not State.IDENTIFIABLE,
    "Z4": lambda s: not s.living and not s.under_authority and not (s.keeping and s.unestablished),
    "Z5": lambda s: (
        s.facts.source is TissueSource.UNKNOWN
        or (s.under_authority and s.beyond_care and s.facts.consent is Consent.UNKNOWN)
    ),
    "Z6": lambda s: s.living and s.purpose is Purpose.CAUSE_OF_DEATH,
}

_KEEPING: dict[str, Condition] = {
    "K1": lambda s: s.keeping and s.living,
    "K2": lambda s: s.keeping and s.under_authority and s.part_of_examination,
    "K3": lambda s: s.keeping and s.under_authority and not s.part_of_examination,
    "K4": lambda s: s.keeping and s.unestablished,
}

_WISHES: dict[str, Condition] = {
    "N1": lambda s: s.beyond_care and s.refused,
    "N2": lambda s: s.beyond_care and s.facts.consent is Consent.WITHDRAWN,
}

_CORONERS_CASES: dict[str, Condition] = {
    "M12": lambda s: s.coroners and s.beyond_care and s.facts.consent is Consent.WITH_POST_MORTEM,
    "M13": lambda s: s.coroners and s.beyond_care and s.facts.authority_open is not Answer.NO,
}

_PUBLICATION: dict[str, Condition] = {
    "P1": lambda s: s.publishing and s.state is not State.ANONYMISED,
    "P3": lambda s: s.publishing_life and s.facts.vital is Vital.ALIVE,
    "P4": lambda s: s.publishing_life and s.dead,
    "P5": lambda s: s.publishing_post_mortem and s.valid and s.covered,
    "P6": lambda s: s.publishing_post_mortem and s.facts.consent is Consent.NOT_FORESEEN,
    "P7": lambda s: (
        s.publishing_post_mortem
        and (s.unasked or s.facts.consent is Consent.FORESEEN_NOT_ASKED or (s.obtained and not s.covered))
    ),
}

_LIFE: dict[str, Condition] = {
    "L1": lambda s: s.treating_with_life and not s.dead,
    "L11": lambda s: s.using_life and s.facts.pre_1997_collection and s.state is State.ANONYMISED,
    "L11/2": lambda s: s.using_life and s.facts.pre_1997_collection and s.identifiable and not s.obtained,
    "L2": lambda s: s.using_alive and s.state is State.ANONYMISED,
    "L3": lambda s: s.using_alive and s.state is State.CODED,
    "L4": lambda s: s.using_alive and s.identifiable and not s.obtained,
    "L9": lambda s: s.using_alive_identifiably and s.facts.maturity is not Maturity.ADULT,
    "L9/2": lambda s: s.using_alive_identifiably and s.facts.maturity in (Maturity.CHILD_NOW_ADULT, Maturity.UNKNOWN),
    "L10": lambda s: s.using_alive_identifiably and s.facts.had_capacity is not Answer.YES,
    "L5": lambda s: s.using_alive_identifiably,
    "L6": lambda s: s.using_alive and s.identifiable and s.obtained and not s.covered_identifiably,
    "D0": lambda s: s.treating_with_life and s.dead,
    "D1": lambda s: s.using_life and s.dead and s.identifiable and s.covered_identifiably,
    "D2": lambda s: s.using_life and s.dead and not s.identifiable,
    "D3": lambda s: s.using_life and s.dead and s.identifiable and not s.covered_identifiably,
}

_POST_MORTEM: dict[str, Condition] = {
    "M1": lambda s: s.under_authority and s.treating and s.purpose is Purpose.CAUSE_OF_DEATH,
    "M15": lambda s: s.under_authority and s.treating and s.purpose is Purpose.CARE,
    "M14": lambda s: s.using_post_mortem and s.part_of_examination,
    "R1": lambda s: s.using_post_mortem and s.facts.recorded is not Recorded.LATER,
    "R2": lambda s: s.using_post_mortem and s.facts.recorded is Recorded.LATER,
    "M2": lambda s: s.using_with_consent and not s.identifiable and s.facts.consent is Consent.WITH_POST_MORTEM,
    "M2b": lambda s: s.using_with_consent and not s.identifiable and s.facts.consent is Consent.SEPARATELY,
    "M3": lambda s: s.using_post_mortem and s.identifiable and s.covered_identifiably and s.named_group,
    "M3/2": lambda s: (
        s.using_post_mortem
        and s.identifiable
        and s.obtained
        and s.covered
        and not (s.covered_identifiably and s.named_group)
    ),
    "M4": lambda s: s.using_post_mortem and s.obtained and not s.covered,
    "M5": lambda s: s.using_post_mortem and s.facts.consent is Consent.NOT_FORESEEN and not s.identifiable,
    "M6": lambda s: s.using_post_mortem and s.facts.consent is Consent.NOT_FORESEEN and s.identifiable,
    "M7": lambda s: s.using_post_mortem and s.facts.consent is Consent.FORESEEN_NOT_ASKED,
    "M10": lambda s: s.using_post_mortem and s.unasked and s.identifiable,
    "M11": lambda s: s.using_post_mortem and s.unasked and not s.identifiable,
}

_DEFAULT: dict[str, Condition] = {"default": lambda _: True}

CONDITIONS = _READING | _KEEPING | _WISHES | _CORONERS_CASES | _PUBLICATION | _LIFE | _POST_MORTEM | _DEFAULT
"""By row key; the table says in which order they are tried. Rows about the glass are in `archive.consent.glass`."""
