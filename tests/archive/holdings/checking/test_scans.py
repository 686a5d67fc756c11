"""Each way in which a scan can be other than what was stored is told by its own name, and each check can say no."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from archive.catalogue import schema
from archive.codes import Code
from archive.fixity import MANIFEST, measure
from archive.geometry import TileAddress
from archive.holdings.checking.faults import FaultCode
from archive.holdings.checking.running import Plan
from archive.pyramid.shard import CRC_BYTES
from archive.records import ScanStatus
from tests.archive.holdings.checking.conftest import RunCheck
from tests.archive.server.taught import TaughtArchive

SHARD = "pyramid.ome.zarr/0/c/0/0/0"


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x10
    path.write_bytes(content)


def zero_a_page(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:4096] + bytes(4096) + content[8192:])


def link(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"DOE^JANE")


def shorter(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


HARMS: dict[str, tuple[str, Callable[[Path], None], FaultCode]] = {
    "a shard is missing": (SHARD, Path.unlink, FaultCode.FILE_MISSING),
    "a shard is empty": (SHARD, empty, FaultCode.FILE_EMPTY),
    "a shard is cut short": (SHARD, shorter, FaultCode.FILE_TRUNCATED),
    "a shard is zeroed": (SHARD, zero, FaultCode.FILE_ZEROED),
    "a page of a shard is zeroed": (SHARD, zero_a_page, FaultCode.FILE_ZEROED),
    "a shard is longer": (SHARD, longer, FaultCode.FILE_GROWN),
    "a shard is a link": (SHARD, link, FaultCode.NOT_A_FILE),
    "a tile has another bit": (SHARD, lambda path: flip(path, 600), FaultCode.TILE_DAMAGED),
    "an index has another bit": (SHARD, lambda path: flip(path, -60), FaultCode.INDEX_DAMAGED),
    "an index's crc32c has another bit": (SHARD, lambda path: flip(path, -1), FaultCode.INDEX_DAMAGED),
    "metadata has another bit": ("pyramid.ome.zarr/zarr.json", lambda path: flip(path, 9), FaultCode.FILE_CHANGED),
    "metadata is missing": ("pyramid.ome.zarr/0/zarr.json", Path.unlink, FaultCode.FILE_MISSING),
    "the record has another bit": ("record.json", lambda path: flip(path, 9), FaultCode.FILE_CHANGED),
    "the manifest has another bit": (MANIFEST, lambda path: flip(path, 99), FaultCode.FILE_CHANGED),
    "the manifest is missing": (MANIFEST, Path.unlink, FaultCode.FILE_MISSING),
    "the manifest is empty": (MANIFEST, empty, FaultCode.FILE_EMPTY),
    "the manifest is cut short": (MANIFEST, shorter, FaultCode.FILE_TRUNCATED),
    "the manifest is zeroed": (MANIFEST, zero, FaultCode.FILE_ZEROED),
    "a file is there that nobody listed": ("pyramid.ome.zarr/notes.txt", Path.touch, FaultCode.FILE_UNLISTED),
}


def folder_of(taught: TaughtArchive, slide: Code) -> Path:
    return taught.archive.place.of_scan(taught.archive.slide(slide).scans[0].record.key)


def test_a_whole_archive_has_no_fault(run_check: RunCheck, slide: Code) -> None:
    faults, checked = run_check()
    assert faults == []
    assert (checked.scans, checked.left, checked.marked) == (1, 0, [])


@pytest.mark.parametrize("harm", HARMS)
def test_each_harm_is_told_by_its_own_code_and_place(
    taught: TaughtArchive, run_check: RunCheck, slide: Code, harm: str
) -> None:
    path, do, code = HARMS[harm]
    do(folder_of(taught, slide) / path)
    faults, checked = run_check()
    scan = taught.archive.slide(slide).scans[0]
    assert (code, path, scan.code) in {(fault.code, fault.place, fault.scan) for fault in faults}
    assert checked.marked == ([scan.code] if code.spoils else [])
    expected = ScanStatus.DAMAGED if code.spoils else ScanStatus.KEPT
    assert scan.record.status is expected
    told = [*map(str, faults), *(json.dumps(fault.as_json()) for fault in faults)]
    assert not any(scan.record.key in line for line in told), "a fault tells an internal key"


def test_a_damaged_tile_is_named_by_level_column_and_row(
    taught: TaughtArchive, run_check: RunCheck, slide: Code
) -> None:
    shard = taught.shard(slide)
    with taught.archive.open_pyramid(taught.archive.slide(slide).scans[0].record.key) as pyramid:
        lengths = [len(pyramid.level(0).encoded_tile(column, 0) or b"") + CRC_BYTES for column in range(3)]
    flip(shard, lengths[0] + 50)  # the second tile of the first row
    flip(shard, sum(lengths) + 50)  # the first of the second row
    faults, _ = run_check()
    assert [fault.tile for fault in faults] == [TileAddress(0, 0, 1), TileAddress(0, 1, 0)]
    assert str(faults[0]).endswith(
        f"{SHARD}, level 0, column 1, row 0: expected bytes that match their crc32c, found others"
    )


def test_a_tile_that_was_stored_with_a_wrong_checksum_is_found_although_every_digest_is_right(
    taught: TaughtArchive, run_check: RunCheck, slide: Code
) -> None:
    catalogue_again(taught, slide, lambda folder: flip(folder / SHARD, 600))
    faults, _ = run_check()
    assert [fault.code for fault in faults if fault.scan] == [FaultCode.TILE_DAMAGED]


def drop_a_shard(folder: Path) -> None:
    (folder / "pyramid.ome.zarr/1/c/0/0/0").unlink()


def no_pyramid(folder: Path) -> None:
    (folder / "pyramid.ome.zarr/zarr.json").write_text("{}")


def another_size(folder: Path) -> None:
    record = json.loads((folder / "record.json").read_bytes())
    record["scan"]["width"] += 1
    (folder / "record.json").write_text(json.dumps(record))


def no_record(folder: Path) -> None:
    (folder / "record.json").write_text("[]")


SENSELESS = {
    drop_a_shard: (FaultCode.LAYOUT_WRONG, "pyramid.ome.zarr/1/c/0/0/0"),
    no_pyramid: (FaultCode.LAYOUT_WRONG, "pyramid.ome.zarr/zarr.json"),
    another_size: (FaultCode.ROW_DIFFERS, "record.json"),
    no_record: (FaultCode.LAYOUT_WRONG, "record.json"),
}


@pytest.mark.parametrize("change", SENSELESS)
def test_what_was_digested_and_makes_no_sense_is_told(
    taught: TaughtArchive, run_check: RunCheck, slide: Code, change: Callable[[Path], None]
) -> None:
    catalogue_again(taught, slide, change)
    faults, _ = run_check()
    assert SENSELESS[change] in {(fault.code, fault.place) for fault in faults}


def catalogue_again(taught: TaughtArchive, slide: Code, change: Callable[[Path], None]) -> None:
    """Change a scan's folder, and make manifest and catalogue agree with it again, behind everybody's back."""
    folder = folder_of(taught, slide)
    change(folder)
    manifest = measure(folder)
    (folder / MANIFEST).write_bytes(manifest.to_bytes())
    with taught.archive.catalogue.writing() as writing:
        values = {"manifest_sha256": manifest.sha256, "stored_bytes": manifest.stored_bytes}
        writing.connection.execute(update(schema.scans).where(schema.scans.c.key == folder.name).values(values))
        writing.tell("test")


def test_a_folder_without_a_row_and_a_row_without_a_folder_are_told(
    taught: TaughtArchive, run_check: RunCheck, slide: Code
) -> None:
    folder = folder_of(taught, slide)
    other = folder.with_name(folder.name[:2] + "0" * 30)
    folder.rename(other)
    (folder.parents[1] / "stray").write_text("x")
    faults, checked = run_check()
    found = {fault.code for fault in faults}
    assert found == {FaultCode.FOLDER_MISSING, FaultCode.FOLDER_WITHOUT_ROW, FaultCode.FILE_UNLISTED}
    assert checked.marked == []  # a disk that is not mounted looks the same
    assert folder.name not in str(list(map(str, faults)))


def test_what_is_damaged_is_not_marked_if_that_is_asked(
    taught: TaughtArchive, run_check: RunCheck, slide: Code
) -> None:
    taught.shard(slide).unlink()
    faults, checked = run_check(Plan(mark=False))
    assert len(faults) == 1
    assert checked.marked == []
    assert taught.archive.slide(slide).scans[0].record.status is ScanStatus.KEPT


def test_a_scan_that_is_whole_again_is_shown_again(taught: TaughtArchive, run_check: RunCheck, slide: Code) -> None:
    shard = taught.shard(slide)
    whole = shard.read_bytes()
    shard.unlink()
    run_check()
    shard.write_bytes(whole)
    faults, checked = run_check()
    assert faults == []
    assert checked.unmarked == [taught.archive.slide(slide).scans[0].code]
    assert taught.archive.slide(slide).scans[0].record.status is ScanStatus.KEPT


def test_a_withdrawn_scan_stays_withdrawn(taught: TaughtArchive, run_check: RunCheck, slide: Code) -> None:
    key = taught.archive.slide(slide).scans[0].record.key
    taught.archive.set_status(key, ScanStatus.WITHDRAWN, reason="asked for")
    taught.shard(slide).unlink()
    faults, _ = run_check()
    assert [fault.code for fault in faults] == [FaultCode.FILE_MISSING], list(map(str, faults))
    assert taught.archive.slide(slide).scans[0].record.status is ScanStatus.WITHDRAWN
