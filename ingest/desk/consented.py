"""The consent of one case as the desk shows it: each record and whether it counts, and what follows for each use."""

from collections.abc import Mapping
from dataclasses import dataclass

from archive.codes import Code, InternalKey
from archive.consent import Decision, Facts, Purpose, Recipient, explain
from archive.consent.recorded import in_force
from archive.consent.records import ConsentRecord
from archive.consent.terms import SECONDARY
from archive.errors import UnknownCode
from archive.holdings.consenting import Handled, Kept, of_case
from archive.records import CaseRecord, ScanStatus
from ingest.desk.finding import Tray, held
from ingest.desk.room import Room
from ingest.keyvault import FoundCase

USES = (
    ("Care, within the laboratory", Purpose.CARE, Recipient.LABORATORY),
    ("Audit, within the laboratory", Purpose.AUDIT, Recipient.LABORATORY),
    ("Teaching a class", Purpose.TEACHING, Recipient.CLASS),
    ("A research project", Purpose.RESEARCH, Recipient.PROJECT),
    ("Teaching the public", Purpose.TEACHING, Recipient.PUBLIC),
)
"""What may be asked about a case, from the narrowest circle of people to the widest."""

_SAYS_NOTHING: tuple[object, ...] = (None, "", [], False, "unknown", "unassessed")


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """One record of a case, or of its patient; ``counts_for`` names what it decides now, and is empty if overtaken."""

    number: int
    key: InternalKey
    of_patient: bool
    annulled: bool
    counts_for: tuple[str, ...]
    record: ConsentRecord

    @property
    def giver(self) -> str:
        """In which role somebody answered."""
        return f"{self.record.giver} {self.record.rank or ''}".strip() if self.record.giver else ""

    @property
    def scope(self) -> str:
        """What the answer is about."""
        return "everything" if self.record.scope == SECONDARY else ", ".join(sorted(self.record.scope))

    @property
    def more(self) -> tuple[str, ...]:
        """What else a consent says."""
        record = self.record
        told = (("identifiable use", record.identifiable), ("publication", record.publication))
        said = [f"{name}: {answer}" for name, answer in told if answer not in _SAYS_NOTHING]
        return (*said, "with the consent to the examination") if record.with_examination else tuple(said)

    @property
    def found_out(self) -> tuple[str, ...]:
        """What was found out."""
        return _said(self.record.to_json().get("established", {}))


@dataclass(frozen=True, slots=True)
class ShownUse:
    """A use, the answer to it for some of the slides, and that answer written out."""

    name: str
    decision: Decision
    slides: tuple[str, ...]

    @property
    def explained(self) -> str:
        """The answer, why, what is to be done and what would change it."""
        return explain(self.decision)


@dataclass(frozen=True, slots=True)
class ShownConsent:
    """All that the page of a case's consent shows. ``facts`` are those that somebody told or found out."""

    code: Code
    record: CaseRecord
    records: tuple[ShownRecord, ...]
    handled: tuple[Handled, ...]
    uses: tuple[ShownUse, ...]

    @property
    def facts(self) -> tuple[str, ...]:
        """What is known of the case."""
        return _said(self.record.facts.to_json())


def consent_of(room: Room, tray: Tray, place: int) -> ShownConsent:
    """Give the consent of one of the cases that were found, as it is now.

    Raises
    ------
    UnknownCode
        If there is no such case, or nothing of it is in the archive.
    """
    case = tray.found(place)
    record = room.archive.case(case.key)
    slides = [slide for found in case.slides if (slide := held(room, case, found)) is not None]
    if record is None or not slides:
        raise UnknownCode("nothing of this case is in the archive")
    records, handled = of_case(room.archive, case.key)
    return ShownConsent(slides[0].case_code, record, _shown(record.told, records), handled, _uses(room, case))


def _shown(told: Facts, records: tuple[Kept, ...]) -> tuple[ShownRecord, ...]:
    counted = [one for one in records if not one.annulled]
    counts = dict(zip((one.number for one in counted), in_force(told, [one.record for one in counted]), strict=True))
    return tuple(
        ShownRecord(
            one.number,
            one.key,
            one.of_patient,
            one.annulled,
            tuple(name.replace("_", " ") for name in sorted(counts.get(one.number, ()))),
            one.record,
        )
        for one in records
    )


def _uses(room: Room, case: FoundCase) -> tuple[ShownUse, ...]:
    """Decide each use for every slide, and put slides with the same answer together."""
    shown = []
    for name, purpose, recipient in USES:
        decided: dict[str, tuple[Decision, list[str]]] = {}
        for found in case.slides:
            slide = held(room, case, found)
            if slide is None or all(scan.record.status is not ScanStatus.KEPT for scan in slide.scans):
                continue
            decision = room.archive.decide(slide.record.key, purpose, recipient)
            decided.setdefault(decision.digest, (decision, []))[1].append(f"{found.block} · {found.slide}")
        shown += [ShownUse(name, decision, tuple(slides)) for decision, slides in decided.values()]
    return tuple(shown)


def _said(facts: Mapping[str, object]) -> tuple[str, ...]:
    told = {name: value for name, value in facts.items() if name not in ("state", "report_bound")}
    return tuple(
        f"{name.replace('_', ' ')}: {', '.join(map(str, value)) if isinstance(value, list) else _word(value)}"
        for name, value in told.items()
        if value not in _SAYS_NOTHING
    )


def _word(value: object) -> str:
    return "yes" if value is True else str(value)
