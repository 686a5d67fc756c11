"""Rules do not change by a program being installed: those in force here are the ones that somebody put in force.

A program that brings other rules decides nothing, and so shows nothing, until then. To tell beforehand what would
change, what is ruled on a situation is kept beside it from the day on which the situation first occurs: the old rules
went with the old program and cannot be asked again.
"""

import json
from collections.abc import Collection, Mapping
from typing import TypeAlias

from sqlalchemy import Connection, Select, delete, func, insert, select

from archive.catalogue.schema import collection_slides, collections, rules, rulings, scans, searched
from archive.codes import InternalKey
from archive.consent import RULES_VERSION, Decision, Facts, MightIdentify, Purpose, Recipient
from archive.consent.shown import decide_copy, facts_as_shown
from archive.errors import RulesNotInForce

QUESTIONS = (
    (Purpose.KEEP, Recipient.LABORATORY),
    (Purpose.CARE, Recipient.CARE_TEAM),
    (Purpose.AUDIT, Recipient.PROJECT),
    (Purpose.RESEARCH, Recipient.PROJECT),
    (Purpose.TEACHING, Recipient.CLASS),
    (Purpose.OTHER_SECONDARY, Recipient.PROJECT),
    (Purpose.TEACHING, Recipient.PUBLIC),
)
"""What is ruled on every situation."""

Outcome: TypeAlias = tuple[str, str]
"""A verdict and the row that gave it, such as ``("allow", "L3")``."""

Outcomes: TypeAlias = Mapping[str, Outcome]
"""What is ruled on one situation, by the words of `question`."""


def question(purpose: Purpose, recipient: Recipient) -> str:
    """Put a question into words."""
    return f"{purpose} for the {recipient}"


def outcomes(facts: Facts, grade: MightIdentify, report_bound: bool) -> dict[str, Outcome]:
    """Rule on a situation by the rules of this program."""
    shown = facts_as_shown(facts, grade, report_bound=report_bound)
    return {question(*asked): _outcome(decide_copy(shown, *asked)) for asked in QUESTIONS}


def in_force(connection: Connection) -> str | None:
    """Tell the version of the rules that are in force."""
    return connection.scalar(select(rules.c.version).order_by(rules.c.number.desc()).limit(1))


def require_in_force(connection: Connection) -> None:
    """See that the rules of this program are those in force.

    Raises
    ------
    RulesNotInForce
        If they are not; then nothing may be decided by them.
    """
    version = in_force(connection)
    if version != RULES_VERSION:
        raise RulesNotInForce(version, RULES_VERSION)


def put_in_force(connection: Connection) -> None:
    """Put the rules of this program in force."""
    last = connection.scalar(select(func.max(rules.c.number))) or 0
    connection.execute(insert(rules).values(number=last + 1, version=RULES_VERSION))


def keep(connection: Connection, digest: str, ruled: Outcomes) -> None:
    """Keep what is ruled on a situation; what was kept of it before is replaced."""
    connection.execute(delete(rulings).where(rulings.c.digest == digest))
    text = json.dumps(ruled, sort_keys=True)
    connection.execute(insert(rulings).values(digest=digest, version=RULES_VERSION, outcomes=text))


def is_kept(connection: Connection, digest: str) -> bool:
    """Tell whether anything was ruled on a situation."""
    return connection.scalar(select(rulings.c.digest).where(rulings.c.digest == digest)) is not None


def kept(connection: Connection, version: str | None) -> dict[str, Outcomes]:
    """Give what the rules of a version ruled, by the situations' digests."""
    rows = connection.execute(select(rulings).where(rulings.c.version == version))
    return {
        row.digest: {asked: (verdict, by_row) for asked, (verdict, by_row) in json.loads(row.outcomes).items()}
        for row in rows
    }


def count(connection: Connection, situations: Collection[int]) -> tuple[int, int]:
    """Count the kept scans in some situations, and their slides."""
    query = select(func.count(), func.count(searched.c.slide.distinct())).where(searched.c.situation.in_(situations))
    row = connection.execute(query).one()
    return row[0], row[1]


def scans_in(connection: Connection, situations: Collection[int]) -> tuple[InternalKey, ...]:
    """Give the kept scans in some situations."""
    rows = connection.execute(_scans_in(situations).order_by(searched.c.scan_key))
    return tuple(InternalKey(row.scan_key) for row in rows)


def slides_in(connection: Connection, situations: Collection[int], limit: int) -> tuple[InternalKey, ...]:
    """Give some of the slides with kept scans in some situations."""
    query = select(scans.c.slide_key).where(scans.c.key.in_(_scans_in(situations))).distinct()
    rows = connection.execute(query.order_by(scans.c.slide_key).limit(limit))
    return tuple(InternalKey(row.slide_key) for row in rows)


def collections_with(connection: Connection, situations: Collection[int]) -> tuple[str, ...]:
    """Give the names of the collections in which a scan in some situations has a place."""
    query = (
        select(collections.c.name)
        .join(collection_slides, collection_slides.c.collection == collections.c.handle)
        .where(collection_slides.c.scan_key.in_(_scans_in(situations)))
    )
    return tuple(connection.scalars(query.distinct().order_by(collections.c.name)))


def _scans_in(situations: Collection[int]) -> Select[tuple[str]]:
    return select(searched.c.scan_key).where(searched.c.situation.in_(situations))


def _outcome(decision: Decision) -> Outcome:
    return str(decision.verdict), decision.row
