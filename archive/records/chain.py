"""Patient, case, block, slide: the chain that a pathologist follows from a person's tissue to one piece of glass.

Each link is known here by its internal key alone. What consent was given belongs to the case, since it was asked once
for all tissue of one examination.
"""

import re
from dataclasses import dataclass

from archive.codes import InternalKey
from archive.consent import Facts
from archive.errors import InvalidValue
from archive.records.concept import Concept
from archive.records.stain import Stain

_KEY = re.compile(r"[0-9a-f]{32}")


def require_keys(*keys: InternalKey | None) -> None:
    """Refuse what is no internal key, so that nothing else can ever stand where a key belongs."""
    if not all(key is None or (isinstance(key, str) and _KEY.fullmatch(key)) for key in keys):
        raise InvalidValue("an internal key has 32 hexadecimal digits")


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """One examination of one patient, and what is known about its tissue and consent.

    ``facts`` are those of the case: what its delivery list told, and what consent records say since; ``stated`` is the
    former alone, where there is a difference. What is claimed of a single copy (state, report) is known by the scan,
    and stays at its default here; the grade may be a person's attestation for the whole case.
    """

    key: InternalKey
    patient: InternalKey
    facts: Facts
    stated: Facts | None = None

    def __post_init__(self) -> None:
        require_keys(self.key, self.patient)
        if not isinstance(self.facts, Facts):
            raise InvalidValue("a case has the facts of its consent, unknown ones included")
        if any((facts.state, facts.report_bound) != (Facts().state, False) for facts in (self.facts, self.told)):
            raise InvalidValue("state and report belong to one scan and are told by its record, not by the case")

    @property
    def told(self) -> Facts:
        """What the delivery list told, with the defaults of its feed, as corrected."""
        return self.facts if self.stated is None else self.stated


@dataclass(frozen=True, slots=True)
class SlideRecord:
    """One piece of glass: its case, the block it was cut from, and what is on it."""

    key: InternalKey
    case: InternalKey
    block: InternalKey | None = None
    stain: Stain | None = None
    organ: Concept | None = None
    diagnosis: Concept | None = None

    def __post_init__(self) -> None:
        require_keys(self.key, self.case, self.block)
        if not isinstance(self.stain, Stain | None):
            raise InvalidValue("a stain is one of the closed list, or not told")
