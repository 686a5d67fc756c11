"""What the rules ask somebody to do before slides can be used is a work list: case by case, open until it is done.

Nothing is entered into this list by hand. An obligation is open as long as the decision table asks for it, and is asked
of what is recorded now; a document is done when somebody says that it exists, and why.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import select

from archive.catalogue import LABORATORY, codes, redactions
from archive.catalogue.schema import cases, scans, slides
from archive.codes import Code, InternalKey, Kind
from archive.consent import Facts, MightIdentify, Obligation, Purpose, Recipient, decide
from archive.consent.terms import Grade, Record, State
from archive.errors import InvalidValue
from archive.holdings.archive import Archive
from archive.holdings.known_backups import known_backups
from archive.holdings.reading import ReadingRoom
from archive.records import ScanStatus

USES = (
    (Purpose.KEEP, Recipient.LABORATORY),
    (Purpose.TEACHING, Recipient.CLASS),
    (Purpose.RESEARCH, Recipient.PROJECT),
)
"""What a laboratory wants its slides for, day by day."""

PUBLICATION = (Purpose.TEACHING, Recipient.PUBLIC)

_HELD = (ScanStatus.KEPT, ScanStatus.QUARANTINED, ScanStatus.REDACTING)

_WORK = frozenset({*map(str, Record), "establish the facts", "review", "correct the record"})
"""What somebody has to do here; the other duties of the table go with a use, or end one."""


@dataclass(frozen=True, slots=True)
class Owed:
    """An open obligation of a case: what is to be done, by whom, and for which uses."""

    case: Code
    obligation: Obligation
    uses: tuple[str, ...]


def open_obligations(room: ReadingRoom, *, publication: bool = False) -> tuple[Owed, ...]:
    """List what is owed, by case.

    Parameters
    ----------
    room
        The archive.
    publication
        Whether to ask also what would be owed before an anonymised copy is published.

    Notes
    -----
    It is asked for a copy as it is served: coded, proven, and looked at by a person, since what is seen in a picture is
    another question than what was recorded. Each combination of facts is decided once, however many cases have it.
    """
    with room.catalogue.reading() as connection:
        held = select(slides.c.case_key).join(scans, scans.c.slide_key == slides.c.key)
        held = held.where(scans.c.status.in_(list(map(str, _HELD))))
        some = cases.c.key.in_(held)
        owed = {
            text: found
            for text in connection.scalars(select(cases.c.facts).where(some).distinct())
            if (found := _owed(Facts.from_json(json.loads(text)), publication=publication))
        }
        keys: dict[InternalKey, str] = {}
        for text in owed:
            keys |= dict.fromkeys(
                map(InternalKey, connection.scalars(select(cases.c.key).where(some, cases.c.facts == text))), text
            )
        coded = codes.codes_of(connection, codes.project_number(connection, LABORATORY), Kind.CASE, keys)
    listed = [Owed(Code.parse(coded[key]), *one) for key, text in keys.items() if key in coded for one in owed[text]]
    return tuple(sorted(listed, key=lambda one: (one.case, one.obligation.code)))


@dataclass(frozen=True, slots=True)
class OwedCopy:
    """A copy that still shows what is black now: of which scan, since which act, and who has it.

    ``holder`` is ``project NAME`` or ``backup HANDLE``; ``place`` is the backup's folder.
    """

    scan: Code
    act: int
    holder: str
    place: Path | None = None


def owed_copies(room: ReadingRoom) -> tuple[OwedCopy, ...]:
    """List the copies that were made of scans before something on them was blacked out, in the order of the acts.

    A backup that was brought up to date since has the new version alone, and is not owed any more.
    """
    backups = known_backups(room.place)
    with room.catalogue.reading() as connection:
        project = codes.project_number(connection, LABORATORY)
        owed = redactions.owed(connection)
        coded = codes.codes_of(connection, project, Kind.SCAN, {one.scan for one in owed})
    found = []
    for one in owed:
        backup = backups.get(one.holder)
        if backup is None or backup.acts < one.act:
            found.append(OwedCopy(Code.parse(coded[one.scan]), one.act, one.holder, backup.folder if backup else None))
    return tuple(found)


def deal_with_copies(archive: Archive, holder: str, *, reason: str) -> int:
    """Say that whoever has copies that still show what is black now has destroyed them; give their number.

    Raises
    ------
    InvalidValue
        If that holder owes none, or no reason is given.
    FreeTextRefused
        If the reason looks as if it held an identifier.
    """
    if not reason.strip():
        raise InvalidValue("say how you know that the copies are gone")
    mine = [one for one in owed_copies(archive) if one.holder == holder]
    if not mine:
        raise InvalidValue("no such holder has a copy that is owed; the list names each")
    acts = {one.act for one in mine}
    with archive.catalogue.writing() as writing:
        writing.tell("copy dealt with", reason=reason, holder=holder, scans=[str(one.scan) for one in mine])
        for one in redactions.owed(writing.connection):
            if one.holder == holder and one.act in acts:
                redactions.deal_with(writing.connection, one, reason)
    return len(mine)


def _owed(facts: Facts, *, publication: bool) -> list[tuple[Obligation, tuple[str, ...]]]:
    """Give what is owed for facts, each once with the uses that ask for it."""
    asked: dict[str, tuple[Obligation, list[str]]] = {}
    for purpose, recipient, obligation in _asked(facts, publication=publication):
        asked.setdefault(obligation.what, (obligation, []))[1].append(f"{purpose} for the {recipient}")
    return [(obligation, tuple(uses)) for obligation, uses in asked.values()]


def _asked(facts: Facts, *, publication: bool) -> Iterator[tuple[Purpose, Recipient, Obligation]]:
    looked = facts.might_identify
    if looked.grade is not Grade.YES:
        looked = MightIdentify(Grade.NO_PERSON)
    copy = replace(facts, state=State.CODED, report_bound=True, might_identify=looked)
    for purpose, recipient in (*USES, PUBLICATION) if publication else USES:
        if recipient is Recipient.PUBLIC:
            copy = replace(copy, state=State.ANONYMISED, second_person=True)
        decision = decide(copy, purpose, recipient, holds_key=recipient is Recipient.LABORATORY)
        if not decision.allowed:
            yield from ((purpose, recipient, duty) for duty in decision.obligations if duty.code in _WORK)
