"""A patient may ask what was done with their slides: these are the entries of the vault's trail that are about them.

An entry is about a patient if it was written as one of theirs, or if what it is about is theirs now: their number, a
case, a block, a slide, a scan, or a file that became one.
"""

import json

from sqlalchemy import Connection, or_, select

from archive.codes import InternalKey
from ingest.keyvault import trail
from ingest.keyvault.tables import entry, file, intake


def numbers(connection: Connection, patient: InternalKey) -> frozenset[int]:
    """Give the numbers of the entries that are about a patient."""
    own = _belonging_to(connection, patient)
    return frozenset(one.number for one in trail.entries(connection) if _is_about(one.text, patient, own))


def _belonging_to(connection: Connection, patient: InternalKey) -> frozenset[str]:
    scans = select(file.c.scan).where(file.c.patient == patient)
    of_files = select(intake.c.number).where(or_(intake.c.patient == patient, intake.c.scan.in_(scans)))
    keys = select(entry.c.key).where(entry.c.patient == patient)
    return frozenset(found for query in (keys, scans, of_files) for found in connection.scalars(query))


def _is_about(text: str, patient: InternalKey, own: frozenset[str]) -> bool:
    content = json.loads(text)
    return content["patient"] == patient or content["subject"] in own
