"""Whoever removes names by a list cannot see what the list forgot; so the auditor has no such list.

It is told what is known about a case: names, numbers, dates, file names, and every word of the source's metadata. It
reads every byte that was written and every file name, and searches for these in the spellings and encodings in which
files carry words. It imports nothing from the rooms that de-identify, and they import nothing from it.
"""

from ingest.auditor.identifiers import IdentifierClass, KnownIdentifier, Vocabulary
from ingest.auditor.needles import Needles
from ingest.auditor.scan import Audit, Hit, audit_folder

__all__ = ["Audit", "Hit", "IdentifierClass", "KnownIdentifier", "Needles", "Vocabulary", "audit_folder"]
