"""A label finds its row, and speaks against a row that is another slide's."""

import json
from datetime import date

import pytest

from archive.consent.terms import Jurisdiction, TissueSource
from archive.errors import InvalidValue
from ingest.delivery import Feed, Row, contradicts, objection, row_for
from ingest.errors import DeliveryListInvalid, Reason
from tests.ingest.delivery.conftest import Lists, table

LABELLED = "barcode,patient,case,block,stain\nS26-1;A1,P1,S26-1,A1,HE\nS26-2;A1,P2,S26-2,A1,HE\n"
PLAIN = "file,patient,case,block,stain\na.svs,P1,S26-1,A1,HE\nb.svs,P2,S26-2,B7,HE\nc.svs,P1,S26-1,A1,PAS\n"


@pytest.fixture
def labelled(lists: Lists) -> tuple[Row, ...]:
    return lists.read(LABELLED)


@pytest.fixture
def plain(lists: Lists) -> tuple[Row, ...]:
    return lists.read(PLAIN)


def feed(**more: object) -> Feed:
    fixed = {"name": "Surgical", "source": TissueSource.LIVING, "jurisdiction": Jurisdiction.ENGLAND}
    told = {"attested_by": "Dr A. Curator", "review_date": date(2027, 1, 1), "post_mortem_patterns": ("PM*",)}
    return Feed(**{**fixed, **told, **more})


def test_a_list_may_tell_barcodes_and_no_files(labelled: tuple[Row, ...]) -> None:
    assert [(row.file, row.barcode) for row in labelled] == [(None, "S26-1;A1"), (None, "S26-2;A1")]
    assert "S26" not in repr(labelled)


@pytest.mark.parametrize("read", [["S26-2;A1"], ["s26-2;a1"], ["S26 - 2 ; A1"], ["made by Planted", "S26-2;A1"]])
def test_a_label_finds_its_row_however_it_is_spelt(labelled: tuple[Row, ...], read: list[str]) -> None:
    assert row_for(read, labelled) is labelled[1]


@pytest.mark.parametrize("read", [[], [""], ["S26-2"], ["S26-2;A1;1"], ["S26-1;A1", "S26-2;A1"]])
def test_a_label_that_names_no_row_or_two_finds_none(labelled: tuple[Row, ...], read: list[str]) -> None:
    assert row_for(read, labelled) is None


def test_rows_whose_barcode_is_unknown_are_not_found_by_it(plain: tuple[Row, ...]) -> None:
    assert row_for(["S26-1", "P1"], plain) is None


@pytest.mark.parametrize(
    ("read", "other"),
    [
        *(([], False), (["S26-1;A1"], False), (["s26-1; a1 "], False), (["rack 7", "S26-1;A1"], False)),
        *((["S26-2;A1"], True), (["S26-1;A2"], True), (["rack 7"], True)),
    ],
)
def test_a_declared_barcode_must_be_among_what_was_read(
    labelled: tuple[Row, ...], read: list[str], other: bool
) -> None:
    assert contradicts(read, labelled[0], labelled) is other


@pytest.mark.parametrize("read", ["S26-2", "s26 - 2", "P2", "S26-2-B7", "S26-2;B7;1", "*S26-2*"])
def test_without_a_declaration_a_label_that_names_another_row_contradicts(plain: tuple[Row, ...], read: str) -> None:
    assert contradicts([read], plain[0], plain)
    assert not contradicts([read], plain[1], plain)


@pytest.mark.parametrize("read", ["S26-1", "P1", "S26-1-A1", "S26-1;A1;1", "S26-3", "anything", ""])
def test_without_a_declaration_a_label_that_names_this_glass_or_nobody_does_not(
    plain: tuple[Row, ...], read: str
) -> None:
    assert not contradicts([read], plain[0], plain)
    assert not contradicts([read], plain[2], plain)


def test_what_reads_alike_without_marks_is_no_contradiction(lists: Lists) -> None:
    rows = lists.read("file,patient,case,block,stain\na.svs,P1,S1,11,HE\nb.svs,P2,S11,1,HE\n")
    assert not any(contradicts(["S1-11"], row, rows) for row in rows)


def test_a_mapping_composes_barcodes_out_of_cells(lists: Lists) -> None:
    mapping = lists.mapping('barcode = "{case};{block};{slide}"\n[columns]\ncase = "Accession"\n')
    rows = lists.read("Accession,patient,block,stain,slide\nS26-1,P1,A1,HE,\nS26-1,P1,A1,PAS,2\n", mapping)
    assert [row.barcode for row in rows] == ["S26-1;A1;1", "S26-1;A1;2"]


def test_a_feed_composes_barcodes_for_lists_of_five_columns(lists: Lists) -> None:
    rows = lists.read(PLAIN, feed=feed(barcode="{case}-{block} {stain}"))
    assert [row.barcode for row in rows] == ["S26-1-A1 H&E", "S26-2-B7 H&E", "S26-1-A1 PAS"]


def test_a_cell_and_a_mapping_come_before_the_feed(lists: Lists) -> None:
    composing, mapping = feed(barcode="{case}"), lists.mapping('barcode = "{case}/{block}"\n')
    rows = lists.read(table(barcode="own"), feed=composing)
    assert [row.barcode for row in rows] == ["own"]
    assert [row.barcode for row in lists.read(table(), mapping, composing)] == ["S26-0001/A1"]


@pytest.mark.parametrize(
    "composition",
    [
        *("{block}", "no cell", "{case", "case}", "{case}{", "{case!r}", "{case.denominator}", "{case:>9}"),
        *("{name}{case}", "{case}\n", "{}{case}", "{case}" * 20),
    ],
)
def test_a_barcode_that_cannot_be_composed_is_refused(lists: Lists, composition: str) -> None:
    with pytest.raises(InvalidValue, match=r"\{case\}"):
        feed(barcode=composition)
    with pytest.raises(DeliveryListInvalid, match=r"mapping, barcode: found \d+ characters"):
        lists.mapping(f"barcode = {json.dumps(composition)}\n")


def test_a_feed_keeps_what_it_says_of_barcodes() -> None:
    declared = feed(barcode="{case};{block}", barcode_required=True)
    assert Feed.from_json("Surgical", declared.to_json()) == declared


def test_a_feed_that_was_declared_without_barcodes_has_none() -> None:
    text = feed().to_json().replace(', "barcode": "", "barcode_required": false', "")
    assert "barcode" not in text
    assert Feed.from_json("Surgical", text) == feed()


def test_an_unreadable_label_is_an_objection_only_where_every_slide_has_one(lists: Lists) -> None:
    for required, expected in ((False, None), (True, Reason.NO_BARCODE)):
        rows = lists.read(PLAIN, feed=feed(barcode="{case}", barcode_required=required))
        assert objection([], rows[0], rows) is expected
        assert objection(["S26-2"], rows[0], rows) is Reason.WRONG_BARCODE
        assert objection(["S26-1"], rows[0], rows) is None


def test_a_row_needs_a_file_or_a_barcode(lists: Lists) -> None:
    header = "file,barcode,patient,case,block,stain"
    faults = lists.faults(f"{header}\n,,P1,S1,A1,HE\na.svs,,P1,S1,A2,HE\n,B1,P1,S1,A3,HE\n")
    assert [str(fault) for fault in faults] == [
        "row 2, file: found nothing; expected a value, or the barcode on the label"
    ]


def test_two_rows_without_a_file_have_two_barcodes(lists: Lists) -> None:
    faults = lists.faults("barcode,patient,case,block,stain\nb 1,P1,S1,A1,HE\nB2,P1,S1,A2,HE\nB1,P2,S2,A1,HE\n")
    assert [(fault.row, fault.column, fault.found) for fault in faults] == [(4, "barcode", "the barcode of row 2")]


def test_two_scans_of_one_glass_have_one_barcode(lists: Lists) -> None:
    rows = lists.read("file,barcode,patient,case,block,stain\na.svs,B1,P1,S1,A1,HE\nb.svs,B1,P1,S1,A1,HE\n")
    assert not contradicts(["B1"], rows[0], rows)


def test_a_list_without_files_and_without_barcodes_is_told(lists: Lists) -> None:
    (fault,) = lists.faults("patient,case,block,stain\nP1,S1,A1,HE\n")
    assert (fault.row, fault.column, fault.found) == (0, "file", "no such column")
