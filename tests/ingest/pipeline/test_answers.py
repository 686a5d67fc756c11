"""Whatever comes out of the jail either fits or is refused; nothing else can come of it, and nothing endless."""

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.geometry import Size
from archive.holdings.pixels import Coding, LevelLayout, Origin, PixelType, ShardGrid
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.answers import (
    MAX_ASSOCIATED,
    MAX_ICC_BYTES,
    MAX_LEVELS,
    Compared,
    Description,
    Stored,
    level_from_json,
    level_to_json,
)
from ingest.scanners import AssociatedKind

LEVEL: dict[str, Any] = {
    "size": [2220, 2967],
    "tile": [240, 240],
    "coding": "jpeg",
    "origin": "copied",
    "grid": [10, 13],
    "channels": 3,
    "pixel_type": "uint8",
    "apart": False,
}
APART: dict[str, Any] = {**LEVEL, "coding": "lossless", "origin": "decoded", "pixel_type": "uint16", "apart": True}
DESCRIPTION: dict[str, Any] = {
    "maker": "aperio",
    "levels": [[2220, 2967]],
    "associated": [{"kind": "label", "found_by": "subfile type 1", "size": [387, 463]}],
    "properties": {"aperio.MPP": "0.499"},
    "icc_profile": base64.b64encode(b"profile").decode(),
    "channels": [["DAPI", "0000FF"], ["", None]],
    "regions": 3,
}
STORED: dict[str, Any] = {"levels": [LEVEL], "segments_left_behind": 4, "windows": []}
FLUORESCENT: dict[str, Any] = {"levels": [APART], "segments_left_behind": 0, "windows": [[0, 9], [5, 6], [1, 65535]]}
COMPARED: dict[str, Any] = {"compared": 64, "by_openslide": 64}

ANSWERS: dict[str, tuple[Callable[[Any], object], dict[str, Any]]] = {
    "description": (Description.from_json, DESCRIPTION),
    "stored": (Stored.from_json, STORED),
    "fluorescent": (Stored.from_json, FLUORESCENT),
    "compared": (Compared.from_json, COMPARED),
}

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([-1, 0, 1, 2**31, 2**63, 10**30, 1e308, float("inf"), "", "jpeg", "\ud800", "9" * 5000])
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def refused(reading: Callable[[Any], object], answer: Any) -> bool:
    """Read an answer and say whether it was refused; any other error is a fault."""
    try:
        reading(answer)
    except SlideRefused as error:
        return error.reason is Reason.READER_CRASHED
    return False


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the paths of everything inside a JSON value, itself included."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inside for place in places(one, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Give a copy of a JSON value with something else at a path."""
    if not path:
        return new
    changed = deepcopy(value)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = new
    return changed


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_honest_answer_is_read(kind: str) -> None:
    reading, answer = ANSWERS[kind]
    assert not refused(reading, json.loads(json.dumps(answer)))


def test_what_was_told_is_what_is_read() -> None:
    found = Description.from_json(DESCRIPTION)
    assert (found.maker, found.levels, found.properties) == ("aperio", (Size(2220, 2967),), {"aperio.MPP": "0.499"})
    assert (found.associated[0].kind, found.associated[0].size) == (AssociatedKind.LABEL, Size(387, 463))
    assert found.icc_profile == b"profile"
    assert found.channels == (("DAPI", "0000FF"), ("", None))
    assert Stored.from_json(STORED).segments_left_behind == 4
    assert Stored.from_json(FLUORESCENT).windows == ((0, 9), (5, 6), (1, 65535))


@given(kind=st.sampled_from(sorted(ANSWERS)), answer=ANYTHING)
def test_anything_else_is_refused(kind: str, answer: Any) -> None:
    assert refused(ANSWERS[kind][0], answer)


@settings(max_examples=500)
@given(kind=st.sampled_from(sorted(ANSWERS)), data=st.data())
def test_an_answer_with_one_part_changed_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    reading, answer = ANSWERS[kind]
    path = data.draw(st.sampled_from(places(answer)))
    refused(reading, put(answer, path, data.draw(ANYTHING)))


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_without_one_of_its_parts_is_refused(kind: str) -> None:
    reading, answer = ANSWERS[kind]
    for missing in answer:
        assert refused(reading, {key: value for key, value in answer.items() if key != missing})


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("description", ("levels",), []),
        ("description", ("levels",), [[1, 1]] * (MAX_LEVELS + 1)),
        ("description", ("levels", 0), [0, 100]),
        ("description", ("levels", 0), [100, -100]),
        ("description", ("levels", 0, 0), 1e999),
        ("description", ("associated",), [DESCRIPTION["associated"][0]] * (MAX_ASSOCIATED + 1)),
        ("description", ("associated", 0, "kind"), "portrait"),
        ("description", ("icc_profile",), "no base64!"),
        ("stored", ("levels",), []),
        ("stored", ("levels",), [LEVEL] * (MAX_LEVELS + 1)),
        ("stored", ("levels", 0, "size"), [10**9, 10**9]),
        ("stored", ("levels", 0, "tile"), [1, 1]),
        ("stored", ("levels", 0, "tile"), [10**6, 10**6]),
        ("stored", ("levels", 0, "grid"), [0, 1]),
        ("stored", ("levels", 0, "grid"), [11, 13]),
        ("stored", ("levels", 0, "grid"), [10, 10**15]),
        ("stored", ("levels", 0, "channels"), 4),
        ("stored", ("levels", 0, "coding"), "gif"),
        ("stored", ("levels", 0, "coding"), ["jpeg"]),
        ("stored", ("levels", 0, "origin"), "found"),
        ("stored", ("levels", 0, "pixel_type"), "uint16"),
        ("stored", ("levels", 0, "apart"), True),
        ("stored", ("windows",), [[0, 1]]),
        ("fluorescent", ("levels", 0, "pixel_type"), "float32"),
        ("fluorescent", ("levels", 0, "channels"), 65),
        ("fluorescent", ("levels", 0, "channels"), 4),
        ("fluorescent", ("levels", 0, "coding"), "jpeg"),
        ("fluorescent", ("windows", 0), [0]),
        ("fluorescent", ("windows", 0, 0), -1),
        ("fluorescent", ("windows",), []),
        ("description", ("channels", 0), ["DAPI"]),
        ("description", ("channels", 0, 1), "blue"),
        ("stored", ("segments_left_behind",), -1),
        ("stored", ("segments_left_behind",), 1e999),
        ("compared", ("compared",), -1),
        ("compared", ("by_openslide",), None),
    ],
)
def test_what_no_slide_has_is_refused(kind: str, path: tuple[Any, ...], value: Any) -> None:
    reading, answer = ANSWERS[kind]
    if (path, value) == (("levels", 0, "tile"), [1, 1]):
        answer = put(answer, ("levels", 0, "size"), [10**5, 10**5])
    assert refused(reading, put(answer, path, value))


def test_a_profile_longer_than_any_is_left_out() -> None:
    assert Description.from_json({**DESCRIPTION, "icc_profile": "A" * (MAX_ICC_BYTES + 4)}).icc_profile is None


@given(
    apart=st.booleans(),
    width=st.integers(1, 300_000),
    height=st.integers(1, 300_000),
    coding=st.sampled_from(Coding),
    origin=st.sampled_from(Origin),
    channels=st.sampled_from([1, 3]),
    mean_tile_bytes=st.integers(1, 1 << 20),
)
def test_every_planned_level_comes_back_as_it_was(
    apart: bool, width: int, height: int, coding: Coding, origin: Origin, channels: int, mean_tile_bytes: int
) -> None:
    kind = {"coding": Coding.LOSSLESS, "pixel_type": PixelType.UINT16, "apart": True} if apart else {"coding": coding}
    size, tile = Size(width, height), Size(256, 256)
    level = LevelLayout.planned(size, tile, origin=origin, channels=channels, mean_tile_bytes=mean_tile_bytes, **kind)
    assert level_from_json(json.loads(json.dumps(level_to_json(level)))) == level


def test_a_shard_may_hold_a_whole_level() -> None:
    assert level_from_json(LEVEL).grid == ShardGrid(10, 13)
