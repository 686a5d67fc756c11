"""The whole slide, its borders and doubtful places are drawn from the smallest level that shows as much."""

import numpy as np
import pytest

from archive.geometry import Size
from ingest.screening.verdict import Place
from ingest.screening.views import OVERVIEW_PIXELS, OVERVIEW_PX, Look, borders, closer, draw, overview
from tests.slides.real_pictures import OneLevel
from tests.slides.tissue import Picture, reduced, tissue

SLIDES = [Size(100_000, 60_000), Size(3_000, 90_000), Size(5_000, 5_000), Size(1_500, 800)]


class Told(OneLevel):
    """A level that tells what was read of it."""

    def __init__(self, picture: Picture) -> None:
        super().__init__(picture)
        self.read: list[tuple[int, int]] = []

    def read_region(self, x: int, y: int, width: int, height: int) -> Picture:
        self.read.append((width, height))
        return super().read_region(x, y, width, height)


@pytest.mark.parametrize("slide", SLIDES, ids=str)
def test_the_overview_shows_all_and_costs_no_more_than_planned(slide: Size) -> None:
    view = overview(slide)
    assert (view.place.width, view.place.height, view.look) == (slide.width, slide.height, Look.WHOLE)
    assert max(slide.width, slide.height) / view.reduced <= OVERVIEW_PX + 1
    assert slide.pixels / view.reduced**2 <= OVERVIEW_PIXELS + 1


@pytest.mark.parametrize("slide", SLIDES, ids=str)
def test_the_borders_lie_along_all_four_sides_and_are_shown_larger(slide: Size) -> None:
    views = borders(slide)
    rim = np.zeros((64, 64), bool)
    for view in views:
        left, top = view.place.x * 64 // slide.width, view.place.y * 64 // slide.height
        right = -(-(view.place.x + view.place.width) * 64 // slide.width)
        bottom = -(-(view.place.y + view.place.height) * 64 // slide.height)
        rim[top:bottom, left:right] = True
        assert view.reduced < overview(slide).reduced
    assert rim[[0, -1]].all()
    assert rim[:, [0, -1]].all()


def test_a_picture_smaller_than_a_screen_is_looked_at_once() -> None:
    small = Size(900, 700)
    assert overview(small).reduced == 1
    assert borders(small) == ()
    assert closer(Place(10, 10, 20, 20), small) is None


def test_a_doubtful_place_is_shown_larger_with_what_is_around_it() -> None:
    slide, place = Size(80_000, 60_000), Place(40_000, 30_000, 2_000, 800)
    view = closer(place, slide)
    assert view is not None
    assert view.reduced < overview(slide).reduced
    assert view.place.x < place.x
    assert view.place.x + view.place.width > place.x + place.width


def test_what_lies_all_over_the_slide_is_not_looked_at_again_smaller() -> None:
    slide = Size(80_000, 60_000)
    assert closer(Place(1_000, 1_000, 70_000, 50_000), slide) is None


def test_a_view_is_drawn_from_the_smallest_level_that_shows_as_much() -> None:
    full = tissue(4000, 3000)
    levels = [Told(full), Told(reduced(full, 2000, 1500)), Told(reduced(full, 500, 375))]
    picture = draw(levels, overview(Size(4000, 3000)))
    assert 0.95 * OVERVIEW_PX < max(picture.shape[:2]) <= OVERVIEW_PX
    assert [bool(level.read) for level in levels] == [False, True, False]
    assert abs(float(picture.mean()) - float(full.mean())) < 1


def test_a_level_that_shows_nearly_as_much_will_do() -> None:
    full = np.full((3000, 4000, 3), 200, np.uint8)
    needed = overview(Size(4000, 3000)).reduced
    near, far = round(4000 / needed / 1.2), round(4000 / needed / 1.4)
    for width, is_read in ((near, True), (far, False)):
        levels = [Told(full), Told(full[: width * 3 // 4, :width])]
        picture = draw(levels, overview(Size(4000, 3000)))
        assert bool(levels[1].read) is is_read
        assert picture.shape == (round(3000 / needed), round(4000 / needed), 3)


def test_what_is_seen_in_a_view_is_told_where_it_lies_on_the_slide() -> None:
    slide = Size(4000, 3000)
    right = borders(slide)[3]
    place = right.on_slide(0, 0, 10, 20, slide)
    assert (place.x, place.y) == (3750, 0)
    assert place.height == pytest.approx(20 * right.reduced, abs=1)
    outside = right.on_slide(-50, 1e4, 1e5, 1e5, slide)
    assert outside.x + outside.width <= 4000
    assert outside.y + outside.height <= 3000
