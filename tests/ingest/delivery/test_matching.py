"""Each row finds its own file, or none; it never takes one of two."""

import unicodedata
from pathlib import Path

import pytest

from ingest.delivery import Names, Row, match, pair
from ingest.errors import DeliveryListInvalid
from tests.ingest.delivery.conftest import HEADER, Lists, told


def delivered(folder: Path, *names: str) -> list[Path]:
    return [folder / name for name in names]


def rows(lists: Lists, *files: str) -> tuple[Row, ...]:
    lines = [f"{file},P1,S{number},A1,HE" for number, file in enumerate(files)]
    return lists.read("\n".join([HEADER, *lines, ""]))


def test_a_row_finds_its_file_by_name_in_any_folder(lists: Lists) -> None:
    files = delivered(lists.folder, "deep/er/a.svs", "b.svs")
    found = match(rows(lists, "b.svs", "a.svs"), files, lists.folder)
    assert [(row.number, path) for row, path in found.pairs] == [(2, files[1]), (3, files[0])]
    assert (found.files_without_row, found.rows_without_file) == ((), ())


def test_a_path_from_the_lists_folder_comes_before_a_name(lists: Lists) -> None:
    files = delivered(lists.folder, "a.svs", "sub/a.svs")
    found = match(rows(lists, "a.svs", "sub/a.svs"), files, lists.folder)
    assert [path for _, path in found.pairs] == files


def test_the_end_of_a_path_is_enough_where_the_list_lies_elsewhere(lists: Lists) -> None:
    files = delivered(Path("/scans"), "one/a.svs", "two/a.svs")
    found = match(rows(lists, "two/a.svs"), files, lists.folder)
    assert [path for _, path in found.pairs] == [files[1]]
    assert found.files_without_row == (files[0],)


def test_what_has_no_partner_is_told(lists: Lists) -> None:
    files = delivered(lists.folder, "a.svs", "b.svs")
    found = match(rows(lists, "b.svs", "c.svs", "xb.svs"), files, lists.folder)
    assert [path for _, path in found.pairs] == [files[1]]
    assert found.files_without_row == (files[0],)
    assert [row.number for row in found.rows_without_file] == [3, 4]


def test_a_name_that_two_files_have_is_a_fault(lists: Lists) -> None:
    files = delivered(lists.folder, "one/planted.svs", "two/planted.svs")
    with pytest.raises(DeliveryListInvalid) as refusal:
        match(rows(lists, "planted.svs"), files, lists.folder)
    assert str(refusal.value).endswith(
        "row 2, file: found 2 delivered files of that name; expected a path that fits one"
    )
    assert "planted" not in str(refusal.value)


def test_two_rows_for_one_file_are_a_fault(lists: Lists) -> None:
    files = delivered(lists.folder, "one/a.svs")
    with pytest.raises(DeliveryListInvalid) as refusal:
        match(rows(lists, "a.svs", "one/a.svs"), files, lists.folder)
    assert [(fault.row, fault.found) for fault in told(refusal.value)] == [(3, "the file of row 2")]


def test_a_file_that_was_not_delivered_is_never_taken(lists: Lists, tmp_path: Path) -> None:
    (tmp_path / "secret.svs").write_bytes(b"")
    found = match(rows(lists, "secret.svs"), delivered(tmp_path, "a.svs"), lists.folder)
    assert found.pairs == ()


def test_a_file_that_was_named_twice_is_one(lists: Lists) -> None:
    files = delivered(lists.folder, "a.svs", "a.svs", "sub/../a.svs")
    assert len(match(rows(lists, "a.svs"), files, lists.folder).pairs) == 1


def test_accents_may_be_spelt_either_way(lists: Lists) -> None:
    files = delivered(lists.folder, unicodedata.normalize("NFD", "Zoë.svs"))
    found = match(rows(lists, unicodedata.normalize("NFC", "Zoë.svs")), files, lists.folder)
    assert [path for _, path in found.pairs] == files


def test_a_pattern_finds_the_only_file_that_fits(lists: Lists) -> None:
    files = delivered(lists.folder, "2026/S26-1_A1_HE_0917.svs", "2026/S26-1_A2_HE_0918.svs", "S26-2.svs")
    found = match(rows(lists, "S26-1_A1_*.svs", "S26-?.svs", "S26-3*"), files, lists.folder)
    assert [(row.number, path) for row, path in found.pairs] == [(2, files[0]), (3, files[2])]
    assert [row.number for row in found.rows_without_file] == [4]
    assert found.files_without_row == (files[1],)


def test_a_pattern_does_not_reach_into_another_folder(lists: Lists) -> None:
    files = delivered(lists.folder, "monday/first/a1.svs", "tuesday/a2.svs")
    found = match(rows(lists, "mon*/a?.svs", "tues*/a?.svs", "*day/*/a1.*"), files, lists.folder)
    assert [(row.number, path) for row, path in found.pairs] == [(3, files[1]), (4, files[0])]


def test_a_pattern_that_several_files_fit_is_a_fault(lists: Lists) -> None:
    files = delivered(lists.folder, "planted1.svs", "planted2.svs")
    with pytest.raises(DeliveryListInvalid) as refusal:
        match(rows(lists, "planted*"), files, lists.folder)
    assert [str(fault) for fault in told(refusal.value)] == [
        "row 2, file: found 2 delivered files of that pattern; expected a pattern that fits one"
    ]


def test_a_file_whose_name_looks_like_a_pattern_is_found_by_its_name(lists: Lists) -> None:
    files = delivered(lists.folder, "what?.svs", "whatx.svs", "[1]a.svs", "1a.svs")
    found = match(rows(lists, "what?.svs", "[1]*.svs"), files, lists.folder)
    assert [path for _, path in found.pairs] == [files[0], files[2]]


def test_no_pattern_takes_long(lists: Lists) -> None:
    files = delivered(lists.folder, *("a" * 200 + f"{number}.svs" for number in range(50)))
    found = match(rows(lists, "*a" * 90 + "x.svs"), files, lists.folder)
    assert found.pairs == ()


def test_a_row_without_file_waits_for_its_label(lists: Lists) -> None:
    listed = lists.read("file,barcode,patient,case,block,stain\n,B-1,P1,S1,A1,HE\na.svs,B-2,P2,S2,A1,HE\n")
    found = match(listed, delivered(lists.folder, "a.svs", "b.svs"), lists.folder)
    assert [row.barcode for row in found.rows_by_barcode] == ["B-1"]
    assert [row.number for row, _ in found.pairs] == [3]
    assert found.files_without_row == (lists.folder / "b.svs",)


def test_what_is_at_fault_is_left_out_where_the_rest_goes_on(lists: Lists) -> None:
    files = delivered(lists.folder, "one/a.svs", "b1.svs", "b2.svs", "c.svs")
    found = pair(rows(lists, "a.svs", "one/a.svs", "b*", "c.svs"), Names(files), lists.folder)
    assert [path for _, path in found.pairs] == [files[3]]
    assert [fault.row for fault in found.faults] == [4, 3]
    assert found.files_without_row == (files[1], files[2])
