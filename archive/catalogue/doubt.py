"""After acts were lost nobody knows who had refused, so what comes in waits until somebody has entered it again.

A refusal is of all cases that a patient will ever have. Where a damaged journal lost one, it may be of any patient,
also of one whom the catalogue does not know any more. Once the laboratory's own register of refusals was entered again,
only patients remain in doubt of whom a scan still waits to be looked at.
"""

from sqlalchemy import Connection, func, insert, select, update

from archive.catalogue.schema import cases, losses, scans, slides
from archive.codes import InternalKey
from archive.records import ScanStatus


def record_loss(connection: Connection) -> None:
    """Record that acts were lost."""
    number = int(connection.scalar(select(func.max(losses.c.number))) or 0) + 1
    connection.execute(insert(losses).values(number=number, settled=False))


def unsettled(connection: Connection) -> bool:
    """Tell whether acts were lost and it is not said yet that what they told was entered again."""
    return connection.scalar(select(losses.c.number).where(losses.c.settled.is_(False)).limit(1)) is not None


def settle(connection: Connection) -> None:
    """Record that what the lost acts told was entered again."""
    connection.execute(update(losses).where(losses.c.settled.is_(False)).values(settled=True))


def is_about(connection: Connection, patient: InternalKey) -> bool:
    """Tell whether what is recorded of a patient is in doubt, and with it whatever else comes in of them."""
    waiting = (
        select(scans.c.key)
        .join(slides, slides.c.key == scans.c.slide_key)
        .join(cases, cases.c.key == slides.c.case_key)
        .where(cases.c.patient_key == patient, scans.c.status == str(ScanStatus.UNREVIEWED))
    )
    return unsettled(connection) or connection.scalar(waiting.limit(1)) is not None
