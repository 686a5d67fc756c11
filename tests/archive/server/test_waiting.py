"""The line before the door is short, no address fills it alone, and whoever waits in it delays no tile."""

import asyncio
import os
import sys
import threading
from collections import Counter
from collections.abc import Coroutine

import pytest

from archive.errors import ArchiveError, Crowded
from archive.server.waiting import GIVES_WAY, PLACES, PLACES_OF_ONE, WaitingLine


def crowd(line: WaitingLine, addresses: list[str | None]) -> Counter[str]:
    """Have one ask from each address while the first is still inside; count what became of them."""
    opens = threading.Event()

    async def ask(address: str | None) -> str:
        try:
            return await line.through(address, lambda: str(opens.wait(30)))
        except Crowded as error:
            return f"come again in {error.seconds:.0f} s"

    async def all_of_them() -> list[str]:
        asking = [asyncio.ensure_future(ask(address)) for address in addresses]
        await asyncio.sleep(0.05)
        opens.set()
        return await asyncio.gather(*asking)

    return Counter(asyncio.run(all_of_them()))


def test_the_line_has_an_end() -> None:
    line = WaitingLine("test", 1)
    for _ in range(2):
        assert crowd(line, [f"10.0.0.{number}" for number in range(200)]) == {
            "True": PLACES,
            "come again in 5 s": 200 - PLACES,
        }


def test_no_address_fills_the_line_alone() -> None:
    line = WaitingLine("test", 1)
    assert crowd(line, ["10.0.0.1"] * 100 + ["10.0.0.2"]) == {
        "True": PLACES_OF_ONE + 1,
        "come again in 5 s": 100 - PLACES_OF_ONE,
    }


def test_where_no_address_is_known_the_line_is_everybodys() -> None:
    assert crowd(WaitingLine("test", 1), [None] * 100) == {"True": PLACES, "come again in 5 s": 100 - PLACES}


def test_no_more_than_were_asked_for_are_inside_at_once() -> None:
    line, inside, most = WaitingLine("test", 2), threading.Semaphore(2), []

    def check() -> None:
        most.append(inside.acquire(blocking=False))
        threading.Event().wait(0.02)
        inside.release()

    async def all_of_them() -> None:
        await asyncio.gather(*(line.through(None, check) for _ in range(20)))

    asyncio.run(all_of_them())
    assert most == [True] * 20


def test_a_fault_inside_gives_its_place_back() -> None:
    line = WaitingLine("test", 1)

    def fail() -> None:
        raise ArchiveError("inside")

    async def ask() -> None:
        for _ in range(PLACES + 1):
            with pytest.raises(ArchiveError, match="inside"):
                await line.through("10.0.0.1", fail)

    asyncio.run(ask())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives each thread a priority of its own")
def test_whoever_checks_gives_way_and_so_do_the_threads_that_help() -> None:
    def claims() -> tuple[int, int]:
        helping: list[int] = []
        helper = threading.Thread(target=lambda: helping.append(claim()))
        helper.start()
        helper.join()
        return claim(), helping[0]

    def claim() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def done(task: Coroutine[object, object, tuple[int, int]]) -> tuple[int, int]:
        return asyncio.run(task)

    own = claim()
    assert done(WaitingLine("test", 1).through(None, claims)) == (own + GIVES_WAY, own + GIVES_WAY)
    assert claim() == own
