"""A damaged scan is made once more from its source file; what comes out the same takes the place of what is damaged.

Copied tiles are the scanner's own bytes, so they come out the same for ever. What was encoded here does so only with
the same versions of the encoders; where it does not, a second copy is needed. What is black on the scan is made black
first, as it was: a tile that was blacked out at two times may come out otherwise.
"""

import shutil
from dataclasses import replace
from pathlib import Path

from archive.codes import InternalKey
from archive.errors import InvalidValue
from archive.holdings import Archive, StagedScan
from archive.holdings.checking.repairing import Repair, Repaired
from archive.holdings.commit import Chain, record_text
from archive.holdings.place import RECORD
from archive.records import ScanStatus
from ingest.deidentify import deidentify
from ingest.deidentify.channels import name_channels
from ingest.keyvault import KeyVault
from ingest.pipeline.looking import Looked, Watch, look, nobody
from ingest.pipeline.making import WorkOrder, make


def repair_from_source(
    archive: Archive,
    vault: KeyVault,
    path: Path,
    *,
    keep_out: tuple[Path, ...] = (),
    limits_only: bool = False,
    watch: Watch = nobody,
) -> tuple[Repaired, ...]:
    """Repair every scan that was made of a file; the vault recognises the file by its digest.

    Parameters
    ----------
    archive, vault
        Both of one laboratory.
    path
        The scanner's file.
    keep_out, limits_only, watch
        As for an ingest.

    Raises
    ------
    InvalidValue
        If the archive has no scan of this very file.
    SlideRefused
        If it cannot be read, or what is made of it cannot be proven.
    """
    regions = look(path, limits_only=limits_only, keep_out=keep_out, watch=watch)
    recorded = [(looked, vault.scan_of_file(looked.source.digest)) for looked in regions]
    held = [(looked, key) for looked, key in recorded if key is not None and archive.scan(key) is not None]
    if not held:
        raise InvalidValue("the archive has no scan of this very file; name the source file of a damaged scan")
    return tuple(_repair(archive, key, looked, keep_out, watch) for looked, key in held)


def _repair(archive: Archive, key: InternalKey, looked: Looked, keep_out: tuple[Path, ...], watch: Watch) -> Repaired:
    metadata = deidentify(looked.found.maker, looked.found.properties)
    with archive.stage() as staged:
        order = WorkOrder(
            source=looked.source,
            outer=staged.outer,
            folder=staged.folder,
            notes=staged.notes,
            mpp=metadata.mpp,
            objective_power=metadata.objective_power,
            icc_profile=looked.found.icc_profile,
            channels=name_channels(looked.found.channels),
            keep_out=keep_out,
            black_out=archive.redactions_of(key),
        )
        make(order, watch)
        _record(archive, staged, key)
        shutil.rmtree(staged.notes)  # no part of a scan
        return Repair(archive).scan(key, staged.outer)


def _record(archive: Archive, staged: StagedScan, key: InternalKey) -> None:
    """Write the record once more from the catalogue; it is used only if it is what was written then."""
    held = archive.scan(key)
    slide = archive.held(held.record.slide).record if held else None
    case = archive.case(slide.case) if slide else None
    if held is not None and slide is not None and case is not None:
        scan = replace(held.record, status=ScanStatus.KEPT, stored_bytes=0, manifest_sha256="")
        (staged.outer / RECORD).write_bytes(record_text(Chain(case, slide, scan, archive.redactions_of(key))))
