"""One changed bit in anything that a laboratory keeps is found by the next check, which names the file."""

import pytest

from archive.holdings.checking.faults import FaultCode
from tests.journeys.found_by_check import Kept, flip_and_check, flip_unsealed

FLIPS = 45
UNSEALED = 8

CLASSES = {
    *("index of a shard", "tiles of a shard", "zarr.json", "level/zarr.json", "manifest.json", "record.json"),
    *("colour-profile.icc", "archive.json", "catalogue.sqlite", "journal", "record of checks", "second place"),
    *("vault.sqlite", "patient-keys.sqlite", "key file"),
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return Kept.make(tmp_path_factory.mktemp("kept"))


def test_every_changed_bit_is_found_and_its_file_named(kept: Kept) -> None:
    found = flip_and_check(kept, FLIPS)
    assert found.missed == []
    assert found.bits.keys() == CLASSES
    assert found.bits.total() == FLIPS
    assert found.codes["tiles of a shard"].keys() == {FaultCode.TILE_DAMAGED}
    assert found.codes["index of a shard"].keys() == {FaultCode.INDEX_DAMAGED}
    assert kept.check() == []


def test_without_a_seal_every_bit_that_changes_what_the_catalogue_says_is_found(kept: Kept) -> None:
    found = flip_unsealed(kept, UNSEALED)
    assert found.missed == []
    assert found.bits["catalogue.sqlite, unsealed, a row or the structure"] == UNSEALED
    assert kept.check() == []
