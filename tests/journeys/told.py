"""What, for every row of RULES section 2, a laboratory's list tells of a case, and the question that leads there."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.screening import VERSION

HOSPITAL = {"tissue": "post-mortem", "authority": "hospital", "recorded": "as part of the examination"}
CORONER = {**HOSPITAL, "authority": "coroner", "authority_open": "no"}
OPEN = {**CORONER, "authority_open": "yes"}
LOOKED = {"might_identify": "no", "assessed_by": "Dr A. Curator"}
LOOKED_TWICE = {**LOOKED, "assessed_also_by": "Dr B. Reader"}
TELLING = {"might_identify": "yes"}
CONSENTED = {"consent": "obtained", "covers": "teaching"}
GROWN_UP = {"maturity": "adult", "had_capacity": "yes"}
IDENTIFIABLY = {**CONSENTED, "covers_identifiable": "yes"}
WITH_POST_MORTEM = {"consent": "obtained with the post-mortem consent", "covers": "teaching; research"}
SEPARATELY = {"consent": "obtained separately", "covers": "teaching", "giver_entitled": "yes"}
NOT_FORESEEN = {
    "consent": "not foreseen",
    "not_foreseen_by": "Dr A. Curator",
    "not_foreseen_on": "2026-03-01",
    "not_foreseen_why": "the collection was planned in 2026",
}
FOR_TEACHING = {**HOSPITAL, "recorded": "for a secondary purpose", "recorded_for": "teaching"}
LATER = {**HOSPITAL, "recorded": "later"}
ANY_USE = {**WITH_POST_MORTEM, "covers": "audit; research; teaching; other secondary"}

CARE = ("care", "care team")
CAUSE = ("cause of death", "care team")
KEEP = ("keep", "laboratory")
CLASS = ("teaching", "class")
PROJECT = ("research", "project")
PUBLIC = ("teaching", "public")


@dataclass(frozen=True)
class Told:
    """What the list tells besides patient, case, block and stain, and the question that leads to the row."""

    columns: Mapping[str, str] = field(default_factory=dict)
    question: tuple[str, str] = CLASS

    @property
    def post_mortem(self) -> bool:
        """Whether it is told of post-mortem tissue."""
        return "tissue" in self.columns


CASES = {
    "Z2": Told({}, ("audit", "laboratory")),
    "Z3": Told(TELLING),
    "Z3, after a post-mortem, screened only": Told({**HOSPITAL, **WITH_POST_MORTEM}),
    "Z4": Told({**HOSPITAL, "authority": "none"}, CARE),
    "Z5": Told({**HOSPITAL, **LOOKED}),
    "Z6": Told({}, CAUSE),
    "K1": Told({"consent": "refused"}, KEEP),
    "K2": Told({**HOSPITAL, "consent": "refused"}, KEEP),
    "K3": Told({**FOR_TEACHING, **LOOKED, **WITH_POST_MORTEM}, KEEP),
    "K3, refused": Told({**FOR_TEACHING, **LOOKED, "consent": "refused"}, KEEP),
    "K3, for what nobody knows": Told({**FOR_TEACHING, **LOOKED, **WITH_POST_MORTEM, "recorded_for": ""}, KEEP),
    "K4": Told({"tissue": "post-mortem", "recorded": "as part of the examination"}, KEEP),
    "N1": Told({"consent": "refused"}),
    "N1, post-mortem": Told({**HOSPITAL, **LOOKED, "consent": "refused"}, PROJECT),
    "N2": Told({"consent": "withdrawn"}, PROJECT),
    "N2, post-mortem": Told({**CORONER, **LOOKED, "consent": "withdrawn"}),
    "M12": Told({**CORONER, **LOOKED, **WITH_POST_MORTEM}),
    "M13": Told({**OPEN, **LOOKED, **NOT_FORESEEN}),
    "M13, agreed": Told({**OPEN, **LOOKED, **NOT_FORESEEN, "records": "coroner's agreement"}),
    "P1": Told({**IDENTIFIABLY, "covers_publication": "yes", **LOOKED_TWICE, "vital": "alive"}, PUBLIC),
    "P3": Told({**LOOKED_TWICE, "vital": "alive"}, PUBLIC),
    "P4": Told({**LOOKED_TWICE, "vital": "dead"}, PUBLIC),
    "P4, decided": Told({**LOOKED_TWICE, "vital": "dead", "records": "family consultation"}, PUBLIC),
    "P5": Told({**HOSPITAL, **LOOKED_TWICE, **WITH_POST_MORTEM, "covers_publication": "yes"}, PUBLIC),
    "P5, decided": Told(
        {**HOSPITAL, **LOOKED_TWICE, **SEPARATELY, "covers_publication": "yes", "records": "family consultation"},
        PUBLIC,
    ),
    "P6": Told({**HOSPITAL, **LOOKED_TWICE, **NOT_FORESEEN, "records": "family consultation"}, PUBLIC),
    "P6, decided": Told(
        {**HOSPITAL, **LOOKED_TWICE, **NOT_FORESEEN, "records": "family consultation; governance sign-off"}, PUBLIC
    ),
    "P7": Told({**HOSPITAL, **LOOKED_TWICE, "consent": "foreseen, not asked"}, PUBLIC),
    "L1": Told({"consent": "withdrawn"}, CARE),
    "L2": Told(LOOKED_TWICE),
    "L3": Told({}, PROJECT),
    "L4": Told({**TELLING, "consent": "not recorded"}, PROJECT),
    "L5": Told({**TELLING, **IDENTIFIABLY, **GROWN_UP}),
    "L6": Told({**TELLING, **IDENTIFIABLY, **GROWN_UP}, PROJECT),
    "L9": Told({**TELLING, **IDENTIFIABLY, **GROWN_UP, "maturity": "child"}),
    "L9, agreed": Told(
        {**TELLING, **IDENTIFIABLY, **GROWN_UP, "maturity": "child", "records": "child's or parent's consent"}
    ),
    "L9, now adult": Told(
        {**TELLING, **IDENTIFIABLY, **GROWN_UP, "maturity": "child, now adult", "records": "offer at maturity"}
    ),
    "L10": Told({**TELLING, **IDENTIFIABLY, **GROWN_UP, "had_capacity": "no"}),
    "L10, decided": Told(
        {**TELLING, **IDENTIFIABLY, **GROWN_UP, "had_capacity": "unknown", "records": "best interests"}
    ),
    "L11": Told({**LOOKED_TWICE, "pre_1997_collection": "yes"}),
    "L11, might identify": Told({**TELLING, "pre_1997_collection": "yes"}),
    "D0": Told({"vital": "dead"}, CARE),
    "D0, authorised": Told({"vital": "dead", "records": "clinical authority"}, CARE),
    "D1": Told({**TELLING, **IDENTIFIABLY, "vital": "dead"}),
    "D1, decided": Told({**TELLING, **IDENTIFIABLY, "vital": "dead", "records": "family consultation"}),
    "D2": Told({"vital": "dead"}, PROJECT),
    "D3": Told({**TELLING, **CONSENTED, "vital": "dead"}),
    "M1": Told({**CORONER, "consent": "refused"}, CAUSE),
    "M15": Told(HOSPITAL, CARE),
    "M15, authorised": Told({**CORONER, "records": "clinical authority"}, CARE),
    "M2": Told({**HOSPITAL, **LOOKED, **WITH_POST_MORTEM}),
    "M2b": Told({**CORONER, **LOOKED, **SEPARATELY}),
    "default, nobody knows who consented": Told({**HOSPITAL, **LOOKED, **SEPARATELY, "giver_entitled": ""}),
    "M3": Told({**HOSPITAL, **WITH_POST_MORTEM, "covers_identifiable": "yes"}),
    "M3, to no named group": Told(
        {**HOSPITAL, **TELLING, **ANY_USE, "covers_identifiable": "yes"}, ("audit", "laboratory")
    ),
    "M4": Told({**HOSPITAL, **LOOKED, **SEPARATELY}, PROJECT),
    "M5": Told({**HOSPITAL, **LOOKED, **NOT_FORESEEN}),
    "M6": Told({**HOSPITAL, **TELLING, **NOT_FORESEEN}, PROJECT),
    "M7": Told({**HOSPITAL, **LOOKED, "consent": "foreseen, not asked"}),
    "M10": Told({**HOSPITAL, "consent": "not recorded"}),
    "M11": Told({**CORONER, **LOOKED, "consent": "not recorded"}, PROJECT),
    "M14": Told({**HOSPITAL, **LOOKED, **NOT_FORESEEN}, ("audit", "project")),
    "R1": Told({**HOSPITAL, **LOOKED, **ANY_USE}, ("other secondary", "project")),
    "R2": Told({**LATER, **LOOKED, **ANY_USE}),
    "R2, nothing recorded": Told({**LATER, **LOOKED}),
    "R3": Told({**HOSPITAL, **LOOKED, **WITH_POST_MORTEM, "jurisdiction": "Wales"}, PROJECT),
    "R4": Told(
        {**CORONER, **LOOKED, **SEPARATELY, "jurisdiction": "Scotland", "fiscal_notice": "yes"}, ("audit", "class")
    ),
}
"""By the row, and what sets this case apart from others of the same row."""

_FIRST_SCREENING = f"no (screened, {VERSION})"
"""What a screening says of a slide on which it saw nothing."""
_LISTS = ("covers", "records", "glass_covers")
_PERSONS = {"yes": "yes", "no": "no (person)"}


def known_of(told: Told, jurisdiction: str = "England") -> dict[str, object]:
    """Say what is known of the copy that the archive has, in the words of RULES section 2, from what the list tells.

    Parameters
    ----------
    told : Told
        The list's row.
    jurisdiction : str
        The feed's.
    """
    columns = {name: word for name, word in told.columns.items() if word}
    known: dict[str, object] = {"source": columns.get("tissue", "living"), "jurisdiction": jurisdiction}
    left_out = ("tissue", "might_identify", "assessed_by", "assessed_also_by", *NOT_FORESEEN)
    known |= {name: word for name, word in columns.items() if name not in left_out or name == "consent"}
    known |= {name: columns[name].split("; ") for name in _LISTS if name in columns}
    known["pre_1997_collection"] = columns.get("pre_1997_collection") == "yes"
    known["might_identify"] = _PERSONS.get(columns.get("might_identify", ""), _FIRST_SCREENING)
    known["second_person"] = "assessed_also_by" in columns
    return {**known, "state": "coded", "report_bound": True}
