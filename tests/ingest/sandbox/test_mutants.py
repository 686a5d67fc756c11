"""Of spoilt slides, none brings the caller down, and none that passes the pre-check brings its reader down."""

import struct
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ingest.errors import Reason, SlideRefused
from ingest.precheck import precheck
from ingest.sandbox import Jail, Limits
from tests.ingest.sandbox import acts
from tests.slides.malformed import mutants, sound

COUNT = 60
EXTREMES = (0, 1, 0x7FFF, 0xFFFF, 0x10000, 1 << 20, 1 << 30, 0x7FFFFFFF, 0xFFFFFFFF)
DEATHS = {Reason.READER_CRASHED, Reason.TOO_MUCH_MEMORY, Reason.TOO_SLOW}


def extreme(whole: bytes, seed: int) -> bytes:
    """Return a copy with one or two counts or values in its directories set to extremes."""
    rng, data, directories = np.random.default_rng(seed), bytearray(whole), []
    (at,) = struct.unpack_from("<I", data, 4)
    while at:
        (entries,) = struct.unpack_from("<H", data, at)
        directories.append((at, entries))
        (at,) = struct.unpack_from("<I", data, at + 2 + 12 * entries)
    for _ in range(int(rng.integers(1, 3))):
        at, entries = directories[int(rng.integers(len(directories)))]
        place = at + 2 + 12 * int(rng.integers(entries)) + int(rng.choice([4, 8]))
        struct.pack_into("<I", data, place, int(rng.choice(EXTREMES)))
    return bytes(data)


def test_spoilt_slides_end_in_pixels_or_in_a_reason(tmp_path: Path, jail: Callable[..., Jail]) -> None:
    slide = tmp_path / "slide.svs"
    whole = sound(slide)
    before, after = Counter[str](), Counter[str]()
    for spoilt in (*mutants(whole, COUNT, seed=11), *(extreme(whole, seed) for seed in range(COUNT))):
        slide.write_bytes(spoilt or b"\0")
        checked = outcome(lambda: precheck(slide))
        started = time.monotonic()
        with Jail(read=[slide], limits=Limits.for_source(len(spoilt))) as inmate:
            found = outcome(lambda inmate=inmate: inmate.call(acts.openslide_region, str(slide)))
        assert time.monotonic() - started < 30
        (before if isinstance(checked, Reason) else after)[str(found)] += 1
    assert not DEATHS.intersection(after)
    assert before.total() > COUNT / 2
    assert after.total() > COUNT / 4


def outcome(act: Callable[[], object]) -> Reason | str:
    """Return the reason of a refusal, or that there was none; anything else fails the test."""
    try:
        act()
    except SlideRefused as refused:
        return refused.reason
    return "taken"
