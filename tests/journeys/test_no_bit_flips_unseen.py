"""One changed bit in anything that is stored is found, and never becomes white glass or other tissue."""

import pytest

from archive.holdings import Archive
from tests.journeys.flipping import flip_bits, taken_in

FLIPS = 500

SHOWN = {"index of a shard", "tiles of a shard", "zarr.json", "level/zarr.json", "manifest.json"}
"""Kinds of files that are read when a tile is shown."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return taken_in(tmp_path_factory.mktemp("laboratory"))


def test_every_changed_bit_is_found_and_none_is_shown(archive: Archive) -> None:
    with archive:
        flipped = flip_bits(archive, FLIPS)
    assert flipped.bits.keys() == SHOWN | {"record.json", "colour-profile.icc"}
    assert flipped.bits.total() == FLIPS
    assert {kind for kind, reading in flipped.readings if reading == "unchanged"} == flipped.bits.keys() - SHOWN
    assert all(flipped.tiles[given] for given in ("right", "damaged"))
