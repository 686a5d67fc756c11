"""New rules are looked at before they take effect: what they would allow, refuse, hide and put away, slide by slide.

Until somebody has put them in force, a program that brings them decides nothing. What the rules in force said was kept
when it was said; what the new ones say is worked out by the functions that decide afterwards.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from archive.catalogue import LABORATORY, codes, ruling, searching, slides
from archive.catalogue.ruling import Outcome, Outcomes
from archive.codes import Code, InternalKey, Kind
from archive.consent import RULES_VERSION, Purpose, Recipient
from archive.errors import InvalidValue
from archive.holdings.archive import Archive
from archive.holdings.deciding import status_after
from archive.holdings.prospect import Handling
from archive.records import ScanRecord, ScanStatus

__all__ = ["Changed", "NewRules", "Outcome", "look", "put_in_force"]

NAMED = 20
"""Slides that are named for each change; all are counted."""

_TAUGHT = ruling.question(Purpose.TEACHING, Recipient.CLASS)


@dataclass(frozen=True, slots=True)
class Changed:
    """One answer that would be another: to what question, how it is and would be, and for how many.

    ``before`` is None where nothing was ruled by the rules in force. ``named`` are some of the slides, ``collections``
    the teaching collections in which one of them has a place, where it is about teaching a class.
    """

    question: str
    before: Outcome | None
    after: Outcome
    scans: int
    slides: int
    named: tuple[Code, ...]
    collections: tuple[str, ...] = ()

    @property
    def turns(self) -> bool:
        """Whether the answer itself would be another, and not only the row that gives it."""
        return self.before is None or self.before[0] != self.after[0]


@dataclass(frozen=True, slots=True)
class NewRules:
    """What would change if the rules of this program were put in force; ``in_force`` is the version that is."""

    in_force: str | None
    of_program: str
    changes: tuple[Changed, ...] = ()
    handlings: tuple[Handling, ...] = ()

    @property
    def wait(self) -> bool:
        """Whether they are to be put in force."""
        return self.in_force != self.of_program


def look(archive: Archive) -> NewRules:
    """Work out what the rules of this program would change here; nothing is written."""
    with archive.catalogue.reading() as connection:
        return _look(connection)


def put_in_force(archive: Archive, *, seen: str | None, reason: str) -> NewRules:
    """Put the rules of this program in force, and give what that changed.

    Scans that the laboratory may not keep by them are quarantined in the same act, which deletes nothing; those that it
    may keep again are kept.

    Parameters
    ----------
    archive
        Open for writing.
    seen
        The version in force that the changes were looked at against.
    reason
        Who agreed to them and why, without anything that could identify a patient.

    Raises
    ------
    InvalidValue
        If these rules are in force already, or other ones were put in force since somebody looked.
    """
    with archive.catalogue.writing() as writing:
        connection = writing.connection
        found = _look(connection)
        if not found.wait:
            raise InvalidValue(f"version {found.of_program} of the rules is in force already; nothing was changed")
        if found.in_force != seen:
            raise InvalidValue("other rules were put in force since you looked; look at the changes again")
        digests = searching.digests(connection)
        for number, situation in searching.all_situations(connection).items():
            ruling.keep(connection, digests[number], ruling.outcomes(*situation))
        for scan, status in _put_away(connection):
            slides.set_status(connection, scan.key, status)
        ruling.put_in_force(connection)
        writing.tell(
            "put rules in force",
            reason=reason,
            before=found.in_force,
            rules=found.of_program,
            changed=[[one.question, one.before, one.after, one.scans] for one in found.changes],
            scans={str(one.scan): [str(one.before), str(one.after)] for one in found.handlings},
        )
    return found


def _look(connection: Connection) -> NewRules:
    version = ruling.in_force(connection)
    if version == RULES_VERSION:
        return NewRules(version, RULES_VERSION)
    project = codes.project_number(connection, LABORATORY)
    groups = _groups(connection, ruling.kept(connection, version))
    changes = (_changed(connection, project, *group, numbers) for group, numbers in sorted(groups.items(), key=str))
    handlings = (
        Handling(code, scan.status, status)
        for scan, status in _put_away(connection)
        if (code := codes.code_of(connection, project, Kind.SCAN, scan.key)) is not None
    )
    return NewRules(version, RULES_VERSION, tuple(one for one in changes if one.scans), tuple(handlings))


_Group = tuple[str, Outcome | None, Outcome]


def _groups(connection: Connection, before: Mapping[str, Outcomes]) -> dict[_Group, set[int]]:
    """Gather the situations whose answer to a question would be another, by the question and both answers."""
    groups: dict[_Group, set[int]] = defaultdict(set)
    digests = searching.digests(connection)
    for number, situation in searching.all_situations(connection).items():
        was = before.get(digests[number], {})
        for asked, after in ruling.outcomes(*situation).items():
            if was.get(asked) != after:
                groups[asked, was.get(asked), after].add(number)
    return groups


def _changed(
    connection: Connection, project: int, asked: str, before: Outcome | None, after: Outcome, numbers: set[int]
) -> Changed:
    scans, slide_count = ruling.count(connection, numbers)
    named = codes.codes_of(connection, project, Kind.SLIDE, ruling.slides_in(connection, numbers, NAMED))
    shown_in = ruling.collections_with(connection, numbers) if asked == _TAUGHT else ()
    return Changed(asked, before, after, scans, slide_count, _sorted(named.values()), shown_in)


def _sorted(texts: Iterable[str]) -> tuple[Code, ...]:
    return tuple(map(Code.parse, sorted(texts)))


def _put_away(connection: Connection) -> Iterator[tuple[ScanRecord, ScanStatus]]:
    """Give the scans that would be quarantined, or kept again, with what they would be."""
    kept = ruling.question(Purpose.KEEP, Recipient.LABORATORY)
    refused = {
        number
        for number, situation in searching.all_situations(connection).items()
        if ruling.outcomes(*situation)[kept][0] != "allow"
    }
    keys: tuple[InternalKey, ...] = ruling.scans_in(connection, refused)
    for key in (*keys, *slides.scans_with_status(connection, ScanStatus.QUARANTINED)):
        scan = slides.find_scan(connection, key)
        case = None if scan is None else slides.case_of(connection, scan.slide)
        if scan is not None and case is not None and (status := status_after(case, scan)) is not scan.status:
            yield scan, status
