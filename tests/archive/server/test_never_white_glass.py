"""A shard that is missing, empty, cut short or zeroed is never white glass, and the check says which of them."""

from pathlib import Path

import httpx
import pytest

from archive.codes import Code
from archive.holdings.checking.faults import FaultCode
from archive.holdings.checking.running import Plan, Progress
from archive.holdings.checking.whole import ArchiveCheck
from archive.settings import ArchiveSettings
from tests.archive.server.conftest import Opened
from tests.archive.server.taught import TaughtArchive, served, shrunk
from tests.slides.tissue import tissue


def empty(shard: Path) -> None:
    shard.write_bytes(b"")


def cut_short(shard: Path) -> None:
    shard.write_bytes(shard.read_bytes()[:-700])


def cut_to_its_index(shard: Path) -> None:
    shard.write_bytes(shard.read_bytes()[-404:])


def zeroed(shard: Path) -> None:
    shard.write_bytes(bytes(shard.stat().st_size))


def zeroed_at_its_end(shard: Path) -> None:
    whole = shard.read_bytes()
    shard.write_bytes(whole[: len(whole) // 4096 * 4096 - 4096] + bytes(len(whole) - len(whole) // 4096 * 4096 + 4096))


HARMS = {
    "missing": (Path.unlink, FaultCode.FILE_MISSING),
    "empty": (empty, FaultCode.FILE_EMPTY),
    "cut short": (cut_short, FaultCode.FILE_TRUNCATED),
    "cut to its index": (cut_to_its_index, FaultCode.FILE_TRUNCATED),
    "zeroed": (zeroed, FaultCode.FILE_ZEROED),
    "zeroed at its end": (zeroed_at_its_end, FaultCode.FILE_ZEROED),
}


@pytest.fixture
def slide(taught: TaughtArchive) -> Code:
    picture = tissue(700, 500)
    return taught.add([picture, shrunk(picture, 4)])


def checked(taught: TaughtArchive, *, mark: bool) -> list[FaultCode]:
    check = ArchiveCheck(ArchiveSettings(archive=taught.root), Plan(mark=mark), Progress())
    return [FaultCode(fault.code) for fault in check.run()]


@pytest.mark.parametrize("harm", HARMS)
def test_every_tile_is_an_error_and_the_check_says_which_harm_it_was(
    taught: TaughtArchive, opened: Opened, slide: Code, harm: str
) -> None:
    do, code = HARMS[harm]
    (place,) = taught.teach("One", slide).places
    do(taught.shard(slide))
    client = opened(taught)
    for row in range(4):
        for column in range(6):
            answer = client.get(f"/slides/{place.handle}/tiles/0/{column}_{row}.jpg")
            assert (answer.status_code, answer.headers["content-type"]) == (503, "text/plain; charset=utf-8")
    assert client.get(f"/slides/{place.handle}_files/10/0_0.jpeg").status_code == 503
    assert code in checked(taught, mark=False)


def test_one_zeroed_page_spoils_its_tiles_and_no_tile_is_shown_otherwise_than_before(
    taught: TaughtArchive, opened: Opened, slide: Code
) -> None:
    (place,) = taught.teach("One", slide).places
    addresses = [f"/slides/{place.handle}/tiles/0/{column}_{row}.jpg" for row in range(4) for column in range(6)]
    before = {address: opened(taught).get(address).content for address in addresses}
    shard = taught.shard(slide)
    whole = shard.read_bytes()
    shard.write_bytes(whole[:4096] + bytes(4096) + whole[8192:])
    client, spoilt = opened(taught), 0
    for address in addresses:
        answer = client.get(address)
        spoilt += answer.status_code == 503
        assert answer.status_code == 503 or answer.content == before[address]
    assert 1 <= spoilt < len(addresses)
    found = checked(taught, mark=False)
    assert found.count(FaultCode.TILE_DAMAGED) == spoilt
    assert FaultCode.FILE_ZEROED in found


def test_what_a_check_marked_is_shown_by_no_running_server(taught: TaughtArchive, slide: Code) -> None:
    (place,) = taught.teach("One", slide).places
    with served(taught.root) as base:
        right = f"{base}/slides/{place.handle}/tiles/0/5_3.jpg"
        assert httpx.get(right).status_code == 200
        shard = taught.shard(slide)
        content = bytearray(shard.read_bytes())
        content[600] ^= 1  # in the first tile; the last one is whole
        shard.write_bytes(content)
        assert checked(taught, mark=True) == [FaultCode.TILE_DAMAGED]
        for _ in range(40):
            answer = httpx.get(right)
            if answer.status_code == 404:
                break
        else:
            pytest.fail("a scan that is marked as damaged is still shown")
