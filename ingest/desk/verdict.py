"""What verifying the trails found, in plain words: whole or not, how sure that is, and what to do about a fault."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archive.auditchain import Fault, FaultCode
from archive.holdings.auditing import CATALOGUE, Verified
from archive.holdings.books import ACCESS
from ingest.pipeline.auditing import VAULT

TRAILS: Mapping[str, str] = {CATALOGUE: "The archive's", ACCESS: "The accounts'", VAULT: "The key vault's"}
"""Trails as people call them."""

IN_WORDS: Mapping[FaultCode, str] = {
    FaultCode.CHANGED: "an entry was changed after it was written",
    FaultCode.MISSING: "entries are missing before this one",
    FaultCode.OUT_OF_ORDER: "an entry stands where it does not belong",
    FaultCode.TRUNCATED: "the end of the trail was cut off",
    FaultCode.REPLACED: "the trail was made anew from here on",
    FaultCode.UNREADABLE: "the trail cannot be read",
    FaultCode.ROOT: "entries differ from what was signed",
    FaultCode.ROWS: "accounts, roles or tokens are not what the trail tells",
    FaultCode.TRAIL_MISSING: "the whole trail is gone",
    FaultCode.STATEMENT: "a signed statement was changed, or was signed with another key",
    FaultCode.STATEMENT_MISSING: "a signed statement is gone",
}

TOLD = 20
"""Faults of one trail that are written out."""


@dataclass(frozen=True, slots=True)
class TrailVerdict:
    """A trail: how many entries it has, how many of them no signature covers yet, and its faults in words."""

    name: str
    entries: int
    unsigned: int
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found; ``placed`` says whether the trails were held against a second place."""

    found: Verified
    placed: bool

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return self.found.sound

    @property
    def sentence(self) -> str:
        """The verdict."""
        if not self.sound:
            faults = "One fault was" if self.found.count == 1 else f"{self.found.count:,} faults were"
            return f"The trails are not whole. {faults} found."
        return "The trails are whole: no entry was changed, taken out, moved or put between others."

    @property
    def sureness(self) -> str:
        """How much the verdict can see."""
        if not self.placed:
            return (
                "Whether the newest entries were cut off cannot be seen here: the desk knows of no second place "
                "(COVERSLIP_AUDIT_COPY)."
            )
        if not self.found.statements:
            return "Nothing that was signed could be read in the second place."
        last, count = self.found.statements[-1].statement, len(self.found.statements)
        statements = "one signed statement" if count == 1 else f"{count:,} signed statements"
        return (
            f"They were held against {statements} in the second place, the newest "
            f"of {last.at.astimezone():%-d %B %Y, %H:%M}, and against the public key that lies there. It is surer with "
            "your own copy of that key: coverslip audit verify --public-key"
        )

    @property
    def trails(self) -> tuple[TrailVerdict, ...]:
        """Each trail."""
        return tuple(
            TrailVerdict(
                TRAILS.get(one.name, one.name),
                one.last.number,
                max(one.last.number - one.signed, 0) if self.placed else 0,
                tuple(_in_words("entry", one.faults)),
            )
            for one in self.found.trails
        )

    @property
    def faults(self) -> tuple[str, ...]:
        """Faults of the second place."""
        return tuple(_in_words("statement", self.found.faults))


def _in_words(what: str, faults: tuple[Fault, ...]) -> Iterator[str]:
    for fault in faults[:TOLD]:
        yield f"{what} {fault.number:,}: {IN_WORDS[fault.code]}"
    if len(faults) > TOLD:
        yield f"and {len(faults) - TOLD:,} more"
