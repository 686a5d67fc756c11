"""One row of a list says whose slide a file is. Nothing of it is shown; most of it goes to the key vault only."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import PurePosixPath
from typing import Any

from archive.consent import Facts, MightIdentify
from archive.consent.terms import Consent, Jurisdiction, TissueSource
from archive.records import Concept, Stain
from ingest.delivery.evidence import names_post_mortem, speaks_of_post_mortem
from ingest.delivery.feed import Feed
from ingest.delivery.vocabulary import GRADES

FIRST = "1"
"""The slide's number where the list has none."""

_SAME_NAME = (
    "authority",
    "authority_open",
    "recorded",
    "recorded_for",
    "consent",
    "covers",
    "covers_identifiable",
    "covers_publication",
    "giver_entitled",
    "vital",
    "maturity",
    "had_capacity",
    "pre_1997_collection",
    "records",
    "jurisdiction",
    "fiscal_notice",
    "glass_held_before_2006",
    "glass_covers",
)
"""The columns that are a fact of the same name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a delivery list.

    ``number`` is the line of the file that it begins on, as a spreadsheet counts. ``stated`` are the facts that it
    gives itself; ``facts`` adds the feed's defaults. ``names_post_mortem`` says that its procedure, its location or its
    other columns speak of a post-mortem. ``evidence`` are sentences that name who attested what, for the key vault.

    ``file`` is a path, a name or a pattern; None where the slide is found by the ``barcode`` on its label instead.
    ``barcode_required`` says that no slide of this feed is without a label that can be read.
    """

    number: int
    file: PurePosixPath | None = field(repr=False)
    patient: str = field(repr=False)
    case: str = field(repr=False)
    block: str = field(repr=False)
    stain: Stain
    slide_number: str = field(default=FIRST, repr=False)
    barcode: str | None = field(default=None, repr=False)
    barcode_required: bool = False
    patient_name: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)
    organ: Concept | None = field(default=None, repr=False)
    diagnosis: Concept | None = field(default=None, repr=False)
    stated: Facts = field(default=Facts(), repr=False)
    names_post_mortem: bool = False
    evidence: tuple[str, ...] = field(default=(), repr=False)

    @property
    def slide(self) -> str:
        """What tells this glass from the others of its block: the stain and the number."""
        return f"{self.stain} {self.slide_number}"

    def is_post_mortem(self, feed: Feed | None) -> bool:
        """Tell whether something in the row tells of a post-mortem, whatever its tissue column or a default says."""
        return self.names_post_mortem or (feed is not None and feed.is_post_mortem(self.case))

    def facts(self, feed: Feed | None = None) -> Facts:
        """Return all that is known of tissue and consent, with the feed's defaults for what the row leaves open."""
        source, jurisdiction = self.stated.source, self.stated.jurisdiction
        if feed and source is TissueSource.UNKNOWN:
            source = feed.source
        if feed and jurisdiction is Jurisdiction.UNKNOWN:
            jurisdiction = feed.jurisdiction
        if self.is_post_mortem(feed):
            source = TissueSource.POST_MORTEM
        return replace(self.stated, source=source, jurisdiction=jurisdiction)


def row_of(number: int, values: Mapping[str, Any]) -> Row:
    """Make a row of the values of its cells, by column; columns that were empty are not there."""
    own = ("patient", "case", "block", "stain", "barcode", "patient_name", "birth_date", "organ", "diagnosis")
    stated = _stated(values)
    told = any(names_post_mortem(values.get(name, "")) for name in ("procedure", "location"))
    return Row(
        number=number,
        file=values.get("file"),
        **{name: values[name] for name in own if name in values},
        slide_number=values.get("slide", FIRST),
        stated=stated,
        names_post_mortem=told or speaks_of_post_mortem(stated),
        evidence=tuple(_evidence(values)),
    )


def _stated(values: Mapping[str, Any]) -> Facts:
    given = {name: values[name] for name in _SAME_NAME if name in values}
    if "tissue" in values:
        given["source"] = values["tissue"]
    if "might_identify" in values:
        given["might_identify"] = MightIdentify(GRADES[values["might_identify"]])
    return Facts(**given, second_person="assessed_also_by" in values)


def _evidence(values: Mapping[str, Any]) -> list[str]:
    sentences = []
    if values.get("consent") is Consent.NOT_FORESEEN:
        who, when, why = (values.get(f"not_foreseen_{part}") for part in ("by", "on", "why"))
        sentences.append(f"not foreseen, attested by {who} on {when}: {why}")
    for name in ("assessed_by", "assessed_also_by"):
        if name in values:
            sentences.append(f"might not identify, said by {values[name]}")
    return sentences
