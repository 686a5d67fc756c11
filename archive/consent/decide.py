"""May this picture be used for this purpose by these people? Decided anew at each use.

Every question has an answer: unknown facts are read strictly, and what no row of the table allows is refused.
"""

import hashlib
import json
from dataclasses import dataclass

from archive.consent.changes import Change
from archive.consent.evaluate import Outcome, evaluate
from archive.consent.facts import Facts, Json
from archive.consent.glass import GlassGate, glass_gates
from archive.consent.situation import Situation
from archive.consent.table import RECORDS, RULES_VERSION, Obligation, Row, Verdict
from archive.consent.terms import Purpose, Recipient
from archive.consent.ways import ways_to_yes


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict that says on what it rests, and what it was asked.

    ``trail`` holds every row touched, in order; its last is ``decided_by``. ``obligations`` say what
    somebody has to do: with ``REQUIRES``, the records that are missing.
    """

    verdict: Verdict
    decided_by: Row
    trail: tuple[Row, ...]
    obligations: tuple[Obligation, ...]
    question: Situation
    rules_version: str = RULES_VERSION

    @property
    def allowed(self) -> bool:
        """Yes, now. A decision that still requires a record refuses."""
        return self.verdict is Verdict.ALLOW

    @property
    def row(self) -> str:
        """The id of the row that decided, such as ``L2``."""
        return self.decided_by.id

    @property
    def paragraph(self) -> str:
        """The paragraphs of the GMC guidance, or the other source, that the row rests on; empty for pure policy."""
        return self.decided_by.paragraph

    @property
    def basis(self) -> str:
        """Whether that row is guidance, a regulator's or our policy, or several of them."""
        return self.decided_by.basis

    @property
    def sentence(self) -> str:
        """What the row says, in plain words."""
        return self.decided_by.says

    @property
    def assumed(self) -> tuple[str, ...]:
        """Which of RULES' defaults for the unknown this decision leans on."""
        return () if self.verdict is Verdict.DENY else self.question.assumed

    @property
    def glass(self) -> tuple[GlassGate, ...]:
        """What the law asks about the glass slide itself; it has no part in the verdict."""
        return glass_gates(self.question.facts, self.question.purpose)

    @property
    def what_would_change_it(self) -> tuple[str, ...]:
        """What people could still do or find out, each line enough by itself; none if nothing would help."""
        return () if self.allowed else tuple(_way(changes, outcome) for changes, outcome in ways_to_yes(self.question))

    @property
    def digest(self) -> str:
        """SHA-256 of everything that was asked and of the version of the rules, in hexadecimal."""
        text = json.dumps([self.rules_version, self.inputs()], sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def inputs(self) -> dict[str, Json | dict[str, Json]]:
        """Give what was asked, as JSON, for the audit trail."""
        return {
            "facts": self.question.facts.to_json(),
            "purpose": str(self.question.purpose),
            "recipient": str(self.question.recipient),
            "holds_key": self.question.holds_key,
        }


def decide(facts: Facts, purpose: Purpose, recipient: Recipient, *, holds_key: bool = True) -> Decision:
    """Decide by the table whether a recipient may use a picture for a purpose.

    Parameters
    ----------
    facts
        What is known. The unknown counts as the strictest value, but for the defaults that RULES lists.
    purpose, recipient
        What is asked. An address that anyone can open is `Recipient.PUBLIC`.
    holds_key
        Whether the account that asks may, in its present role, look codes up: for such an account a coded picture is
        identifiable (row Z2). Say ``False`` only where that is known.

    Returns
    -------
    Decision
        Always; there is no combination without an answer.
    """
    question = Situation(facts, purpose, recipient, holds_key)
    outcome = evaluate(question)
    obligations = tuple(RECORDS[record] for record in outcome.missing) + outcome.row.duties
    return Decision(outcome.verdict, outcome.row, outcome.trail, obligations, question)


def _way(changes: tuple[Change, ...], outcome: Outcome) -> str:
    return f"If {', and '.join(change.says for change in changes)}: allowed by row {outcome.row.id}."
