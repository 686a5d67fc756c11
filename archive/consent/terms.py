"""The closed vocabularies in which consent is recorded and asked about, in the words of RULES section 2.

Where a vocabulary has ``unknown``, the comment says as what it counts.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from archive.errors import InvalidValue

E = TypeVar("E", bound=StrEnum)


def word(kind: type[E], name: str, value: object) -> E:
    """Find the member of a vocabulary.

    Raises
    ------
    InvalidValue
        If there is none. What was found is not repeated, since it could be anything.
    """
    for member in kind:
        if isinstance(value, str) and member.value == value:
            return member
    raise InvalidValue(f"{name}: expected one of {', '.join(kind)}")


class Purpose(StrEnum):
    """What the picture is wanted for."""

    KEEP = "keep"
    CARE = "care"
    CAUSE_OF_DEATH = "cause of death"
    AUDIT = "audit"
    RESEARCH = "research"
    TEACHING = "teaching"
    OTHER_SECONDARY = "other secondary"

    @property
    def secondary(self) -> bool:
        """Whether it is not meant to help this patient (paragraph 5); audit is such a purpose."""
        return self in SECONDARY


SECONDARY = frozenset({Purpose.AUDIT, Purpose.RESEARCH, Purpose.TEACHING, Purpose.OTHER_SECONDARY})
"""The secondary purposes of paragraph 5."""


class Recipient(StrEnum):
    """Who would see the picture."""

    LABORATORY = "laboratory"
    CARE_TEAM = "care team"
    PROJECT = "project"
    """A named project."""
    CLASS = "class"
    """A named class of students."""
    PUBLIC = "public"
    """Anyone, and so any address that anyone can open."""


class Answer(StrEnum):
    """Yes, no, or not known."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class TissueSource(StrEnum):
    """Whether the tissue was taken in life. Unknown counts as post-mortem (row Z5)."""

    LIVING = "living"
    POST_MORTEM = "post-mortem"
    UNKNOWN = "unknown"


class Authority(StrEnum):
    """On whose authority the post-mortem examination was made."""

    HOSPITAL = "hospital"
    """With consent, or in Scotland authorisation, to the examination."""
    CORONER = "coroner"
    """The coroner, or in Scotland the procurator fiscal."""
    NONE = "none"
    UNKNOWN = "unknown"


class Recorded(StrEnum):
    """When and why the picture was made of post-mortem tissue. Unknown counts as for a secondary purpose."""

    AS_PART_OF_EXAMINATION = "as part of the examination"
    FOR_SECONDARY_PURPOSE = "for a secondary purpose"
    LATER = "later"
    """From tissue retained after the examination."""
    UNKNOWN = "unknown"


class Consent(StrEnum):
    """What was asked of the patient or the family, and what they answered."""

    OBTAINED = "obtained"
    """Tissue taken in life: from the patient, or from whoever may decide for the patient."""
    WITH_POST_MORTEM = "obtained with the post-mortem consent"
    SEPARATELY = "obtained separately"
    """Post-mortem tissue: not with the consent to the examination; ``giver_entitled`` says by whom."""
    NOT_FORESEEN = "not foreseen"
    """The purpose was not foreseen, and a named person attested it (who, when, why). Without that: not recorded."""
    FORESEEN_NOT_ASKED = "foreseen, not asked"
    NOT_RECORDED = "not recorded"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    """Withdrawn, or there is reason to believe so (paragraph 47)."""
    UNKNOWN = "unknown"
    """Counts as not recorded (row Z5)."""


class Vital(StrEnum):
    """Whether a patient whose tissue was taken in life is alive now."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"
    """Not known to be dead: counts as alive, except before the public."""


class Maturity(StrEnum):
    """Whether the patient was a child when consent to an identifiable use was given."""

    ADULT = "adult"
    CHILD = "child"
    CHILD_NOW_ADULT = "child, now adult"
    UNKNOWN = "unknown"


class State(StrEnum):
    """How much the copy that would be shown tells about the person; the first is the most restrictive."""

    IDENTIFIABLE = "identifiable"
    CODED = "coded"
    ANONYMISED = "anonymised"


class Grade(StrEnum):
    """Who says whether the picture itself might identify the person (paragraph 51; row Z3)."""

    YES = "yes"
    UNASSESSED = "unassessed"
    NO_SCREENED = "no (screened)"
    NO_PERSON = "no (person)"


class Jurisdiction(StrEnum):
    """Whose law governs the glass slide. It never changes what may be done with the picture."""

    ENGLAND = "England"
    WALES = "Wales"
    NORTHERN_IRELAND = "Northern Ireland"
    SCOTLAND = "Scotland"
    UNKNOWN = "unknown"


class Record(StrEnum):
    """A document that a gate of the table asks for. The archive knows that it exists, never what it says."""

    CORONERS_AGREEMENT = "coroner's agreement"
    FAMILY_CONSULTATION = "family consultation"
    """The decision whether to consult the family, with legal advice on family or genetic information (para 48)."""
    GOVERNANCE_SIGN_OFF = "governance sign-off"
    CLINICAL_AUTHORITY = "clinical authority"
    CHILDS_CONSENT = "child's or parent's consent"
    OFFER_AT_MATURITY = "offer at maturity"
    BEST_INTERESTS = "best interests"
    """Best interests, legal authority, or the statute's exception for research."""


_SCREENING = re.compile(r"[a-z][a-z0-9.-]{0,31}")
_SCREENED = re.compile(r"no \(screened, (.+)\)")


@dataclass(frozen=True, slots=True)
class MightIdentify:
    """A grade, and for a screening the version that did it: ``no (screened, structure-1)``."""

    grade: Grade = Grade.UNASSESSED
    screening: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.grade, Grade):
            raise InvalidValue("might identify: the grade is one of the class Grade")
        if bool(self.screening) != (self.grade is Grade.NO_SCREENED):
            raise InvalidValue("might identify: a screening has a version, such as structure-1, and nothing else has")
        if self.screening and not _SCREENING.fullmatch(self.screening):
            raise InvalidValue("might identify: a screening's version is a short word such as structure-1")

    def __str__(self) -> str:
        return f"no (screened, {self.screening})" if self.screening else str(self.grade)

    @classmethod
    def screened(cls, version: str) -> "MightIdentify":
        """``no``, by a screening of that version."""
        return cls(Grade.NO_SCREENED, version)

    @classmethod
    def parse(cls, text: str) -> "MightIdentify":
        """Read the text form.

        Raises
        ------
        InvalidValue
            If it is none of yes, unassessed, no (person), no (screened, VERSION).
        """
        screened = _SCREENED.fullmatch(text)
        return cls.screened(screened[1]) if screened else cls(word(Grade, "might identify", text))


UNASSESSED = MightIdentify()
"""Nobody and nothing has looked."""
