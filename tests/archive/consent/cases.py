"""Facts to begin a test with, spelt as a laboratory would know them."""

from typing import Any

from archive.consent import Facts, MightIdentify
from archive.consent.terms import Answer, Authority, Consent, Grade, Maturity, Recorded, State, TissueSource

SCREENED = MightIdentify.screened("structure-1")
LOOKED_AT = MightIdentify(Grade.NO_PERSON)

CODED: dict[str, Any] = {"state": State.CODED, "report_bound": True, "might_identify": LOOKED_AT}
ANONYMISED = {"state": State.ANONYMISED, "report_bound": True, "might_identify": LOOKED_AT, "second_person": True}
GROWN_UP = {"maturity": Maturity.ADULT, "had_capacity": Answer.YES}
CLOSED = {"authority_open": Answer.NO}


def from_life(**facts: object) -> Facts:
    """Tissue taken in life; the rest unknown unless given."""
    return Facts(**{"source": TissueSource.LIVING, **facts})


def post_mortem(**facts: object) -> Facts:
    """Post-mortem tissue, recorded as part of a hospital's examination; the rest unknown unless given."""
    known = {
        "source": TissueSource.POST_MORTEM,
        "authority": Authority.HOSPITAL,
        "recorded": Recorded.AS_PART_OF_EXAMINATION,
    }
    return Facts(**{**known, **facts})


def coroners(**facts: object) -> Facts:
    """Post-mortem tissue, recorded as part of a coroner's examination; the rest unknown unless given."""
    return post_mortem(**{"authority": Authority.CORONER, **facts})


def agreed(*purposes: object, **facts: object) -> dict[str, object]:
    """Consent of the patient, covering these purposes."""
    return {"consent": Consent.OBTAINED, "covers": frozenset(purposes), **facts}


def agreed_separately(*purposes: object, **facts: object) -> dict[str, object]:
    """Consent obtained apart from the examination, from somebody entitled, covering these purposes."""
    covers = frozenset(purposes)
    return {"consent": Consent.SEPARATELY, "giver_entitled": Answer.YES, "covers": covers, **facts}
