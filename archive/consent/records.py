"""Somebody said yes or no, or somebody found something out: one record for each, in the words of RULES section 2.

A record is never changed. What it says may be overtaken by a later one, or it may be annulled as a mistake. Who signed,
on which day and on which form lies in the key vault; here stand the role, the answer and its scope, and the order.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from archive.consent.facts import Facts, Json
from archive.consent.terms import SECONDARY, Answer, Grade, Purpose, word
from archive.errors import InvalidValue

ESTABLISHED = (
    *("source", "authority", "authority_open", "recorded", "recorded_for", "vital", "maturity", "had_capacity"),
    *("pre_1997_collection", "might_identify", "jurisdiction", "fiscal_notice"),
    *("glass_held_before_2006", "glass_covers"),
)
"""The facts that a record may establish; consent is what is said, and documents are obligations that are done."""

LOWEST_RANK = 11
"""Scotland's list of nearest relatives is the longest (Human Tissue (Scotland) Act 2006, section 50)."""

NOTHING = Facts()
"""Nothing was found out."""

_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


class Said(StrEnum):
    """What was answered, or why there is no answer."""

    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    NOT_ASKED = "foreseen, not asked"
    NOT_FORESEEN = "not foreseen"
    """A named person attests that nobody could have asked (who, when and why lie in the key vault)."""


class Giver(StrEnum):
    """Who answered, by role."""

    SELF = "self"
    REPRESENTATIVE = "nominated representative"
    DECIDER = "legal authority"
    """Whoever may decide for an adult without capacity: attorney, deputy, guardian or court."""
    PARENT = "parental responsibility"
    RELATION = "qualifying relation"
    """A relative or friend of the dead, by the rank that the law gives; 1 is the highest."""


ANSWERS = frozenset({Said.GIVEN, Said.REFUSED, Said.WITHDRAWN})
"""What somebody says; the other two say that nobody was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecord:
    """One answer, or one finding, about a case or about all cases of a patient.

    Parameters
    ----------
    said : Said, optional
        The answer; None for a record that only establishes facts.
    giver, rank : Giver and int, optional
        Who answered; the rank, counted from 1, belongs to a qualifying relation.
    purposes : frozenset of Purpose
        The secondary purposes that are spoken of; a refusal, a withdrawal or an attestation that names none means all.
    identifiable, publication : Answer
        Whether a consent covers identifiable use, and publication. ``no`` to publication is a refusal of it.
    with_examination : bool
        Whether it was given with the consent to a post-mortem examination.
    entitled : Answer
        Whether somebody who answers for another may: the record says so, or nobody knows.
    established : Facts
        What was found out; ``tells`` names the facts that count.
    by : str
        The staff account that recorded it, and that assessed, where the record tells ``might_identify``.

    Raises
    ------
    InvalidValue
        If the parts contradict each other, or nothing is said.
    """

    by: str
    said: Said | None = None
    giver: Giver | None = None
    rank: int | None = None
    purposes: frozenset[Purpose] = frozenset()
    identifiable: Answer = Answer.UNKNOWN
    publication: Answer = Answer.UNKNOWN
    with_examination: bool = False
    entitled: Answer = Answer.UNKNOWN
    established: Facts = NOTHING
    tells: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not _ACCOUNT.fullmatch(self.by):
            raise InvalidValue("a consent record names the account that recorded it: letters, digits, dots, hyphens")
        if not self.tells <= set(ESTABLISHED):
            raise InvalidValue(f"a consent record can establish {', '.join(ESTABLISHED)}")
        unnamed = NOTHING.to_json().keys() - self.tells
        if any(getattr(self.established, name) != getattr(NOTHING, name) for name in unnamed):
            raise InvalidValue("a consent record establishes the facts that it names, and no others")
        if "might_identify" in self.tells and self.established.might_identify.grade is Grade.NO_SCREENED:
            raise InvalidValue("a consent record has a person's assessment; a screening is told by its scan")
        if self.said is None and not self.tells:
            raise InvalidValue("a consent record says what was answered, or what was found out")
        _require_answer(self)

    @property
    def scope(self) -> frozenset[Purpose]:
        """The purposes that the answer is about."""
        return self.purposes or (frozenset() if self.said in (None, Said.GIVEN) else SECONDARY)

    @property
    def may_answer(self) -> bool:
        """Whether the giver may: patients may answer for themselves, others if the record says so."""
        return self.giver is Giver.SELF or self.entitled is Answer.YES

    @property
    def standing(self) -> int:
        """How high the giver's word stands; 0 is the patient's own."""
        if self.giver is Giver.RELATION:
            return 3 + (self.rank or LOWEST_RANK)
        return {Giver.SELF: 0, Giver.REPRESENTATIVE: 1, Giver.DECIDER: 2, Giver.PARENT: 3}.get(
            self.giver or Giver.RELATION, 3 + LOWEST_RANK
        )

    def to_json(self) -> dict[str, Any]:
        """Give the record as JSON, without what it does not say."""
        told = self.established.to_json()
        content: dict[str, Any] = {
            "said": self.said and str(self.said),
            "giver": self.giver and str(self.giver),
            "rank": self.rank,
            "purposes": sorted(map(str, self.purposes)),
            "identifiable": _unless_unknown(self.identifiable),
            "publication": _unless_unknown(self.publication),
            "with_examination": self.with_examination,
            "entitled": _unless_unknown(self.entitled),
            "established": {name: told[name] for name in sorted(self.tells)},
        }
        return {"by": self.by} | {name: value for name, value in content.items() if value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ConsentRecord":
        """Read what `to_json` wrote.

        Raises
        ------
        InvalidValue
            If it is anything else. What was found is not repeated.
        """
        names = set(cls.__dataclass_fields__) - {"tells"}
        if not isinstance(data, Mapping) or not data.keys() <= names or not isinstance(data.get("by"), str):
            raise InvalidValue(f"a consent record is an object with no other fields than {', '.join(sorted(names))}")
        told: Mapping[str, Json] = data.get("established", {})
        rank = data.get("rank")
        if isinstance(rank, bool) or not isinstance(rank, int | None):
            raise InvalidValue("rank: expected a whole number")
        return cls(
            by=data["by"],
            said=word(Said, "said", data["said"]) if "said" in data else None,
            giver=word(Giver, "giver", data["giver"]) if "giver" in data else None,
            rank=rank,
            purposes=frozenset(word(Purpose, "purposes", one) for one in data.get("purposes", [])),
            **{name: word(Answer, name, data[name]) for name in _ANSWERED if name in data},
            with_examination=data.get("with_examination") is True,
            established=Facts.from_json(told),
            tells=frozenset(told),
        )


_ANSWERED = ("identifiable", "publication", "entitled")


def _unless_unknown(answer: Answer) -> str | None:
    return None if answer is Answer.UNKNOWN else str(answer)


def _require_answer(record: ConsentRecord) -> None:
    """Refuse an answer without somebody who gave it, and a scope that no answer has."""
    given = record.said is Said.GIVEN
    if (record.said in ANSWERS) != (record.giver is not None):
        raise InvalidValue(
            "say in which role somebody gave, refused or withdrew consent, such as self; where nobody answered, in none"
        )
    if (record.rank is not None) != (record.giver is Giver.RELATION):
        raise InvalidValue("a qualifying relation has a rank, and nobody else has; 1 is the highest")
    if record.rank is not None and not 1 <= record.rank <= LOWEST_RANK:
        raise InvalidValue(f"the rank of a relation is from 1, the highest, to {LOWEST_RANK}")
    if not record.purposes <= SECONDARY:
        raise InvalidValue("purposes: only audit, research, teaching or other secondary; care needs no consent here")
    if given and not record.purposes:
        raise InvalidValue("a consent names its purposes: audit, research, teaching or other secondary")
    if record.said is None and record.purposes:
        raise InvalidValue("purposes belong to an answer; say what was answered")
    scoped = (record.identifiable, record.publication, record.entitled) != (Answer.UNKNOWN,) * 3
    if not given and (scoped or record.with_examination):
        raise InvalidValue("only a consent covers identifiable use or publication, or was given with an examination")
