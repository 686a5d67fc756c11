"""Who withdraws is heard at once and wholly: one act ends every use but keeping and care, and what came of use goes.

In one transaction the answer is recorded, the facts follow from it, scans that may not even be kept are quarantined,
places in teaching collections are taken away, and a tombstone is put up. What left the archive before cannot be called
back by a program: it is listed, for people to ask for. A withdrawal deletes nothing of the laboratory's own copy, which
is part of the patient's record; erasure is another act.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sqlalchemy import Connection

from archive.catalogue import LABORATORY, Writing, codes, collections, consents, searching, slides, tombstones
from archive.catalogue.consents import Kept
from archive.catalogue.tombstones import Tombstone
from archive.codes import Code, InternalKey, Kind
from archive.consent.records import ConsentRecord, Said
from archive.consent.terms import Consent
from archive.errors import UnknownCode
from archive.holdings.archive import Archive
from archive.holdings.deciding import status_after
from archive.holdings.prospect import Handling
from archive.holdings.withdrawal import Ended, GivenBefore, TakenOut, Withdrawal, Withdrawn
from archive.records import CaseRecord

_GIVEN = frozenset({Consent.OBTAINED, Consent.WITH_POST_MORTEM, Consent.SEPARATELY, Consent.WITHDRAWN})


def foresee(archive: Archive, withdrawal: Withdrawal) -> Withdrawn:
    """Find out what a withdrawal would do; it is done and taken back, so nobody else ever sees it.

    Raises
    ------
    UnknownCode
        If the case is not held.
    """
    with archive.catalogue.writing() as writing:  # which changes nothing unless the trail is told
        return _carry_out(writing.connection, withdrawal)


def withdraw(archive: Archive, withdrawal: Withdrawal) -> Withdrawn:
    """End every use of a case, or of a patient's cases, but keeping and care; a second time nothing is done.

    Raises
    ------
    UnknownCode
        If the case is not held; then nothing is done.
    CatalogueUnavailable
        If the catalogue cannot be written; then nothing is done.
    """
    with archive.catalogue.writing() as writing:
        done = _done_before(writing.connection, withdrawal)
        if done is not None:
            return replace(_carry_out(writing.connection, withdrawal), record=done)
        report = _carry_out(writing.connection, withdrawal)
        return replace(report, act=_tell(writing, withdrawal, report))


def _tell(writing: Writing, withdrawal: Withdrawal, report: Withdrawn) -> int:
    """Tell the trail, and put the tombstones up; gives the number of the entry."""
    writing.tell(
        "withdraw",
        reason=withdrawal.reason,
        by=str(withdrawal.giver),
        scope=str(withdrawal.scope),
        cases={str(one.case): [str(one.before), str(one.after)] for one in report.ended},
        scans={str(one.scan): [str(one.before), str(one.after)] for one in report.handlings},
        taken_out=[[str(one.slide), one.collection, one.number] for one in report.taken_out],
        given_before=[one.project for one in report.given_before],
    )
    number = writing.head.number if writing.head else 0
    for case in _cases(writing.connection, withdrawal):
        tombstones.add(writing.connection, Tombstone(case, number, withdrawal.giver, withdrawal.scope))
    return number


def _done_before(connection: Connection, withdrawal: Withdrawal) -> InternalKey | None:
    """Give the record of the same, if it was done before on a word that stands as high and all is as that left it."""
    case, patient = withdrawal.case, withdrawal.patient
    kept = consents.of_case(connection, case) if case else consents.of_patient(connection, patient or InternalKey(""))
    cases = _cases(connection, withdrawal)
    answers = [_answers(kept), *(_answers(consents.of_case(connection, each)) for each in cases)]
    is_done = (
        all(said and _ends_as_much(said[-1].record, withdrawal.record(Said.WITHDRAWN)) for said in answers)
        and all(tombstones.of_case(connection, case) for case in cases)
        and not any(collections.places_of(connection, key) for case in cases for key in _slides(connection, case))
    )
    return answers[0][-1].key if is_done else None


def _answers(kept: Iterable[Kept]) -> list[Kept]:
    return [one for one in kept if one.record.said is not None and not one.annulled]


def _ends_as_much(last: ConsentRecord, new: ConsentRecord) -> bool:
    return last.said in (Said.REFUSED, Said.WITHDRAWN) and not last.purposes and last.standing <= new.standing


def _carry_out(connection: Connection, withdrawal: Withdrawal) -> Withdrawn:
    """Record the answer and take away what came of use, in a transaction that somebody else ends."""
    project = codes.project_number(connection, LABORATORY)
    before = {key: _known(connection, key) for key in _cases(connection, withdrawal)}
    said = Said.WITHDRAWN if any(one.facts.consent in _GIVEN for one in before.values()) else Said.REFUSED
    if withdrawal.patient is not None:
        consents.add_patient(connection, withdrawal.patient)
    answer = withdrawal.record(said)
    consents.add(connection, withdrawal.key, answer, case=withdrawal.case, patient=withdrawal.patient)
    for key in before:
        consents.derive(connection, key)
        searching.describe_case(connection, key)
    after = {key: _known(connection, key) for key in before}
    return Withdrawn(
        tuple(_ended(connection, project, one, after[key]) for key, one in before.items()),
        tuple(_put_away(connection, project, after.values())),
        tuple(_take_out(connection, project, before)),
        tuple(_given_before(connection, before)),
        withdrawal.key,
    )


def _cases(connection: Connection, withdrawal: Withdrawal) -> tuple[InternalKey, ...]:
    if withdrawal.patient is not None:
        return consents.cases_of(connection, withdrawal.patient)
    return () if withdrawal.case is None else (withdrawal.case,)


def _known(connection: Connection, key: InternalKey) -> CaseRecord:
    case = slides.find_case(connection, key)
    if case is None:
        raise UnknownCode(codes.NOT_HERE)
    return case


def _slides(connection: Connection, case: InternalKey) -> tuple[InternalKey, ...]:
    return slides.slides_of_case(connection, case)


def _ended(connection: Connection, project: int, before: CaseRecord, after: CaseRecord) -> Ended:
    coded = codes.codes_of(connection, project, Kind.SLIDE, _slides(connection, before.key))
    return Ended(
        codes.add_code(connection, project, Kind.CASE, before.key),
        tuple(map(Code.parse, sorted(coded.values()))),
        before.facts.consent,
        after.facts.consent,
    )


def _put_away(connection: Connection, project: int, cases: Iterable[CaseRecord]) -> Iterator[Handling]:
    """Quarantine the scans that may not even be kept any more."""
    for case in cases:
        for scan in [scan for key in _slides(connection, case.key) for scan in slides.scans_of(connection, key)]:
            status = status_after(case, scan)
            if status is not scan.status:
                slides.set_status(connection, scan.key, status)
                yield Handling(codes.add_code(connection, project, Kind.SCAN, scan.key), scan.status, status)


def _take_out(connection: Connection, project: int, cases: Iterable[InternalKey]) -> Iterator[TakenOut]:
    """Take the slides out of every teaching collection; their handles there lead nowhere from then on."""
    for key in [key for case in cases for key in _slides(connection, case)]:
        code = codes.add_code(connection, project, Kind.SLIDE, key)
        for collection, place in collections.places_of(connection, key):
            collections.remove_place(connection, place.handle)
            yield TakenOut(code, collection.name, place.position)


def _given_before(connection: Connection, cases: Iterable[InternalKey]) -> Iterator[GivenBefore]:
    """Find what other projects have codes for: it was in a cohort of theirs, and nobody can call that back."""
    keys = [key for case in cases for key in _slides(connection, case)]
    for project in sorted({name for key in keys for name in codes.projects_of(connection, key)} - {LABORATORY}):
        coded = codes.codes_of(connection, codes.project_number(connection, project), Kind.SLIDE, keys)
        given = tuple(map(Code.parse, sorted(coded.values())))
        yield GivenBefore(project, given, tombstones.cohorts_given(connection, project))
