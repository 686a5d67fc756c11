"""What is made black on slides while two workers show them to many is seen by nobody a second later.

One slide stays shut for a while after that, as it does until somebody looked at its pixels again; the other one is
opened in the same breath, so that a worker may never find it shut. Whatever was asked for later than a second after
the order was recorded is refused, or black where it is to be; and nobody who has an old picture is told that it holds.
"""

import io
import time
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from archive.geometry import Rectangle
from archive.holdings import Archive
from tests.journeys.browsing import Asked, Browsing, Taught, files_with, moment_of, teach, telling
from tests.journeys.laboratory import Laboratory
from tests.slides.planted import Plant

SHUT, OPENED, LEFT = CASES = ("S26-0001", "S26-0002", "S26-0003")
BLACK = Rectangle(128, 112, 240, 224)
"""It touches every tile of every level."""

STORED = ("/slides/{handle}/tiles/0/0_0.jpg", "/slides/{handle}/tiles/2/0_0.jpg")
"""They are sent as they are stored, and every other picture is made."""

DOWNSAMPLES = {
    "/tiles/0/0_0.jpg": 1,
    "/tiles/1/0_0.jpg": 2,
    "/tiles/2/0_0.jpg": 4,
    "_files/8/0_0.jpeg": 2,
    "/thumbnail.jpg": 500 / 320,
}
"""All of them begin in the slide's top left corner."""

PICTURES = {f"/slides/{{handle}}{between}{end}": by for between in ("", "/srgb") for end, by in DOWNSAMPLES.items()}
PAUSE_SECONDS = 0.02
DARK, EDGE_PX = 40, 4
"""What is black may be brighter than this only so near to what is left, where JPEG carries light into it."""


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Taught:
    """Set up two slides of which something is made black, and one that is left; their scanner gave a colour profile."""
    return teach(tmp_path_factory.mktemp("blackened"), CASES, factors=(1, 4), plant=Plant())


def make_black(laboratory: Laboratory, scan: str) -> float:
    """Make a part of a scan black in a process of its own; gives the moment from which the order could be seen."""
    words = ("redact", scan, "--rectangle", ",".join(map(str, BLACK.sides)), "--reason", "a label lies on the glass")
    return moment_of(laboratory.archive, Archive.newest_redaction, lambda: laboratory.run(*words))


def scan_of(taught: Taught, case: str) -> str:
    with Archive.open(taught.laboratory.archive, read_only=True) as archive:
        (scan,) = archive.slide(taught.codes[case]).scans
        return str(scan.code)


def brightest(one: Asked) -> int:
    """Look at what a picture shows of the place: the brightest value."""
    by = PICTURES[one.address]
    left, top, right, bottom = (round(side / by) for side in (BLACK.x, BLACK.y, BLACK.right, BLACK.bottom))
    pixels = np.asarray(Image.open(io.BytesIO(one.body)).convert("RGB"))
    place = pixels[top + EDGE_PX : bottom - EDGE_PX, left + EDGE_PX : right - EDGE_PX]
    return int(place.max())


def test_it_is_black_or_not_shown_within_a_second_on_two_workers_under_load(
    taught: Taught, record_property: Callable[[str, object], None]
) -> None:
    laboratory = taught.laboratory
    scans = {case: scan_of(taught, case) for case in CASES}
    ordered: dict[str, float] = {}
    with laboratory.serving(2, "--colours", "srgb") as base:
        handles = taught.handles(base)
        load = Browsing(base, taught.collection, list(handles.values()), list(PICTURES), pause_seconds=PAUSE_SECONDS)
        with load.running():
            load.wait_for_rounds(0)
            ordered[SHUT] = make_black(laboratory, scans[SHUT])
            load.wait_for_rounds(ordered[SHUT] + 1)
            looked_at = time.monotonic()
            laboratory.grade_as_clean()
            ordered[OPENED] = make_black(laboratory, scans[OPENED])
            laboratory.grade_as_clean()
            load.wait_for_rounds(ordered[OPENED] + 1)

    left = load.of(handles[LEFT])
    for case in (SHUT, OPENED):
        before, later = (load.of(handles[case], before=ordered[case]), load.of(handles[case], after=ordered[case] + 1))
        assert {one.status for one in later} <= {200, 404}, "told that an old picture holds"
        assert_all_were_asked_for(before, 200, 304)
        assert_all_were_asked_for(later, 200, 200)
        old = {one.body: one for one in before if one.status == 200}
        assert min(brightest(one) for one in old.values()) > 150
        new = {one.body: one for one in later if one.status == 200}
        assert max(brightest(one) for one in new.values()) < DARK
        assert not {one.tag for one in old.values()} & {one.tag for one in new.values()}

        stored = sorted(body for body, one in old.items() if one.address in STORED)
        needles = telling(stored, b"".join({one.body for one in left}))
        assert len(needles) > 100
        assert [run for run in needles if run in b"".join(new)] == []
        assert files_with(laboratory.archive, needles) == []
        showing = {*old, b""}
        times = (one.answered for one in load.of(handles[case]) if one.status in (200, 304) and one.body in showing)
        record_property(f"{case} shown for seconds after the order", max(times) - ordered[case])
    assert {one.status for one in load.of(handles[SHUT], after=ordered[SHUT] + 1, before=looked_at)} == {404}
    assert {one.status for one in left} == {200, 304}
    assert len({one.body for one in left if one.body}) == len({one.tag for one in left}) == len(PICTURES)
    record_property("requests", len(load.asked))


def assert_all_were_asked_for(asked: list[Asked], plainly: int, knowing: int) -> None:
    """See that every picture was given to those who ask plainly, and answered to those who have the first one."""
    for know, status in ((False, plainly), (True, knowing)):
        given = {one.address for one in asked if (one.known_tag is not None) == know and one.status == status}
        assert given == set(PICTURES)
