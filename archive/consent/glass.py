"""May the glass slide itself be used? Tissue is inside the Human Tissue Acts, its picture is not.

So the two can have different answers. Rows R3 and R4 are recorded and shown beside a decision; they never change it.
"""

from dataclasses import dataclass

from archive.consent.facts import Facts
from archive.consent.table import ROWS, Row
from archive.consent.terms import Answer, Authority, Jurisdiction, Purpose, TissueSource


@dataclass(frozen=True, slots=True)
class GlassGate:
    """A row about the glass, and whether what is known satisfies it."""

    row: Row
    met: bool


def glass_gates(facts: Facts, purpose: Purpose) -> tuple[GlassGate, ...]:
    """Say what the law asks before post-mortem glass is used for a secondary purpose.

    Where the jurisdiction is not known, both laws are shown. Tissue from life and other purposes are not answered here.
    """
    if facts.source is TissueSource.LIVING or not purpose.secondary:
        return ()
    agreed = purpose in facts.glass_covers
    free_audit = purpose is Purpose.AUDIT and facts.authority is Authority.CORONER and facts.fiscal_notice is Answer.YES
    gates = []
    if facts.jurisdiction is not Jurisdiction.SCOTLAND:
        gates.append(GlassGate(ROWS["R3"], agreed or facts.glass_held_before_2006 is Answer.YES))
    if facts.jurisdiction in (Jurisdiction.SCOTLAND, Jurisdiction.UNKNOWN):
        gates.append(GlassGate(ROWS["R4"], agreed or free_audit))
    return tuple(gates)
