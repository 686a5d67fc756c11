"""That consent was withdrawn stays, whatever else is forgotten; and so does what had left the archive before.

A tombstone names nobody: the case by its internal key, the act by the number of its entry in the audit trail (which
tells when), the role in which somebody withdrew, and how far it reached.
"""

import json
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, func, insert, select

from archive.catalogue.schema import audit, tombstones
from archive.codes import InternalKey
from archive.consent.records import Giver


class Scope(StrEnum):
    """How far a withdrawal reached."""

    CASE = "case"
    PATIENT = "patient"
    """All cases of the patient that were known then."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """One case of which consent was withdrawn."""

    case: InternalKey
    act: int
    by: Giver
    scope: Scope


def add(connection: Connection, tombstone: Tombstone) -> None:
    """Put a tombstone up, for good."""
    connection.execute(
        insert(tombstones).values(
            case_key=tombstone.case, act=tombstone.act, by=str(tombstone.by), scope=str(tombstone.scope)
        )
    )


def of_case(connection: Connection, case: InternalKey) -> tuple[Tombstone, ...]:
    """Give the tombstones of a case, in the order of the acts."""
    query = select(tombstones).where(tombstones.c.case_key == case).order_by(tombstones.c.act)
    return tuple(
        Tombstone(InternalKey(row.case_key), row.act, Giver(row.by), Scope(row.scope))
        for row in connection.execute(query)
    )


def newest_act(connection: Connection) -> int:
    """Give the number of the newest act by which consent was withdrawn; 0 before the first."""
    return connection.scalar(select(func.max(tombstones.c.act))) or 0


def cohorts_given(connection: Connection, project: str) -> tuple[int, ...]:
    """Give the numbers of the acts by which a project got a cohort that was not empty."""
    told = (json.dumps(part)[1:-1] for part in ({"act": "cohort"}, {"project": project}))
    query = select(audit.c.number, audit.c.text)
    for part in told:
        query = query.where(audit.c.text.contains(part.replace('": "', '":"'), autoescape=True))
    return tuple(
        row.number
        for row in connection.execute(query.order_by(audit.c.number))
        if (entry := json.loads(row.text)).get("project") == project and entry["act"] == "cohort" and entry.get("scans")
    )
