"""However an inmate dies, its maker lives and is told why."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.errors import Reason, SlideRefused
from ingest.precheck import precheck
from ingest.sandbox import Jail, Limits
from ingest.sandbox.forkserver import current
from tests.ingest.sandbox import acts
from tests.slides.tiff import Compression, Type, Writer, picture

MakeJail = Callable[..., Jail]
MIB = 1 << 20


def reason_of(jail: Jail, function: Callable[..., object], *args: object) -> Reason:
    with pytest.raises(SlideRefused) as refused:
        jail.call(function, *args)
    return refused.value.reason


@pytest.mark.parametrize("how", ["abort", "segmentation", "exit", "leave", "signal"])
def test_a_crash_is_a_reason(jail: MakeJail, how: str) -> None:
    inmate = jail()
    assert reason_of(inmate, acts.crash, how) is Reason.READER_CRASHED
    assert reason_of(inmate, acts.echo, 1) is Reason.READER_CRASHED  # it is dead and stays so
    assert jail().call(acts.echo, 1) == [1]


@pytest.fixture
def asks_for_too_much(tmp_path: Path) -> Path:
    """Make a slide of one tile, of 2^30 pixels each way: 2^62 bytes."""
    directory = picture(100, 100, [], tile=(1 << 30, 1 << 30), compression=Compression.JPEG)
    directory.tags |= {324: (Type.LONG, [16]), 325: (Type.LONG, [100])}
    writer = Writer(big=True)
    writer.put(bytes(200))
    writer.append(directory)
    return writer.save(tmp_path / "slide.tif")


def test_a_slide_that_aborts_openslide_is_a_reason(jail: MakeJail, asks_for_too_much: Path) -> None:
    slide = asks_for_too_much
    outside = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, openslide\nopenslide.OpenSlide(sys.argv[1]).read_region((0, 0), 0, (10, 10))",
            slide,
        ],
        capture_output=True,
        check=False,
    )
    assert outside.returncode == -6  # SIGABRT: the caller would be gone
    assert reason_of(jail(read=[slide]), acts.openslide_region, str(slide)) is Reason.READER_CRASHED


def test_the_precheck_keeps_that_slide_from_openslide(asks_for_too_much: Path) -> None:
    with pytest.raises(SlideRefused) as refused:
        precheck(asks_for_too_much)
    assert refused.value.reason is Reason.TOO_LARGE


def test_waiting_ends(jail: MakeJail) -> None:
    started = time.monotonic()
    assert reason_of(jail(limits=Limits(wall_seconds=0.5)), acts.sleep, 60) is Reason.TOO_SLOW
    assert time.monotonic() - started < 5


def test_a_loop_ends_by_the_clock_of_the_processor(jail: MakeJail) -> None:
    started = time.monotonic()
    assert reason_of(jail(limits=Limits(cpu_seconds=1, wall_seconds=30)), acts.spin) is Reason.TOO_SLOW
    assert time.monotonic() - started < 15


def test_the_time_is_that_of_all_calls_together(jail: MakeJail) -> None:
    inmate = jail(limits=Limits(wall_seconds=1.5))
    inmate.call(acts.sleep, 1.0)
    assert reason_of(inmate, acts.sleep, 1.0) is Reason.TOO_SLOW


@pytest.mark.parametrize("how", ["python", "numpy", "shared"])
def test_memory_ends(jail: MakeJail, tmp_path: Path, how: str) -> None:
    large = tmp_path / "large.svs"  # that it may map a large slide must not let it take as much of its own
    with large.open("wb") as file:
        file.truncate(4 << 30)
    limits = Limits(memory_bytes=100 * MIB)
    inmate = jail(read=[large], limits=limits)
    assert reason_of(inmate, acts.take_memory, how) is Reason.TOO_MUCH_MEMORY
    inmate.close()
    assert inmate.peak_rss_anon_bytes is not None
    assert inmate.peak_rss_anon_bytes < 400 * MIB


def test_libraries_have_room_that_memory_has_not(jail: MakeJail) -> None:
    mapped_bytes = 300 * MIB
    roomy = Limits(memory_bytes=100 * MIB, library_bytes=400 * MIB)
    assert reason_of(jail(limits=Limits(memory_bytes=100 * MIB)), acts.map_to_read, mapped_bytes) is (
        Reason.TOO_MUCH_MEMORY
    )
    assert jail(limits=roomy).call(acts.map_to_read, mapped_bytes) == mapped_bytes
    assert reason_of(jail(limits=roomy), acts.take_memory, "python") is Reason.TOO_MUCH_MEMORY


def test_an_inmate_survives_asking_for_too_much(jail: MakeJail) -> None:
    inmate = jail(limits=Limits(memory_bytes=100 * MIB))
    assert reason_of(inmate, acts.take_memory, "numpy") is Reason.TOO_MUCH_MEMORY
    assert inmate.call(acts.echo, 1) == [1]


@pytest.mark.parametrize(
    ("how", "reasons"),
    [("one file", {Reason.UNREADABLE_PIXELS, Reason.TOO_LARGE}), ("many files", {Reason.TOO_LARGE})],
)
def test_writing_ends(jail: MakeJail, tmp_path: Path, how: str, reasons: set[Reason]) -> None:
    inmate = jail(write=[tmp_path], limits=Limits(written_bytes=20 * MIB))
    assert reason_of(inmate, acts.write_much, str(tmp_path), how) in reasons
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 500 * MIB


def test_an_inmate_ends_with_the_fork_server(jail: MakeJail, is_gone: Callable[[int], bool]) -> None:
    inmate = jail()
    process = inmate.call(acts.own_process)
    os.kill(current().process, 9)
    assert is_gone(process)
    with pytest.raises(SlideRefused):
        inmate.call(acts.echo)


def test_an_inmate_ends_with_its_maker(is_gone: Callable[[int], bool]) -> None:
    code = """
import os, sys, time
from ingest.sandbox import Jail, prepare
from tests.ingest.sandbox import acts
prepare(acts.__name__)
with Jail(read=[]) as jail:
    print(jail.call(acts.own_process), flush=True)
    jail.call(acts.sleep, 60)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment) as maker:
        assert maker.stdout is not None
        inmate = int(maker.stdout.readline())
        assert Path(f"/proc/{inmate}").exists()
        maker.kill()
    assert is_gone(inmate)
