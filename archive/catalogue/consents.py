"""Consent records and obligations, and the one place where the facts of a case are made from them.

Whoever adds or annuls one, or changes what was told, has `derive` write the facts in the same transaction; nobody
writes them otherwise.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from archive.catalogue.rows import case_from, facts_text
from archive.catalogue.schema import cases, consents, obligations, patients
from archive.codes import InternalKey
from archive.consent import Facts
from archive.consent.recorded import facts_of
from archive.consent.records import ConsentRecord
from archive.consent.terms import Record, word
from archive.errors import ArchiveError, CatalogueUnavailable


@dataclass(frozen=True, slots=True)
class Kept:
    """A consent record as it is kept.

    ``number`` tells the order only. Under ``key`` the key vault has the evidence. ``of_patient`` says that the record
    is of all cases of the patient.
    """

    number: int
    key: InternalKey
    of_patient: bool
    record: ConsentRecord
    annulled: bool


@dataclass(frozen=True, slots=True)
class Handled:
    """A document that the rules asked for: whether it exists, who says so and why."""

    record: Record
    done: bool
    by: str
    reason: str


def add(
    connection: Connection,
    key: InternalKey,
    record: ConsentRecord,
    *,
    case: InternalKey | None = None,
    patient: InternalKey | None = None,
) -> int:
    """Put a record of a case or a patient in, after all others, and give its number; derive their facts afterwards."""
    number = int(connection.scalar(select(func.max(consents.c.number))) or 0) + 1
    text = json.dumps(record.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    values = {"key": key, "case_key": case, "patient_key": patient, "text": text, "annulled": False}
    connection.execute(insert(consents).values(number=number, **values))
    return number


def annul(connection: Connection, number: int) -> None:
    """Record that a record was a mistake; derive the facts of its cases afterwards."""
    connection.execute(update(consents).where(consents.c.number == number).values(annulled=True))


def add_patient(connection: Connection, patient: InternalKey) -> None:
    """Put a patient in of whom there is no case yet: what a patient said must be known before the case comes."""
    if connection.scalar(select(patients.c.key).where(patients.c.key == patient)) is None:
        connection.execute(insert(patients).values(key=patient))


def of_case(connection: Connection, case: InternalKey) -> tuple[Kept, ...]:
    """Give the records of a case and of its patient in their order, annulled ones too."""
    patient = select(cases.c.patient_key).where(cases.c.key == case).scalar_subquery()
    return _kept(connection, or_(consents.c.case_key == case, consents.c.patient_key == patient))


def of_patient(connection: Connection, patient: InternalKey) -> tuple[Kept, ...]:
    """Give the records of a patient, without those of single cases, in their order."""
    return _kept(connection, consents.c.patient_key == patient)


def cases_of(connection: Connection, patient: InternalKey) -> tuple[InternalKey, ...]:
    """Give the keys of a patient's cases, in an order that tells nothing."""
    found = connection.scalars(select(cases.c.key).where(cases.c.patient_key == patient))
    return tuple(sorted(map(InternalKey, found)))


def handle(connection: Connection, case: InternalKey, handled: Handled) -> None:
    """Record whether a document of a case exists; derive its facts afterwards."""
    of_it = (obligations.c.case_key == case) & (obligations.c.record == str(handled.record))
    values = {"done": handled.done, "by": handled.by, "reason": handled.reason}
    if connection.scalar(select(obligations.c.record).where(of_it)) is None:
        connection.execute(insert(obligations).values(case_key=case, record=str(handled.record), **values))
    else:
        connection.execute(update(obligations).where(of_it).values(values))


def handled_of(connection: Connection, case: InternalKey) -> tuple[Handled, ...]:
    """Give the documents of a case of which somebody said that they exist or do not."""
    rows = connection.execute(
        select(obligations).where(obligations.c.case_key == case).order_by(obligations.c.record)
    ).mappings()
    return tuple(_handled(row) for row in rows)


def facts_by(connection: Connection, case: InternalKey, patient: InternalKey, told: Facts) -> Facts:
    """Say what would be known of a case, if this were told of it and it were this patient's."""
    found = _kept(connection, or_(consents.c.case_key == case, consents.c.patient_key == patient))
    handled = handled_of(connection, case)
    return facts_of(
        told,
        [one.record for one in found if not one.annulled],
        [one.record for one in handled if one.done],
        [one.record for one in handled if not one.done],
    )


def derive(connection: Connection, case: InternalKey, told: Facts | None = None) -> None:
    """Write the facts of a case anew, from what was told (as before, unless given) and from all records.

    What cohorts search is not described anew here.
    """
    row = connection.execute(select(cases).where(cases.c.key == case)).one_or_none()
    if row is None:
        return
    known = case_from(row._mapping)
    told = known.told if told is None else told
    facts = facts_by(connection, case, known.patient, told)
    values = {"facts": facts_text(facts), "told": None if facts == told else facts_text(told)}
    if values != {"facts": row.facts, "told": row.told}:
        connection.execute(update(cases).where(cases.c.key == case).values(values))


def underived(connection: Connection) -> Iterator[InternalKey]:
    """Find the cases whose facts are not those that follow from their records; none if all is well."""
    spoken_of = select(consents.c.number).where(
        or_(consents.c.case_key == cases.c.key, consents.c.patient_key == cases.c.patient_key)
    )
    handled = select(obligations.c.record).where(obligations.c.case_key == cases.c.key)
    some = select(cases).where(or_(cases.c.told.is_not(None), spoken_of.exists(), handled.exists()))
    for row in connection.execute(some.order_by(cases.c.key)).all():
        case = case_from(row._mapping)
        if facts_by(connection, case.key, case.patient, case.told) != case.facts:
            yield case.key


def _kept(connection: Connection, of_whom: Any) -> tuple[Kept, ...]:
    rows = connection.execute(select(consents).where(of_whom).order_by(consents.c.number)).mappings()
    return tuple(_from(row) for row in rows)


def _from(row: Any) -> Kept:
    """Read a row; one that cannot be read opens nothing."""
    try:
        record = ConsentRecord.from_json(json.loads(row["text"]))
    except (ValueError, TypeError, KeyError, AttributeError, ArchiveError):
        raise CatalogueUnavailable(
            "the catalogue holds a consent record that cannot be read; restore it from a backup"
        ) from None
    return Kept(row["number"], InternalKey(row["key"]), row["patient_key"] is not None, record, bool(row["annulled"]))


def _handled(row: Any) -> Handled:
    try:
        return Handled(word(Record, "record", row["record"]), bool(row["done"]), row["by"], row["reason"])
    except ArchiveError:
        raise CatalogueUnavailable(
            "the catalogue holds an obligation that cannot be read; restore it from a backup"
        ) from None
