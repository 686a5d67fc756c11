"""Whatever is done to a file, the check ends soon in acceptance or in a reason, and in nothing else."""

import struct
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.errors import SlideRefused
from ingest.precheck import Family, parts
from tests.ingest.precheck.conftest import outcome_of
from tests.ingest.precheck.spoilt import save
from tests.ingest.precheck.test_companions import VMS
from tests.ingest.precheck.test_dicom import DATA, meta
from tests.slides.malformed import MALFORMED, Malformed, mutants

FAULTS_OF_PIXELS = {"unreadable-pixels", "not-a-whole-slide"}
"""What the structure does not show is left to the jail."""

EXTREMES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    path = tmp_path_factory.mktemp("seeds") / "slide"
    tiffs = [save(path, big=big, order=order).read_bytes() for big in (False, True) for order in ("<", ">")]
    return [*tiffs, bytes(128) + b"DICM" + meta() + DATA, VMS.encode()]


@settings(
    max_examples=500,
    deadline=None,  # wall-clock time is not the check's alone; its own time is held below
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_flipped_bits_extreme_numbers_and_cuts_end_in_a_reason(
    data: st.DataObject, seeds: list[bytes], tmp_path: Path
) -> None:
    whole = bytearray(data.draw(st.sampled_from(seeds)))
    for _ in range(data.draw(st.integers(1, 6))):
        # the directories and headers are what the check reads, and they are small: aim at them half of the time
        at = data.draw(
            st.integers(0, len(whole) - 1) | st.integers(0, 40) | st.integers(len(whole) - 600, len(whole) - 1)
        )
        at = max(0, min(at, len(whole) - 1))
        match data.draw(st.integers(0, 3)):
            case 0:
                whole[at] ^= 1 << data.draw(st.integers(0, 7))
            case 1:
                number = struct.pack(data.draw(st.sampled_from("<>")) + "I", data.draw(st.sampled_from(EXTREMES)))
                whole[at : at + 4] = number[: len(whole[at : at + 4])]
            case 2:
                whole[at] = data.draw(st.integers(0, 255))
            case _:
                del whole[max(1, at) :]
    path = tmp_path / "slide"
    path.write_bytes(whole)
    began = time.thread_time()
    if isinstance(outcome_of(path), Family):
        with suppress(SlideRefused):
            parts(path)
    assert time.thread_time() - began < 1


def test_thousands_of_spoilt_slides_cost_neither_time_nor_memory(seeds: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "slide"
    slowest, largest, outcomes = 0.0, 0, set()
    tracemalloc.start()
    try:
        for number in range(24):
            for spoilt in mutants(seeds[number % 4], 50, seed=number):
                path.write_bytes(spoilt or b"\0")
                tracemalloc.reset_peak()
                before, started = tracemalloc.get_traced_memory()[0], time.perf_counter()
                outcomes.add(outcome_of(path))
                slowest = max(slowest, time.perf_counter() - started)
                largest = max(largest, tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    assert slowest < 1
    assert largest < 50e6
    assert len(outcomes) >= 5


@pytest.mark.parametrize("fault", MALFORMED, ids=lambda fault: fault.name)
def test_a_known_fault_has_a_true_reason_or_is_left_to_the_jail(fault: Malformed, tmp_path: Path) -> None:
    path = tmp_path / "slide.svs"
    fault.make(path)
    outcome = outcome_of(path)
    assert outcome.value in fault.reasons or fault.reasons & FAULTS_OF_PIXELS
