"""Who may see which picture for which purpose, decided by written rules.

The vocabularies are in `archive.consent.terms`.
"""

from archive.consent.facts import Facts
from archive.consent.terms import MightIdentify, Purpose, Recipient

__all__ = ["Facts", "MightIdentify", "Purpose", "Recipient"]
