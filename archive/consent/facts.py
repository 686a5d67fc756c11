"""What must be known about a slide's tissue, its recording and its consent before anybody may use the picture.

RULES section 2 names these inputs. Each starts as unknown, and unknown counts as the most restrictive value, save for
two defaults that RULES lists: a patient who is not known to be dead counts as alive for care and for known groups, and
a living patient of whom no refusal is recorded counts as not having refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_origin, get_type_hints

from archive.consent.terms import (
    SECONDARY,
    UNASSESSED,
    Answer,
    Authority,
    Consent,
    Jurisdiction,
    Maturity,
    MightIdentify,
    Purpose,
    Record,
    Recorded,
    State,
    TissueSource,
    Vital,
    word,
)
from archive.errors import InvalidValue

Json = str | bool | list[str] | None
"""What a fact looks like in JSON: one word, yes or no, a list of words, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the decision table asks about one copy of one picture; every field starts as unknown.

    ``covers`` and ``glass_covers`` list the secondary purposes that a consent names; ``recorded_for`` is the one that a
    post-mortem picture was made for. ``refused_for`` lists the secondary purposes that were refused or withdrawn while
    others were not, and ``refused_publication`` says that a consent excepts publication. ``state`` is what is claimed
    of the copy that would be shown, and ``report_bound`` whether a passed de-identification report is bound to exactly
    those bytes. ``second_person`` says that a second person also looked and found nothing that might identify.
    ``pre_1997_collection`` means an old teaching collection.

    Raises
    ------
    InvalidValue
        If a field holds anything but its own kind of value.
    """

    source: TissueSource = TissueSource.UNKNOWN
    authority: Authority = Authority.UNKNOWN
    authority_open: Answer = Answer.UNKNOWN
    recorded: Recorded = Recorded.UNKNOWN
    recorded_for: Purpose | None = None
    consent: Consent = Consent.UNKNOWN
    covers: frozenset[Purpose] = frozenset()
    covers_identifiable: Answer = Answer.UNKNOWN
    covers_publication: Answer = Answer.UNKNOWN
    giver_entitled: Answer = Answer.UNKNOWN
    refused_for: frozenset[Purpose] = frozenset()
    refused_publication: bool = False
    vital: Vital = Vital.UNKNOWN
    maturity: Maturity = Maturity.UNKNOWN
    had_capacity: Answer = Answer.UNKNOWN
    pre_1997_collection: bool = False
    state: State = State.IDENTIFIABLE
    report_bound: bool = False
    might_identify: MightIdentify = UNASSESSED
    second_person: bool = False
    records: frozenset[Record] = frozenset()
    jurisdiction: Jurisdiction = Jurisdiction.UNKNOWN
    fiscal_notice: Answer = Answer.UNKNOWN
    glass_held_before_2006: Answer = Answer.UNKNOWN
    glass_covers: frozenset[Purpose] = frozenset()

    def __post_init__(self) -> None:
        for name, kind in _KINDS.items():
            if not isinstance(getattr(self, name), kind):
                raise InvalidValue(f"{name}: this is not a value that the fact can have")
        named = self.covers | self.refused_for | self.glass_covers | {self.recorded_for}
        if not named <= SECONDARY | {None}:
            raise InvalidValue(
                "covers, refused_for, glass_covers, recorded_for: only audit, research, teaching or other secondary"
            )
        if not all(isinstance(record, Record) for record in self.records):
            raise InvalidValue("records: there is one that the table does not know")

    def to_json(self) -> dict[str, Json]:
        """Every field as JSON, in the order of the class; sets as sorted lists."""
        return {name: _as_json(getattr(self, name)) for name in _KINDS}

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> "Facts":
        """Read what `to_json` wrote; a field that is not there is unknown.

        Raises
        ------
        InvalidValue
            If there is any other field, or a value that the field cannot have. What was found is not repeated, since
            it could be anything.
        """
        if not isinstance(data, Mapping) or not data.keys() <= _KINDS.keys():
            raise InvalidValue(f"facts: expected an object with no other fields than {', '.join(_KINDS)}")
        return cls(**{name: _read(name, value) for name, value in data.items()})


_KINDS: dict[str, Any] = {name: get_origin(hint) or hint for name, hint in get_type_hints(Facts).items()}
_KINDS["recorded_for"] = Purpose | None


def _read(name: str, value: object) -> Any:
    """Turn the JSON of one field into its value."""
    kind = _KINDS[name]
    if kind is frozenset:
        if not isinstance(value, list):
            raise InvalidValue(f"{name}: expected a list")
        return frozenset(word(Record if name == "records" else Purpose, name, item) for item in value)
    if kind is MightIdentify:
        return MightIdentify.parse(value if isinstance(value, str) else "")
    if kind is bool or (name == "recorded_for" and value is None):
        return value  # the class itself refuses what is neither true nor false
    return word(Purpose if name == "recorded_for" else kind, name, value)


def _as_json(value: object) -> Json:
    if value is None or isinstance(value, bool):
        return value
    return sorted(map(str, value)) if isinstance(value, frozenset) else str(value)
