"""A letter arrives that names a person or a case; the archive ends every use of what it holds, by codes.

The vault leads from the number to the cases, keeps who withdrew and on what paper, and lets nobody correct anything
while the archive acts.
"""

from dataclasses import dataclass, field
from datetime import date

from archive.codes import InternalKey, new_key
from archive.consent.records import Giver
from archive.errors import InvalidValue, UnknownCode
from archive.holdings import Archive, withdrawing
from archive.holdings.withdrawal import Withdrawal, Withdrawn
from ingest.keyvault import FoundCase, KeyVault
from ingest.keyvault.evidence import Evidence
from ingest.pipeline.correcting import finish_begun


@dataclass(frozen=True, slots=True)
class Letter:
    """What somebody withdrew, as the laboratory has it on paper.

    Parameters
    ----------
    number : str
        The case's number, or with ``of_patient`` the patient's.
    giver, rank : Giver and int, optional
        In which role somebody withdrew; the rank is that of a qualifying relation.
    received_on : date
        When; kept in the vault only.
    name, document : str
        Who, and where the paper lies; kept in the vault only.
    under : str, optional
        The number of the patient whose case it is, where two have a case of this number.
    """

    number: str = field(repr=False)
    giver: Giver
    received_on: date = field(repr=False)
    of_patient: bool = False
    rank: int | None = None
    name: str = field(default="", repr=False)
    document: str = field(default="", repr=False)
    under: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.evidence(new_key())  # refuses what cannot be kept

    def evidence(self, record: InternalKey) -> Evidence:
        """Give what proves the record of that key."""
        return Evidence(record, self.name, self.received_on, self.document)


@dataclass(frozen=True, slots=True)
class PlannedWithdrawal:
    """A withdrawal of which it is known how many cases it concerns; ``prospect`` is what it would do."""

    letter: Letter = field(repr=False)
    withdrawal: Withdrawal = field(repr=False)
    known: int
    prospect: Withdrawn

    @property
    def not_held(self) -> int:
        """How many of the cases that are known the archive holds nothing of."""
        return max(0, self.known - len(self.prospect.ended))


def plan(archive: Archive, vault: KeyVault, letter: Letter, *, who: str, reason: str) -> PlannedWithdrawal:
    """Find what a letter concerns, and what ending its use would do; nothing is changed but for the vault's trail.

    Raises
    ------
    UnknownCode
        If the laboratory has no such case or patient, or holds nothing of the case.
    InvalidValue
        If several patients have a case of this number, or role and rank do not fit.
    """
    finish_begun(archive, vault)
    case, patient = None, None
    if letter.of_patient:
        found = vault.directory.find_patient(letter.number, who=who, purpose=reason)
        patient = vault.directory.patient_of(letter.number)
    else:
        found = (_only(vault.directory.find_case(letter.number, who=who, purpose=reason), vault, letter.under),)
        case = found[0].key
    if not found:
        raise UnknownCode("the laboratory has nothing of this patient; check the number")
    return _planned(archive, letter, len(found), case=case, patient=patient, who=who, reason=reason)


def plan_found(
    archive: Archive, vault: KeyVault, letter: Letter, case: FoundCase, *, who: str, reason: str
) -> PlannedWithdrawal:
    """Find what ending the use of a case that was found before, or of all its patient's, would do; as `plan`.

    Raises
    ------
    UnknownCode
        If the laboratory holds nothing of the case.
    InvalidValue
        If role and rank do not fit.
    """
    finish_begun(archive, vault)
    if letter.of_patient:
        known = vault.directory.count_of(case.patient)
        return _planned(archive, letter, known, case=None, patient=case.patient, who=who, reason=reason)
    return _planned(archive, letter, 1, case=case.key, patient=None, who=who, reason=reason)


def carry_out(planned: PlannedWithdrawal, archive: Archive, vault: KeyVault) -> Withdrawn:
    """End the use, and keep the evidence; the second time only what is missing is done.

    Raises
    ------
    ArchiveError
        If archive or vault fail. If the archive failed, nothing was done; the same again does what is missing.
    """
    withdrawal = planned.withdrawal
    return vault.withdrawals.note(
        withdrawal.case or withdrawal.patient or InternalKey(""),
        lambda: withdrawing.withdraw(archive, withdrawal),
        lambda report: planned.letter.evidence(report.record),
        who=withdrawal.by,
        reason=withdrawal.reason,
    )


def _only(found: tuple[FoundCase, ...], vault: KeyVault, under: str | None) -> FoundCase:
    if under is not None:
        owner = vault.directory.patient_of(under)
        found = tuple(case for case in found if case.patient == owner)
    if not found:
        raise UnknownCode("the laboratory has no such case; check the number")
    if len(found) > 1:
        raise InvalidValue("several patients have a case of this number; say whose it is (--under)")
    return found[0]


def _planned(
    archive: Archive,
    letter: Letter,
    known: int,
    *,
    case: InternalKey | None,
    patient: InternalKey | None,
    who: str,
    reason: str,
) -> PlannedWithdrawal:
    if case is not None and archive.case(case) is None:
        raise UnknownCode("nothing of this case was ever taken in; withdraw for the patient, which is of cases to come")
    withdrawal = Withdrawal(
        case=case, patient=patient, giver=letter.giver, rank=letter.rank, by=who, reason=reason, key=new_key()
    )
    return PlannedWithdrawal(letter, withdrawal, known, withdrawing.foresee(archive, withdrawal))
