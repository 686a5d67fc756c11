"""A jail is made in milliseconds, answers call after call, and leaves nothing behind."""

import os
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive.errors import InvalidValue
from ingest.errors import JailUnavailable, Reason, SlideRefused
from ingest.sandbox import Jail, Limits, prepare
from ingest.sandbox.forkserver import current
from tests.ingest.sandbox import acts

MakeJail = Callable[..., Jail]


def test_calls_follow_one_another_with_arguments_and_answers(jail: MakeJail) -> None:
    inmate = jail()
    for args in ([], [1, "µ", None, 2.5], [{"a": [1, {"b": True}]}]):
        assert inmate.call(acts.echo, *args) == args


def test_long_arguments_arrive(jail: MakeJail) -> None:
    assert jail().call(acts.echo, "x" * 3_000_000) == ["x" * 3_000_000]


def test_progress_is_told_while_the_work_goes_on(jail: MakeJail) -> None:
    told: list[dict[str, Any]] = []
    assert jail().call(acts.count_up, 1000, on_progress=told.append) == 1000
    assert told == [{"number": number} for number in range(1000)]


def test_what_goes_wrong_with_progress_comes_through() -> None:
    def stop(progress: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    inmate = Jail(read=[])
    with inmate:
        process = inmate.call(acts.own_process)
        with pytest.raises(KeyboardInterrupt):
            inmate.call(acts.count_up, 10, on_progress=stop)
        with pytest.raises(JailUnavailable, match="broken off"):  # or it would hear the rest of the first call
            inmate.call(acts.echo)
    assert not Path(f"/proc/{process}").exists()


@pytest.mark.parametrize("reason", Reason)
def test_a_refusal_inside_is_the_same_refusal_outside(jail: MakeJail, reason: Reason) -> None:
    inmate = jail()
    with pytest.raises(SlideRefused) as refused:
        inmate.call(acts.refuse, reason.value)
    assert refused.value.reason is reason
    assert inmate.call(acts.echo, 1) == [1]


def test_an_exception_becomes_a_reason_without_its_text(jail: MakeJail) -> None:
    inmate = jail()
    for options, reason in (({}, Reason.UNREADABLE_PIXELS), ({"otherwise": Reason.NOT_A_SLIDE}, Reason.NOT_A_SLIDE)):
        with pytest.raises(SlideRefused) as refused:
            inmate.call(acts.fail, "cannot read slide of Margaret Brown", **options)
        assert refused.value.reason is reason
        assert "Brown" not in repr(refused.value) + inmate.last_failure
    assert inmate.last_failure.startswith("ValueError in acts.py:")
    assert inmate.call(acts.echo) == []
    assert inmate.last_failure == ""


@pytest.mark.parametrize("what", ["nan", "bytes", "array", "long"])
def test_an_answer_that_is_no_plain_json_is_a_failure(jail: MakeJail, what: str) -> None:
    inmate = jail(limits=Limits(message_bytes=50_000))
    with pytest.raises(SlideRefused) as refused:
        inmate.call(acts.answer_with, what)
    assert refused.value.reason is Reason.UNREADABLE_PIXELS
    assert inmate.call(acts.echo) == []


def test_each_jail_is_another_process(jail: MakeJail) -> None:
    processes = {jail().call(acts.own_process) for _ in range(5)}
    assert len(processes) == 5
    assert os.getpid() not in processes


def test_a_closed_jail_is_not_used_again() -> None:
    inmate = Jail(read=[])
    with inmate:
        process = inmate.call(acts.own_process)
    assert not Path(f"/proc/{process}").exists()
    with pytest.raises(JailUnavailable):
        inmate.call(acts.echo)
    inmate.close()


def test_a_slide_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SlideRefused) as refused, Jail(read=[tmp_path / "gone.svs"]):
        pytest.fail("there is nothing to read")
    assert refused.value.reason is Reason.UNREADABLE_FILE


def test_jails_leave_no_descriptor_and_no_process_behind() -> None:
    def left() -> tuple[int, int]:
        children = Path(f"/proc/{current().process}/task/{current().process}/children").read_text().split()
        return len(os.listdir("/proc/self/fd")), len(children)

    with Jail(read=[]):
        pass
    before = left()
    for how in ("live", "die", "refuse"):
        with Jail(read=[]) as inmate:
            if how == "die":
                with pytest.raises(SlideRefused):
                    inmate.call(acts.crash, "abort")
    with pytest.raises(SlideRefused), Jail(read=[Path("/no/such/slide")]):
        pass
    assert left() == before


def test_jails_live_beside_one_another() -> None:
    answers: dict[int, object] = {}

    def work(number: int) -> None:
        with Jail(read=[]) as inmate:
            inmate.call(acts.sleep, 0.2)
            answers[number] = inmate.call(acts.echo, number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: [number] for number in range(6)}


def test_a_fork_server_that_died_is_started_again(jail: MakeJail) -> None:
    assert jail().call(acts.echo, 1) == [1]
    before = current().process
    os.kill(before, 9)
    deadline = time.monotonic() + 10
    while current().process == before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert jail().call(acts.echo, 2) == [2]


def test_a_module_that_cannot_be_imported_is_said_clearly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.sandbox.forkserver._Current.server", None)
    prepare("no_such_module")
    with pytest.raises(JailUnavailable, match="did not start"), Jail(read=[]):
        pass


def test_the_memory_of_a_jail_is_known_afterwards(jail: MakeJail) -> None:
    inmate = jail()
    inmate.call(acts.echo)
    inmate.close()
    assert inmate.peak_rss_anon_bytes is not None
    assert 5e6 < inmate.peak_rss_anon_bytes < 400e6


def test_the_fork_server_has_one_thread(jail: MakeJail) -> None:
    jail()
    assert len(os.listdir(f"/proc/{current().process}/task")) == 1


def test_a_jail_is_made_in_60_ms_and_asked_in_5() -> None:
    with Jail(read=[]):  # everything is imported now
        pass
    starts, calls = [], []
    for _ in range(15):
        started = time.perf_counter()
        with Jail(read=[]) as inmate:
            starts.append(time.perf_counter() - started)
            for _ in range(5):
                started = time.perf_counter()
                inmate.call(acts.echo)
                calls.append(time.perf_counter() - started)
    assert statistics.median(starts) < 0.060
    assert statistics.median(calls) < 0.005


@pytest.mark.parametrize(
    "options",
    [
        {"memory_bytes": 0},
        {"library_bytes": -1},
        {"cpu_seconds": 0},
        {"wall_seconds": 0.0},
        {"open_files": 3},
        {"wall_seconds": float("nan")},
    ],
)
def test_limits_that_limit_everything_are_no_limits(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        Limits(**options)


def test_a_small_file_may_cost_little() -> None:
    limits = Limits.for_source(5_000_000)
    assert limits.cpu_seconds <= 60
    assert limits.memory_bytes <= 2 << 30
    assert limits.written_bytes <= 1.3 * (1 << 30)
    assert Limits.for_source(5_000_000_000).cpu_seconds > 5000
