"""A served archive with real slides where they are present, a desk, and a Chromium that may ask nobody else."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openslide
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from archive.geometry import MicronsPerPixel, Size
from archive.server.pages import STATIC
from tests.archive.server.taught import TaughtArchive, served, shrunk
from tests.browser.desks import DeskProcess, Visit
from tests.ingest.desk.furnished import Furnished, furnish
from tests.slides.tissue import Picture, tissue

REAL = Path(os.environ.get("COVERSLIP_TEST_SLIDES", "../shared/slides"), "aperio", "CMU-1-Small-Region.svs")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def absent(what: str, install: str) -> None:
    """Skip, or fail where everything is required."""
    require_all = os.environ.get("COVERSLIP_TEST_REQUIRE") == "all"
    (pytest.fail if require_all else pytest.skip)(f"{what} is missing: {install}")


def real_tissue() -> Picture:
    """Read the real slide where it is present; else draw one of the same size."""
    if not REAL.is_file():
        return tissue(2220, 2967)
    with openslide.OpenSlide(str(REAL)) as slide:
        picture = slide.read_region((0, 0), 0, slide.dimensions)
        glass = Image.new("RGB", picture.size, "white")
        glass.paste(picture, mask=picture.getchannel("A"))
        return np.asarray(glass)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start a browser; it ends with the module, since its event loop runs on this thread and allows no other one."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        absent("Chromium", "apt-get install chromium")
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


class Shown:
    """A served collection of two slides: real tissue with tiles of 240 px, and one without a known scale."""

    def __init__(self, taught: TaughtArchive) -> None:
        picture = real_tissue()
        self.taught = taught
        self.first = taught.add([picture, shrunk(picture, 4)], tile=Size(240, 240), mpp=MicronsPerPixel(0.499, 0.499))
        drawn = tissue(900, 700)
        self.second = taught.add([drawn], tile=Size(256, 128), mpp=None)
        self.collection = taught.teach("Skin, week 3", self.first, self.second)
        self.base = ""

    def address(self, number: int) -> str:
        """Give the address of a slide's page; slides count from 1."""
        return f"{self.base}/slides/{self.collection.places[number - 1].handle}"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    if not (STATIC / "viewer.js").is_file():
        absent("The built viewer", "install Node.js with npm, then install Coverslip again")
    made = Shown(TaughtArchive(tmp_path_factory.mktemp("browser") / "archive"))
    with served(made.taught.root) as base:
        made.base = base
        yield made
    made.taught.archive.close()


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    if not (STATIC / "viewer.js").is_file():
        absent("The built viewer", "install Node.js with npm, then install Coverslip again")
    return furnish(tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="module")
def desk(furnished: Furnished) -> Iterator[DeskProcess]:
    process = DeskProcess(furnished.laboratory.archive)
    yield process
    process.end()


@pytest.fixture
def visit(chromium: Browser, desk: DeskProcess) -> Iterator[Visit]:
    """Come in with a fresh browser: whoever knocks makes the desk announce an address."""
    context = chromium.new_context(viewport={"width": 1280, "height": 860})
    page = context.new_page()
    address = desk.address() if not hasattr(desk, "base") else _knock(page, desk)
    desk.base = address.split("/enter/")[0]  # type: ignore[attr-defined]
    visit = Visit(page)
    page.goto(address)
    expect(page.get_by_role("heading", name="Find a case")).to_be_visible()
    yield visit
    context.close()
    assert visit.complaints == []
    assert {address.split("/")[2] for address in visit.addresses} == {address.split("/")[2]}


def _knock(page: Page, desk: DeskProcess) -> str:
    page.goto(desk.base)  # type: ignore[attr-defined]
    expect(page.get_by_role("heading", name="The desk is locked")).to_be_visible()
    return desk.address()
