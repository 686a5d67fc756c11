"""Every fault is told at once, with its row, its column and what was expected, and no fault repeats an identifier."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.delivery import read_delivery
from ingest.delivery.columns import BY_NAME, COLUMNS, Column
from ingest.delivery.faults import described
from ingest.errors import DeliveryListInvalid
from tests.ingest.delivery.conftest import HEADER, ROW, SURGICAL, Lists, table

CELL_FAULTS = [
    ("file", "", "nothing"),
    ("patient", " ", "nothing"),
    ("case", "", "nothing"),
    ("block", "", "nothing"),
    ("stain", "", "nothing"),
    ("patient", "x" * 201, "201 characters"),
    ("case", "---", "3 characters"),
    ("block", "two\nlines", "9 characters"),
    ("file", "/etc/passwd", "11 characters"),
    ("file", "../other/a.svs", "14 characters"),
    ("file", "sub/../../a.svs", "15 characters"),
    ("file", "C:\\slides\\a.svs", "15 characters"),
    ("file", "\\\\server\\a.svs", "14 characters"),
    ("file", "file:///a.svs", "13 characters"),
    ("file", ".", "1 character"),
    ("stain", "Jonas", "5 characters"),
    ("organ", "breast", "6 characters"),
    ("organ", "8500/3", "6 characters"),
    ("organ", "C99.9", "5 characters"),
    ("organ", "76752009", "8 characters"),
    ("diagnosis", "ductal carcinoma", "16 characters"),
    ("diagnosis", "C50.9", "5 characters"),
    ("diagnosis", "8500/4", "6 characters"),
    ("diagnosis", "254837008", "9 characters"),
    ("birth_date", "07/25/1948", "10 characters"),
    ("birth_date", "2999-01-01", "10 characters"),
    ("birth_date", "1748-07-05", "10 characters"),
    ("birth_date", "yesterday", "9 characters"),
    ("tissue", "lving", "'lving'"),
    ("tissue", "Planted", "7 characters"),
    ("consent", "obtaned", "'obtaned'"),
    ("consent", "Planted^Jane", "12 characters"),
    ("covers", "teaching; planted", "17 characters"),
    ("covers", "care", "4 characters"),
    ("recorded_for", "care", "4 characters"),
    ("authority_open", "perhaps", "7 characters"),
    ("pre_1997_collection", "unknown", "7 characters"),
    ("jurisdiction", "Ireland", "'Ireland'"),
    ("records", "a letter", "8 characters"),
    ("might_identify", "Jane", "4 characters"),
]


@pytest.mark.parametrize(("column", "cell", "found"), CELL_FAULTS)
def test_a_cell_that_does_not_fit_is_told(lists: Lists, column: str, cell: str, found: str) -> None:
    (fault,) = [fault for fault in lists.faults(table(**{column: cell})) if fault.column == column]
    assert (fault.row, fault.found) == (2, found)
    assert fault.expected


def test_every_column_has_a_cell_that_does_not_fit_or_takes_any() -> None:
    faulty = {column for column, _, _ in CELL_FAULTS}
    taking_any = {"procedure", "location"}
    like_patient = {
        "slide",
        "barcode",
        "patient_name",
        "not_foreseen_by",
        "not_foreseen_why",
        "assessed_by",
        "assessed_also_by",
    }
    like_tissue = {"vital", "maturity", "authority", "recorded"}
    like_others = {"had_capacity", "covers_identifiable", "covers_publication", "giver_entitled", "not_foreseen_on"}
    glass = {"fiscal_notice", "glass_held_before_2006", "glass_covers"}
    assert faulty | taking_any | like_patient | like_tissue | like_others | glass == set(BY_NAME)


@pytest.mark.parametrize("column", [column.name for column in COLUMNS])
def test_the_example_of_every_column_fits(column: str) -> None:
    assert BY_NAME[column].read(BY_NAME[column].example) is not None


def test_all_faults_are_told_at_once_in_the_order_of_rows(lists: Lists) -> None:
    rows = [",P1,S1,A1,HE,", "b.svs,P1,S2,A1,Planted,", "c.svs,P1,S3,,HE,refusd", "d.svs,P1", "e.svs,P2,S4,A,HE,", ""]
    faults = lists.faults("\n".join([f"{HEADER},consent", *rows]))
    assert [(fault.row, fault.column) for fault in faults] == [
        (2, "file"),
        (3, "stain"),
        (4, "block"),
        (4, "consent"),
        (5, ""),
    ]
    assert str(faults[0]) == "row 2, file: found nothing; expected a value, or the barcode on the label"
    assert str(faults[4]) == "row 5: found 2 cells; expected 6, as in the header"


def test_the_number_of_a_row_is_the_spreadsheets(lists: Lists) -> None:
    text = f'# a note\n\n{HEADER},patient_name\n"a.svs","P1","S1","A1","HE","two\nlines"\nb.svs,P1,S2,A1,none such,\n'
    assert [(fault.row, fault.column) for fault in lists.faults(text)] == [(4, "patient_name"), (6, "stain")]


HEADER_FAULTS = [
    ("file,patient,case,block", ["stain"]),
    ("file,patient,case,block,stain,consnet", ["column 6"]),
    ("file,patient,case,block,stain,case", ["column 6"]),
    (
        "a.svs,H0012345,S26-0001,A1,HE",
        ["column 1", "column 2", "column 3", "column 4", "column 5", "file", "patient", "case", "block", "stain"],
    ),
]


@pytest.mark.parametrize(("header", "columns"), HEADER_FAULTS)
def test_a_header_that_does_not_fit_is_told(lists: Lists, header: str, columns: list[str]) -> None:
    faults = lists.faults(f"{header}\n{ROW}\n")
    assert sorted(fault.column for fault in faults) == sorted(columns)
    assert all(fault.row == 0 for fault in faults)


def test_a_misspelt_column_is_told_by_its_number_and_its_near_word(lists: Lists) -> None:
    (fault,) = lists.faults(f"{HEADER},consnet\n{ROW},refused\n")
    assert str(fault) == "column 6: found 'consnet'; expected the name of a column, or a mapping"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "no line"),
        (b"\n\n", "no line"),
        (f"{HEADER}\n".encode(), "a header and no row"),
        (b"PK\x03\x04rest of a workbook", "a workbook"),
        (f"{HEADER}\n{ROW}\0\n".encode(), "bytes that are no text"),
        (f"{HEADER}\n{ROW}".encode() + b"\x81\xff", "bytes that are no text"),
        (f'{HEADER}\n"a.svs,P1\n'.encode(), "a quotation mark out of place, or a cell without end"),
    ],
)
def test_a_file_that_is_no_list_is_told(lists: Lists, content: bytes, found: str) -> None:
    assert [fault.found for fault in lists.faults(content)] == [found]


def test_a_list_that_is_not_there_is_told(lists: Lists) -> None:
    with pytest.raises(DeliveryListInvalid, match="no file that can be read"):
        read_delivery(lists.folder / "missing.csv")
    with pytest.raises(DeliveryListInvalid, match="no file that can be read"):
        read_delivery(lists.folder)


BETWEEN_ROWS = [
    ("a.svs,P1,S1,A1,HE,,\na.svs,P1,S1,A1,HE,,", [(3, "file")]),
    ("a.svs,P1,S1,A1,HE,,\n./a.svs,P1,S1,A2,PAS,,", [(3, "file")]),
    ("a.svs,P1,S1,A1,HE,,\nb.svs,P2,s1,A1,HE,,", [(3, "patient")]),
    ("a.svs,P1,S1,A1,HE,,\nb.svs,P 1,S 1,A1,HE,,", []),
    ("a.svs,P1,S1,A1,HE,refused,\nb.svs,P1,S1,A1,HE,,", [(3, "tissue and consent")]),
    ("a.svs,P1,S1,A1,HE,,1948-07-05\nb.svs,P1,S2,A1,HE,,1949-07-05", [(3, "birth_date")]),
    ("a.svs,P1,S1,A1,HE,,1948-07-05\nb.svs,P1,S2,A1,HE,,", []),
    ("a.svs,P1,S1,A1,HE,,\nb.svs,P1,S1,A1,HE,,", []),
]


@pytest.mark.parametrize(("rows", "places"), BETWEEN_ROWS)
def test_rows_that_contradict_each_other_are_told(lists: Lists, rows: str, places: list[tuple[int, str]]) -> None:
    text = f"{HEADER},consent,birth_date\n{rows}\n"
    if places:
        assert [(fault.row, fault.column) for fault in lists.faults(text)] == places
    else:
        assert len(lists.read(text)) == 2


WITHIN_ROWS = [
    ({"consent": "not foreseen"}, ["not_foreseen_by", "not_foreseen_on", "not_foreseen_why"]),
    ({"consent": "not foreseen", "not_foreseen_by": "Dr A", "not_foreseen_on": "2026-03-01"}, ["not_foreseen_why"]),
    ({"not_foreseen_by": "Dr A"}, ["not_foreseen_by"]),
    ({"might_identify": "no"}, ["assessed_by"]),
    ({"assessed_by": "Dr A"}, ["assessed_by"]),
    ({"might_identify": "yes", "assessed_also_by": "Dr A"}, ["assessed_also_by"]),
    ({"covers": "teaching"}, ["covers"]),
    ({"covers_publication": "yes"}, ["covers_publication"]),
    ({"tissue": "living", "procedure": "Autopsy"}, ["tissue"]),
    ({"tissue": "living", "location": "Mortuary"}, ["tissue"]),
    ({"tissue": "living", "authority": "coroner"}, ["tissue"]),
    ({"tissue": "living", "case": "PM26-001"}, ["tissue"]),
    ({"tissue": "post-mortem", "consent": "obtained"}, ["consent"]),
    ({"case": "A26-001", "consent": "obtained"}, ["consent"]),
]


@pytest.mark.parametrize(("cells", "columns"), WITHIN_ROWS)
def test_a_row_that_contradicts_itself_is_told(lists: Lists, cells: dict[str, str], columns: list[str]) -> None:
    assert [fault.column for fault in lists.faults(table(**cells), feed=SURGICAL)] == columns


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(COLUMNS),
    st.sampled_from(["Planted^Jane", "Jane Planted", "HOSP-0099887766", "S26-0012345", "Jonas"]),
)
def test_an_identifier_in_the_wrong_column_is_not_repeated(column: Column, identifier: str) -> None:
    assert identifier not in described(identifier, column.vocabulary)


@pytest.mark.parametrize("shift", range(1, 8))
def test_a_list_whose_columns_were_shifted_tells_no_identifier(lists: Lists, shift: int) -> None:
    names = ["file", "patient", "case", "block", "stain", "patient_name", "birth_date", "consent"]
    cells = ["planted-file.svs", "H0012345", "S26-0001", "Block-17", "HE", "Planted^Jane", "1948-07-05", "obtained"]
    moved = cells[shift:] + cells[:shift]
    with pytest.raises(DeliveryListInvalid) as refusal:
        lists.read(f"{','.join(names)}\n{','.join(moved)}\n")
    assert [cell for cell in cells[:7] if cell != "HE" and cell in str(refusal.value)] == []
