"""Whose code it is: the mapping from persons, cases, slides and files to internal keys, sealed and apart.

Only ``ingest.pipeline`` and ``ingest.cli`` open it.
"""

from ingest.keyvault.check import VaultFault
from ingest.keyvault.corrections import BegunCorrection, Whereabouts
from ingest.keyvault.directory import FoundCase, FoundSlide
from ingest.keyvault.evidence import Evidence
from ingest.keyvault.files import PendingScan
from ingest.keyvault.identity import Identity, Keys, PersonalIdentity
from ingest.keyvault.register import Entry, Event, Expected, Register, State
from ingest.keyvault.requests import Request
from ingest.keyvault.trail import TrailEntry
from ingest.keyvault.vault import KeyVault

__all__ = [
    "BegunCorrection",
    "Entry",
    "Event",
    "Evidence",
    "Expected",
    "FoundCase",
    "FoundSlide",
    "Identity",
    "KeyVault",
    "Keys",
    "PendingScan",
    "PersonalIdentity",
    "Register",
    "Request",
    "State",
    "TrailEntry",
    "VaultFault",
    "Whereabouts",
]
