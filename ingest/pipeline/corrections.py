"""How a correction was planned: what a person says is right, what was seen then, and what would come of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from archive.codes import InternalKey
from archive.errors import InvalidValue
from archive.holdings import Archive
from archive.holdings.correction import Correction
from archive.holdings.place import disk_errors
from archive.holdings.prospect import Prospect
from archive.records import CaseRecord, Concept, ScanStatus, SlideRecord, Stain
from ingest.errors import SlideRefused
from ingest.keyvault import BegunCorrection, Keys, KeyVault, Whereabouts
from ingest.pipeline.needles import needles_in_stored
from ingest.pipeline.proving import Search


@dataclass(frozen=True, slots=True)
class SlideWords:
    """What a person says is right about a slide, as a delivery list would tell it; None for what is right already."""

    patient: str | None = field(default=None, repr=False)
    case: str | None = field(default=None, repr=False)
    block: str | None = field(default=None, repr=False)
    stain: Stain | None = None
    number: str | None = field(default=None, repr=False)
    organ: Concept | None = None
    diagnosis: Concept | None = None


@dataclass(frozen=True, slots=True)
class Searched:
    """How many stored bytes were searched for the identifiers of another case, and in which scans one was found."""

    stored_bytes: int = 0
    found_in: frozenset[InternalKey] = frozenset()


@dataclass(frozen=True, slots=True)
class SlidePlan:
    """How a slide would be corrected, and what would come of it; ``seen`` is what it was planned by."""

    seen: tuple[SlideRecord, CaseRecord | None] = field(repr=False)
    slide: SlideRecord = field(repr=False)
    correction: Correction = field(repr=False)
    to: Whereabouts = field(repr=False)
    evidence: tuple[str, ...] = field(repr=False)
    prospect: Prospect
    searched: Searched

    def begin(self, archive: Archive, vault: KeyVault, who: str) -> BegunCorrection:
        """Correct the vault, and note there what the archive is to record."""

        def intent(keys: Keys) -> str:
            _require_as_seen((archive.held(self.slide.key).record, archive.case(keys.case)) == self.seen)
            case = replace(self.correction.case, key=keys.case, patient=keys.patient)
            slide = replace(self.slide, case=keys.case, block=keys.block)
            return replace(self.correction, case=case, slide=slide).to_json()

        reason = self.correction.reason
        return vault.corrections.move_slide(self.slide.key, self.to, self.evidence, intent, who=who, reason=reason)


@dataclass(frozen=True, slots=True)
class CasePlan:
    """How a case would be corrected, and what would come of it; ``patient`` is None if it stays with its patient."""

    seen: CaseRecord = field(repr=False)
    correction: Correction = field(repr=False)
    patient: str | None = field(repr=False)
    evidence: tuple[str, ...] = field(repr=False)
    prospect: Prospect
    searched: Searched

    def begin(self, archive: Archive, vault: KeyVault, who: str) -> BegunCorrection:
        """Correct the vault, and note there what the archive is to record."""
        correction = self.correction

        def intent(patient: InternalKey) -> str:
            _require_as_seen(archive.case(correction.case.key) == self.seen)
            return replace(correction, case=replace(correction.case, patient=patient)).to_json()

        case, reason = correction.case.key, correction.reason
        return vault.corrections.move_case(case, self.patient, self.evidence, intent, who=who, reason=reason)


def search_stored(
    archive: Archive, vault: KeyVault, slides: Iterable[InternalKey], patient: str, case: str, who: str
) -> Searched:
    """Search all scans of some slides for what identifies the case that they go to."""
    known = vault.directory.words_of(patient, case, who=who)
    stored_bytes, found_in = 0, set()
    for scan in (scan for slide in slides for scan in archive.scans_of(slide)):
        if scan.status is ScanStatus.DAMAGED:
            continue
        folder = archive.place.of_scan(scan.key)
        with disk_errors():
            search = Search(needles_in_stored(known, folder))
            try:
                search(folder)
            except SlideRefused:
                found_in.add(scan.key)
        stored_bytes += scan.stored_bytes
    return Searched(stored_bytes, frozenset(found_in))


def _require_as_seen(is_so: bool) -> None:
    """Refuse a plan that is out of date: what was recorded since, such as a withdrawal, must not be undone by it."""
    if not is_so:
        raise InvalidValue("something else was recorded since this was planned; look at it again, and plan it again")
