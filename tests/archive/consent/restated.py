"""RULES section 2 said a second time, from its text alone, in the words of a delivery list.

Nothing of what decides is imported here, neither its table nor its vocabularies: where the two differ, one is wrong.
What the text leaves open is read as strictly as it can be. Where it does not say which row refuses, ``row`` is None.
A refusal that names only some uses (N1; paragraphs 9 and 47) is told as ``refused_for`` and ``refused_publication``.

Three readings are not in the text's very words. The laboratory belongs to those who treat, and to the post-mortem team
(L1, M1). Post-mortem pictures not made as part of the examination are kept as if a named project asked for them (K3),
since for the laboratory, which holds the key, no picture is coded. Nobody publishes in order to care or to keep.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace

SECONDARY = ("audit", "research", "teaching", "other secondary")
PURPOSES = ("keep", "care", "cause of death", *SECONDARY)
RECIPIENTS = ("laboratory", "care team", "project", "class", "public")

IDS = (
    *("Z1", "Z2", "Z3", "Z4", "Z5", "Z6", "K1", "K2", "K3", "K4", "N1", "N2", "P1", "P3", "P4", "P5", "P6", "P7"),
    *("L1", "L2", "L3", "L4", "L5", "L6", "L9", "L10", "L11", "D0", "D1", "D2", "D3"),
    *("M1", "M15", "M12", "M13", "M2", "M2b", "M3", "M4", "M5", "M6", "M7", "M10", "M11", "M14"),
    *("R1", "R2", "R3", "R4"),
)
"""Every row of section 2."""

Words = Mapping[str, object]
"""What is known, by the names of the inputs; what is not there is unknown."""


@dataclass(frozen=True)
class Answer:
    """A verdict, the row that gives it, and the records that are missing."""

    verdict: str
    row: str | None
    missing: Set[str] = frozenset()


@dataclass(frozen=True)
class Question:
    """What is known, and who wants what."""

    known: Words
    purpose: str
    recipient: str
    holds_key: bool
    asked: tuple[str, ...] = ()
    """Records that gates on the way have asked for."""

    def word(self, name: str) -> str:
        return str(self.known.get(name) or "unknown")

    def has(self, name: str, word: str = "yes") -> bool:
        return self.word(name) == word

    def names(self, name: str, word: str) -> bool:
        words = self.known.get(name, ())
        return isinstance(words, Iterable) and word in words

    @property
    def life(self) -> bool:
        return self.has("source", "living")

    @property
    def public(self) -> bool:
        return self.recipient == "public"

    @property
    def covered(self) -> bool:
        return self.names("covers", self.purpose)

    @property
    def state(self) -> str:
        """Z1, Z2, Z3."""
        claimed = str(self.known.get("state", "identifiable"))
        if not self.known.get("report_bound") or (claimed == "coded" and self.holds_key):
            return "identifiable"
        looked = self.word("might_identify")
        enough = looked == "no (person)"
        if self.public:
            enough = enough and bool(self.known.get("second_person"))
        elif self.life:
            enough = enough or looked.startswith("no (screened")
        return claimed if enough else "identifiable"

    def deny(self, row: str | None) -> Answer:
        return Answer("deny", row)

    def allow(self, row: str, *records: str) -> Answer:
        """Allow once every record exists that this row and the gates before it ask for."""
        missing = frozenset(one for one in (*self.asked, *records) if not self.names("records", one))
        return Answer("requires" if missing else "allow", row, missing)


def restated(known: Words, purpose: str, recipient: str, *, holds_key: bool) -> Answer:
    """Say what section 2 says."""
    question = Question(known, purpose, recipient, holds_key)
    if not question.life and (refused := _unestablished(question)):
        return refused
    if question.life and purpose == "cause of death":
        return question.deny("Z6")
    if purpose in SECONDARY:
        return _secondary(question)
    if question.public:
        return question.deny(None)
    if purpose == "keep":
        return _kept(question) if recipient == "laboratory" else question.deny("default")
    if recipient not in ("laboratory", "care team"):
        return question.deny("default")
    return _treating(question)


def _unestablished(question: Question) -> Answer | None:
    """Z4, Z5, K4: nobody knows whether it is post-mortem, or on what authority."""
    authority = question.word("authority")
    kept = question.purpose == "keep" and question.recipient == "laboratory"
    if question.has("source", "unknown") or authority == "unknown":
        return question.deny("K4" if kept else "Z4")
    return question.deny("Z4") if authority == "none" else None


def _kept(question: Question) -> Answer:
    """Stage 0b."""
    if question.life:
        return question.allow("K1")
    if question.has("recorded", "as part of the examination"):
        return question.allow("K2")
    made_for = question.known.get("recorded_for")
    purposes = (str(made_for),) if made_for else SECONDARY
    uses = [_secondary(replace(question, purpose=one, recipient="project", holds_key=False)) for one in purposes]
    strictest = min(uses, key=lambda use: ("deny", "requires", "allow").index(use.verdict))
    same = {(use.row, use.missing) for use in uses if use.verdict == strictest.verdict}
    return strictest if len(same) == 1 else Answer(strictest.verdict, None)


def _treating(question: Question) -> Answer:
    """L1, D0, M1, M15."""
    if question.life:
        return question.allow("D0", "clinical authority") if question.has("vital", "dead") else question.allow("L1")
    if question.purpose == "care":
        return question.allow("M15", "clinical authority")
    return question.allow("M1")


def _secondary(question: Question) -> Answer:
    """Stages 1 and 1b, then 2, 3 or 4."""
    this_use = question.names("refused_for", question.purpose)
    if (
        question.has("consent", "refused")
        or this_use
        or (question.public and question.known.get("refused_publication"))
    ):
        return question.deny("N1")
    if question.has("consent", "withdrawn"):
        return question.deny("N2")
    if not question.life and question.has("authority", "coroner"):
        if question.has("consent", "obtained with the post-mortem consent"):
            return question.deny("M12")
        if not question.has("authority_open", "no"):
            question = replace(question, asked=("coroner's agreement",))
    if question.public:
        return _published(question)
    return _from_life(question) if question.life else _post_mortem(question)


def _published(question: Question) -> Answer:
    """Stage 2; the row P2 does not exist."""
    if question.state != "anonymised":
        return question.deny("P1")
    if question.life:
        return question.allow("P3") if question.has("vital", "alive") else question.allow("P4", "family consultation")
    if question.has("consent", "not foreseen"):
        return question.allow("P6", "governance sign-off", "family consultation")
    if not (_claimed(question) and question.covered and question.has("covers_publication")):
        return question.deny("P7")
    return question.allow("P5", "family consultation") if _given(question) else question.deny("default")


def _from_life(question: Question) -> Answer:
    """Stage 3, for a known group."""
    consented = question.has("consent", "obtained")
    matching = consented and question.covered and question.has("covers_identifiable")
    if question.known.get("pre_1997_collection"):
        if question.state == "anonymised":
            return question.allow("L11")
        if question.state == "identifiable" and not consented:
            return question.deny("L11")
    if question.has("vital", "dead"):
        if question.state != "identifiable":
            return question.allow("D2")
        return question.allow("D1", "family consultation") if matching else question.deny("D3")
    if question.state != "identifiable":
        return question.allow("L2" if question.state == "anonymised" else "L3")
    if not consented:
        return question.deny(None if _claimed(question) else "L4")
    return question.allow("L5", *_gates_of_l5(question)) if matching else question.deny("L6")


def _gates_of_l5(question: Question) -> Iterable[str]:
    """L9, L10; who is not known to have been grown up and able counts as neither."""
    if not question.has("maturity", "adult"):
        yield "child's or parent's consent"
    if question.word("maturity") in ("child, now adult", "unknown"):
        yield "offer at maturity"
    if not question.has("had_capacity"):
        yield "best interests"


def _post_mortem(question: Question) -> Answer:
    """Stage 4, for a known group."""
    identifiable = question.state == "identifiable"
    if question.has("consent", "not foreseen"):
        return question.deny("M6") if identifiable else question.allow("M5")
    if question.has("consent", "foreseen, not asked"):
        return question.deny("M7")
    if not _claimed(question):
        return question.deny("M10" if identifiable else "M11")
    if not question.covered:
        return question.deny("M4")
    if identifiable:
        to_group = question.recipient in ("project", "class")
        good = _given(question) and question.has("covers_identifiable") and to_group
        return question.allow("M3") if good else question.deny("M3")
    if not _given(question):
        return question.deny("default")
    return question.allow("M2b" if question.has("consent", "obtained separately") else "M2")


def _claimed(question: Question) -> bool:
    """Whether somebody is said to have consented, to whatever."""
    return question.word("consent").startswith("obtained")


def _given(question: Question) -> bool:
    """Whether post-mortem consent came from somebody who could give it, in a way in which it could be given."""
    if question.has("consent", "obtained separately"):
        return question.has("giver_entitled")
    return question.has("consent", "obtained with the post-mortem consent") and question.has("authority", "hospital")


def glass_restated(known: Words, purpose: str) -> dict[str, bool]:
    """Say which of R3 and R4 is shown beside a decision about a secondary purpose, and whether it is met."""
    question = Question(known, purpose, "project", False)
    if question.life or purpose not in SECONDARY:
        return {}
    agreed = question.names("glass_covers", purpose)
    place = question.word("jurisdiction")
    told = {}
    if place != "Scotland":
        told["R3"] = agreed or question.has("glass_held_before_2006")
    if place in ("Scotland", "unknown"):
        notice = question.has("authority", "coroner") and question.has("fiscal_notice")
        told["R4"] = agreed or (notice and purpose == "audit")
    return told
