"""What is decided upon is one copy of one picture: the facts of its case, and what is known of that very scan.

What the archive serves is coded, never anonymised and never identifiable by its metadata; it counts as coded only
with a passed report on exactly the stored bytes (row Z1). Whether the picture itself might identify is known twice: a
person may have attested it for the whole case, and each scan has the grade of its own screening. A ``yes`` of either
stands; otherwise a person's word is worth more than a screening's.
"""

from dataclasses import replace

from sqlalchemy import Connection

from archive.auditchain import Value
from archive.catalogue import codes, slides
from archive.codes import InternalKey
from archive.consent import Decision, Facts, MightIdentify, Purpose, Recipient
from archive.consent import decide as decide_by_table
from archive.consent.terms import Grade, State
from archive.errors import ConsentRefused, UnknownCode
from archive.records import ScanRecord, ScanStatus

_HOLD_NO_KEY = frozenset({Recipient.PROJECT, Recipient.CLASS, Recipient.PUBLIC})
"""Recipients who get codes or handles only. Whoever works in the laboratory or treats the patient may look codes up."""


def decide(
    connection: Connection, slide: InternalKey, purpose: Purpose, recipient: Recipient, scan: InternalKey | None
) -> Decision:
    """Decide about one scan of a slide, or about all kept ones and give the strictest answer."""
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


def decide_copy(facts: Facts, purpose: Purpose, recipient: Recipient) -> Decision:
    """Decide about the copy that would be shown, whose facts these are."""
    return decide_by_table(facts, purpose, recipient, holds_key=recipient not in _HOLD_NO_KEY)


def facts_of_copy(facts: Facts, scan: ScanRecord) -> Facts:
    """Give the facts of the copy that would be shown: the case's, with what is known of this scan."""
    return facts_as_shown(facts, scan.might_identify, report_bound=scan.report_bound)


def facts_as_shown(facts: Facts, grade: MightIdentify, *, report_bound: bool) -> Facts:
    """Join the facts of a case with the grade of a scan and whether its report is bound to what is stored."""
    grade = strictest(facts.might_identify, grade)
    return replace(facts, state=State.CODED, report_bound=report_bound, might_identify=grade)


def strictest(case: MightIdentify, scan: MightIdentify) -> MightIdentify:
    """Join what a person attested for a case with the grade of one of its scans."""
    for decisive in (Grade.YES, Grade.NO_PERSON):
        for one in (scan, case):
            if one.grade is decisive:
                return one
    return scan
