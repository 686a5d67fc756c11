"""Lists that agree find each slide's row; where they contradict each other the slide waits."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.delivery import read_delivery
from ingest.pipeline.watching import WatchedList
from ingest.pipeline.watching.pairing import Paired, pair_lists

HEADER = "file,barcode,patient,case,block,stain"
SLIDES = [Path("/incoming/a.svs"), Path("/incoming/day/b.svs")]


@pytest.fixture
def lists(tmp_path: Path) -> Callable[..., list[WatchedList]]:
    def read(*texts: tuple[str, ...]) -> list[WatchedList]:
        found = []
        for number, lines in enumerate(texts, 1):
            path = tmp_path / f"{number}.csv"
            path.write_text("\n".join([HEADER, *lines, ""]))
            found.append(WatchedList(number, Path("/incoming/list.csv"), (0, number), read_delivery(path)))
        return found

    return read


def paired(lists: list[WatchedList], labels: dict[Path, list[str]] | None = None, **more: object) -> Paired:
    asked = labels or {}
    return pair_lists(lists, SLIDES, lambda path: asked[path] if labels else _never(path), more.get("is_stale", _fresh))


def _fresh(one: WatchedList, row: object, path: Path) -> bool:
    return False


def _never(path: Path) -> list[str]:
    raise AssertionError("a label was read though no row waits for one")


def test_rows_of_several_lists_find_their_slides(lists: Callable[..., list[WatchedList]]) -> None:
    both = lists(("a.svs,,P1,S1,A1,HE",), ("c.svs,,P2,S2,A1,HE", "b.svs,,P3,S3,A1,HE"))
    found = paired(both)
    assert {path: (of.number, row.case) for path, (of, row) in found.rows.items()} == {
        SLIDES[0]: (1, "S1"),
        SLIDES[1]: (2, "S3"),
    }
    assert [(of.number, row.number) for of, row in found.awaited] == [(2, 2)]
    assert (found.faults, found.contested) == ((), frozenset())


def test_of_two_lists_that_agree_the_later_one_counts(lists: Callable[..., list[WatchedList]]) -> None:
    found = paired(lists(("a.svs,,P1,S1,A1,HE",), ("a.*,,P1,S1,A1,HE",)))
    assert found.rows[SLIDES[0]][0].number == 2
    assert found.faults == ()


def test_two_lists_that_contradict_each_other_leave_the_slide_waiting(lists: Callable[..., list[WatchedList]]) -> None:
    found = paired(lists(("a.svs,,P1,S1,A1,HE",), ("a.svs,,P2,S1,A1,HE",)))
    assert found.rows == {}
    assert found.contested == {SLIDES[0]}
    assert [(of.number, text) for of, text in found.faults] == [
        (number, "row 2: another list says otherwise of its file") for number in (1, 2)
    ]


def test_a_row_that_spoke_of_another_file_contradicts_nobody(lists: Callable[..., list[WatchedList]]) -> None:
    both = lists(("a.svs,,P1,S1,A1,HE",), ("a.svs,,P2,S1,A1,HE",))
    found = paired(both, is_stale=lambda one, row, path: one.number == 1)
    assert found.rows[SLIDES[0]][1].patient == "P2"
    assert (found.contested, found.stale) == (frozenset(), frozenset())
    assert paired(both, is_stale=lambda one, row, path: True).stale == {SLIDES[0]}


def test_labels_are_read_of_slides_that_no_row_names(lists: Callable[..., list[WatchedList]]) -> None:
    both = lists(("a.svs,,P1,S1,A1,HE", ",X-9,P9,S9,A1,HE"), (",X-2,P2,S2,A1,HE",))
    found = paired(both, {SLIDES[1]: ["x-2"]})
    assert {path: row.case for path, (_, row) in found.rows.items()} == {SLIDES[0]: "S1", SLIDES[1]: "S2"}
    assert [row.case for _, row in found.awaited] == ["S9"]


def test_two_labels_that_name_one_row_are_two_scans_of_its_glass(lists: Callable[..., list[WatchedList]]) -> None:
    found = paired(lists((",X-2,P2,S2,A1,HE",)), {path: ["X-2"] for path in SLIDES})
    assert {row.case for _, row in found.rows.values()} == {"S2"}
    assert len(found.rows) == 2


def test_the_fault_of_one_row_does_not_hold_up_the_others(lists: Callable[..., list[WatchedList]]) -> None:
    found = paired(lists(("*.svs,,P1,S1,A1,HE", "a.svs,,P2,S2,A1,HE")))
    assert {path: row.case for path, (_, row) in found.rows.items()} == {SLIDES[0]: "S2"}
    assert [text for _, text in found.faults] == [
        "row 2, file: found 2 delivered files of that pattern; expected a pattern that fits one"
    ]
