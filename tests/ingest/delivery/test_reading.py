"""A list is read however a laboratory wrote it, and means the same."""

import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.records import Concept, Scheme, Stain
from ingest.delivery import Row, read_delivery
from tests.ingest.delivery.conftest import HEADER, ROW, Lists


def test_five_columns_are_enough(lists: Lists) -> None:
    (row,) = lists.read(f"{HEADER}\n{ROW}\n")
    assert row.file == PurePosixPath("a.svs")
    assert (row.patient, row.case, row.block, row.stain) == ("H0012345", "S26-0001", "A1", Stain.HE)
    assert (row.slide, row.patient_name, row.birth_date, row.organ, row.diagnosis) == ("H&E 1", None, None, None, None)
    assert (row.number, row.evidence) == (2, ())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_usual_encoding_separator_and_line_end_is_read(
    lists: Lists, encoding: str, separator: str, ending: str
) -> None:
    text = f"{HEADER},patient_name\n{ROW},Müller^Zoë\n{ROW.replace('a.svs', 'b.svs')},Müller^Zoë\n"
    rows = lists.read(text.replace(",", separator).replace("\n", ending).encode(encoding))
    assert [row.patient_name for row in rows] == ["Müller^Zoë"] * 2
    assert [row.number for row in rows] == [2, 3]


def test_columns_may_stand_in_any_order_and_spelling(lists: Lists) -> None:
    (row,) = lists.read(
        "Stain;BLOCK;Birth Date;patient-name; Case ;Patient;File\nH & E;A1;05/07/1948;Doe;S1;P1;a.svs\n"
    )
    assert (row.stain, row.block, row.case, row.patient) == (Stain.HE, "A1", "S1", "P1")
    assert (row.birth_date, row.patient_name) == (date(1948, 7, 5), "Doe")


def test_the_usual_names_of_columns_are_understood(lists: Lists) -> None:
    header = "Image file,MRN,Accession number,Block,Staining,Slide number,DOB,Name"
    (row,) = lists.read(f"{header}\na.svs,P1,S1,A1,HE,2,1948-07-05,Doe\n")
    assert (row.patient, row.case, row.slide, row.patient_name) == ("P1", "S1", "H&E 2", "Doe")
    assert row.birth_date == date(1948, 7, 5)


def test_notes_blank_lines_and_excels_first_line_are_passed_over(lists: Lists) -> None:
    rows = lists.read(f'sep=,\n# a note, with a comma\n"# another, quoted"\n\n{HEADER}\n\n,,,,\n{ROW}\n')
    assert [row.number for row in rows] == [8]


def test_a_hash_after_the_header_is_no_note(lists: Lists) -> None:
    (row,) = lists.read(f"{HEADER}\n#{ROW}\n")
    assert row.file == PurePosixPath("#a.svs")


def test_a_cell_may_hold_the_separator_and_a_quotation_mark(lists: Lists) -> None:
    (row,) = lists.read(f'{HEADER},patient_name\n{ROW},"Doe, Jane ""J."""\n')
    assert row.patient_name == 'Doe, Jane "J."'


def test_a_semicolon_list_with_commas_in_its_cells_is_a_semicolon_list(lists: Lists) -> None:
    (row,) = lists.read('file;patient;case;block;stain;patient_name\na.svs;P1;S1;A1;HE;x"Doe, Jane"\n')
    assert row.patient_name == 'x"Doe, Jane"'


@pytest.mark.parametrize(
    ("cell", "path"),
    [("a.svs", "a.svs"), ("sub/a.svs", "sub/a.svs"), ("sub\\a.svs", "sub/a.svs"), ("./a.svs", "a.svs")],
)
def test_a_file_is_named_by_name_or_path_with_either_slash(one: Callable[..., Row], cell: str, path: str) -> None:
    assert one(file=cell).file == PurePosixPath(path)


@pytest.mark.parametrize(
    ("column", "cell", "concept"),
    [
        ("organ", "C50.9", Concept(Scheme.ICD_O_3, "C50.9")),
        ("organ", "c509", Concept(Scheme.ICD_O_3, "C50.9")),
        ("organ", "ICD-O-3: C61", Concept(Scheme.ICD_O_3, "C61")),
        ("organ", "76752008", Concept(Scheme.SNOMED_CT, "76752008")),
        ("diagnosis", "8500/3", Concept(Scheme.ICD_O_3, "8500/3")),
        ("diagnosis", "SNOMED CT 254837009", Concept(Scheme.SNOMED_CT, "254837009")),
        ("diagnosis", "SNOMED-CT 254837009", Concept(Scheme.SNOMED_CT, "254837009")),
    ],
)
def test_organs_and_diagnoses_are_codes(one: Callable[..., Row], column: str, cell: str, concept: Concept) -> None:
    assert getattr(one(**{column: cell}), column) == concept


@pytest.mark.parametrize(
    "cell",
    ["1948-07-05", "19480705", "05/07/1948", "5.7.1948", "05-07-1948", "5 Jul 1948", "5 July 1948", "05-JUL-1948"],
)
def test_a_birth_date_has_the_year_or_the_day_first(one: Callable[..., Row], cell: str) -> None:
    assert one(birth_date=cell).birth_date == date(1948, 7, 5)


def test_the_number_of_a_slide_tells_two_glasses_of_one_stain_apart(one: Callable[..., Row]) -> None:
    assert one(slide="2").slide == "H&E 2"
    assert one(slide="1").slide == one().slide
    assert one(stain="PAS").slide != one().slide


def test_a_row_does_not_show_whose_it_is(one: Callable[..., Row]) -> None:
    row = one(patient_name="Planted^Jane", birth_date="1948-07-05", slide="planted", file="planted.svs")
    shown = f"{row!r} {row!s}"
    secret = ["Planted", "planted", "H0012345", "S26-0001", "1948", "A1"]
    assert [word for word in secret if word in shown] == []


plain = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Z")), min_size=1, max_size=20
).filter(lambda text: any(character.isalnum() for character in text))
names = plain.map(lambda text: "".join(c for c in text if c not in "/\\:#") + ".svs").filter(
    lambda name: ".." not in name
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(names, plain, plain, plain, st.sampled_from(list(Stain)), plain), min_size=1, max_size=8),
    st.sampled_from(",;\t"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.booleans(),
)
def test_what_a_spreadsheet_writes_is_what_is_read(
    cells: list[tuple[str, str, str, str, Stain, str]], separator: str, encoding: str, quoted: bool
) -> None:
    unique = {
        f"{number}-{row[0]}": (f"{number}-{row[0]}", row[1], f"{number}-{row[2]}", *row[3:])
        for number, row in enumerate(cells)
    }
    text = io.StringIO()
    style = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=separator, quoting=style)
    writer.writerow(["file", "patient", "case", "block", "stain", "patient_name"])
    writer.writerows(unique.values())
    with TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        path.write_bytes(text.getvalue().encode(encoding))
        rows = read_delivery(path)
    assert [(row.patient, row.case, row.block, row.stain, row.patient_name) for row in rows] == [
        row[1:] for row in unique.values()
    ]
