"""Uses are decided from what the catalogue says now, and by the rules that are in force here, or not at all."""

from collections.abc import Iterable

from sqlalchemy import Connection

from archive.auditchain import Value
from archive.catalogue import codes, ruling, slides
from archive.codes import InternalKey
from archive.consent import Decision, Facts, Purpose, Recipient
from archive.consent import decide as decide_by_table
from archive.consent.shown import decide_copy, facts_as_shown
from archive.errors import ConsentRefused, UnknownCode
from archive.records import CaseRecord, ScanRecord, ScanStatus


def decide(
    connection: Connection, slide: InternalKey, purpose: Purpose, recipient: Recipient, scan: InternalKey | None
) -> Decision:
    """Decide about one scan of a slide, or about all kept ones and give the strictest answer.

    Raises
    ------
    RulesNotInForce
        If this program has other rules than those in force.
    """
    ruling.require_in_force(connection)
    case = slides.case_of(connection, slide)
    kept = [
        one for one in slides.scans_of(connection, slide) if one.status is ScanStatus.KEPT and scan in (None, one.key)
    ]
    if case is None or not kept:
        raise UnknownCode(codes.NOT_HERE)
    decisions = [decide_copy(facts_of_copy(case.facts, one), purpose, recipient) for one in kept]
    return min(decisions, key=lambda decision: decision.allowed)


def require_keeping(facts: Facts) -> Decision:
    """Decide whether the laboratory may keep a copy, whose facts these are.

    Raises
    ------
    ConsentRefused
        If it may not, or not before something is established.
    """
    decision = decide_by_table(facts, Purpose.KEEP, Recipient.LABORATORY)
    if not decision.allowed:
        raise ConsentRefused(decision.sentence, row=decision.row, paragraph=decision.paragraph)
    return decision


def told(decision: Decision) -> dict[str, Value]:
    """Give what the audit trail keeps of a decision: the answer, on what it rests, and everything that was asked."""
    return {
        "verdict": str(decision.verdict),
        "row": decision.row,
        "paragraph": decision.paragraph,
        "basis": decision.basis,
        "rules": decision.rules_version,
        **decision.inputs(),
    }


def facts_of_copy(facts: Facts, scan: ScanRecord) -> Facts:
    """Give the facts of the copy that would be shown: the case's, with what is known of this scan."""
    return facts_as_shown(facts, scan.might_identify, report_bound=scan.report_bound)


def status_after(case: CaseRecord, scan: ScanRecord, withhold: Iterable[InternalKey] = ()) -> ScanStatus:
    """Say whether a scan may be opened once its case is recorded so; withdrawn and damaged ones stay what they are."""
    if scan.key in withhold and scan.status is not ScanStatus.DAMAGED:
        return ScanStatus.WITHDRAWN
    if scan.status not in (ScanStatus.KEPT, ScanStatus.QUARANTINED):
        return scan.status
    keep = decide_by_table(facts_of_copy(case.facts, scan), Purpose.KEEP, Recipient.LABORATORY)
    return ScanStatus.KEPT if keep.allowed else ScanStatus.QUARANTINED
