"""A patient who asks what was done with their slides is told every act that a person did, and this list says which.

It has the acts of all trails, the key vault's among them. An act that is missing here is told: whoever forgets to list
one keeps nothing from a patient.
"""

from collections.abc import Mapping
from enum import StrEnum


class Concerns(StrEnum):
    """What an act has to do with a patient."""

    PATIENT = "patient"
    """Somebody looked at a patient's slides or at whose they are, or recorded, decided or changed something of them."""
    PROJECT = "project"
    """A project was given slides; the entry names the project and not the slides."""
    INTAKE = "intake"
    """The program took a slide in, and did with its names what that needs; nobody looked."""
    NOBODY = "nobody"
    """No entry of it says whose slides it is about."""


_OF = {
    Concerns.PATIENT: (
        # of the catalogue
        *("compose", "remove", "review", "set status", "set grade", "put rules in force"),
        *("redact", "redacted", "copy dealt with"),
        *("record facts", "correct slide", "correct case", "record consent", "annul consent", "withdraw"),
        *("obligation done", "obligation open again"),
        # of the accounts
        "open slide",
        # of the key vault
        *("found case", "opened slide", "looked at file", "released file", "refused file"),
        "ordered black",
        *("asked to identify", "too many to identify", "tried to approve own", "approved to identify"),
        *("refused to identify", "not answered", "identified", "not identified"),
        *("named in a consent", "kept evidence", "read evidence", "withdrew consent"),
        *("corrected slide", "received slide", "corrected case", "received case", "erased"),
    ),
    Concerns.PROJECT: ("cohort", "make codes"),
    Concerns.INTAKE: ("commit", "take up", "coded", "searched for"),
    Concerns.NOBODY: (
        # of the catalogue
        *("open project", "set aside", "catalogue from records", "mark unreviewed", "acts were lost", "loss settled"),
        "shut again",
        "sign audit",
        # of the accounts
        *("sign in", "sign in failed", "sign in refused", "sign out", "choose role", "act once", "not allowed"),
        *("add account", "grant role", "revoke role", "disable account", "enable account", "lock account"),
        *("unlock account", "rescue account", "set password", "change password", "end sessions", "make token"),
        *("end token", "restore accounts", "read audit", "turn away"),
        *("tie to person", "another person", "untie account"),
        # of the key vault
        *("found no case", "rotated", "read trail", "second person required", "second person not required"),
        *("declared feed", "declared archive", "declared second copy"),
    ),
}

ACTS: Mapping[str, Concerns] = {act: concerns for concerns, acts in _OF.items() for act in acts}
"""Every act that any trail tells of."""


def concern_of(act: str) -> Concerns:
    """Say what an act has to do with a patient; one that is not listed is told."""
    return ACTS.get(act, Concerns.PATIENT)
