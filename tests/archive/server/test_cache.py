"""Made tiles are kept in a bounded number of bytes."""

import pytest

from archive.server.cache import OVERHEAD_BYTES, TileCache

MADE = bytes(1000)
ROOM_FOR_TWO = 2 * (len(MADE) + OVERHEAD_BYTES)


def unexpected() -> bytes:
    raise AssertionError("this was kept and must not be made again")


def test_what_was_made_is_given_again() -> None:
    cache = TileCache(ROOM_FOR_TWO)
    cache.get_or_make("a", lambda: MADE)
    assert cache.get_or_make("a", unexpected) is MADE


def test_the_least_recently_used_goes_first() -> None:
    cache = TileCache(ROOM_FOR_TWO)
    for key in ("a", "b", "a", "c"):
        cache.get_or_make(key, lambda: MADE)
    cache.get_or_make("a", unexpected)
    cache.get_or_make("c", unexpected)
    assert cache.get_or_make("b", lambda: b"anew") == b"anew"


def test_the_limit_holds_whatever_comes() -> None:
    cache = TileCache(10_000)
    for number in range(500):
        cache.get_or_make(number, lambda size=number * 37 % 4000: bytes(size))
        assert cache.used_bytes <= 10_000
    assert len(cache) > 1


def test_what_is_larger_than_the_limit_is_given_and_not_kept() -> None:
    cache = TileCache(500)
    assert cache.get_or_make("a", lambda: MADE) is MADE
    assert (len(cache), cache.used_bytes) == (0, 0)


def test_an_error_is_not_kept() -> None:
    cache = TileCache(ROOM_FOR_TWO)
    with pytest.raises(AssertionError):
        cache.get_or_make("a", unexpected)
    assert cache.get_or_make("a", lambda: MADE) is MADE
