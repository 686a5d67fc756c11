"""A wrong name on a list is found out later: a slide goes to its own case, a case to its patient, facts are mended.

A correction is planned first, which changes nothing and can be shown. It is carried out in the key vault and then in
the archive; killed in between, the next start finishes it (`finish_begun`). What is stored was searched for the
identifiers of the case that it was delivered as, so it is searched again for those of the case that it goes to.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from archive.codes import InternalKey, new_key
from archive.errors import InvalidValue, UnknownCode
from archive.holdings import Archive
from archive.holdings.correction import Correction
from archive.holdings.correction import carry_out as record
from archive.holdings.place import disk_errors
from archive.holdings.prospect import Prospect, foresee
from archive.records import CaseRecord, Concept, ScanStatus, SlideRecord, Stain
from archive.wordscreen import screen
from ingest.delivery import Feed, default_of, feeds_of
from ingest.delivery.mending import Settings
from ingest.errors import SlideRefused
from ingest.keyvault import BegunCorrection, FoundCase, Identity, Keys, KeyVault, Whereabouts
from ingest.keyvault.identity import Kind, compared
from ingest.pipeline.needles import needles_in_stored
from ingest.pipeline.proving import Search

NOTHING = Settings()


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


def plan_slide(
    archive: Archive,
    vault: KeyVault,
    code: str,
    words: SlideWords,
    settings: Settings = NOTHING,
    *,
    who: str,
    reason: str,
) -> SlidePlan:
    """Plan where a slide belongs and what is on it; nothing is changed but for the vault's trail.

    Parameters
    ----------
    archive, vault
        The laboratory's.
    code : str
        The slide's code in the laboratory.
    words : SlideWords
        What is right.
    settings : Settings
        What is known of its case, where that is new; the default feed's defaults are added.
    who, reason : str
        The account, and why; the reason may hold nothing that could identify a patient.

    Raises
    ------
    UnknownCode
        If there is no such slide.
    InvalidValue
        If it is not told whose case it is, nothing would change, or something contradicts something else.
    """
    screen(reason, "a reason")
    finish_begun(archive, vault)
    before = archive.slide(code).record
    known = vault.identify(before.key, who, reason)
    stain = words.stain or before.stain or Stain.UNSTAINED
    to = Whereabouts(
        patient=_patient_of(vault, known, words, who, reason),
        case=words.case or known.case or "",
        block=words.block or known.block or "",
        slide=f"{stain} {words.number or _number_of(known, before)}",
    )
    found = vault.directory.case_of(to.patient, to.case)
    case = _case_after(archive, vault, to, found, settings, stain)
    is_at = _place_of(Whereabouts(known.patient, known.case or "", known.block or "", known.slide or ""))
    same_block = is_at[:3] == _place_of(to)[:3]
    after = replace(
        before,
        case=case.key,
        block=before.block if same_block else new_key(),
        stain=stain,
        organ=words.organ or before.organ,
        diagnosis=words.diagnosis or before.diagnosis,
    )
    if after == before and is_at == _place_of(to):
        raise InvalidValue("all of this is recorded so already; nothing was changed")
    searched = (
        Searched() if case.key == before.case else _search(archive, vault, [before.key], to.patient, to.case, who)
    )
    correction = Correction(case, after, reason, searched.found_in)
    seen = before, archive.case(case.key)
    return SlidePlan(seen, after, correction, to, settings.evidence, foresee(archive, correction), searched)


def plan_case(
    archive: Archive,
    vault: KeyVault,
    number: str,
    settings: Settings = NOTHING,
    *,
    patient: str | None = None,
    now_under: str | None = None,
    who: str,
    reason: str,
) -> CasePlan:
    """Plan which facts of a case are mended, and whose it is; nothing is changed but for the vault's trail.

    Parameters
    ----------
    archive, vault
        The laboratory's.
    number : str
        The case's number.
    settings : Settings
        What is right; what is not set stays.
    patient : str, optional
        The number of the patient whose case it is; None if that is right.
    now_under : str, optional
        The number of the patient it is under now; needed where several patients have a case of this number.
    who, reason : str
        As for `plan_slide`.

    Raises
    ------
    UnknownCode
        If there is no such case.
    InvalidValue
        If nothing would change, or something contradicts something else.
    """
    screen(reason, "a reason")
    finish_begun(archive, vault)
    found = _only(vault.directory.find_case(number, who=who, purpose=reason), vault, now_under)
    before = archive.case(found.key)
    if before is None:
        raise UnknownCode("nothing of this case was ever taken in; there is nothing to correct")
    owner = vault.directory.patient_of(patient) if patient is not None else found.patient
    moves = owner != found.patient
    if moves and patient is not None:
        _require_free(archive, vault, patient, number)
    facts = settings.mended(before.facts, number, _default_feed(vault))
    after = CaseRecord(found.key, owner or new_key(), facts)
    if after == before:
        raise InvalidValue("all of this is recorded so already; nothing was changed")
    moved = [slide.key for slide in found.slides] if moves else []
    searched = _search(archive, vault, moved, patient, number, who) if patient is not None and moves else Searched()
    correction = Correction(after, None, reason, searched.found_in)
    to = patient if moves else None
    return CasePlan(before, correction, to, settings.evidence, foresee(archive, correction), searched)


def carry_out(plan: SlidePlan | CasePlan, archive: Archive, vault: KeyVault, *, who: str) -> None:
    """Carry a plan out: in the key vault first, which also notes what the archive is to record, then in the archive.

    Raises
    ------
    InvalidValue
        If something is in the way, or was recorded otherwise since it was planned; then nothing was changed.
    ArchiveError
        If archive or vault fail. What was begun is finished by the next start.
    """
    _finish(archive, vault, plan.begin(archive, vault, who))


def finish_begun(archive: Archive, vault: KeyVault) -> int:
    """Finish the corrections that were begun in the vault and not recorded in the archive; gives how many."""
    begun = vault.corrections.begun()
    for one in begun:
        _finish(archive, vault, one)
    return len(begun)


def _finish(archive: Archive, vault: KeyVault, begun: BegunCorrection) -> None:
    vault.corrections.finish(begun, lambda text: record(archive, Correction.from_json(text)))


def _require_as_seen(is_so: bool) -> None:
    """Refuse a plan that is out of date: what was recorded since, such as a withdrawal, must not be undone by it."""
    if not is_so:
        raise InvalidValue("something else was recorded since this was planned; look at it again, and plan it again")


def _patient_of(vault: KeyVault, known: Identity, words: SlideWords, who: str, reason: str) -> str:
    """Find out whose a slide is: the patient who is named, or else the one whose the named case is."""
    if words.patient is not None:
        return words.patient
    if words.case is None or compared(Kind.CASE, words.case) == compared(Kind.CASE, known.case or ""):
        return known.patient
    found = vault.directory.find_case(words.case, who=who, purpose=reason)
    if not found:
        raise InvalidValue("the laboratory has no case of this number yet; say whose it is (--patient)")
    if len(found) > 1:
        raise InvalidValue("several patients have a case of this number; say whose it is (--patient)")
    return vault.identify(found[0].patient, who, reason).patient


def _case_after(
    archive: Archive, vault: KeyVault, to: Whereabouts, found: FoundCase | None, settings: Settings, stain: Stain
) -> CaseRecord:
    """Give the case that a slide goes to: as it is known, or with the facts that a list would have told."""
    known = None if found is None else archive.case(found.key)
    if known is not None:
        if settings:
            raise InvalidValue("the case is known; mend what is recorded of it with: coverslip correct case")
        return known
    facts = settings.facts_of_new(to.patient, to.case, stain, _default_feed(vault))
    owner = vault.directory.patient_of(to.patient)
    return CaseRecord(found.key if found else new_key(), owner or new_key(), facts)


def _default_feed(vault: KeyVault) -> Feed | None:
    return default_of(feeds_of(vault.declared("feed")))


def _only(found: tuple[FoundCase, ...], vault: KeyVault, now_under: str | None) -> FoundCase:
    if now_under is not None:
        owner = vault.directory.patient_of(now_under)
        found = tuple(case for case in found if case.patient == owner)
    if not found:
        raise UnknownCode("the laboratory has no such case; check the number")
    if len(found) > 1:
        raise InvalidValue("several patients have a case of this number; say under whom it is now (--now-under)")
    return found[0]


def _require_free(archive: Archive, vault: KeyVault, patient: str, number: str) -> None:
    taken = vault.directory.case_of(patient, number)
    if taken is not None and archive.case(taken.key) is not None:
        raise InvalidValue(
            "that patient has a case of this number already; move its slides one by one with: coverslip correct slide"
        )


def _number_of(known: Identity, before: SlideRecord) -> str:
    """Give a slide's number among those of its stain and block, as its list told it."""
    label = known.slide or ""
    return label.removeprefix(f"{before.stain} ") if before.stain else label.rpartition(" ")[2]


def _search(
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


def _place_of(whereabouts: Whereabouts) -> tuple[str, ...]:
    """Give the form in which two places of slides are compared."""
    return (
        compared(Kind.PATIENT, whereabouts.patient),
        compared(Kind.CASE, whereabouts.case),
        compared(Kind.BLOCK, whereabouts.block),
        compared(Kind.SLIDE, whereabouts.slide),
    )
