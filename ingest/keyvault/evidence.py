"""Who signed a consent, on which day and on which form: what the archive does not know of its consent records.

It lies sealed under the patient's key, below the case or the patient that the record is of, and goes when the patient
is erased. The archive's record and its evidence share a random key. Evidence is kept first: without its record it says
nothing, and a record whose evidence is missing would be a claim.
"""

import json
from dataclasses import asdict, dataclass, field
from datetime import date

from archive.codes import InternalKey
from archive.errors import InvalidValue
from ingest.keyvault import entries, erasure, trail
from ingest.keyvault.database import writing
from ingest.keyvault.entries import Owner, find_or_make
from ingest.keyvault.identity import LONGEST_EVIDENCE, Kind, checked, compared
from ingest.keyvault.room import Room, require_reason

_NOBODY = InternalKey("")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What proves a consent record: by its key, who answered or attested, when, on which document, and why."""

    record: InternalKey = field(repr=False)
    name: str = field(default="", repr=False)
    on: date | None = field(default=None, repr=False)
    document: str = field(default="", repr=False)
    why: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        for what, text in (("name", self.name), ("document", self.document), ("explanation", self.why)):
            if text:
                checked(text, what)
        if len(self.to_text()) > LONGEST_EVIDENCE:
            raise InvalidValue("what is kept as evidence is too long; say where the document is, and write it shorter")

    def to_text(self) -> str:
        """Write it as it is sealed."""
        content = asdict(self) | {"on": self.on.isoformat() if self.on else None}
        return json.dumps({name: value for name, value in content.items() if value}, ensure_ascii=False)

    @classmethod
    def parse(cls, text: str) -> "Evidence | None":
        """Read what ``to_text`` wrote; None for a sentence that a delivery list attested."""
        try:
            content = json.loads(text)
            on = content.pop("on", None)
            return cls(**content, on=date.fromisoformat(on) if on else None)
        except (ValueError, TypeError, AttributeError):
            return None


class ConsentEvidence(Room):
    """The evidence of consent records in an open key vault. Every method is one transaction."""

    def patient(self, number: str, *, who: str) -> InternalKey:
        """Give the internal key of a patient, making it for one of whom there is nothing yet.

        A refusal counts from the day it is known, also for slides that come later.

        Raises
        ------
        InvalidValue
            If the number can be no patient's.
        """
        owner = Owner(*self._store.patient(compared(Kind.PATIENT, checked(number, Kind.PATIENT))))
        with writing(self._engine) as connection:
            erasure.refuse_if_begun(connection, owner.patient)
            find_or_make(connection, owner, Kind.PATIENT, _NOBODY, number, key=owner.patient)
            trail.append(connection, owner.key, "named in a consent", who, owner.patient, patient=owner.patient)
        return owner.patient

    def keep(self, subject: InternalKey, evidence: Evidence, *, who: str) -> None:
        """Keep the evidence of a record of a case or a patient; the same one is kept once.

        Raises
        ------
        UnknownCode
            If the vault has no such case or patient.
        """
        with writing(self._engine) as connection:
            _, owner = self._entry(connection, subject, Kind.CASE, Kind.PATIENT)
            find_or_make(connection, owner, Kind.EVIDENCE, subject, evidence.to_text())
            trail.append(connection, owner.key, "kept evidence", who, subject, patient=owner.patient)

    def read(self, subject: InternalKey, *, who: str, reason: str) -> dict[InternalKey, Evidence]:
        """Read the evidence of the records of a case or a patient, by their keys; who asked and why is written down.

        Raises
        ------
        UnknownCode
            If the vault has no such case or patient.
        InvalidValue
            If no reason is given.
        """
        require_reason(reason)
        with writing(self._engine) as connection:
            _, owner = self._entry(connection, subject, Kind.CASE, Kind.PATIENT)
            trail.append(connection, owner.key, "read evidence", who, subject, reason, patient=owner.patient)
            found = map(Evidence.parse, entries.labels(connection, owner, Kind.EVIDENCE, subject))
            return {one.record: one for one in found if one is not None}
