"""Before a correction is carried out, people see what would come of it: decisions, collections, scans put away.

It is worked out by the same functions that decide afterwards, and nothing is written.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from archive.auditchain import Value
from archive.catalogue import LABORATORY, codes, collections, slides
from archive.codes import Code, InternalKey, Kind
from archive.consent import Decision, Purpose, Recipient
from archive.consent import decide as decide_by_table
from archive.errors import UnknownCode
from archive.holdings.archive import Archive
from archive.holdings.correction import Correction, differences, differing_facts
from archive.holdings.deciding import facts_of_copy, status_after
from archive.records import CaseRecord, ScanRecord, ScanStatus

QUESTIONS = (
    (Purpose.KEEP, Recipient.LABORATORY),
    (Purpose.TEACHING, Recipient.CLASS),
    (Purpose.RESEARCH, Recipient.PROJECT),
)
"""What is decided before and after."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is decided about a slide for a purpose, as recorded now and as it would be."""

    slide: Code
    purpose: Purpose
    recipient: Recipient
    before: Decision
    after: Decision


@dataclass(frozen=True, slots=True)
class Showing:
    """Whether a teaching collection shows a slide, now and then."""

    slide: Code
    collection: str
    before: bool
    after: bool


@dataclass(frozen=True, slots=True)
class Handling:
    """What a scan is, now and then."""

    scan: Code
    before: ScanStatus
    after: ScanStatus


@dataclass(frozen=True, slots=True)
class Prospect:
    """What would come of a correction.

    ``changed`` tells fields of closed lists as they were and would be; ``projects`` are those that have a code for one
    of the slides, and decide anew when a cohort is asked for.
    """

    slides: tuple[Code, ...]
    changed: dict[str, Value]
    answers: tuple[Answer, ...]
    showings: tuple[Showing, ...]
    handlings: tuple[Handling, ...]
    projects: tuple[str, ...]

    @property
    def put_away(self) -> tuple[Handling, ...]:
        """Scans that could be opened, and could not any more."""
        return tuple(one for one in self.handlings if one.before is ScanStatus.KEPT is not one.after)


def foresee(archive: Archive, correction: Correction) -> Prospect:
    """Work out what would come of a correction.

    Raises
    ------
    UnknownCode
        If there is no such slide or case.
    """
    with archive.catalogue.reading() as connection:
        project = codes.project_number(connection, LABORATORY)
        if correction.slide is None:
            before = slides.find_case(connection, correction.case.key)
            keys = slides.slides_of_case(connection, correction.case.key)
            changed = {} if before is None else differing_facts(before, correction.case)
        else:
            record = slides.find_slide(connection, correction.slide.key)
            before = slides.case_of(connection, correction.slide.key)
            keys = (correction.slide.key,)
            changed = {} if record is None else differences(record, correction.slide)
        if before is None:
            raise UnknownCode(codes.NOT_HERE)
        changed |= _moves(connection, project, before, correction.case)
        found = [_Slide(connection, project, key, before, correction) for key in keys]
        return Prospect(
            slides=tuple(one.code for one in found),
            changed=changed,
            answers=tuple(answer for one in found for answer in one.answers()),
            showings=tuple(showing for one in found for showing in one.showings(connection)),
            handlings=tuple(handling for one in found for handling in one.handlings(connection, project)),
            projects=tuple(sorted({name for one in found for name in one.projects(connection)})),
        )


class _Slide:
    """One slide that a correction concerns."""

    def __init__(
        self, connection: Connection, project: int, key: InternalKey, before: CaseRecord, correction: Correction
    ) -> None:
        code = codes.code_of(connection, project, Kind.SLIDE, key)
        if code is None:
            raise UnknownCode(codes.NOT_HERE)
        self.code = code
        self._key = key
        self._before = before
        self._after = correction.case
        self._scans = slides.scans_of(connection, key)
        self._then = tuple(
            replace(scan, status=status_after(correction.case, scan, correction.withhold)) for scan in self._scans
        )

    def answers(self) -> Iterator[Answer]:
        """Decide each question on what is recorded now, and on what would be; the strictest of all scans counts."""
        for purpose, recipient in QUESTIONS if self._scans else ():
            both = (
                min(
                    (_decide(case, scan, purpose, recipient) for scan in self._scans),
                    key=lambda decision: decision.allowed,
                )
                for case in (self._before, self._after)
            )
            yield Answer(self.code, purpose, recipient, *both)

    def showings(self, connection: Connection) -> Iterator[Showing]:
        """Find the collections that the slide is in."""
        for collection, place in collections.places_of(connection, self._key):
            now, then = (
                any(
                    scan.key == place.scan
                    and scan.status is ScanStatus.KEPT
                    and _decide(case, scan, Purpose.TEACHING, Recipient.CLASS).allowed
                    for scan in scans
                )
                for case, scans in ((self._before, self._scans), (self._after, self._then))
            )
            yield Showing(self.code, collection.name, now, then)

    def handlings(self, connection: Connection, project: int) -> Iterator[Handling]:
        """Tell of each scan what it is and would be."""
        for now, then in zip(self._scans, self._then, strict=True):
            code = codes.code_of(connection, project, Kind.SCAN, now.key)
            if code is not None:
                yield Handling(code, now.status, then.status)

    def projects(self, connection: Connection) -> set[str]:
        """Give the projects that have a code for the slide."""
        return set(codes.projects_of(connection, self._key)) - {LABORATORY}


def _moves(connection: Connection, project: int, before: CaseRecord, after: CaseRecord) -> dict[str, Value]:
    """Tell by codes where something moves; what is new has none yet."""
    both = {
        "case": (Kind.CASE, before.key, after.key),
        "patient": (Kind.PATIENT, before.patient, after.patient),
    }
    return {
        name: [_said(connection, project, kind, key) for key in (was, now)]
        for name, (kind, was, now) in both.items()
        if was != now
    }


def _said(connection: Connection, project: int, kind: Kind, key: InternalKey) -> str:
    return str(codes.code_of(connection, project, kind, key) or "a new one")


def _decide(case: CaseRecord, scan: ScanRecord, purpose: Purpose, recipient: Recipient) -> Decision:
    copy = facts_of_copy(case.facts, scan)
    return decide_by_table(copy, purpose, recipient, holds_key=recipient is Recipient.LABORATORY)
