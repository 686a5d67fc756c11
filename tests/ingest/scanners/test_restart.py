"""Restart intervals are found by the scanner's list where it is right, else by the markers themselves."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.holdings.pixels import NotPlainJpeg
from ingest.scanners import _restart
from ingest.scanners._restart import RestartIntervals

PIECE = st.lists(st.sampled_from([b"\xff\0", b"\0", b"\xd0", b"\x7f", b"\xd9"]), max_size=9).map(b"".join)


def stream_of(pieces: list[bytes], lead: int = 5) -> tuple[bytes, np.ndarray]:
    """Join pieces with restart markers behind some bytes of header, and tell where each begins."""
    data, starts = b"h" * lead, []
    for number, piece in enumerate(pieces):
        starts.append(len(data))
        data += piece + (b"\xff\xd9" if number == len(pieces) - 1 else bytes((0xFF, 0xD0 + number % 8)))
    return data, np.array(starts, np.int64)


@given(pieces=st.lists(PIECE, min_size=1, max_size=20), listed=st.booleans(), chunk=st.integers(2, 12), data=st.data())
def test_every_interval_is_read_as_it_was_written(
    pieces: list[bytes], listed: bool, chunk: int, data: st.DataObject
) -> None:
    stream, starts = stream_of(pieces)
    first = data.draw(st.integers(0, len(pieces) - 1))
    count = data.draw(st.integers(1, len(pieces) - first))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_restart, "CHUNK_BYTES", chunk)
        intervals = RestartIntervals(io.BytesIO(stream), 5, len(stream), len(pieces), starts if listed else None)
        found = intervals.read(first, count)
    assert found == [(int(starts[k]), pieces[k]) for k in range(first, first + count)]


WRONG = {
    "shifted": lambda starts: starts + 1,
    "all but the first shifted": lambda starts: np.concatenate([starts[:1], starts[1:] + 1]),
    "too few": lambda starts: starts[:-1],
    "descending": lambda starts: starts[::-1].copy(),
    "beyond the end": lambda starts: np.concatenate([starts[:-1], [1 << 40]]),
    "of eight intervals later": lambda starts: np.concatenate([starts[:1], starts[9:], starts[-8:] + 1000]),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_list_is_not_believed(wrong: str) -> None:
    pieces = [bytes([number]) * (number + 1) for number in range(20)]
    stream, starts = stream_of(pieces)
    intervals = RestartIntervals(io.BytesIO(stream), 5, len(stream), 20, WRONG[wrong](starts))
    assert intervals.read(0, 20) == [(int(at), piece) for at, piece in zip(starts, pieces, strict=True)]


@pytest.mark.parametrize(
    "harm",
    [
        lambda stream: stream.replace(b"\xff\xd3", b"\xff\xd4"),
        lambda stream: stream.replace(b"\xff\xd3", b"\0\0"),
        lambda stream: stream.replace(b"\xff\xd3", b"\xff\xfe"),
        lambda stream: stream[:-2],
        lambda stream: stream[:20],
        lambda stream: stream + b"\xff\xd0",
    ],
    ids=["another number", "lost", "a comment", "no end", "cut short", "one more behind the end"],
)
def test_a_stream_whose_markers_are_not_in_order_is_not_cut(harm: object) -> None:
    stream, _ = stream_of([b"abc"] * 8)
    harmed = harm(stream)  # type: ignore[operator]
    intervals = RestartIntervals(io.BytesIO(harmed), 5, len(stream), 8)
    if len(harmed) > len(stream):
        assert [piece for _, piece in intervals.read(0, 8)] == [b"abc"] * 8
    else:
        with pytest.raises(NotPlainJpeg):
            intervals.read(0, 8)


@pytest.mark.parametrize(("begin", "end", "count"), [(5, 5, 1), (9, 5, 1), (0, 9, 0), (0, 9, 1 << 25)])
def test_what_no_slide_has_is_refused_before_it_is_read(begin: int, end: int, count: int) -> None:
    with pytest.raises(NotPlainJpeg):
        RestartIntervals(io.BytesIO(b""), begin, end, count)


def test_a_row_that_is_longer_than_any_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    stream, starts = stream_of([b"a" * 100] * 2)
    monkeypatch.setattr(_restart, "MOST_BYTES_AT_ONCE", 99)
    with pytest.raises(NotPlainJpeg, match="too long"):
        RestartIntervals(io.BytesIO(stream), 5, len(stream), 2, starts).read(0, 2)
