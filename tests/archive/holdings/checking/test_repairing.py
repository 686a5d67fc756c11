"""A repair takes from a copy exactly the files that are as they were stored, and says what is left."""

import shutil
from pathlib import Path

import pytest

from archive.catalogue import audit
from archive.codes import Code
from archive.errors import InvalidValue
from archive.fixity import MANIFEST
from archive.holdings.checking.faults import FaultCode
from archive.holdings.checking.repairing import Repair
from archive.records import ScanStatus
from tests.archive.holdings.checking.conftest import RunCheck
from tests.archive.holdings.checking.test_scans import HARMS, folder_of
from tests.archive.server.taught import TaughtArchive

MENDED = [harm for harm, (_, _, code) in HARMS.items() if code.spoils]


@pytest.fixture
def copy(taught: TaughtArchive, slide: Code, tmp_path: Path) -> Path:
    """Copy the scans of the archive."""
    shutil.copytree(taught.root / "scans", tmp_path / "copy" / "scans")
    return tmp_path / "copy"


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("harm", MENDED)
def test_every_harm_is_put_right_from_a_good_copy(
    taught: TaughtArchive, run_check: RunCheck, slide: Code, copy: Path, harm: str
) -> None:
    path, do, _ = HARMS[harm]
    folder = folder_of(taught, slide)
    do(folder / path)
    run_check()
    (repaired,) = Repair(taught.archive).from_copy(copy)
    (folder / path).with_name("moved").unlink(missing_ok=True)
    assert repaired.files == 1
    assert content(folder) == content(next(copy.glob("scans/*/*")))
    faults, _ = run_check()
    assert faults == []
    assert taught.archive.slide(slide).scans[0].record.status is ScanStatus.KEPT
    assert list(taught.archive.place.staging.iterdir()) == []


def test_a_folder_that_is_gone_is_put_back_whole(
    taught: TaughtArchive, run_check: RunCheck, slide: Code, copy: Path
) -> None:
    shutil.rmtree(folder_of(taught, slide))
    (repaired,) = Repair(taught.archive).from_copy(copy)
    assert repaired.whole
    assert run_check()[0] == []


def test_a_manifest_is_made_again_of_files_that_are_whole(
    taught: TaughtArchive, run_check: RunCheck, slide: Code, copy: Path
) -> None:
    (folder_of(taught, slide) / MANIFEST).unlink()
    run_check()
    shutil.rmtree(next(copy.glob("scans/*/*")))
    (repaired,) = Repair(taught.archive).from_copy(copy)
    assert repaired.whole
    assert run_check()[0] == []


@pytest.mark.parametrize("spoil", ["damaged", "missing", "empty", "a link"])
def test_a_copy_that_is_no_better_is_not_taken(
    taught: TaughtArchive, run_check: RunCheck, slide: Code, copy: Path, spoil: str
) -> None:
    taught.shard(slide).write_bytes(b"damaged here")
    (there,) = copy.glob("scans/*/*/pyramid.ome.zarr/0/c/0/0/0")
    if spoil == "damaged":
        there.write_bytes(there.read_bytes()[:-1] + b"?")
    elif spoil == "empty":
        there.write_bytes(b"")
    else:
        there.rename(copy / "elsewhere")
        if spoil == "a link":
            there.symlink_to(copy / "elsewhere")
    run_check()
    (repaired,) = Repair(taught.archive).from_copy(copy)
    assert (repaired.files, repaired.whole) == (0, False)
    assert [fault.code for fault in repaired.left] == [FaultCode.FILE_TRUNCATED]
    assert taught.shard(slide).read_bytes() == b"damaged here"
    assert taught.archive.slide(slide).scans[0].record.status is ScanStatus.DAMAGED


def test_a_damaged_scan_that_was_withdrawn_is_repaired_and_stays_withdrawn(
    taught: TaughtArchive, run_check: RunCheck, slide: Code, copy: Path
) -> None:
    key = taught.archive.slide(slide).scans[0].record.key
    taught.archive.set_status(key, ScanStatus.WITHDRAWN, reason="asked for")
    taught.shard(slide).unlink()
    run_check()
    (repaired,) = Repair(taught.archive).from_copy(copy)
    assert repaired.whole
    assert taught.archive.slide(slide).scans[0].record.status is ScanStatus.WITHDRAWN


def test_nothing_is_repaired_from_a_folder_without_scans(taught: TaughtArchive, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="no scans in this folder"):
        list(Repair(taught.archive).from_copy(tmp_path / "nowhere"))


def test_a_repair_is_told_to_the_audit_trail(
    taught: TaughtArchive, run_check: RunCheck, slide: Code, copy: Path
) -> None:
    taught.shard(slide).unlink()
    run_check()
    list(Repair(taught.archive).from_copy(copy))
    with taught.archive.catalogue.reading() as connection:
        told = [entry.text for entry in audit.entries(connection)][-2:]
    assert "found damaged by a check" in told[0]
    assert "repaired from a good copy" in told[1]
