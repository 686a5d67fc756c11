"""A laboratory's own export is read with a small mapping, which is itself read with care."""

import pytest

from archive.consent.terms import Consent, TissueSource
from archive.records import Stain
from ingest.delivery import ColumnMapping
from ingest.errors import DeliveryListInvalid
from tests.ingest.delivery.conftest import Lists, told

EXPORT = """\
Image File;MRN;Accession;Block;Staining;Clinical details
one.svs;P1;S26-1;A1;HE 1;Planted free text
two.svs;P1;S26-1;A1;ki67 ;Planted free text
"""

MAPPING = """\
[columns]
file = "Image File"
patient = "MRN"
case = "Accession"
stain = "Staining"

[values.stain]
"HE 1" = "H&E"

[constants]
tissue = "living"
consent = "not recorded"
"""


def test_an_export_is_read_with_its_own_names_and_words(lists: Lists) -> None:
    rows = lists.read(EXPORT, lists.mapping(MAPPING))
    assert [(row.patient, row.case, row.block, row.stain) for row in rows] == [
        ("P1", "S26-1", "A1", Stain.HE),
        ("P1", "S26-1", "A1", Stain.KI67),
    ]
    assert {(row.stated.source, row.stated.consent) for row in rows} == {(TissueSource.LIVING, Consent.NOT_RECORDED)}


def test_a_constant_gives_way_to_a_cell(lists: Lists) -> None:
    text = EXPORT.replace("Clinical details", "consent").replace("Planted free text", "refused", 1)
    with pytest.raises(DeliveryListInvalid, match="tissue and consent"):
        lists.read(text.replace("Planted free text", ""), lists.mapping(MAPPING))
    rows = lists.read(text.replace("Planted free text", "refused"), lists.mapping(MAPPING))
    assert {row.stated.consent for row in rows} == {Consent.REFUSED}


def test_words_are_compared_without_letter_case_and_an_empty_cell_may_have_one(lists: Lists) -> None:
    mapping = lists.mapping('[values.stain]\n"he  1" = "PAS"\n"" = "H&E"\n')
    rows = lists.read("file,patient,case,block,stain\na.svs,P,S,A,HE 1\nb.svs,P,S,A,\n", mapping)
    assert [row.stain for row in rows] == [Stain.PAS, Stain.HE]


def test_a_mapped_column_that_the_list_lacks_is_told_by_both_names(lists: Lists) -> None:
    (fault,) = lists.faults(EXPORT.replace("MRN", "Number"), lists.mapping(MAPPING))
    assert str(fault) == ("patient: found no such column; expected a column of that name (called 'MRN' in the mapping)")


def test_a_name_that_is_usual_for_another_column_goes_where_the_mapping_says(lists: Lists) -> None:
    mapping = lists.mapping('[columns]\npatient = "Name"\n')
    (row,) = lists.read("file,name,case,block,stain,MRN\na.svs,P1,S1,A1,HE,other\n", mapping)
    assert (row.patient, row.patient_name) == ("P1", None)


MAPPING_FAULTS = [
    ("[columns", "mapping"),
    ("[column]\nfile = 'x'", "mapping, column"),
    ("[columns]\nfile = 3", "mapping, columns"),
    ("values = 3", "mapping, values"),
    ("[columns]\nfil = 'x'", "mapping, columns"),
    ("[constants]\nstain = 'no such stain'", "mapping, constants.stain"),
    ("[constants]\nplanted = 'x'", "mapping, constants"),
    ("[values.stain]\nHE = 'no such stain'", "mapping, values.stain"),
    ("[values.patient]\nx = 'y'", "mapping, values.patient"),
    ("[columns]\ntissue = 'T'\n[constants]\ntissue = 'living'", "mapping, tissue"),
    ("[columns]\npatient = 'ID'\ncase = 'ID'", "mapping, columns"),
]


@pytest.mark.parametrize(("text", "place"), MAPPING_FAULTS)
def test_a_mapping_that_does_not_fit_is_told(lists: Lists, text: str, place: str) -> None:
    with pytest.raises(DeliveryListInvalid) as refusal:
        lists.mapping(text)
    (fault,) = told(refusal.value)
    assert (fault.row, fault.column) == (0, place)


def test_a_mapping_that_is_not_there_is_told(lists: Lists) -> None:
    with pytest.raises(DeliveryListInvalid, match="TOML"):
        ColumnMapping.read(lists.folder / "missing.toml")
