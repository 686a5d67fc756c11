"""The viewer in a real browser: it shows tissue, measures truly, turns and magnifies, and asks nobody else."""

import io
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from tests.archive.server.taught import PADDING
from tests.browser.conftest import Shown

SETTLED_MS = 900
"""An animation of the view takes half a second; its last tiles come soon after."""

SEEN_S = 1.1
"""After so long every worker knows what was recorded of a patient."""


class Watched:
    """A page, every complaint of its console, and every host it asked."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).scheme not in ("blob", "data"):
            self.hosts.add(urlsplit(request.url).hostname or "")

    def picture(self) -> np.ndarray:
        """Take what the stage shows, (height, width, 3) uint8 RGB."""
        shot = self.page.locator(".stage").screenshot()
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"))

    def settle(self) -> None:
        self.page.wait_for_timeout(SETTLED_MS)
        self.page.wait_for_load_state("networkidle")

    def magnification(self) -> float:
        text = self.page.get_by_label("Magnification now").inner_text()
        return float(text.removesuffix("×"))

    def bar_microns_per_pixel(self) -> float:
        """Read off the scale bar how many micrometres a pixel of the screen is."""
        length, unit = self.page.locator(".scalebar .length").inner_text().split()
        microns = float(length) * {"µm": 1, "mm": 1000}[unit]
        assert float(f"{microns:.0e}"[0]) in (1, 2, 5)
        return microns / float(self.page.locator(".scalebar .line").evaluate("e => parseFloat(e.style.width)"))


@pytest.fixture
def watched(chromium: Browser, shown: Shown) -> Iterator[Watched]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    found = Watched(page)
    page.goto(shown.address(1))
    expect(page.get_by_role("button", name="magnification 10 times")).to_be_visible()
    found.settle()
    yield found
    context.close()
    assert found.complaints == []
    assert found.hosts == {"127.0.0.1"}


def stained(picture: np.ndarray) -> float:
    """Give the share of pixels that have the colour of stained tissue."""
    red, green, blue = (picture[..., channel].astype(int) for channel in range(3))
    return float(((np.maximum(red, blue) - green > 25) & (green < 220)).mean())


def padded(picture: np.ndarray) -> int:
    """Count the pixels that have about the colour that tiles are padded with."""
    return int((np.abs(picture.astype(int) - np.array(PADDING)).sum(-1) < 160).sum())


def test_a_slide_is_shown_with_its_tissue_and_without_padding(watched: Watched) -> None:
    picture = watched.picture()
    assert stained(picture) > 0.05
    assert picture.std() > 10
    assert padded(picture) == 0


def test_the_scale_bar_and_the_magnification_tell_the_same_truth(watched: Watched) -> None:
    for power in (2, 4, 10, 20):
        watched.page.get_by_role("button", name=f"magnification {power} times").click()
        watched.settle()
        assert watched.magnification() == pytest.approx(power, rel=0.01)
        assert watched.bar_microns_per_pixel() == pytest.approx(10 / power, rel=0.02)
        assert padded(watched.picture()) == 0


def test_the_buttons_end_at_the_objective(watched: Watched) -> None:
    labels = watched.page.get_by_role("group", name="Magnification").get_by_role("button").all_inner_texts()
    assert [label for label in labels if label] == ["1×", "2×", "4×", "10×", "20×"]


def test_a_magnification_button_stays_lit_while_it_is_true(watched: Watched) -> None:
    button = watched.page.get_by_role("button", name="magnification 10 times")
    button.click()
    watched.settle()
    expect(button).to_have_attribute("aria-pressed", "true")
    watched.page.get_by_role("button", name="Closer").click()
    watched.settle()
    expect(button).to_have_attribute("aria-pressed", "false")


def test_a_quarter_turn_turns_the_picture(watched: Watched) -> None:
    watched.page.get_by_role("button", name="magnification 2 times").click()
    watched.settle()
    before = watched.picture()
    watched.page.get_by_role("button", name="Rotate right by 90 degrees").click()
    watched.settle()
    expect(watched.page.get_by_label("Rotation now")).to_have_text("90°")
    after = watched.picture()
    middle_y, middle_x, half = before.shape[0] // 2, before.shape[1] // 2, 150
    square = (slice(middle_y - half, middle_y + half), slice(middle_x - half, middle_x + half))
    same = np.abs(after[square].astype(int) - before[square]).mean()
    best = min(
        np.abs(after[square].astype(int) - np.rot90(np.roll(before, (dy, dx), (0, 1))[square], -1)).mean()
        for dy in range(-40, 41, 4)
        for dx in range(-40, 41, 4)
    )
    assert best < same / 2


def test_any_angle_shows_no_padding(watched: Watched) -> None:
    watched.page.get_by_label("Rotation in degrees").fill("33")
    watched.settle()
    expect(watched.page.get_by_label("Rotation now")).to_have_text("33°")
    picture = watched.picture()
    assert stained(picture) > 0.05
    assert padded(picture) == 0


def test_everything_can_be_done_with_keys(watched: Watched) -> None:
    page = watched.page
    whole = watched.magnification()
    page.keyboard.press("4")
    watched.settle()
    assert watched.magnification() == pytest.approx(10, rel=0.01)
    before = watched.picture()
    page.keyboard.press("ArrowRight")
    watched.settle()
    assert not np.array_equal(before, watched.picture())
    page.keyboard.press("-")
    watched.settle()
    assert watched.magnification() < 10
    page.keyboard.press("Shift+R")
    page.keyboard.press(".")
    watched.settle()
    expect(page.get_by_label("Rotation now")).to_have_text("-85°")
    page.keyboard.press("0")
    watched.settle()
    assert watched.magnification() == pytest.approx(whole, rel=0.01)
    expect(page.get_by_label("Rotation now")).to_have_text("0°")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_tray_changes_slides_in_place_and_the_address_follows(watched: Watched, shown: Shown) -> None:
    page = watched.page
    page.get_by_role("link", name="Slide 2").click()
    watched.settle()
    assert page.url == shown.address(2)
    expect(page.get_by_role("heading", name="Slide 2")).to_be_visible()
    expect(page.get_by_role("link", name="Slide 2")).to_have_attribute("aria-current", "page")
    assert stained(watched.picture()) > 0.05
    page.keyboard.press("p")
    watched.settle()
    assert page.url == shown.address(1)
    page.go_back()
    expect(page.get_by_role("heading", name="Slide 2")).to_be_visible()


def test_a_slide_of_unknown_scale_has_no_scale_bar_and_does_not_pretend(watched: Watched, shown: Shown) -> None:
    watched.page.goto(shown.address(2))
    watched.settle()
    expect(watched.page.locator(".scalebar")).to_be_hidden()
    assert padded(watched.picture()) == 0


def test_every_instrument_has_a_name(watched: Watched) -> None:
    page = watched.page
    for button in page.get_by_role("button").all():
        assert button.get_attribute("aria-label") or button.inner_text().strip()
    expect(page.get_by_role("application")).to_have_attribute("aria-label", "Slide 1, as a microscope shows it")
    expect(page.get_by_role("navigation", name="Slides of this collection")).to_be_visible()


def test_full_screen_fills_the_screen_and_keeps_the_instruments(watched: Watched) -> None:
    page = watched.page
    page.get_by_role("button", name="Full screen").click()
    page.wait_for_function("document.fullscreenElement !== null")
    expect(page.get_by_role("button", name="Full screen")).to_be_visible()
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement === null")


@pytest.mark.parametrize(("width", "height"), [(390, 780), (820, 1180), (1920, 1080)])
def test_no_instrument_lies_outside_the_window(chromium: Browser, shown: Shown, width: int, height: int) -> None:
    context = chromium.new_context(viewport={"width": width, "height": height}, has_touch=True)
    page = context.new_page()
    page.goto(shown.address(1))
    expect(page.get_by_role("button", name="magnification 10 times")).to_be_visible()
    for part in (".tools", ".scalebar", ".navigator", ".strip", ".stage"):
        box = page.locator(part).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
    context.close()


def test_pages_lead_from_the_list_to_the_slide(chromium: Browser, shown: Shown) -> None:
    context = chromium.new_context()
    page = context.new_page()
    watched = Watched(page)
    page.goto(f"{shown.base}/")
    page.get_by_role("link", name="Skin, week 3").click()
    expect(page.get_by_role("heading", name="Skin, week 3")).to_be_visible()
    page.get_by_role("link", name="Slide 1").click()
    expect(page.get_by_role("button", name="Whole slide")).to_be_visible()
    context.close()
    assert watched.complaints == []
    assert watched.hosts == {"127.0.0.1"}


@pytest.mark.parametrize("moved", [True, False])
def test_a_withdrawn_slide_leaves_an_open_viewer(chromium: Browser, shown: Shown, moved: bool) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    watched = Watched(page)
    page.goto(shown.address(1))
    expect(page.get_by_role("button", name="Whole slide")).to_be_visible()
    watched.settle()
    shown.taught.refuse(shown.first)
    try:
        if moved:
            page.wait_for_timeout(600)
            page.keyboard.press("5")
        expect(page.get_by_role("alert")).to_have_text("This slide is no longer shown.")
        assert stained(watched.picture()) < 0.01
        expect(page.get_by_role("link", name="Slide 1")).to_have_count(0)
    finally:
        shown.taught.allow(shown.first)
        time.sleep(SEEN_S)
        context.close()


def test_a_damaged_place_is_named_and_the_rest_is_shown(chromium: Browser, shown: Shown) -> None:
    shard = shown.taught.shard(shown.second)
    whole = shard.read_bytes()
    spoilt = bytearray(whole)
    spoilt[600] ^= 0x10
    shard.write_bytes(spoilt)
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    try:
        page.goto(shown.address(2))
        expect(page.get_by_role("alert")).to_contain_text("its stored data is damaged")
        assert stained(Watched(page).picture()) > 0.05
    finally:
        context.close()
        shard.write_bytes(whole)


def test_a_server_that_stops_is_named(chromium: Browser, shown: Shown) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(shown.address(1))
    expect(page.get_by_role("button", name="Whole slide")).to_be_visible()
    context.set_offline(True)
    expect(page.get_by_role("alert")).to_contain_text("The archive does not answer.")
    context.set_offline(False)
    expect(page.get_by_role("alert")).to_be_hidden()
    context.close()
