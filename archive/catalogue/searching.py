"""Cohorts are counted over everything that is kept, so what they ask about stands in one table, by patients.

A line of ``searched`` describes one kept scan: what it is, whose it is, and its *situation*, which is everything that a
decision of consent depends on. There are few situations for a million slides, so each is decided once and not each
slide. Whatever changes a case, a slide or a scan describes it anew in the same transaction.

Patients and slides are told apart by 60 bits of their random keys, which is enough to count them; codes are found by
the whole keys.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, delete, func, insert, select

from archive.catalogue import ruling
from archive.catalogue.rows import situation_from
from archive.catalogue.schema import cases, scans, searched, situations, slides
from archive.codes import InternalKey
from archive.consent import Facts, MightIdentify
from archive.records import ScanStatus

AT_ONCE = 500
"""Slides described in one go. SQLite takes 999 values in old versions."""

T = TypeVar("T")


def short(key: str) -> int:
    """Give the number by which a patient or a slide is counted."""
    return int(key[:15], 16)


def describe_slides(connection: Connection, keys: Iterable[InternalKey]) -> None:
    """Describe the kept scans of these slides as they are recorded now; only inside a writing transaction."""
    for some in in_parts(sorted(set(keys)), AT_ONCE):
        # By the scan's whole key too, since a slide may have moved to another patient.
        of_slides = select(scans.c.key).where(scans.c.slide_key.in_(some))
        connection.execute(
            delete(searched).where(searched.c.slide.in_(map(short, some)), searched.c.scan_key.in_(of_slides))
        )
        _describe(connection, some)


def describe_case(connection: Connection, case: InternalKey) -> None:
    """Describe all slides of a case anew."""
    describe_slides(
        connection, map(InternalKey, connection.scalars(select(slides.c.key).where(slides.c.case_key == case)))
    )


def describe_all(connection: Connection) -> None:
    """Make the whole table anew, as after a restoration; only inside a writing transaction."""
    connection.execute(delete(searched))
    connection.execute(delete(situations))
    # In the order of patients, which is that of the table and within each value that of its indexes.
    query = select(slides.c.key).join(cases, cases.c.key == slides.c.case_key).order_by(cases.c.patient_key)
    for some in in_parts(list(connection.scalars(query)), AT_ONCE):
        _describe(connection, some)


def stale(connection: Connection) -> int:
    """Count the scans whose line is missing, left over or wrong: 0 if all is well. It reads everything."""
    kept = {row.key: row for row in connection.execute(_kept())}
    count = Counter(row.slide_key for row in kept.values())
    said = {row.number: _said(row) for row in connection.execute(select(situations))}
    faults = 0
    for line in connection.execute(select(searched).execution_options(yield_per=1_000)):
        row = kept.pop(line.scan_key, None)
        if row is None or said.get(line.situation) != _situation(row):
            faults += 1
        else:
            faults += dict(line._mapping) != _line(row, line.situation, count[row.slide_key])
    return faults + len(kept)


def all_situations(connection: Connection) -> dict[int, tuple[Facts, MightIdentify, bool]]:
    """Give every situation by its number: the case's facts, the scan's grade, and whether a report is bound to it."""
    return {row.number: situation_from(row._mapping) for row in connection.execute(select(situations))}


def digests(connection: Connection) -> dict[int, str]:
    """Give what tells each situation from every other, by its number, as it was when the situation first occurred."""
    return {row.number: row.digest for row in connection.execute(select(situations.c.number, situations.c.digest))}


def in_parts(several: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into parts."""
    for start in range(0, len(several), size):
        yield several[start : start + size]


def _describe(connection: Connection, keys: Sequence[str]) -> None:
    """Add the lines of slides that have none."""
    rows = connection.execute(_kept().where(scans.c.slide_key.in_(keys))).all()
    numbers = _numbers(connection, {_situation(row) for row in rows})
    count = Counter(row.slide_key for row in rows)
    lines = [_line(row, numbers[_situation(row)], count[row.slide_key]) for row in rows]
    if lines:
        connection.execute(insert(searched), sorted(lines, key=lambda line: line["patient"]))


def _kept() -> Any:
    """Everything that a line is made of."""
    return (
        select(scans, slides.c.stain, slides.c.organ_code, slides.c.diagnosis_code, cases.c.patient_key, cases.c.facts)
        .join(slides, slides.c.key == scans.c.slide_key)
        .join(cases, cases.c.key == slides.c.case_key)
        .where(scans.c.status == str(ScanStatus.KEPT))
    )


def _situation(row: Row[Any]) -> tuple[str, str, bool]:
    return row.facts, row.might_identify, bool(row.deidentified and row.manifest_sha256)


def _said(situation: Row[Any]) -> tuple[str, str, bool]:
    return situation.facts, situation.might_identify, situation.report_bound


def _numbers(connection: Connection, wanted: Iterable[tuple[str, str, bool]]) -> dict[tuple[str, str, bool], int]:
    """Give the numbers of situations, which get one when they first occur."""
    by_digest = {hashlib.sha256(json.dumps(one).encode()).hexdigest(): one for one in wanted}
    known: dict[str, int] = {}
    for some in in_parts(sorted(by_digest), AT_ONCE):
        query = select(situations.c.digest, situations.c.number).where(situations.c.digest.in_(some))
        known |= {row.digest: row.number for row in connection.execute(query)}
    last = connection.scalar(select(func.max(situations.c.number))) or 0
    new = {digest: number for number, digest in enumerate(sorted(by_digest.keys() - known.keys()), last + 1)}
    for digest, number in new.items():
        facts, might_identify, bound = by_digest[digest]
        values = {"facts": facts, "might_identify": might_identify, "report_bound": bound}
        connection.execute(insert(situations).values(number=number, digest=digest, **values))
        if not ruling.is_kept(connection, digest):
            ruling.keep(connection, digest, ruling.outcomes(*situation_from(values)))
    return {by_digest[digest]: number for digest, number in (known | new).items()}


def _line(row: Row[Any], situation: int, count: int) -> dict[str, Any]:
    return {
        "patient": short(row.patient_key),
        "scan_key": row.key,
        "slide": short(row.slide_key),
        "situation": situation,
        "scans": count,
        "stain": row.stain,
        "organ": row.organ_code,
        "diagnosis": row.diagnosis_code,
        "maker": row.scanner_maker and row.scanner_maker.casefold(),
        "model": row.scanner_model and row.scanner_model.casefold(),
        "objective": row.objective_power,
        "mpp": row.mpp_x,
        "width": row.width,
        "height": row.height,
        "fidelity": row.fidelity,
    }
