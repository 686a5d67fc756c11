"""The template and the reference page say what the program does."""

from pathlib import Path

import pytest

from archive.errors import InvalidValue
from archive.records import Stain
from ingest.delivery import template
from ingest.delivery.cells import stain as stain_of
from ingest.delivery.columns import COLUMNS, REQUIRED, Column, Group
from ingest.delivery.writing import reference_page
from tests.ingest.delivery.conftest import ROW, Lists

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("full", [False, True])
def test_a_row_below_the_template_makes_a_list(lists: Lists, full: bool) -> None:
    empty = "," * (len(COLUMNS) - len(REQUIRED)) if full else ""
    (row,) = lists.read(template(full=full) + ROW + empty + "\n")
    assert row.patient == "H0012345"


def test_a_spreadsheet_that_saved_the_template_with_semicolons_is_read(lists: Lists) -> None:
    notes = "\n".join(f'"{line.strip(chr(34))}";;;;' for line in template().splitlines()[:-1])
    (row,) = lists.read(f"{notes}\n{';'.join(REQUIRED)}\n{ROW.replace(',', ';')}\n")
    assert row.patient == "H0012345"


def test_the_template_alone_is_an_empty_list(lists: Lists) -> None:
    assert [fault.found for fault in lists.faults(template())] == ["a header and no row"]


@pytest.mark.parametrize("column", COLUMNS)
def test_the_template_explains_every_column(column: Column) -> None:
    notes = [line for line in template().splitlines() if line.lstrip('"').startswith(f"#   {column.name}: ")]
    assert len(notes) == 1
    assert column.example in notes[0]


def test_the_columns_that_are_needed_are_one_group() -> None:
    assert tuple(column.name for column in COLUMNS if column.group is Group.REQUIRED) == REQUIRED
    assert tuple(column.name for column in COLUMNS if column.required) == REQUIRED


def test_the_reference_page_is_the_programs_own() -> None:
    assert (DOCS / "reference/delivery-list.md").read_text("utf-8") == reference_page()
    assert all(f"**{stain}**" in reference_page() for stain in Stain)


def test_the_template_names_every_stain_and_the_fault_of_one_that_is_none_says_so() -> None:
    (note,) = [line for line in template().splitlines() if "# The stains of the list: " in line]
    assert note.strip('"').split(": ", 1)[1].split("; ") == [str(stain) for stain in Stain]
    with pytest.raises(InvalidValue, match="all of them: coverslip delivery template"):
        stain_of("Blue, Jane")
