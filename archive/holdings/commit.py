"""A scan becomes part of the archive whole or not at all, whatever happens in between.

The order is what makes it so: everything is written and digested aside, forced to the disk, renamed into place, and
only then told by the catalogue, in one transaction. Before the last step nothing of it can be seen; after it
everything is there. What a crash leaves behind is put right by `archive.holdings.recovery`.
"""

import errno
import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from archive import fixity
from archive.catalogue import LABORATORY, Catalogue, Writing, codes, doubt, redactions, ruling, slides
from archive.catalogue.rows import case_from, case_row, scan_from, scan_row, slide_from, slide_row
from archive.codes import Code, InternalKey, Kind, new_handle
from archive.errors import ArchiveError, InvalidValue
from archive.fixity import Manifest
from archive.geometry import Rectangle
from archive.holdings.deciding import facts_of_copy, require_keeping, told
from archive.holdings.place import PIXELS, RECORD, Claim, Place, claimed, disk_errors
from archive.records import CaseRecord, ScanRecord, ScanStatus, SlideRecord

if TYPE_CHECKING:
    from archive.pyramid.layout import ScanLayout


class Step(StrEnum):
    """The named steps of a commit, in order; each is told right after it was done."""

    STAGED = "staged"
    DESCRIBED = "described"
    LISTED = "listed"
    FLUSHED = "flushed"
    MOVED = "moved"
    NAMED = "named"
    CATALOGUED = "catalogued"
    """In the transaction, which is not committed yet."""
    COMMITTED = "committed"


@dataclass(frozen=True, slots=True)
class Chain:
    """What is to be catalogued together: a case, a slide of it and a scan of that, and what of it was made black."""

    case: CaseRecord
    slide: SlideRecord
    scan: ScanRecord
    redactions: tuple[Rectangle, ...] = ()

    def __post_init__(self) -> None:
        if self.slide.case != self.case.key or self.scan.slide != self.slide.key:
            raise InvalidValue("a scan is catalogued together with its own slide and case")


@dataclass(frozen=True, slots=True)
class Committed:
    """The codes under which the laboratory finds what was committed."""

    patient_code: Code
    case_code: Code
    slide_code: Code
    scan_code: Code
    stored_bytes: int


class StagedScan:
    """A scan on its way in. Write its pyramid into ``folder``, then commit it; left uncommitted, it is discarded.

    ``notes`` is a folder for what is noted meanwhile. It is no part of the scan and ends with the commit.
    """

    def __init__(self, outer: Path, claim: Claim) -> None:
        self.outer = outer
        self.folder = outer / PIXELS
        self.notes = outer / "notes"
        self.claim = claim
        self.moved = False

    def __enter__(self) -> "StagedScan":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.discard()

    def describe(self, layout: "ScanLayout") -> None:
        """Write the pyramid's metadata."""
        from archive.holdings.writing import write_metadata

        write_metadata(str(self.folder), layout)

    def discard(self) -> None:
        """Remove what was staged; harmless after a commit or a second time."""
        with disk_errors():
            remove(self.outer)
        self.claim.release()


def stage(place: Place, step: Callable[[str], None]) -> StagedScan:
    """Make a fresh folder that only this process works in, and only this user can read."""
    outer = place.staging / new_handle()
    # The shared lock keeps a recovery from finding the folder between its making and its locking.
    with disk_errors(), claimed(place.staging, shared=True):
        outer.mkdir(mode=0o700)
        claim = Claim.take(outer)
        if claim is None:
            raise InvalidValue("a staged folder was taken away while it was made; ingest the slide again")
        staged = StagedScan(outer, claim)
        for folder in (staged.folder, staged.notes):
            folder.mkdir(mode=0o700)
    step(Step.STAGED)
    return staged


def commit(
    place: Place,
    catalogue: Catalogue,
    staged: StagedScan,
    chain: Chain,
    digests: Mapping[str, str],
    inspect: Callable[[Path], object],
    step: Callable[[str], None],
) -> Committed:
    """Carry out the protocol. Parameters and errors are those of `archive.holdings.Archive.commit`."""
    final = place.of_scan(chain.scan.key)
    try:
        with disk_errors():
            manifest = _describe(staged, chain, digests, step)
        inspect(staged.outer)
        with disk_errors():
            _move(staged, final, step)
        with catalogue.writing() as writing:
            committed = enter(writing, chain, manifest, "commit")
            step(Step.CATALOGUED)
    except BaseException:
        # A failed flush is never tried again, so what was staged is of no more use.
        _take_back(place, catalogue, staged, final)
        raise
    step(Step.COMMITTED)
    staged.claim.release()
    return committed


def _describe(staged: StagedScan, chain: Chain, digests: Mapping[str, str], step: Callable[[str], None]) -> Manifest:
    remove(staged.notes)
    for parent, _, names in os.walk(staged.folder):
        for name in names:
            if name.endswith(".partial"):  # zarr leaves these behind when a write was cut short
                Path(parent, name).unlink()
    (staged.outer / RECORD).write_bytes(record_text(chain))
    step(Step.DESCRIBED)
    manifest = fixity.measure(staged.outer, {f"{PIXELS}/{path}": digest for path, digest in digests.items()})
    (staged.outer / fixity.MANIFEST).write_bytes(manifest.to_bytes())
    step(Step.LISTED)
    return manifest


def _move(staged: StagedScan, final: Path, step: Callable[[str], None]) -> None:
    for folder in (staged.outer, staged.folder):
        folder.chmod(0o750)
    fixity.flush(staged.outer)
    step(Step.FLUSHED)
    if not final.parent.is_dir():
        final.parent.mkdir(exist_ok=True)
        fixity.flush_one(final.parent.parent)
    try:
        staged.outer.rename(final)
        staged.moved = True
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise InvalidValue("this scan is in the archive already; nothing was changed") from None
        raise
    step(Step.MOVED)
    fixity.flush_one(final.parent)
    fixity.flush_one(staged.outer.parent)
    step(Step.NAMED)


def enter(writing: Writing, chain: Chain, manifest: Manifest, act: str) -> Committed:
    """Put a scan and what it belongs to into the catalogue, with codes and an audit entry."""
    connection = writing.connection
    ruling.require_in_force(connection)
    slides.add_case(connection, chain.case)
    scan = replace(chain.scan, stored_bytes=manifest.stored_bytes, manifest_sha256=manifest.sha256)
    if doubt.is_about(connection, chain.case.patient):
        scan = replace(scan, status=ScanStatus.UNREVIEWED)  # so that nobody opens it who should not
    case = slides.find_case(connection, chain.case.key) or chain.case
    keeping = require_keeping(facts_of_copy(case.facts, scan))  # with what the patient said before it came
    slides.add_slide(connection, chain.slide)
    slides.add_scan(connection, scan)
    project = codes.project_number(connection, LABORATORY)
    committed = Committed(
        patient_code=codes.add_code(connection, project, Kind.PATIENT, chain.case.patient),
        case_code=codes.add_code(connection, project, Kind.CASE, chain.case.key),
        slide_code=codes.add_code(connection, project, Kind.SLIDE, chain.slide.key),
        scan_code=codes.add_code(connection, project, Kind.SCAN, chain.scan.key),
        stored_bytes=manifest.stored_bytes,
    )
    black: dict[str, Any] = {"black": [list(one.sides) for one in chain.redactions]} if chain.redactions else {}
    writing.tell(
        act,
        slide=str(committed.slide_code),
        scan=str(committed.scan_code),
        manifest=manifest.sha256,
        stored_bytes=manifest.stored_bytes,
        decision=told(keeping),
        **black,
    )
    redactions.add(connection, scan.key, chain.redactions, act=writing.head.number if writing.head else 0, done=True)
    return committed


def record_text(chain: Chain) -> bytes:
    """Give what a recovery needs to catalogue the scan; only the manifest's digest is left out."""
    rows: dict[str, Any] = {"case": case_row(chain.case), "slide": slide_row(chain.slide), "scan": scan_row(chain.scan)}
    if chain.redactions:
        rows["redactions"] = [list(one.sides) for one in sorted(chain.redactions)]
    return json.dumps(rows, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def chain_from(text: bytes) -> Chain:
    """Read what ``record_text`` wrote.

    Raises
    ------
    ValueError, TypeError, KeyError, CatalogueUnavailable
        If it is anything else.
    """
    rows = json.loads(text)
    chain = Chain(case_from(rows["case"]), slide_from(rows["slide"]), scan_from(rows["scan"]))
    return replace(chain, redactions=tuple(Rectangle(*sides) for sides in rows.get("redactions", ())))


def _take_back(place: Place, catalogue: Catalogue, staged: StagedScan, final: Path) -> None:
    """Remove what a failed commit left; where it cannot be known whether it failed, recovery will see to it."""
    if staged.moved:
        with suppress(ArchiveError, OSError), catalogue.writing() as writing:
            # Having the turn to write, we know that the failed transaction is over, even in another process.
            if slides.find_scan(writing.connection, InternalKey(final.name)) is None:
                final.rename(staged.outer)
    with suppress(ArchiveError):
        staged.discard()


def remove(folder: Path) -> None:
    """Remove a folder with everything in it; it may be gone already."""
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)
