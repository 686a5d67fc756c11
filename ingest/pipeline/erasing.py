"""Before a patient is erased it is told what that reaches; afterwards nobody can find their slides by name again.

So it is also the last moment at which their use can be ended: a slide that may still be used stays in use for ever,
unless somebody says that this is meant.
"""

from dataclasses import dataclass, field

from archive.codes import InternalKey
from archive.consent import Purpose, Recipient
from archive.errors import ConsentRefused, FreeTextRefused, InvalidValue, UnknownCode
from archive.holdings import Archive
from archive.holdings.auditing import codes_in_laboratory
from ingest.keyvault import KeyVault
from ingest.pipeline.correcting import finish_begun

USES = ((Purpose.TEACHING, Recipient.CLASS), (Purpose.RESEARCH, Recipient.PROJECT))
"""Uses that show whether a slide is in use at all."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What erasing a patient reaches: how many cases are known, the slides that are held, and which may be used."""

    patient: InternalKey = field(repr=False)
    cases: int
    slides: tuple[str, ...]
    in_use: frozenset[str]
    reason: str

    def require_use_has_ended(self, *, uses_go_on: bool) -> None:
        """Refuse to erase while slides may still be used, unless it is said that this is meant; raises InvalidValue."""
        if self.in_use and not uses_go_on:
            raise InvalidValue(
                f"{len(self.in_use):,} slides may still be used, and nobody could end that afterwards; withdraw them "
                "first (coverslip consent withdraw --patient), or say --uses-go-on"
            )

    def carry_out(self, vault: KeyVault, *, who: str, second: str | None) -> None:
        """Erase the patient in the key vault, for good; the trail names whoever wanted it as well.

        Raises
        ------
        UnknownCode
            If the vault has no such patient any more.
        """
        vault.erase(self.patient, who, f"{self.reason}; second person: {second or 'none required'}")


def plan(archive: Archive, vault: KeyVault, number: str, *, who: str, reason: str) -> Erasure:
    """Find what erasing the patient of a number reaches; nothing is changed but for the vault's trail.

    Raises
    ------
    UnknownCode
        If the vault has no such patient.
    FreeTextRefused
        If the reason holds the number.
    """
    if number.strip().casefold() in reason.casefold():
        raise FreeTextRefused("the reason holds the patient's number, and outlives the patient; say it without")
    finish_begun(archive, vault)
    patient = vault.directory.patient_of(number)
    if patient is None:
        raise UnknownCode("the key vault has no such patient; check the number")
    found = vault.directory.find_patient(number, who=who, purpose=reason)
    keys = [slide.key for case in found for slide in case.slides]
    codes = codes_in_laboratory(archive, keys)
    held = {codes[key]: key for key in keys if key in codes}
    in_use = frozenset(code for code, key in held.items() if _may_be_used(archive, key))
    return Erasure(patient, len(found), tuple(sorted(held)), in_use, reason)


def _may_be_used(archive: Archive, slide: InternalKey) -> bool:
    for purpose, recipient in USES:
        try:
            if archive.decide(slide, purpose, recipient).allowed:
                return True
        except (UnknownCode, ConsentRefused):  # no scan of it can be opened
            continue
    return False
