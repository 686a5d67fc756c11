"""Decide whether a file that was looked at is taken, and as whose: what happens where the key vault is."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from archive.codes import InternalKey
from archive.consent import Decision, Facts, Purpose, Recipient, decide
from archive.consent.terms import Grade, Recorded, State, TissueSource
from archive.holdings import Archive, StagedScan
from archive.records import CaseRecord
from ingest.deidentify import CleanMetadata, deidentify
from ingest.deidentify.channels import name_channels
from ingest.delivery import Feed, Row, objection, row_for
from ingest.errors import Reason, SlideRefused
from ingest.keyvault import Keys, KeyVault, PersonalIdentity
from ingest.label import LeftBehind, leave_behind
from ingest.pipeline.looking import Looked, Watch, nobody
from ingest.pipeline.making import WorkOrder
from ingest.pipeline.receipt import Receipt, receipt_of_known
from ingest.pipeline.screening import KINDS
from ingest.profiles import profile_for
from ingest.quarantine.judging import IN_PICTURE
from ingest.quarantine.telling import is_in_question
from ingest.quarantine.waiting import Quarantine

WAITING_ROWS = ("K4", "Z4")
"""The slide waits until the authority for the post-mortem is known."""


@dataclass(frozen=True)
class Intake:
    """Where slides go, how closely each is looked at, and what its readers must not reach."""

    archive: Archive
    vault: KeyVault
    every_tile: bool = False
    keep_out: tuple[Path, ...] = ()
    """Folders that slide readers must have no way into: those of the vault and its key."""
    limits_only: bool = False
    """Whether slides are trusted enough to be read where the system has no walls for their readers."""
    watch: Watch = field(default=nobody)
    rows: tuple[Row, ...] = field(default=(), repr=False)
    """All rows of the delivery: a label may name a row that has no file, or contradict the one that has."""
    feed: Feed | None = None
    """What is known of every slide of the delivery."""
    screen: bool = False
    """Whether pixels are looked at before a slide is kept; otherwise it is marked to be looked at later."""

    @property
    def rows_by_label(self) -> tuple[Row, ...]:
        """Rows that name no file, and are found by what labels say."""
        return tuple(row for row in self.rows if row.file is None)


@dataclass(frozen=True)
class Admitted:
    """A slide that is taken, and what is known of it."""

    looked: Looked = field(repr=False)
    row: Row
    facts: Facts
    keys: Keys
    keep: Decision
    metadata: CleanMetadata
    left_behind: LeftBehind

    def order(self, staged: StagedScan, intake: Intake) -> WorkOrder:
        """Tell whoever makes the scan in a staged folder what it needs to know.

        A slide in whose picture something was seen is looked at in any case: whatever it waited for since, also if the
        file changed or a person released it. What that person saw is settled for the region on which it was, and for no
        other. So is a slide that comes into a case of which somebody attested before that its pictures identify nobody.
        """
        region, path = self.looked.source.region, self.looked.source.path
        noted = Quarantine(intake.vault).standing(path)
        judged, black = (noted.overruled, noted.black_out) if noted else (frozenset(), ())
        in_question = (
            bool(black)
            or any(reason in IN_PICTURE for _, reason in judged)
            or is_in_question(intake.vault.register.find(path))
        )
        settled = frozenset(KINDS[reason] for number, reason in judged if number == region and reason in KINDS)
        return WorkOrder(
            source=self.looked.source,
            outer=staged.outer,
            folder=staged.folder,
            notes=staged.notes,
            mpp=self.metadata.mpp,
            objective_power=self.metadata.objective_power,
            icc_profile=self.looked.found.icc_profile,
            channels=name_channels(self.looked.found.channels),
            every_tile=intake.every_tile,
            keep_out=intake.keep_out,
            black_out=tuple(place for number, place in black if number == region),
            screen=intake.screen or in_question or self._is_late(intake),
            settled=settled,
        )

    def _is_late(self, intake: Intake) -> bool:
        """Tell whether somebody looked at the pictures of the case, but before this one was among them."""
        case = intake.archive.case(self.keys.case)
        told = self.facts.might_identify.grade is Grade.NO_PERSON
        return not told and case is not None and case.facts.might_identify.grade is Grade.NO_PERSON


def admit(looked: Looked, row: Row | None, facts: Facts | None, intake: Intake) -> Admitted | Receipt:
    """Admit a slide, or give the receipt of one that is held already; then nothing is to be made.

    Parameters
    ----------
    looked : Looked
        Its file.
    row : Row, optional
        What the delivery list says about it; where not given, the row that its label names.
    facts : Facts, optional
        What is known about its tissue and consent; where not given, what row and feed tell.
    intake : Intake
        Where it goes.

    Raises
    ------
    SlideRefused
        If it is not taken, with the reason; then nothing of it is kept.
    """
    archive, vault, found = intake.archive, intake.vault, looked.found
    row = row or _row_by_label(looked, intake)
    facts = facts or row.facts(intake.feed)
    held = receipt_if_held(looked, row, facts, intake)
    if held is not None:
        return held
    keep = _require_kept(facts)
    _require_label_agrees(looked, row, intake)
    metadata = deidentify(found.maker, found.properties)
    left_behind = leave_behind(found.associated, label_expected=profile_for(found.maker).label_expected)
    keys = _keys_for(row, vault)
    _require_same_facts(archive.case(keys.case), facts)
    if row.evidence:
        vault.keep_evidence(keys.case, row.evidence)
    return Admitted(looked, row, facts, keys, keep, metadata, left_behind)


def receipt_if_held(looked: Looked, row: Row, facts: Facts, intake: Intake) -> Receipt | None:
    """Give the receipt of a file whose scan the archive has, as this very slide's.

    Raises
    ------
    SlideRefused
        If the list says that it is another slide's, or that consent is another.
    """
    known = intake.vault.scan_of_file(looked.source.digest)
    if known is None:
        return None
    _require_same_slide(known, row, facts, intake)
    return receipt_of_known(intake.archive, known, looked.source.size_bytes, row.number)


def _row_by_label(looked: Looked, intake: Intake) -> Row:
    row = row_for(looked.found.barcodes, intake.rows_by_label)
    if row is None:
        raise SlideRefused(Reason.NO_ROW)
    return row


def _require_label_agrees(looked: Looked, row: Row, intake: Intake) -> None:
    """Refuse a slide whose label says that it is another's, unless a person looked at both and knows better."""
    reason = objection(looked.found.barcodes, row, intake.rows)
    if reason is not None and reason not in Quarantine(intake.vault).overruled(looked.source.path):
        raise SlideRefused(reason)


def _require_kept(facts: Facts) -> Decision:
    """Decide whether the laboratory may keep a coded copy (RULES stage 0b).

    What is decided about is the copy that would be kept: coded, and only committed with a passed report.
    """
    copy = replace(facts, state=State.CODED, report_bound=True)
    keep = decide(copy, Purpose.KEEP, Recipient.LABORATORY)
    if keep.allowed:
        return keep
    if facts.source is not TissueSource.POST_MORTEM:
        raise SlideRefused(Reason.UNKNOWN_SOURCE)
    if keep.row in WAITING_ROWS:
        raise SlideRefused(Reason.UNKNOWN_AUTHORITY)
    unknown = facts.recorded is Recorded.UNKNOWN
    raise SlideRefused(Reason.UNKNOWN_OCCASION if unknown else Reason.CONSENT_REFUSES)


def _keys_for(row: Row, vault: KeyVault) -> Keys:
    """Give the internal keys of the slide that a row names."""
    person = PersonalIdentity(row.patient, row.patient_name, row.birth_date)
    return vault.keys_for(person, row.case, row.block, row.slide)


def _require_same_slide(scan: InternalKey, row: Row, facts: Facts, intake: Intake) -> None:
    """Refuse a list that says of a file that is held already that it is another slide's, or that consent is another."""
    held, keys = intake.archive.scan(scan), _keys_for(row, intake.vault)
    if held is not None and held.record.slide != keys.slide:
        raise SlideRefused(Reason.HELD_AS_ANOTHER)
    _require_same_facts(intake.archive.case(keys.case), facts)


def _require_same_facts(known: CaseRecord | None, facts: Facts) -> None:
    """Refuse a list that contradicts what is recorded: what is known of a case changes by a correction only."""
    if known is not None and known.told != facts:
        raise SlideRefused(Reason.FACTS_CONFLICT)
