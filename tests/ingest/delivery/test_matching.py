"""Each row finds its own file, or none; it never takes one of two."""

import unicodedata
from pathlib import Path

import pytest

from ingest.delivery import Row, match
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
