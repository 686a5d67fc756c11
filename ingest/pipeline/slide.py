"""The story of one slide, from a scanner's file to a coded scan in the archive.

It has four parts. To look at a file and to make its scan takes time and nobody's name, and can be done anywhere; to
admit a slide and to commit its scan is done where the key vault is.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from archive.consent import Facts
from archive.errors import ConsentRefused, FactsConflict
from archive.holdings import StagedScan
from archive.records import CaseRecord, SlideRecord
from ingest.delivery import Row
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.admitting import Admitted, Intake, admit, receipt_if_held
from ingest.pipeline.looking import look
from ingest.pipeline.making import Made, make
from ingest.pipeline.needles import needles_of, schema_words
from ingest.pipeline.proving import Search
from ingest.pipeline.receipt import Receipt, receipt_of, receipt_of_file, scan_record
from ingest.pipeline.screening import REASONS
from ingest.pipeline.seen import told
from ingest.quarantine.register import REFUSED
from ingest.quarantine.waiting import Quarantine

__all__ = ["Admitted", "Intake", "Made", "admit", "commit", "ingest_slide", "look", "make"]

ORDERED_MEANWHILE = "a person ordered places to be made black while the slide was taken in; ingest it again"


def ingest_slide(path: Path, row: Row | None, facts: Facts | None, intake: Intake) -> Receipt:
    """Take one slide in, whole or not at all; each region of the glass that its file holds is a scan of its own.

    All are made and proven before the first is committed, so nothing is kept of a file that is damaged somewhere. What
    ends between two commits, because the power goes or a person must judge the next region, is a matter of whole scans;
    the next ingest of the file makes those that are missing.

    Parameters
    ----------
    path : Path
        The scanner's file; it is never changed.
    row : Row, optional
        What the delivery list says about it; where not given, the row that its label names.
    facts : Facts, optional
        What is known about its tissue and consent, the feed's defaults included.
    intake : Intake
        Where it goes.

    Raises
    ------
    SlideRefused
        If it is not taken, with the reason; then nothing of it is kept but what was committed before.
    """
    regions = look(path, limits_only=intake.limits_only, keep_out=intake.keep_out, watch=intake.watch)
    admitted = [admit(looked, row, facts, intake) for looked in regions]
    with ExitStack() as stages:
        commits = [_made(one, stages, intake) for one in admitted]
        return receipt_of_file([commit_one() for commit_one in commits])


def _made(admitted: Admitted | Receipt, stages: ExitStack, intake: Intake) -> Callable[[], Receipt]:
    """Make a scan, unless it is held; give what commits it."""
    if isinstance(admitted, Receipt):
        return lambda: admitted
    staged = stages.enter_context(intake.archive.stage())  # gone afterwards, unless it was committed
    with _getting_ready():
        made = make(admitted.order(staged, intake), intake.watch)
    return partial(commit, admitted, staged, made, intake)


def commit(admitted: Admitted, staged: StagedScan, made: Made, intake: Intake) -> Receipt:
    """Search what was made for whatever identifies its case, and make it part of the archive.

    Raises
    ------
    SlideRefused
        If an identifier was found, something was seen in the picture that a person must judge, or something else was
        recorded about the case meanwhile.
    """
    archive, vault, keys, row = intake.archive, intake.vault, admitted.keys, admitted.row
    source, metadata = admitted.looked.source, admitted.metadata
    intake.watch("commit", {})
    twin = receipt_if_held(admitted.looked, row, admitted.facts, intake)
    if twin is not None:  # the same file came in under another name while this one was made
        return twin
    _require_nothing_seen(made, admitted)
    _require_nothing_ordered(made, admitted, intake)
    case = CaseRecord(keys.case, keys.patient, admitted.facts)
    slide = SlideRecord(keys.slide, keys.case, keys.block, row.stain, row.organ, row.diagnosis)
    known = vault.needles(keys.case)
    search = Search(needles_of(known, source, admitted.looked.found, made.layout, case, slide))
    scan = vault.record_file(source.digest, keys.slide, source.path.name)
    record = scan_record(scan, keys.slide, made.layout, metadata, made.screened)
    with source.unchanged(), _races_refuse():
        committed = archive.commit(
            staged, case, slide, record, digests=made.proof.digests, inspect=search, redactions=made.black_out
        )
    vault.confirm(scan)
    return receipt_of(
        committed,
        source,
        made.stored,
        metadata,
        made.colours,
        admitted.left_behind,
        made.proof,
        search,
        admitted.keep,
        scan,
        row.number,
        made.screened,
        len(made.black_out),
    )


def _require_nothing_seen(made: Made, admitted: Admitted) -> None:
    """Refuse a slide with something in its picture that may name somebody and that no person has judged."""
    findings = made.screened.for_a_person if made.screened else ()
    if findings:
        size, region = made.layout.levels[0].size, admitted.looked.source.region
        raise SlideRefused(REASONS[findings[0].kind], told=told(size, findings, region))


def _require_nothing_ordered(made: Made, admitted: Admitted, intake: Intake) -> None:
    """Refuse a slide that a person refused while it was made, or ordered to be made black; the order stands."""
    source = admitted.looked.source
    standing = Quarantine(intake.vault).standing(source.path)
    if standing is None:
        return
    if standing.state == REFUSED:
        raise SlideRefused(Reason.REFUSED_BY_HAND)
    black = {place for region, place in standing.black_out if region == source.region}
    if not black <= set(made.black_out):
        raise SlideRefused(Reason.REFUSED_BY_HAND, ORDERED_MEANWHILE)


@contextmanager
def _getting_ready() -> Iterator[None]:
    """Get ready for the search while the pixels are made."""
    with ThreadPoolExecutor(1) as side:
        side.submit(schema_words)
        yield


@contextmanager
def _races_refuse() -> Iterator[None]:
    """Refuse this slide alone if, while it was worked on, something else was recorded about its case."""
    try:
        yield
    except FactsConflict as error:
        raise SlideRefused(Reason.FACTS_CONFLICT) from error
    except ConsentRefused as error:
        raise SlideRefused(Reason.CONSENT_REFUSES) from error
