"""The desk belongs to whoever holds the key: with key file, keys or rows of the vault failing, no tile is shown."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ingest.keyvault import KeyVault
from ingest.keyvault.making import KEYS, ROWS
from tests.ingest.desk.conftest import Browser, OpenDesk
from tests.ingest.desk.furnished import CASE

SLIDE = re.compile(r'href="/slides/([0-9a-z]{26})"')
PICTURES = (
    *("/slides/{handle}/tiles/0/0_0.jpg", "/slides/{handle}/thumbnail.jpg", "/slides/{handle}.dzi"),
    *("/slides/{handle}_files/8/0_0.jpeg", "/slides/{handle}"),
)


def key_of(home: Path) -> Path:
    return home / "archive-key" / "vault.key"


def with_another_key(home: Path) -> None:
    other = home / "other"
    KeyVault.create(other / "vault", other / "key" / "vault.key").close()
    key_of(home).write_bytes((other / "key" / "vault.key").read_bytes())


def with_another_seal(home: Path) -> None:
    with closing(sqlite3.connect(home / "archive-vault" / ROWS)) as connection:
        connection.execute("UPDATE about SET seal = zeroblob(length(seal))")
        connection.commit()


FAILURES: dict[str, Callable[[Path], object]] = {
    "the key file is gone": lambda home: key_of(home).unlink(),
    "the key file is empty": lambda home: key_of(home).write_bytes(b""),
    "the key file is damaged": lambda home: key_of(home).write_bytes(b"\x00" * 200),
    "the key file is another vault's": with_another_key,
    "the keys are gone": lambda home: (home / "archive-vault" / KEYS).unlink(),
    "the rows are gone": lambda home: (home / "archive-vault" / ROWS).unlink(),
    "the rows are of another vault": with_another_seal,
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_not_one_tile_is_shown(desk: OpenDesk, browser: Browser, failure: Callable[[Path], object]) -> None:
    handle = SLIDE.findall(browser.find(CASE).text)[0]
    addresses = [address.format(handle=handle) for address in PICTURES]
    assert {browser.get(address).status_code for address in addresses} == {200}  # also written down for the hour
    failure(desk.archive.place.root.parent)
    for address in addresses * 2:
        answer = browser.get(address)
        assert answer.status_code in (400, 500, 503)
        assert b"\xff\xd8" not in answer.content
        assert "Traceback" not in answer.text
