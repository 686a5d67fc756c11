"""Every list and every mapping that the how-to shows is one that the program reads."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from archive.consent import Purpose, Recipient, decide
from archive.consent.terms import State
from ingest.errors import DeliveryListInvalid
from tests.ingest.delivery.conftest import HEADER, SURGICAL, Lists

PAGE = (Path(__file__).parents[3] / "docs/how-to/write-a-delivery-list.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("number", range(len(blocks("csv"))))
def test_every_list_of_the_how_to_is_read_and_its_slides_are_kept(lists: Lists, number: int) -> None:
    rows = lists.read(blocks("csv")[number], feed=SURGICAL)
    for row in rows:
        assert decide(row.facts(SURGICAL), Purpose.KEEP, Recipient.LABORATORY).allowed


def test_the_post_mortems_of_the_how_to_may_be_taught_as_it_says(lists: Lists) -> None:
    may_be_taught = {
        (row.case, str(row.stated.might_identify.grade), str(row.stated.consent)): decide(
            replace(row.facts(), state=State.ANONYMISED, report_bound=True), Purpose.TEACHING, Recipient.CLASS
        ).allowed
        for block in blocks("csv")
        for row in lists.read(block)
        if row.names_post_mortem
    }
    assert may_be_taught == {
        ("PM26-001", "unassessed", "obtained with the post-mortem consent"): False,
        ("PM26-002", "unassessed", "not recorded"): False,
        ("PM26-001", "no (person)", "obtained with the post-mortem consent"): True,
        ("PM26-001", "unassessed", "not foreseen"): False,
    }


def test_the_mapping_of_the_how_to_reads_an_export(lists: Lists) -> None:
    (text,) = blocks("toml")
    rows = lists.read("Image File,MRN,Accession,Block,Staining\na.svs,P1,S1,A1,Routine\n", lists.mapping(text))
    assert [str(row.stain) for row in rows] == ["H&E"]


def test_the_faults_of_the_how_to_are_told_in_its_words(lists: Lists) -> None:
    (shown,) = [block for block in blocks("text") if "faults" in block]
    rows = [f"{number}.svs,P{number},S{number},A1,HE," for number in range(2, 8)]
    rows[1] = rows[1].replace("HE", "Jonas")
    rows[5] += "refusd"
    with pytest.raises(DeliveryListInvalid) as refusal:
        lists.read("\n".join([f"{HEADER},consent", *rows, ""]))
    told = str(refusal.value).splitlines()
    assert [line.removesuffix(" ...") for line in shown.splitlines()] == [
        line[: len(written.removesuffix(" ..."))] for line, written in zip(told, shown.splitlines(), strict=True)
    ]
