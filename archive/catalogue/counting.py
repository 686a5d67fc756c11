"""How many patients, slides and scans a condition fits, and which they are.

A condition is made of comparisons of one line of ``searched``, in SQL. In each, at most one comparison may be looked up
by its index (``indexed``): left to itself a database takes ``stain = H&E`` for rare, as most stains are, and it fits
half of all slides.
What was not recorded is neither equal nor unequal to anything, as SQL has it.
"""

import operator
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, Row, and_, func, literal, not_, null, or_, select, text
from sqlalchemy import case as choice

from archive.catalogue.rows import scan_from, slide_from
from archive.catalogue.schema import cases, scans, searched, situations, slides
from archive.codes import InternalKey
from archive.records import ScanRecord, ScanStatus, SlideRecord

Condition: TypeAlias = ColumnElement[bool]

FEW = 20_000
"""So many lines are looked up one by one in less time than a whole index is read."""

_SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {
    **{"=": operator.eq, "!=": operator.ne, "<": operator.lt},
    **{"<=": operator.le, ">": operator.gt, ">=": operator.ge},
}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many there are."""

    patients: int
    slides: int
    scans: int


@dataclass(frozen=True, slots=True)
class Found:
    """One scan that fits, with what it belongs to."""

    scan: ScanRecord
    slide: SlideRecord
    patient: InternalKey


# Conditions


def fits(column: str, terms: Collection[str], *, indexed: bool) -> Condition:
    """Say that a column has one of these values."""
    return _column(column, indexed).in_(sorted(terms))


def compares(column: str, sign: str, number: float, *, indexed: bool) -> Condition:
    """Compare a column with a number."""
    return _SIGNS[sign](_column(column, indexed), number)  # type: ignore[no-any-return]


def unrecorded(column: str) -> Condition:
    """Say that a column has no value."""
    return searched.c[column].is_(None)


def situated(numbers: Collection[int], unknown: Collection[int] = (), *, indexed: bool = False) -> Condition:
    """Say that a scan is in one of these situations; in those of ``unknown`` it can be neither said nor denied."""
    among = _column("situation", indexed).in_(sorted(numbers))
    if not unknown:
        return among
    doubtful = _column("situation", False).in_(sorted(unknown))
    return choice((doubtful, null()), else_=among)


def all_of(*parts: Condition) -> Condition:
    """Join conditions by *and*."""
    return and_(*parts)


def any_of(*parts: Condition) -> Condition:
    """Join conditions by *or*."""
    return or_(*parts)


def none_of(part: Condition) -> Condition:
    """Say the contrary."""
    return not_(part)


def _column(name: str, indexed: bool) -> ColumnElement[Any]:
    column = searched.c[name]
    return column if indexed else func.coalesce(column, column)  # the same value, and no index has it


# Answers


def is_there(connection: Connection, condition: Condition) -> bool:
    """Whether the condition fits any scan."""
    return connection.execute(select(literal(1)).select_from(searched).where(condition).limit(1)).first() is not None


def are_few(connection: Connection, condition: Condition) -> bool:
    """Whether the condition fits few scans; asking takes no longer than reading that many."""
    some = select(literal(1)).select_from(searched).where(condition).limit(FEW + 1).subquery()
    return bool(connection.execute(select(func.count()).select_from(some)).scalar_one() <= FEW)


def tally(connection: Connection, condition: Condition, plain: Condition) -> Tally:
    """Count what a condition fits; ``plain`` is the same one without anything indexed."""
    of_patient = select(func.count().label("scans")).where(condition).group_by(searched.c.patient).subquery()
    totals = select(func.count(), func.sum(of_patient.c.scans)).select_from(of_patient)
    patients, number = connection.execute(totals).one()
    if not patients:
        return Tally(0, 0, 0)
    # Slides with several scans have an index of their own, which is found by these very words.
    again = select(func.count(), func.count(searched.c.slide.distinct())).where(plain, text("searched.scans > 1"))
    their_scans, their_slides = connection.execute(again).one()
    return Tally(patients, int(number) - their_scans + their_slides, int(number))


def tallies_by_situation(connection: Connection, condition: Condition, kinds: Mapping[int, str]) -> dict[str, Tally]:
    """Count what a condition fits by kinds of situations; the kinds that fit nothing are not told."""
    patients: dict[str, set[int]] = defaultdict(set)
    of_slides: dict[str, set[int]] = defaultdict(set)
    number: Counter[str] = Counter()
    query = select(searched.c.situation, searched.c.patient, searched.c.slide).where(condition)
    for situation, patient, slide in connection.execute(query.execution_options(yield_per=10_000)):
        kind = kinds[situation]
        patients[kind].add(patient)
        of_slides[kind].add(slide)
        number[kind] += 1
    return {kind: Tally(len(patients[kind]), len(of_slides[kind]), number[kind]) for kind in number}


def tallies(connection: Connection, condition: Condition, column: str) -> dict[str, Tally]:
    """Count what a condition fits, by the values of a column; without those that have none."""
    value = searched.c[column]
    figures = [func.count(searched.c.patient.distinct()), func.count(searched.c.slide.distinct()), func.count()]
    query = select(value, *figures).where(condition, value.is_not(None)).group_by(value)
    return {_text(row[0]): Tally(*row[1:]) for row in connection.execute(query)}


def found(connection: Connection, condition: Condition) -> Iterator[Found]:
    """Give the scans that a condition fits, where the line agrees with the tables that it was made from."""
    bound = and_(scans.c.deidentified, scans.c.manifest_sha256 != "")
    query = (
        select(scans, slides, cases.c.patient_key)
        .select_from(searched)
        .join(scans, scans.c.key == searched.c.scan_key)
        .join(slides, slides.c.key == scans.c.slide_key)
        .join(cases, cases.c.key == slides.c.case_key)
        .join(situations, situations.c.number == searched.c.situation)
        .where(condition, scans.c.status == str(ScanStatus.KEPT))
        .where(situations.c.facts == cases.c.facts, situations.c.might_identify == scans.c.might_identify)
        .where(or_(and_(situations.c.report_bound, bound), and_(not_(situations.c.report_bound), not_(bound))))
    )
    for row in connection.execute(query.execution_options(yield_per=1_000)):
        yield _found(row)


def _found(row: Row[Any]) -> Found:
    told = row._mapping
    scan = scan_from({column.name: told[column] for column in scans.c})
    slide = slide_from({column.name: told[column] for column in slides.c})
    return Found(scan, slide, InternalKey(told[cases.c.patient_key]))


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
