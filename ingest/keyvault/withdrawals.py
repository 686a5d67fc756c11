"""Who withdrew, and on what paper, is kept here; that it was withdrawn is known to the archive, which acts on it.

The archive records it while nobody can correct anything in the vault, so that no correction that was planned before
puts back what was recorded before.
"""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import select

from archive.codes import InternalKey
from ingest.errors import VaultUnavailable
from ingest.keyvault import trail
from ingest.keyvault.entries import find_or_make
from ingest.keyvault.evidence import Evidence
from ingest.keyvault.identity import Kind
from ingest.keyvault.room import Room
from ingest.keyvault.tables import correction

T = TypeVar("T")


class Withdrawals(Room):
    """Withdrawals in an open key vault."""

    def note(
        self,
        subject: InternalKey,
        record: Callable[[], T],
        evidence: Callable[[T], Evidence],
        *,
        who: str,
        reason: str,
    ) -> T:
        """Have the archive record a withdrawal, keep its evidence, and give what the archive said.

        If the archive cannot, nothing is kept here. If this process is killed in between, the archive has recorded it
        and the evidence is missing: the same again puts it there.

        Parameters
        ----------
        subject
            The internal key of the case, or of the patient.
        record
            Has the archive record it; called once.
        evidence
            Gives who withdrew, when and on what paper, from what the archive said; sealed under the patient's key.
        who, reason
            The account, and why it was done.

        Raises
        ------
        UnknownCode
            If the vault has no such case or patient.
        VaultUnavailable
            If something is being corrected now.
        """
        with self._turn() as connection:
            if connection.scalar(select(correction.c.key)) is not None:
                raise VaultUnavailable("something is being corrected by somebody else now; try again in a moment")
            _, owner = self._entry(connection, subject, Kind.CASE, Kind.PATIENT)
            recorded = record()
            find_or_make(connection, owner, Kind.EVIDENCE, subject, evidence(recorded).to_text())
            trail.append(connection, owner.key, "withdrew consent", who, subject, reason, patient=owner.patient)
        return recorded
