"""A wrong name on a list is found out later: a slide goes to its own case, a case to its patient, facts are mended.

A correction is planned first, which changes nothing and can be shown. It is carried out in the key vault and then in
the archive; killed in between, the next start finishes it (`finish_begun`). What is stored was searched for the
identifiers of the case that it was delivered as, so it is searched again for those of the case that it goes to.
"""

from dataclasses import replace

from archive.codes import new_key
from archive.consent import Facts
from archive.consent.terms import Consent
from archive.errors import InvalidValue, UnknownCode
from archive.holdings import Archive
from archive.holdings.consenting import case_if
from archive.holdings.correction import Correction
from archive.holdings.correction import carry_out as record
from archive.holdings.prospect import foresee
from archive.records import CaseRecord, SlideRecord, Stain
from archive.wordscreen import screen
from ingest.delivery import Feed, default_of, feeds_of
from ingest.delivery.mending import Settings
from ingest.keyvault import BegunCorrection, FoundCase, Identity, KeyVault, Whereabouts
from ingest.keyvault.identity import Kind, compared
from ingest.pipeline.corrections import CasePlan, Searched, SlidePlan, SlideWords, search_stored

__all__ = ["NOTHING", "CasePlan", "SlidePlan", "SlideWords", "carry_out", "finish_begun", "plan_case", "plan_slide"]

NOTHING = Settings()


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
        Searched() if case.key == before.case else search_stored(archive, vault, [before.key], to.patient, to.case, who)
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
        If nothing would change, something contradicts something else, or a refusal or a withdrawal is set, which are
        acts of their own.
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
    told = settings.mended(before.told, number, _default_feed(vault))
    _refuse_what_ends_use(before.told, told)
    after = case_if(archive, found.key, owner or new_key(), told)
    if after == before:
        raise InvalidValue("all of this is recorded so already; nothing was changed")
    searched = Searched()
    if patient is not None and moves:
        searched = search_stored(archive, vault, [slide.key for slide in found.slides], patient, number, who)
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
    return case_if(archive, found.key if found else new_key(), owner or new_key(), facts)


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


def _refuse_what_ends_use(before: Facts, after: Facts) -> None:
    """Somebody said so, and a corrected fact would name nobody, take nothing out of collections and leave no trace."""
    if after.consent is before.consent:
        return
    if after.consent is Consent.WITHDRAWN:
        raise InvalidValue(
            "a withdrawal is no correction: it takes slides out of collections and leaves a tombstone; "
            "use: coverslip consent withdraw"
        )
    if after.consent is Consent.REFUSED:
        raise InvalidValue(
            "a refusal is no correction: record who refused, and what; use: coverslip consent record --answer refused"
        )


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


def _place_of(whereabouts: Whereabouts) -> tuple[str, ...]:
    """Give the form in which two places of slides are compared."""
    return (
        compared(Kind.PATIENT, whereabouts.patient),
        compared(Kind.CASE, whereabouts.case),
        compared(Kind.BLOCK, whereabouts.block),
        compared(Kind.SLIDE, whereabouts.slide),
    )
