"""What the rules say of a slide is what happens to it: when it comes in, when a class wants it, and while it is shown.

A surgical slide asks no question of a laboratory that has declared its feed. A post-mortem slide is kept once its
authority is known, and taught only with what the rules require. Each refusal says by which row and paragraph, and what
would change it.
"""

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.journeys.laboratory import ROOT, Laboratory, Said, row_of, write_list
from tests.slides.svs import make_svs

EXAMINATION = {"tissue": "post-mortem", "recorded": "as part of the examination"}
LOOKED = {"might_identify": "no", "assessed_by": "Dr A. Curator"}
WITH_POST_MORTEM = {"consent": "obtained with the post-mortem consent", "covers": "teaching; research"}
NOT_FORESEEN = {
    "consent": "not foreseen",
    "not_foreseen_by": "Dr A. Curator",
    "not_foreseen_on": "2026-03-01",
    "not_foreseen_why": "the collection was planned in 2026",
}


@dataclass(frozen=True)
class Case:
    """What a list tells of one case, and what the rules make of teaching it to a class."""

    told: dict[str, str]
    row: str
    verdict: str
    says: str
    change: str = ""


CASES = {
    "hospital, nothing recorded": Case(
        {**EXAMINATION, "authority": "hospital"},
        *("M10", "Refused", "para 23", "a named person attests, that this purpose was not foreseen"),
    ),
    "hospital, looked at, nothing recorded": Case(
        {**EXAMINATION, **LOOKED, "authority": "hospital"}, "M11", "Refused", "para 51, 23", "not foreseen"
    ),
    "hospital, consent covers teaching": Case(
        {**EXAMINATION, **LOOKED, **WITH_POST_MORTEM, "authority": "hospital"}, "M2", "Allowed", "para 51, 7"
    ),
    "hospital, consent covers research": Case(
        {**EXAMINATION, **LOOKED, **WITH_POST_MORTEM, "authority": "hospital", "covers": "research"},
        *("M4", "Refused", "para 9", "consents to this purpose: allowed by row M2b"),
    ),
    "hospital, not foreseen, nobody looked": Case(
        {**EXAMINATION, **NOT_FORESEEN, "authority": "hospital"}, "M6", "Refused", "para 51", "a person looks"
    ),
    "coroner, with post-mortem consent": Case(
        {**EXAMINATION, **LOOKED, **WITH_POST_MORTEM, "authority": "coroner", "authority_open": "no"},
        *("M12", "Refused", "HT Act s.11", "consents to this purpose: allowed by row M2b"),
    ),
    "coroner, open, not foreseen": Case(
        {**EXAMINATION, **LOOKED, **NOT_FORESEEN, "authority": "coroner", "authority_open": "yes"},
        *("M5", "Not yet", "row M13; regulator; HTA filming guidance"),
        "If the coroner or procurator fiscal agrees and this is recorded: allowed by row M5.",
    ),
    "coroner, agreed, not foreseen": Case(
        {
            **EXAMINATION,
            **LOOKED,
            **NOT_FORESEEN,
            **{"authority": "coroner", "authority_open": "yes", "records": "coroner's agreement"},
        },
        *("M5", "Allowed", "para 51, 7"),
    ),
    "surgical, refused": Case({"consent": "refused"}, "N1", "Refused", "para 51, 9, 47", "Nothing"),
    "surgical, withdrawn": Case({"consent": "withdrawn"}, "N2", "Refused", "para 25, 35, 47", "Nothing"),
    "surgical": Case({}, "L3", "Allowed", "para 7, 17"),
}


@dataclass(frozen=True)
class Kept:
    """A laboratory whose slides are in the archive, with the code of each case's slide."""

    laboratory: Laboratory
    codes: dict[str, str]
    taken: Said


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Take in one slide of every case, with one list and the feed that is declared for surgical slides."""
    home = tmp_path_factory.mktemp("kept")
    slides, rows = home / "delivery", []
    slides.mkdir()
    for number, (name, case) in enumerate(CASES.items()):
        slide = draw(slides / f"{number}.svs", seed=number + 1)
        rows.append(row_of(slide, f"{'S' if name.startswith('surgical') else 'PM'}26-{number:04}", **case.told))
    laboratory = new_laboratory(home)
    laboratory.declare_feed()
    taken = laboratory.take_in(slides, write_list(slides / "list.csv", *rows), "--screen", "now")
    codes = {name: taken.slides[number] for number, name in enumerate(CASES, 2)}
    return Kept(laboratory, codes, taken)


def new_laboratory(home: Path) -> Laboratory:
    laboratory = Laboratory(home / "laboratory")
    laboratory.home.mkdir()
    return laboratory


def draw(path: Path, seed: int = 7) -> Path:
    """Draw a small slide; another seed gives another slide."""
    return make_svs(path, width=300, height=260, factors=(1,), seed=seed).path


def test_every_slide_is_kept_whose_authority_is_known_whatever_was_consented_to(kept: Kept) -> None:
    assert len(kept.codes) == len(CASES)
    assert "0 refused" in kept.taken.out


@pytest.mark.parametrize("name", CASES)
def test_each_case_is_explained_by_its_row_and_paragraph(kept: Kept, name: str) -> None:
    case, laboratory = CASES[name], kept.laboratory
    said = laboratory.run("explain", kept.codes[name], "--purpose", "teaching", "--to", "class").out
    plain = " ".join(said.split())
    assert plain.startswith(f"{case.verdict}: teaching, for a named class.")
    assert f"This is row {case.row}; " in plain
    assert re.search(r"This is row \w+; (guidance|policy|regulator)( and (guidance|policy))?;", plain)
    assert case.says in plain
    assert ("What would change it:" in plain) == (case.verdict != "Allowed")
    assert case.change in plain.partition("What would change it:")[2]
    assert "This is not legal advice." in plain


def test_the_coroners_agreement_is_asked_for_by_name(kept: Kept) -> None:
    code = kept.codes["coroner, open, not foreseen"]
    said = kept.laboratory.run("explain", code, "--purpose", "teaching", "--to", "class").out
    assert "To do:\n  laboratory lead: obtain the coroner's or procurator fiscal's agreement and record it\n" in said


def test_what_may_not_be_taught_is_not_and_the_answer_says_why_for_each(kept: Kept) -> None:
    refused = {name: kept.codes[name] for name, case in CASES.items() if case.verdict != "Allowed"}
    said = kept.laboratory.run("teach", "Never shown", *refused.values(), ends=1)
    plain = " ".join(said.out.split())
    for name, code in refused.items():
        answer = plain.partition(f"not put in: {code} ")[2].partition("not put in: ")[0]
        assert answer.startswith(CASES[name].verdict)
        assert f"row {CASES[name].row}; " in answer
        assert CASES[name].says in answer
        assert CASES[name].change in answer.partition("What would change it:")[2]
    assert plain.endswith("Nothing was put in: none of these slides may be taught now.")
    assert len(refused) == 8


def test_what_may_be_taught_is_put_in_and_the_rest_is_not(kept: Kept) -> None:
    allowed = [kept.codes[name] for name, case in CASES.items() if case.verdict == "Allowed"]
    refused = kept.codes["hospital, nothing recorded"]
    said = kept.laboratory.run("teach", "Some of them", *allowed, refused, ends=1)
    assert f"shows {len(allowed)} slides" in said.out
    handle = said.out.rsplit("/collections/", 1)[1].strip()
    with kept.laboratory.serving() as base:
        slides = httpx.get(f"{base}/api/collections/{handle}").json()["slides"]
        assert len(slides) == len(allowed)
        for slide in slides:
            answer = httpx.get(f"{base}/slides/{slide['handle']}/tiles/0/0_0.jpg")
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")


def test_a_surgical_slide_is_kept_taught_and_served_without_another_question(kept: Kept, tmp_path: Path) -> None:
    laboratory, slide = kept.laboratory, draw(tmp_path / "slide.svs", seed=101)
    columns = row_of(slide, "S26-0101")
    assert list(columns) == ["file", "patient", "case", "block", "stain"]
    listed = write_list(tmp_path / "list.csv", columns)
    (code,) = laboratory.take_in(slide, listed, "--screen", "now").slides.values()
    handle = laboratory.teach("Colon", code)
    with laboratory.serving(workers=1) as base:
        page = httpx.get(f"{base}/collections/{handle}")
        assert page.status_code == 200
        assert "Colon" in page.text
        (shown,) = httpx.get(f"{base}/api/collections/{handle}").json()["slides"]
        assert httpx.get(f"{base}/slides/{shown['handle']}/tiles/0/1_1.jpg").content.startswith(b"\xff\xd8")


def test_without_feed_and_column_a_slide_waits_and_the_same_command_takes_it_once_a_feed_is_declared(
    tmp_path: Path,
) -> None:
    laboratory = new_laboratory(tmp_path)
    slide = draw(tmp_path / "slide.svs")
    listed = write_list(tmp_path / "list.csv", row_of(slide, "S26-0001"))
    planned = laboratory.take_in(slide, listed, "--dry-run")
    assert "would be refused by row K4" in planned.out
    said = laboratory.take_in(slide, listed, ends=3)
    assert said.refused == {"row 2": "unknown-source"}
    assert "say so in the list or declare a feed" in said.out
    waiting = " ".join(laboratory.run("quarantine", "list").out.split())
    assert "unknown-source" in waiting
    assert "declare a feed" in waiting
    assert laboratory.run("list").out.startswith("The archive holds no slide yet.")
    laboratory.declare_feed()
    assert len(laboratory.take_in(slide, listed).slides) == 1
    assert laboratory.run("quarantine", "list").out == "Nothing waits.\n"


def test_a_case_number_of_the_post_mortems_waits_until_the_list_says_on_whose_authority(
    kept: Kept, tmp_path: Path
) -> None:
    laboratory, slide = kept.laboratory, draw(tmp_path / "slide.svs", seed=102)
    said = laboratory.take_in(slide, write_list(tmp_path / "list.csv", row_of(slide, "pm 26-0102")), ends=3)
    assert said.refused == {"row 2": "unknown-authority"}
    assert "hospital or coroner" in said.out
    told = row_of(slide, "pm 26-0102", authority="hospital", recorded="as part of the examination")
    assert len(laboratory.take_in(slide, write_list(tmp_path / "list.csv", told)).slides) == 1


def test_a_list_may_not_call_the_tissue_of_a_post_mortem_living(kept: Kept, tmp_path: Path) -> None:
    listed = write_list(tmp_path / "list.csv", row_of(tmp_path / "slide.svs", "PM26-0103", tissue="living"))
    said = kept.laboratory.run("delivery", "check", listed, ends=1)
    assert "row 2, tissue: found 'living'; expected 'post-mortem'" in said.err


def test_a_post_mortem_picture_made_for_teaching_without_consent_is_not_even_kept(kept: Kept, tmp_path: Path) -> None:
    laboratory, slide = kept.laboratory, draw(tmp_path / "slide.svs", seed=104)
    told = {"authority": "hospital", "recorded": "for a secondary purpose", "recorded_for": "teaching"}
    said = laboratory.take_in(slide, write_list(tmp_path / "list.csv", row_of(slide, "PM26-0104", **told)), ends=3)
    assert said.refused == {"row 2": "consent-refuses"}
    assert "consent-refuses" in laboratory.run("quarantine", "list").out


WITHDRAW = """
import sys, time
from dataclasses import replace
from pathlib import Path
from archive.consent.terms import Consent
from archive.holdings import Archive
with Archive.open(Path(sys.argv[1]), actor="curator") as archive:
    slide = archive.slide(sys.argv[2]).record
    facts = replace(archive.facts_of(slide.key), consent=Consent.WITHDRAWN)
    archive.record_facts(slide.case, facts, reason="withdrawn in writing")
    print(time.time())
"""
"""Records, in a process of its own, that consent was withdrawn, and tells when that was done."""

FRESH = 6
"""Connections opened one after the other for each address: with all addresses, both workers answer some of them."""

UNKNOWN = "0123456789abcdefghjkmnpqrs"
"""A handle as they are, which no slide and no collection has."""

OF_A_SLIDE = (
    *("/slides/{handle}", "/api/slides/{handle}", "/slides/{handle}/tiles/0/0_0.jpg", "/slides/{handle}/thumbnail.jpg"),
    *("/slides/{handle}.dzi", "/slides/{handle}_files/8/0_0.jpeg"),
)
OF_A_COLLECTION = ("/collections/{handle}", "/api/collections/{handle}")


def withdraw(laboratory: Laboratory, code: str) -> None:
    """Have consent withdrawn by another process, and wait for the second that servers have to act on it."""
    command = [sys.executable, "-c", WITHDRAW, str(laboratory.archive), code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    time.sleep(max(0.0, float(done.stdout) + 1 - time.time()))


Seen = tuple[int, tuple[tuple[str, str], ...], bytes]
"""Status, headers but for the time of day, and body."""


def answers(client: httpx.Client, address: str, handle: str) -> set[Seen]:
    """Ask on fresh connections, so that every worker answers; give the different answers."""
    found = set()
    for _ in range(FRESH):
        answer = client.get(address.format(handle=handle), headers={"connection": "close"})
        headers = tuple(pair for pair in answer.headers.multi_items() if pair[0] != "date")
        found.add((answer.status_code, headers, answer.content))
    return found


def test_a_withdrawn_slide_is_gone_within_a_second_and_looks_as_if_it_had_never_been(kept: Kept) -> None:
    laboratory = kept.laboratory
    codes = kept.codes["surgical"], kept.codes["hospital, consent covers teaching"]
    collection = laboratory.teach("Two that stay or go", *codes)
    with laboratory.serving(workers=2) as base, httpx.Client(base_url=base) as client:
        told = f"/api/collections/{collection}"
        first, second = (slide["handle"] for slide in client.get(told).json()["slides"])
        for address in OF_A_SLIDE:
            assert {status for status, _, _ in answers(client, address, first)} == {200}, address

        withdraw(laboratory, codes[0])
        for address in OF_A_SLIDE:
            (gone,) = answers(client, address, first)
            assert {gone} == answers(client, address, UNKNOWN), address
            assert gone[0] == 404
        assert first not in client.get(f"/collections/{collection}").text
        assert [slide["handle"] for slide in client.get(told).json()["slides"]] == [second]
        assert client.get(f"/slides/{second}/tiles/0/0_0.jpg").status_code == 200

        withdraw(laboratory, codes[1])
        for address in OF_A_COLLECTION:
            (gone,) = answers(client, address, collection)
            assert {gone} == answers(client, address, UNKNOWN), address
            assert gone[0] == 404
        for address in ("/", "/api/collections"):
            assert collection not in client.get(address).text
    said = laboratory.run("explain", codes[0], "--purpose", "teaching", "--to", "class").out
    assert "row N2;" in said
