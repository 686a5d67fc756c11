"""What somebody said or found out is recorded, and the next use is decided by it: one act, one transaction.

A record of a patient is of all their cases, those to come too. Whatever was recorded is never edited: a later record
overtakes it, or it is annulled as a mistake. A scan that may not be kept any more is quarantined in the same act.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from archive.auditchain import Value
from archive.catalogue import LABORATORY, Writing, codes, consents, searching, slides
from archive.catalogue.consents import Handled, Kept
from archive.codes import Code, InternalKey, Kind
from archive.consent import Facts
from archive.consent.records import ConsentRecord
from archive.errors import InvalidValue, UnknownCode
from archive.holdings.archive import Archive
from archive.holdings.correction import differing, put_away
from archive.holdings.reading import ReadingRoom
from archive.records import CaseRecord
from archive.wordscreen import screen

__all__ = ["Handled", "Kept", "Outcome", "Subject", "annul", "case_if", "handle", "of_case", "of_patient", "record"]


@dataclass(frozen=True, slots=True)
class Subject:
    """Of what a record is: of one case, or of a patient with all cases, by internal key."""

    case: InternalKey | None = None
    patient: InternalKey | None = None

    def __post_init__(self) -> None:
        if (self.case is None) == (self.patient is None):
            raise InvalidValue("a consent record is of one case, or of one patient")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an act: its subject's code, for each case which facts changed, and which scans are others now."""

    subject: Code
    changed: Mapping[str, Mapping[str, Value]]
    scans: Mapping[str, Value]


def record(archive: Archive, subject: Subject, key: InternalKey, said: ConsentRecord, *, reason: str) -> Outcome:
    """Record what was said or found out.

    Parameters
    ----------
    archive : Archive
        Open for writing.
    subject : Subject
        A known case, or a patient of whom there may be no case yet.
    key : InternalKey
        Random; the key vault keeps the evidence under it.
    said : ConsentRecord
        The record.
    reason : str
        Why it is recorded, without anything that could identify a patient.

    Raises
    ------
    UnknownCode
        If there is no such case.
    FreeTextRefused
        If the reason looks as if it held an identifier.
    """
    with archive.catalogue.writing() as writing:
        if subject.patient is not None:
            consents.add_patient(writing.connection, subject.patient)
        cases = _cases(writing.connection, subject)
        before = _facts(writing.connection, cases)
        number = consents.add(writing.connection, key, said, case=subject.case, patient=subject.patient)
        outcome = _settle(writing, subject, before)
        _tell(writing, "record consent", outcome, reason, number=number, record=said.to_json())
    return outcome


def annul(archive: Archive, subject: Subject, number: int, *, reason: str) -> Outcome:
    """Record that a record was a mistake, such as another patient's: it stays, and counts no more.

    Raises
    ------
    UnknownCode
        If the subject has no record of this number, or it was annulled before.
    """
    with archive.catalogue.writing() as writing:
        connection = writing.connection
        before = _facts(connection, _cases(connection, subject))
        if not any(one.number == number and not one.annulled for one in _own(connection, subject)):
            raise UnknownCode("there is no such record here that counts; see: coverslip consent show")
        consents.annul(connection, number)
        outcome = _settle(writing, subject, before)
        _tell(writing, "annul consent", outcome, reason, number=number)
    return outcome


def handle(archive: Archive, case: InternalKey, handled: Handled) -> Outcome:
    """Record that a document that the rules ask for exists, or that it does not after all.

    Raises
    ------
    UnknownCode
        If there is no such case.
    FreeTextRefused
        If the reason looks as if it held an identifier.
    """
    screen(handled.reason, "a reason")
    subject = Subject(case=case)
    with archive.catalogue.writing() as writing:
        before = _facts(writing.connection, _cases(writing.connection, subject))
        consents.handle(writing.connection, case, handled)
        outcome = _settle(writing, subject, before)
        act = "obligation done" if handled.done else "obligation open again"
        _tell(writing, act, outcome, handled.reason, obligation=str(handled.record), by=handled.by)
    return outcome


def of_case(room: ReadingRoom, case: InternalKey) -> tuple[tuple[Kept, ...], tuple[Handled, ...]]:
    """Give the consent records of a case and of its patient, and the documents that were handled, in their order."""
    with room.catalogue.reading() as connection:
        return consents.of_case(connection, case), consents.handled_of(connection, case)


def of_patient(room: ReadingRoom, patient: InternalKey) -> tuple[Kept, ...]:
    """Give the records of all cases of a patient."""
    with room.catalogue.reading() as connection:
        return consents.of_patient(connection, patient)


def case_if(room: ReadingRoom, case: InternalKey, patient: InternalKey, told: Facts) -> CaseRecord:
    """Say how a case would be recorded if this were told of it and it were this patient's."""
    with room.catalogue.reading() as connection:
        facts = consents.facts_by(connection, case, patient, told)
    return CaseRecord(case, patient, facts, None if facts == told else told)


def _cases(connection: Connection, subject: Subject) -> tuple[InternalKey, ...]:
    if subject.patient is not None:
        return consents.cases_of(connection, subject.patient)
    if subject.case is None or slides.find_case(connection, subject.case) is None:
        raise UnknownCode(codes.NOT_HERE)
    return (subject.case,)


def _own(connection: Connection, subject: Subject) -> Iterable[Kept]:
    """Give the records that are of the subject itself: a mistake about a patient is annulled for all cases."""
    if subject.patient is not None:
        return consents.of_patient(connection, subject.patient)
    case = subject.case or InternalKey("")
    return (one for one in consents.of_case(connection, case) if not one.of_patient)


def _facts(connection: Connection, cases: Iterable[InternalKey]) -> dict[InternalKey, Facts]:
    found = ((key, slides.find_case(connection, key)) for key in cases)
    return {key: case.facts for key, case in found if case is not None}


def _settle(writing: Writing, subject: Subject, before: Mapping[InternalKey, Facts]) -> Outcome:
    """Derive the facts of all cases concerned, and give every scan the status that follows."""
    connection = writing.connection
    project = codes.project_number(connection, LABORATORY)
    changed: dict[str, Mapping[str, Value]] = {}
    scans: dict[str, Value] = {}
    for case, facts in before.items():
        consents.derive(connection, case)
        searching.describe_case(connection, case)
        difference = differing(facts, _facts(connection, [case])[case])
        if difference:
            changed[str(codes.add_code(connection, project, Kind.CASE, case))] = difference
        scans |= put_away(connection, project, slides.slides_of_case(connection, case))
    kind, key = (Kind.PATIENT, subject.patient) if subject.patient else (Kind.CASE, subject.case)
    code = codes.add_code(connection, project, kind, key or InternalKey(""))
    return Outcome(code, changed, scans)


def _tell(writing: Writing, act: str, outcome: Outcome, reason: str, **details: Value) -> None:
    what = outcome.subject.kind.name.lower()
    told: dict[str, Value] = {what: str(outcome.subject), "changed": outcome.changed, "scans": outcome.scans}
    writing.tell(act, reason=reason, **told, **details)
