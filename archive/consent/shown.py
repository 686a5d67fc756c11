"""What is decided upon is one copy of one picture: the facts of its case, and what is known of that very scan.

What the archive serves is coded, never anonymised and never identifiable by its metadata; it counts as coded only
with a passed report on exactly the stored bytes (row Z1). Whether the picture itself might identify is known twice: a
person may have attested it for the whole case, and each scan has the grade of its own screening. A ``yes`` of either
stands; otherwise a person's word is worth more than a screening's.
"""

from dataclasses import replace

from archive.consent.decide import Decision, decide
from archive.consent.facts import Facts
from archive.consent.terms import Grade, MightIdentify, Purpose, Recipient, State

_HOLD_NO_KEY = frozenset({Recipient.PROJECT, Recipient.CLASS, Recipient.PUBLIC})
"""Recipients who get codes or handles only. Whoever works in the laboratory or treats the patient may look codes up."""


def decide_copy(facts: Facts, purpose: Purpose, recipient: Recipient) -> Decision:
    """Decide about the copy that would be shown, whose facts these are."""
    return decide(facts, purpose, recipient, holds_key=recipient not in _HOLD_NO_KEY)


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
