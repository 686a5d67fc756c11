"""The story of one slide, from a scanner's file to a coded scan in the archive."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from archive.codes import InternalKey
from archive.consent import Decision, Facts, Purpose, Recipient, decide
from archive.consent.terms import Recorded, State, TissueSource
from archive.errors import ConsentRefused, FactsConflict
from archive.holdings import Archive, StagedScan
from archive.holdings.pixels import ScanLayout
from archive.records import CaseRecord, SlideRecord
from ingest.deidentify import deidentify
from ingest.delivery import Row
from ingest.errors import Reason, SlideRefused
from ingest.keyvault import Keys, KeyVault, PersonalIdentity
from ingest.label import leave_behind
from ingest.pipeline.answers import Description, Stored
from ingest.pipeline.colours import keep_colours
from ingest.pipeline.jailed import describe, store
from ingest.pipeline.needles import needles_of, schema_words
from ingest.pipeline.proving import Search, Staged, prove
from ingest.pipeline.receipt import Receipt, receipt_of, receipt_of_known, scan_record
from ingest.pipeline.source import Source
from ingest.profiles import profile_for
from ingest.sandbox import Jail

WAITING_ROWS = ("K4", "Z4")
"""The slide waits until the authority for the post-mortem is known."""

Watch = Callable[[str, dict[str, Any]], None]
"""Told the name of each step when it begins, and how far the pixels are: ``("pixels", {"tiles": 512})``."""


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
    watch: Watch = field(default=lambda step, progress: None)


@dataclass(frozen=True)
class _Bench:
    """What one slide is worked on with: a staged folder, and a jail that reaches just that and the slide."""

    staged: StagedScan
    jail: Jail


def ingest_slide(path: Path, row: Row, facts: Facts, intake: Intake) -> Receipt:
    """Take one slide in, whole or not at all.

    Parameters
    ----------
    path : Path
        The scanner's file; it is never changed.
    row : Row
        What the delivery list says about it.
    facts : Facts
        What is known about its tissue and consent, the feed's defaults included.
    intake : Intake
        Where it goes.

    Raises
    ------
    SlideRefused
        If it is not taken, with the reason; then nothing of it is kept.
    """
    archive, vault, watch = intake.archive, intake.vault, intake.watch

    watch("receive", {})
    source = Source.receive(path, limits_only=intake.limits_only)
    known = vault.scan_of_file(source.sha256)
    if known is not None:
        _require_same_slide(known, row, facts, intake)
        return receipt_of_known(archive, known, source)
    keep = _require_kept(facts)

    with _bench(source, intake) as bench:
        watch("recognise", {})
        found = Description.from_json(bench.jail.call(describe, str(source.path)))
        metadata = deidentify(found.maker, found.properties)
        left_behind = leave_behind(found.associated, label_expected=profile_for(found.maker).label_expected)
        keys = _keys_for(row, vault)
        _require_same_facts(archive.case(keys.case), facts)
        if row.evidence:
            vault.keep_evidence(keys.case, row.evidence)

        watch("pixels", {"tiles": 0})
        stored = _store(source, bench, watch)
        layout = ScanLayout(stored.levels, metadata.mpp, metadata.objective_power)
        bench.staged.describe(layout)
        colours = keep_colours(found.icc_profile, bench.staged.outer)
        bench.jail.close()  # nobody else writes from here on

        watch("prove", {})
        staged = Staged(bench.staged.folder, stored.levels, bench.staged.notes)
        proof = prove(staged, source, every_tile=intake.every_tile, keep_out=intake.keep_out)

        watch("commit", {})
        case = CaseRecord(keys.case, keys.patient, facts)
        slide = SlideRecord(keys.slide, keys.case, keys.block, row.stain, row.organ, row.diagnosis)
        search = Search(needles_of(vault.needles(keys.case), source, found, layout, case, slide))
        scan = vault.record_file(source.sha256, keys.slide, source.path.name)
        with _races_refuse():
            committed = archive.commit(
                bench.staged,
                case,
                slide,
                scan_record(scan, keys.slide, layout, metadata),
                digests=proof.digests,
                inspect=search,
            )
        vault.confirm(scan)
    return receipt_of(committed, source, stored, metadata, colours, left_behind, proof, search.bytes_searched, keep)


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


@contextmanager
def _races_refuse() -> Iterator[None]:
    """Refuse this slide alone if, while it was worked on, something else was recorded about its case."""
    try:
        yield
    except FactsConflict as error:
        raise SlideRefused(Reason.FACTS_CONFLICT) from error
    except ConsentRefused as error:
        raise SlideRefused(Reason.CONSENT_REFUSES) from error


def _require_same_facts(known: CaseRecord | None, facts: Facts) -> None:
    """Refuse a list that contradicts what is recorded: what is known of a case changes by a correction only."""
    if known is not None and known.facts != facts:
        raise SlideRefused(Reason.FACTS_CONFLICT)


@contextmanager
def _bench(source: Source, intake: Intake) -> Iterator[_Bench]:
    """Prepare to work on one slide; whatever was not committed is gone afterwards.

    If the file changed meanwhile, that is the reason of any refusal: somebody is still writing it.
    """
    with (
        intake.archive.stage() as staged,
        source.jail(write=[staged.folder, staged.notes], keep_out=intake.keep_out) as jail,
    ):
        try:
            yield _Bench(staged, jail)
        except SlideRefused:
            source.require_unchanged()
            raise


def _store(source: Source, bench: _Bench, watch: Watch) -> Stored:
    """Have the pixels written into the staged folder, and get ready for what comes after meanwhile."""
    paths = str(source.path), str(bench.staged.folder), str(bench.staged.notes)
    with ThreadPoolExecutor(1) as side:
        side.submit(schema_words)
        return Stored.from_json(bench.jail.call(store, *paths, on_progress=lambda told: watch("pixels", told)))
