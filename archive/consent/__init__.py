"""Who may see which picture for which purpose, decided by written rules at each use.

The vocabularies are in `archive.consent.terms`, the rows in ``table.toml`` and their conditions in
`archive.consent.rules`.
"""

from archive.consent.decide import Decision, decide
from archive.consent.explain import explain, what_would_change
from archive.consent.facts import Facts
from archive.consent.table import RULES_VERSION, Obligation, Verdict
from archive.consent.terms import MightIdentify, Purpose, Recipient

__all__ = [
    "RULES_VERSION",
    "Decision",
    "Facts",
    "MightIdentify",
    "Obligation",
    "Purpose",
    "Recipient",
    "Verdict",
    "decide",
    "explain",
    "what_would_change",
]
