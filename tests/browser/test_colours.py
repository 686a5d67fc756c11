"""Whoever looks switches between colours as scanned and managed ones, and their browser remembers what they chose."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from archive.geometry import MicronsPerPixel, Size
from archive.holdings.place import COLOUR_PROFILE
from archive.pyramid.colours import ToSrgb
from archive.server.pages import STATIC
from tests.archive.server.taught import TaughtArchive, served, shrunk
from tests.browser.checking import faults_of
from tests.browser.conftest import absent
from tests.browser.desks import shoot
from tests.browser.test_viewer import Watched, stained
from tests.slides.colour_charts import scanner
from tests.slides.tissue import tissue

SCANNED, SRGB = "Colours as scanned", "Colours managed (sRGB)"


@dataclass(frozen=True)
class Served:
    """Slides of a known scanner (1), of a silent one (2), and one whose profile is damaged (3)."""

    base: str
    handles: tuple[str, ...]

    def address(self, number: int) -> str:
        return f"{self.base}/slides/{self.handles[number - 1]}"


@pytest.fixture(scope="module")
def coloured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if not (STATIC / "viewer.js").is_file():
        absent("The built viewer", "install Node.js with npm, then install Coverslip again")
    taught = TaughtArchive(tmp_path_factory.mktemp("coloured") / "archive")
    picture = tissue(900, 700)
    pyramid, mpp = [picture, shrunk(picture, 4)], MicronsPerPixel(0.5, 0.5)
    slides = [
        taught.add(pyramid, tile=Size(240, 240), mpp=mpp, profile=profile)
        for profile in (scanner(), None, scanner(side=9))
    ]
    broken = taught.folder(slides[2]) / COLOUR_PROFILE
    broken.write_bytes(broken.read_bytes()[:-1])
    handles = tuple(place.handle for place in taught.teach("Colours", *slides).places)
    with served(taught.root, workers=1) as base:
        yield Served(base, handles)
    taught.archive.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(viewport={"width": 1280, "height": 800})
    yield made
    made.close()


def opened(context: BrowserContext, address: str) -> Watched:
    watched = Watched(context.new_page())
    watched.page.goto(address)
    expect(watched.page.get_by_role("button", name="magnification 10 times")).to_be_visible()
    watched.settle()
    return watched


def middle(watched: Watched) -> np.ndarray:
    """Cut what is seen to where no instrument lies."""
    picture = watched.picture()
    y, x = picture.shape[0] // 2, picture.shape[1] // 2
    return picture[y - 120 : y + 120, x - 200 : x + 200]


def pressed(page: Page) -> str | None:
    return page.get_by_role("group", name="Colours").locator('[aria-pressed="true"]').get_attribute("aria-label")


def test_switching_changes_the_colours_and_nothing_else_and_switching_back_undoes_it(
    context: BrowserContext, coloured: Served
) -> None:
    watched = opened(context, coloured.address(1))
    page = watched.page
    page.get_by_role("button", name="magnification 10 times").click()
    page.get_by_role("button", name="Rotate right by 90 degrees").click()
    watched.settle()
    scanned = middle(watched)
    assert stained(scanned) > 0.05
    assert pressed(page) == SCANNED
    shoot(page, "colours-scanned")
    page.get_by_role("button", name=SRGB).click()
    watched.settle()
    shoot(page, "colours-managed")
    managed = middle(watched)
    assert pressed(page) == SRGB
    expect(page.locator(".unseen")).to_have_text("Colours are managed (sRGB).")
    wanted = ToSrgb(scanner())(scanned).astype(int)
    away = np.abs(managed - wanted).mean()
    assert away < np.abs(scanned - wanted).mean() / 3, "other colours than the profile says, or another place"
    assert watched.magnification() == pytest.approx(10, rel=0.01)
    expect(page.get_by_label("Rotation now")).to_have_text("90°")
    page.keyboard.press("c")
    watched.settle()
    assert pressed(page) == SCANNED
    assert np.abs(middle(watched).astype(int) - scanned).mean() < 0.5
    assert watched.complaints == []
    assert watched.hosts == {"127.0.0.1"}


def test_a_choice_is_found_again_by_other_pages_of_this_browser_and_holds_for_its_thumbnails(
    context: BrowserContext, coloured: Served
) -> None:
    first = opened(context, coloured.address(1)).page
    first.get_by_role("button", name=SRGB).click()
    expect(first.get_by_role("link", name="Slide 1").locator("img")).to_have_attribute(
        "src", f"/slides/{coloured.handles[0]}/srgb/thumbnail.jpg"
    )
    asked: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(_path(request)))
    page.goto(coloured.address(1))
    expect(page.get_by_role("button", name=SRGB)).to_have_attribute("aria-pressed", "true")
    page.wait_for_load_state("networkidle")
    tiles = [path for path in asked if "/tiles/" in path]
    assert tiles
    assert all(path.startswith(f"/slides/{coloured.handles[0]}/srgb/tiles/") for path in tiles)


def _path(request: Request) -> str:
    return "/" + request.url.split("/", 3)[-1]


def test_there_is_no_switch_where_there_is_nothing_to_choose_and_a_broken_profile_is_named(
    context: BrowserContext, coloured: Served
) -> None:
    watched = opened(context, coloured.address(1))
    page = watched.page
    page.get_by_role("button", name=SRGB).click()
    watched.settle()
    page.get_by_role("link", name="Slide 2").click()
    watched.settle()
    expect(page.get_by_role("group", name="Colours")).to_have_count(0)
    assert stained(watched.picture()) > 0.05, "a slide without a profile is shown as scanned"
    page.get_by_role("link", name="Slide 3").click()
    watched.settle()
    expect(page.get_by_role("group", name="Colours")).to_contain_text("profile cannot be used")
    expect(page.get_by_role("button", name=SRGB)).to_have_count(0)
    assert stained(watched.picture()) > 0.05
    page.keyboard.press("c")
    shoot(page, "colours-broken")
    page.get_by_role("link", name="Slide 1").click()
    watched.settle()
    assert pressed(page) == SRGB, "the choice is forgotten by looking at slides that have none"
    assert watched.complaints == []


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("number", [1, 3])
def test_the_switch_can_be_used_by_everybody_and_lies_inside_the_window(
    chromium: Browser, coloured: Served, width: int, number: int
) -> None:
    narrow = chromium.new_context(viewport={"width": width, "height": 780})
    watched = opened(narrow, coloured.address(number))
    shoot(watched.page, f"colours-{number}-{width}")
    assert faults_of(watched.page) == []
    box = watched.page.get_by_role("group", name="Colours").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] + box["height"] <= 780
    assert watched.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    narrow.close()
