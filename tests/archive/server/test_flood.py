"""Two hundred who try to come in at once fill neither memory nor cores, and a class goes on looking meanwhile."""

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx
import psutil
import pytest

from archive.accounts import Grant, Role
from archive.server.waiting import PLACES
from tests.archive.server.members import PASSWORD, Members
from tests.archive.server.taught import TaughtArchive, served

CROWD = 200
HASH_MIB = 64
WORKERS = 2
PROXY = {"behind_tls_proxy": True, "hostname": "slides.example", "proxy_address": "127.0.0.1"}
ORIGIN = {"host": "slides.example", "origin": "https://slides.example"}
NAMES = ("eva", "nobody", "Mr X!")


@dataclass
class Flood:
    """What was seen while everybody tried to come in."""

    statuses: Counter[int] = field(default_factory=Counter)
    turned_away: list[httpx.Response] = field(default_factory=list)
    tile_seconds: list[float] = field(default_factory=list)
    peak_mib: float = 0.0


def memory_mib() -> float:
    """Give what the largest of the server's processes holds in memory."""
    return max(process.memory_info().rss for process in psutil.Process().children(recursive=True)) / 2**20


def look(base: str, tile: str, seen: dict[str, str], found: Flood, over: threading.Event) -> None:
    """Look at a tile again and again, as a class does."""
    with httpx.Client(base_url=base, headers=seen, timeout=30) as browser:
        while not over.is_set():
            began = time.perf_counter()
            assert browser.get(tile).status_code == 200
            found.tile_seconds.append(time.perf_counter() - began)
            found.peak_mib = max(found.peak_mib, memory_mib())
            time.sleep(0.02)


async def everybody(base: str, found: Flood) -> None:
    """Have everybody try to come in at once, each from another address."""
    many = httpx.Limits(max_connections=CROWD)
    async with httpx.AsyncClient(base_url=base, timeout=60, limits=many) as browsers:

        async def come(number: int) -> None:
            headers = {**ORIGIN, "x-forwarded-for": f"203.0.113.{number}"}
            form = {"name": NAMES[number % 3], "password": f"wrong {number}", "next": "/"}
            answer = await browsers.post("/sign-in", data=form, headers=headers)
            found.statuses[answer.status_code] += 1
            if answer.status_code != 403:
                found.turned_away.append(answer)

        await asyncio.gather(*(come(number) for number in range(CROWD)))


def flood(base: str, tile: str, seen: dict[str, str]) -> Flood:
    """Have everybody come while one browser goes on looking."""
    found, over = Flood(), threading.Event()
    looking = threading.Thread(target=look, args=(base, tile, seen, found, over))
    looking.start()
    try:
        asyncio.run(everybody(base, found))
    finally:
        over.set()
        looking.join()
    return found


@pytest.mark.timeout(180)
def test_two_hundred_at_once_starve_nobody(taught: TaughtArchive, members: Members) -> None:
    members.store.add("eva", PASSWORD, [Grant(Role.EDUCATOR)])
    (place,) = taught.teach("One", taught.add()).places
    tile = f"/slides/{place.handle}/tiles/0/0_0.jpg"
    with served(taught.root, workers=WORKERS, **PROXY) as base:
        seen = {"host": "slides.example", **members.cookie("learner", "__Host-coverslip")}
        for _ in range(20):  # each worker has opened what it needs
            httpx.get(base + tile, headers=seen)
        before = memory_mib()
        found = flood(base, tile, seen)
        locked = next(account for account in members.store.accounts() if account.name == "eva")
        members.store.unlock("eva")
        form = {"name": "eva", "password": PASSWORD, "next": "/"}
        comes = httpx.post(f"{base}/sign-in", data=form, headers={**ORIGIN, "x-forwarded-for": "198.51.100.1"})
    assert set(found.statuses) == {403, 503}
    assert found.statuses[503] >= CROWD - 2 * WORKERS * PLACES
    for answer in found.turned_away:
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert answer.text.count("Too many people are signing in at this moment") == 1
    assert found.peak_mib - before < 2 * HASH_MIB
    assert len(found.tile_seconds) >= 20
    assert sorted(found.tile_seconds)[len(found.tile_seconds) * 9 // 10] < 0.5
    assert locked.locked_until is not None
    assert comes.status_code == 303


@pytest.mark.timeout(180)
def test_one_address_is_told_to_come_later_and_others_come_in(taught: TaughtArchive, members: Members) -> None:
    members.store.add("eva", PASSWORD, [Grant(Role.EDUCATOR)])
    with served(taught.root, workers=WORKERS, **PROXY) as base, httpx.Client(base_url=base) as browser:

        def sign_in(name: str, password: str, address: str, forged: str = "") -> httpx.Response:
            headers = {**ORIGIN, "x-forwarded-for": f"{forged}{address}"}
            return browser.post("/sign-in", data={"name": name, "password": password, "next": "/"}, headers=headers)

        statuses = [sign_in("nobody", "wrong", "203.0.113.1", f"10.0.0.{n}, ").status_code for n in range(21)]
        assert statuses == [403] * 20 + [429]
        away, comes = sign_in("eva", PASSWORD, "203.0.113.1"), sign_in("eva", PASSWORD, "203.0.113.2")
    assert (away.status_code, comes.status_code) == (429, 303)
    assert 800 < int(away.headers["retry-after"]) <= 900
    assert "Too many failed sign-ins came from your address" in away.text
    assert "set-cookie" not in away.headers
    assert away.headers["cache-control"] == "no-store"
