"""A case number and a purpose lead to the slides of a case, and stand in no address, header, title or log."""

import logging
import re

import pytest

from archive.codes import Kind
from archive.records import ScanStatus
from tests.ingest.desk.conftest import WHO, Browser, OpenDesk
from tests.ingest.desk.furnished import CASE, NAME, PATIENT, POST_MORTEM

SLIDE = re.compile(r'href="/slides/([0-9a-z]{26})"')
CARD = re.compile(r'class="picture" href="/slides/([0-9a-z]{26})"')


def slides_on(text: str) -> list[str]:
    return list(dict.fromkeys(SLIDE.findall(text)))


def test_a_case_is_found_with_its_slides_blocks_stains_and_codes(desk: OpenDesk, browser: Browser) -> None:
    page = browser.find(CASE)
    assert page.status_code == 200
    assert f"<h1>{CASE}</h1>" in page.text
    assert "Clinical review" in page.text
    for told in ("A1 · H&amp;E 1", "B2 · PAS 1", "900 × 700 px", str(desk.slide_code(CASE, 0)), "20×"):
        assert told in page.text
    assert len(CARD.findall(page.text)) == 2


@pytest.mark.parametrize("spelt", [CASE.lower(), f"  {CASE} ", CASE.replace("-", "-​")])
def test_a_number_is_found_however_it_is_typed(browser: Browser, spelt: str) -> None:
    assert f"<h1>{CASE}</h1>" in browser.find(spelt).text


def test_each_search_is_written_down_with_who_and_what_for(desk: OpenDesk, browser: Browser) -> None:
    browser.find(CASE, "meeting")
    browser.find("S99-00000", "other", "asked by the registry")
    assert desk.acts()[-2:] == [
        ("found case", WHO, "Second opinion or MDT"),
        ("found no case", WHO, "Another purpose: asked by the registry"),
    ]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"accession": CASE}, "Choose what you want to see the case for."),
        ({"accession": CASE, "purpose": "curiosity"}, "Choose what you want to see the case for."),
        ({"accession": CASE, "purpose": "other"}, "Say in a few words what the other purpose is."),
        ({"accession": CASE, "purpose": "other", "words": "x" * 121}, "Say the other purpose in at most 120"),
        ({"accession": "", "purpose": "review"}, "The case is empty"),
        ({"accession": "S99-00000", "purpose": "review"}, "No case has this number"),
    ],
)
def test_what_cannot_be_found_is_said_and_what_was_typed_stays(
    browser: Browser, fields: dict[str, str], sentence: str
) -> None:
    answer = browser.send("/find", fields)
    assert answer.status_code in (400, 404)
    assert sentence in answer.text
    assert f'value="{fields["accession"]}"' in answer.text


def test_the_page_of_a_case_lies_with_the_session_that_found_it(desk: OpenDesk, browser: Browser) -> None:
    found = browser.find(CASE)
    other = desk.browser()
    for address in (str(found.request.url.path), f"/slides/{slides_on(found.text)[0]}"):
        assert browser.get(address).status_code == 200
        assert other.get(address).status_code == 404


def test_the_viewer_is_told_sizes_titles_and_neighbours(browser: Browser) -> None:
    first, second = slides_on(browser.find(CASE).text)
    told = browser.get(f"/api/slides/{first}").json()
    assert (told["title"], told["number"], told["levels"][0]["width"]) == ("A1 · H&E 1", 1, 900)
    beside = browser.get(f"/api/collections/{told['collection']['handle']}").json()
    assert [(one["handle"], one["title"]) for one in beside["slides"]] == [
        (first, "A1 · H&E 1"),
        (second, "B2 · PAS 1"),
    ]
    page = browser.get(f"/slides/{first}")
    assert f'data-slide="{first}"' in page.text
    assert "refresh" not in page.headers
    tile = browser.get(f"/slides/{first}/tiles/0/0_0.jpg")
    assert tile.content.startswith(b"\xff\xd8")
    assert tile.headers.get_list("cache-control") == ["no-store"]
    assert "etag" not in tile.headers
    assert browser.get(f"/slides/{first}/tiles/0/99_0.jpg").status_code == 404
    assert browser.get(f"/slides/{first}/tiles/0/0_x.jpg").status_code == 400


def test_an_opening_is_written_down_once_an_hour_and_a_tile_never(desk: OpenDesk, browser: Browser) -> None:
    first, second = slides_on(browser.find(CASE).text)

    def openings() -> int:
        return desk.acts().count(("opened slide", WHO, "Clinical review"))

    browser.get(f"/slides/{first}/thumbnail.jpg")
    assert openings() == 0, "a thumbnail stands in every list"
    browser.get(f"/slides/{first}/tiles/0/0_0.jpg")
    assert openings() == 1, "a tile showed what nobody was told to have opened"
    for address in (
        f"/slides/{first}",
        f"/api/slides/{first}",
        f"/slides/{first}/tiles/0/1_0.jpg",
        f"/slides/{first}.dzi",
    ):
        assert browser.get(address).status_code == 200
    assert openings() == 1
    browser.get(f"/slides/{second}")
    assert openings() == 2
    for _ in range(5):
        desk.clock.now += 800
        browser.get(f"/slides/{first}")
    assert openings() == 3


@pytest.mark.parametrize("address", ["/srgb/tiles/0/0_0.jpg", "/srgb_files/1/0_0.jpeg", "/srgb.dzi"])
def test_colours_are_no_way_around_being_written_down(desk: OpenDesk, browser: Browser, address: str) -> None:
    first, _ = slides_on(browser.find(CASE).text)
    browser.get(f"/slides/{first}/srgb/thumbnail.jpg")
    assert ("opened slide", WHO, "Clinical review") not in desk.acts()
    assert browser.get(f"/slides/{first}{address}").status_code == 404, "this slide's scanner said nothing of colours"
    assert ("opened slide", WHO, "Clinical review") in desk.acts()


def test_a_post_mortem_is_shown_for_the_cause_of_death_and_not_for_care(browser: Browser) -> None:
    review = browser.find(POST_MORTEM, "review").text
    assert slides_on(review) == []
    assert "Not shown for this purpose: For the care of relatives, a named clinician must authorise" in review
    assert "M15" in review
    (handle,) = slides_on(browser.find(POST_MORTEM, "post-mortem").text)
    assert browser.get(f"/slides/{handle}/tiles/0/0_0.jpg").status_code == 200


def test_another_purpose_is_decided_as_a_secondary_one_by_people_who_know_the_name(browser: Browser) -> None:
    page = browser.find(CASE, "other", "a talk for friends").text
    assert slides_on(page) == []
    assert "An identifiable picture is not used for a secondary purpose without a recorded consent." in page


def test_what_else_a_slide_may_be_used_for_is_told_with_the_reason(browser: Browser) -> None:
    page = browser.find(POST_MORTEM, "post-mortem").text
    assert page.count('class="use no"') == 2
    assert re.search(r"Row M\d+", page)
    assert browser.find(CASE).text.count('class="use yes"') == 4


def test_a_withdrawn_scan_is_told_and_not_shown_also_where_it_is_open(desk: OpenDesk, browser: Browser) -> None:
    case = browser.find(CASE)
    first, second = slides_on(case.text)
    assert browser.get(f"/slides/{first}/tiles/0/0_0.jpg").status_code == 200
    scan = desk.archive.slide(desk.slide_code(CASE, 0)).scans[0].record.key
    desk.archive.set_status(scan, ScanStatus.WITHDRAWN, reason="withdrawn by the patient")
    for address in ("", "/tiles/0/0_0.jpg", "/thumbnail.jpg", ".dzi"):
        assert browser.get(f"/slides/{first}{address}").status_code == 404
    assert browser.get(f"/api/slides/{first}").status_code == 404
    again = browser.get(case.request.url.path).text
    assert slides_on(again) == [second]
    assert "withdrawn" in again


def test_the_last_purpose_is_offered_again_but_never_another_ones_words(browser: Browser) -> None:
    assert "checked" not in browser.get("/").text
    browser.find(CASE, "meeting")
    assert 'value="meeting" required checked' in browser.get("/").text
    browser.find(CASE, "other", "asked by the registry")
    page = browser.get("/").text
    assert 'value="meeting" required checked' in page
    assert "registry" not in page


def test_no_number_or_name_is_in_an_address_a_header_a_title_or_a_log(
    desk: OpenDesk, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    answers = []
    with caplog.at_level(logging.DEBUG):
        for spelt in (CASE, CASE.lower(), "S99-00000"):
            answers.append(browser.send("/find", {"accession": spelt, "purpose": "review"}))
        case = browser.find(CASE)
        (first, *_) = slides_on(case.text)
        answers += [case, *(browser.get(address) for address in (f"/slides/{first}", f"/api/slides/{first}"))]
        answers += [browser.get(address) for address in ("/", "/quarantine", "/report", "/nothing")]
    quiet = "\n".join(
        [
            *browser.addresses,
            caplog.text,
            *(str(answer.headers) for answer in answers),
            *(title for answer in answers for title in re.findall("<title>.*?</title>", answer.text)),
        ]
    ).lower()
    for secret in (*desk.furnished.secrets, "S99-00000"):
        assert secret.lower() not in quiet
    for answer in answers:
        assert NAME not in answer.text
        assert PATIENT not in answer.text


def test_no_internal_key_leaves(desk: OpenDesk, browser: Browser) -> None:
    case = browser.find(CASE)
    held = desk.archive.slide(desk.slide_code(CASE))
    keys = (held.record.key, held.record.case, held.record.block, held.scans[0].record.key)
    first = slides_on(case.text)[0]
    for answer in (case, browser.get(f"/slides/{first}"), browser.get(f"/api/slides/{first}")):
        for key in keys:
            assert str(key) not in answer.text + str(answer.headers)
    assert str(desk.archive.key_of(held.case_code, Kind.CASE)) not in case.text
