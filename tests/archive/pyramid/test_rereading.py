"""One pass over a shard tells its digest and its damaged tiles, wherever its blocks begin and end."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from archive.geometry import Size
from archive.pyramid import rereading
from archive.pyramid.layout import Coding, LevelLayout, Origin
from archive.pyramid.rereading import RESIDUE, reread, reread_shard, zeroed_bytes
from archive.pyramid.shard import ShardBuilder, ShardGrid, crc32c

LAYOUT = LevelLayout(Size(64 * 5, 64 * 3), Size(64, 64), Coding.JPEG, Origin.COPIED, ShardGrid(4, 3))
LENGTHS = (700, 1, 4096, 3000, 8200, 513, 64, 2048)


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    """Write a shard of tiles of many lengths, in an order of their own, with gaps."""
    rng, builder = np.random.default_rng(3), ShardBuilder(LAYOUT.grid)
    for number, length in enumerate(LENGTHS):
        place = (number * 5) % 12
        builder.add(place % 4, place // 4, rng.bytes(length))
    path = tmp_path / "shard"
    path.write_bytes(builder.close())
    return path


def test_anything_followed_by_its_crc32c_has_one_residue() -> None:
    for length in (1, 2, 77, 5000):
        data = np.random.default_rng(length).bytes(length)
        assert int.from_bytes(crc32c(data + crc32c(data)), "little") == RESIDUE


@pytest.mark.parametrize("block", [512, 4096, 5000, 1 << 20])
def test_a_whole_shard_has_its_digest_and_no_fault(shard: Path, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rereading, "BLOCK_BYTES", block)
    told: list[int] = []
    reading = reread_shard(shard, LAYOUT, 0, 0, told.append)
    assert reading.sha256 == hashlib.sha256(shard.read_bytes()).hexdigest() == reread(shard).sha256
    assert (reading.index_fault, reading.damaged) == (None, ())
    assert sum(told) == reading.size_bytes == shard.stat().st_size


@pytest.mark.parametrize("block", [512, 4096, 5000, 1 << 20])
def test_every_changed_byte_of_a_tile_is_told_by_its_place(
    shard: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rereading, "BLOCK_BYTES", block)
    whole, begin = shard.read_bytes(), 0
    for number, length in enumerate(LENGTHS):
        place = (number * 5) % 12
        for at in (begin, begin + length // 2, begin + length + 3):  # the last one is in its crc32c
            shard.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
            assert reread_shard(shard, LAYOUT, 0, 0).damaged == ((place % 4, place // 4),)
        begin += length + 4


def test_an_index_that_cannot_be_is_told_and_the_digest_still_is(shard: Path) -> None:
    whole = shard.read_bytes()
    for other in (whole[:-1], b"x" + whole, whole[:100], whole[:-4] + b"\0\0\0\0"):
        shard.write_bytes(other)
        reading = reread_shard(shard, LAYOUT, 0, 0)
        assert reading.index_fault is not None
        assert reading.sha256 == hashlib.sha256(other).hexdigest()
    shard.write_bytes(whole)
    assert reread_shard(shard, LAYOUT, 1, 0).index_fault is not None, "tiles beyond the edge of the level"


def test_pages_of_zeros_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content, zeroed in (
        (b"", 0),
        (bytes(10), 10),
        (b"x" * 4096 + bytes(4096) + b"y", 4096),
        (b"x" + bytes(8191) + bytes(5), 4096 + 5),
        (b"x" * 9000, 0),
    ):
        path.write_bytes(content)
        assert zeroed_bytes(path) == zeroed


def test_reading_stops_when_it_is_told_to(shard: Path) -> None:
    def stop(count: int) -> None:
        raise InterruptedError(f"after {count} bytes")

    with pytest.raises(InterruptedError):
        reread_shard(shard, LAYOUT, 0, 0, stop)
