"""Damage is said to be damage: never a blank tile, never a stack trace, and the rest of the slide is still shown."""

import logging
from pathlib import Path

import pytest

from archive.server.pictures import Pictures
from tests.archive.server.conftest import Opened
from tests.archive.server.taught import TaughtArchive, shrunk
from tests.slides.tissue import tissue

SENTENCE = "its stored data is damaged"
PICTURE = tissue(700, 500)


def flip_a_byte(shard: Path) -> None:
    content = bytearray(shard.read_bytes())
    content[600] ^= 0x10
    shard.write_bytes(content)


def cut_short(shard: Path) -> None:
    shard.write_bytes(shard.read_bytes()[:-700])


def empty(shard: Path) -> None:
    shard.write_bytes(b"")


def test_one_changed_bit_spoils_one_tile_only(taught: TaughtArchive, opened: Opened) -> None:
    code = taught.add()
    (place,) = taught.teach("One", code).places
    flip_a_byte(taught.shard(code))
    client = opened(taught)
    damaged = client.get(f"/slides/{place.handle}/tiles/0/0_0.jpg")
    assert (damaged.status_code, damaged.headers["content-type"]) == (503, "text/plain; charset=utf-8")
    assert SENTENCE in damaged.text
    assert client.get(f"/slides/{place.handle}/tiles/0/3_3.jpg").status_code == 200


@pytest.mark.parametrize("harm", [Path.unlink, cut_short, empty])
@pytest.mark.parametrize("address", ["/tiles/0/0_0.jpg", "/tiles/1/0_0.jpg", "_files/10/0_0.jpeg", "_files/9/2_1.jpeg"])
def test_a_missing_or_shortened_shard_is_damage_on_every_route(
    taught: TaughtArchive, opened: Opened, harm: object, address: str
) -> None:
    code = taught.add([PICTURE, shrunk(PICTURE, 4)])
    (place,) = taught.teach("One", code).places
    harm(taught.shard(code))  # type: ignore[operator]
    answer = opened(taught).get(f"/slides/{place.handle}{address}")
    assert answer.status_code == 503
    assert SENTENCE in answer.text


def test_a_scan_without_its_metadata_is_damaged_on_every_route(taught: TaughtArchive, opened: Opened) -> None:
    code = taught.add()
    (place,) = taught.teach("One", code).places
    (taught.shard(code).parents[4] / "zarr.json").unlink()
    client = opened(taught)
    for address in ("/slides/{}", "/api/slides/{}", "/slides/{}/tiles/0/0_0.jpg", "/slides/{}/thumbnail.jpg"):
        answer = client.get(address.format(place.handle))
        assert answer.status_code == 503
        assert SENTENCE in answer.text


def test_the_log_says_what_to_do_and_names_no_slide(
    taught: TaughtArchive, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    code = taught.add()
    (place,) = taught.teach("One", code).places
    flip_a_byte(taught.shard(code))
    with caplog.at_level(logging.WARNING):
        opened(taught).get(f"/slides/{place.handle}/tiles/0/0_0.jpg")
    assert "coverslip check" in caplog.text
    for secret in (place.handle, place.scan, str(code), str(taught.root)):
        assert secret not in caplog.text


@pytest.mark.parametrize("route", ["/slides/{}/tiles/0/0_0.jpg", "/slides/{}", "/api/slides/{}"])
def test_a_fault_of_the_server_itself_tells_nothing(
    taught: TaughtArchive,
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    route: str,
) -> None:
    (place,) = taught.teach("One", taught.add()).places
    client = opened(taught)

    def faulty(*_: object) -> bytes:
        raise RuntimeError("Jane Example, 12 March")

    monkeypatch.setattr(Pictures, "native", faulty)
    monkeypatch.setattr("archive.server.api.slide_told", faulty)
    monkeypatch.setattr("archive.server.pages.Frames.fill", faulty)
    with caplog.at_level(logging.DEBUG):
        answer = client.get(route.format(place.handle))
    assert answer.status_code == 500
    assert "a fault of its own" in answer.text
    assert "Jane" not in answer.text + caplog.text
    assert "Traceback" not in answer.text + caplog.text
