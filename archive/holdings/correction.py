"""What was recorded wrongly is recorded anew: a slide moves to its own case, a case to its patient, facts are mended.

Codes stay, and so do the pixels and what was written beside them. The audit trail keeps each field as it was. Every
later use is decided by what is recorded now; a scan that the laboratory may not keep any more is quarantined in the
same act, which deletes nothing and is undone when the facts are put right.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from archive.auditchain import Value
from archive.catalogue import LABORATORY, codes, doubt, slides
from archive.catalogue.rows import case_from, case_row, slide_from, slide_row
from archive.codes import InternalKey, Kind
from archive.consent import Facts
from archive.errors import CatalogueUnavailable, InvalidValue
from archive.holdings.archive import Archive
from archive.holdings.deciding import status_after
from archive.records import CaseRecord, ScanStatus, SlideRecord
from archive.wordscreen import screen

_SHOWN = ("stain", "organ", "diagnosis")
"""Fields of a slide whose values are of closed lists, so that the trail may tell them."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What is to be recorded of a case, or of a slide and the case that it belongs to.

    Parameters
    ----------
    case : CaseRecord
        The case. With a slide its facts count only if it is new: a slide that moves changes nothing of a known case.
    slide : SlideRecord, optional
        The slide that is corrected; None for the case itself.
    reason : str
        Why, without anything that could identify a patient.
    withhold : frozenset of InternalKey
        Scans to withdraw, because an identifier of their new case was found in them.
    """

    case: CaseRecord
    slide: SlideRecord | None
    reason: str
    withhold: frozenset[InternalKey] = frozenset()

    def __post_init__(self) -> None:
        if self.slide is not None and self.slide.case != self.case.key:
            raise InvalidValue("a slide is corrected together with its own case")
        screen(self.reason, "a reason")

    def to_json(self) -> str:
        """Write it down, to be carried out by whoever comes next if this process is killed."""
        slide = None if self.slide is None else slide_row(self.slide)
        content = {
            "case": case_row(self.case),
            "slide": slide,
            "reason": self.reason,
            "withhold": sorted(self.withhold),
        }
        return json.dumps(content, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Correction":
        """Read what ``to_json`` wrote.

        Raises
        ------
        InvalidValue
            If it is anything else.
        """
        try:
            content = json.loads(text)
            slide = None if content["slide"] is None else slide_from(content["slide"])
            withhold = frozenset(map(InternalKey, content["withhold"]))
            return cls(case_from(content["case"]), slide, content["reason"], withhold)
        except (ValueError, TypeError, KeyError, CatalogueUnavailable):
            raise InvalidValue("a correction that was begun cannot be read; restore the vault from a backup") from None


def carry_out(archive: Archive, correction: Correction) -> bool:
    """Record a correction; false if all of it is recorded already, and then nothing is written.

    Raises
    ------
    CatalogueUnavailable
        If the catalogue cannot be written; then nothing was changed.
    """
    with archive.catalogue.writing() as writing:
        connection = writing.connection
        project = codes.project_number(connection, LABORATORY)
        if correction.slide is None:
            changed = _record_case(connection, project, correction.case)
            subject = ("case", codes.code_of(connection, project, Kind.CASE, correction.case.key))
            corrected = slides.slides_of_case(connection, correction.case.key)
        else:
            changed = _record_slide(connection, project, correction.case, correction.slide)
            subject = ("slide", codes.code_of(connection, project, Kind.SLIDE, correction.slide.key))
            corrected = (correction.slide.key,)
        in_doubt = "patient" in changed and doubt.is_about(connection, correction.case.patient)
        scans = put_away(connection, project, corrected, correction.withhold, in_doubt=in_doubt)
        if not changed and not scans:
            return False
        what, code = subject
        writing.tell(f"correct {what}", reason=correction.reason, **{what: str(code)}, changed=changed, scans=scans)
        return True


def differences(before: SlideRecord, after: SlideRecord) -> dict[str, Value]:
    """Tell what is on a slide otherwise than was recorded: ``{"stain": ["H&E", "PAS"]}``."""
    told = {name: (getattr(before, name), getattr(after, name)) for name in _SHOWN}
    changed: dict[str, Value] = {
        name: [None if one is None else str(one) for one in both] for name, both in told.items() if both[0] != both[1]
    }
    if before.block != after.block:
        changed["block"] = "another"  # blocks have no code
    return changed


def differing_facts(before: CaseRecord, after: CaseRecord) -> dict[str, Value]:
    """Tell which facts of a case are others than were recorded, each as it was and as it is now."""
    return differing(before.facts, after.facts)


def differing(before: Facts, after: Facts) -> dict[str, Value]:
    """Tell which facts differ: ``{"consent": ["unknown", "refused"]}``."""
    was, now = before.to_json(), after.to_json()
    return {name: [was[name], now[name]] for name in now if was[name] != now[name]}


def _record_case(connection: Connection, project: int, after: CaseRecord) -> Mapping[str, Value]:
    before = slides.find_case(connection, after.key)
    if before is None:
        return {}
    told = differing(before.told, after.told)
    if told:
        slides.set_facts(connection, after.key, after.told)
    if before.patient != after.patient:
        slides.move_case(connection, after.key, after.patient)
    changed = told | differing_facts(before, slides.find_case(connection, after.key) or after)
    if before.patient != after.patient:
        changed["patient"] = _codes(connection, project, Kind.PATIENT, before.patient, after.patient)
        _name_in_projects(connection, after.key, after)
    return changed


def _record_slide(connection: Connection, project: int, case: CaseRecord, after: SlideRecord) -> Mapping[str, Value]:
    before, old_case = slides.find_slide(connection, after.key), slides.case_of(connection, after.key)
    if before is None or old_case is None:
        return {}
    changed = differences(before, after)
    if before.case != after.case:
        slides.add_case(connection, slides.find_case(connection, case.key) or case)
        changed["case"] = _codes(connection, project, Kind.CASE, before.case, after.case)
        changed["patient"] = _codes(connection, project, Kind.PATIENT, old_case.patient, case.patient)
    if changed:
        slides.move_slide(connection, after)
    _name_in_projects(connection, after.key, slides.find_case(connection, after.case) or case)
    return changed


def _name_in_projects(connection: Connection, key: InternalKey, case: CaseRecord) -> None:
    """Give case and patient a code in each project that has one for what moved there."""
    for name in codes.projects_of(connection, key):
        number = codes.project_number(connection, name)
        _codes(connection, number, Kind.CASE, case.key)
        _codes(connection, number, Kind.PATIENT, case.patient)


def _codes(connection: Connection, project: int, kind: Kind, *keys: InternalKey) -> list[str]:
    return [str(codes.add_code(connection, project, kind, key)) for key in keys]


def put_away(
    connection: Connection,
    project: int,
    corrected: Iterable[InternalKey],
    withhold: frozenset[InternalKey] = frozenset(),
    *,
    in_doubt: bool = False,
) -> dict[str, Value]:
    """Give every scan of these slides the status that follows from what is recorded now, and tell which changed.

    Where what is recorded of their patient is in doubt, none of them may be opened.
    """
    changed: dict[str, Value] = {}
    for slide in corrected:
        case = slides.case_of(connection, slide)
        if case is None:
            continue
        for scan in slides.scans_of(connection, slide):
            status = status_after(case, scan, withhold)
            if in_doubt and status in (ScanStatus.KEPT, ScanStatus.REDACTING):  # which is opened when it is black
                status = ScanStatus.UNREVIEWED
            if status is not scan.status:
                slides.set_status(connection, scan.key, status)
                (code,) = _codes(connection, project, Kind.SCAN, scan.key)
                changed[code] = [str(scan.status), str(status)]
    return changed
