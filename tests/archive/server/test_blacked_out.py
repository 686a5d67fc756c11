"""After something was made black, neither a browser's memory nor the server's shows what was there."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from archive.codes import Code
from archive.consent import MightIdentify
from archive.geometry import Rectangle
from archive.holdings import Archive
from archive.holdings.pixels import Coding
from archive.holdings.redacting import redact
from archive.server.access import Access
from archive.server.cache import TileCache
from archive.server.pictures import Pictures
from archive.server.tiles import TileRoute
from archive.settings import ArchiveSettings
from tests.archive.server.conftest import Opened
from tests.archive.server.taught import TaughtArchive
from tests.slides.colour_charts import scanner

PLACE = Rectangle(140, 140, 300, 200)
SEEN = ("tiles/0/1_1.jpg", "tiles/1/0_0.jpg", "thumbnail.jpg")
MADE = ("/tiles/1/0_0.jpg", "/thumbnail.jpg", "_files/8/0_0.jpeg")
"""Pictures that are not stored as they are sent."""


def black_share(content: bytes) -> float:
    """How much of a picture is black; a scanner's black is not quite that of sRGB."""
    return float((np.asarray(Image.open(io.BytesIO(content)).convert("L")) < 30).mean())


def make_black(taught: TaughtArchive, slide: Code) -> None:
    """Make the place black, and let the slide be shown again."""
    (scan,) = taught.archive.slide(slide).scans
    redact(taught.archive, scan.code, [PLACE], reason="a label lies on the glass")
    taught.archive.set_grade(
        scan.record.key, MightIdentify.screened("structure-1"), rescreen=False, reason="screened again"
    )


@pytest.mark.parametrize("coding", [Coding.JPEG, Coding.LOSSLESS])
def test_no_picture_that_was_kept_is_shown_again(taught: TaughtArchive, opened: Opened, coding: Coding) -> None:
    code = taught.add(coding=coding)
    (place,) = taught.teach("One", code).places
    client = opened(taught, decision_cache_seconds=0.05)
    address = f"/slides/{place.handle}"
    before = {what: client.get(f"{address}/{what}") for what in SEEN}
    assert {answer.status_code for answer in before.values()} == {200}
    assert max(black_share(answer.content) for answer in before.values()) < 0.05
    assert client.get(f"{address}/{SEEN[0]}", {"if-none-match": before[SEEN[0]].headers["etag"]}).status_code == 304

    make_black(taught, code)

    time.sleep(0.06)
    for what, answer in before.items():
        after = client.get(f"{address}/{what}", {"if-none-match": answer.headers["etag"]})
        assert after.status_code == 200, "the browser was told that nothing changed"
        assert after.headers["etag"] != answer.headers["etag"]
        assert black_share(after.content) > 0.1


def test_what_somebody_saw_in_the_last_moment_is_shown_to_nobody_else(taught: TaughtArchive) -> None:
    """Two sessions share what was made, as at the desk, and each finds out for itself that something is black now."""
    code = taught.add(profile=scanner())
    (place,) = taught.teach("One", code).places
    made = [f"/slides/{place.handle}{between}{end}" for between in ("", "/srgb") for end in MADE]
    with Archive.open(taught.root, read_only=True) as archive:
        now, pictures = [0.0], Pictures(TileCache(2**22))
        settings = ArchiveSettings(archive=taught.root, decision_cache_seconds=0.5)

        def clock() -> float:
            now[0] += 0.001
            return now[0]

        sessions = [Access(archive, settings, clock) for _ in range(2)]
        one, other = (TileRoute(session, pictures) for session in sessions)

        def get(route: TileRoute, at: float, address: str) -> float:
            """Ask at a moment, and say how much of the picture is black."""
            now[0] = max(now[0], at)
            answer = route.answer("GET", address, None)
            assert answer is not None
            return black_share(answer[2])

        assert max(get(route, at, address) for route, at in ((one, 0.1), (other, 0.5)) for address in made) < 0.05
        make_black(taught, code)
        get(one, 0.7, f"/slides/{place.handle}/tiles/0/0_0.jpg")  # forgets what was made
        assert max(get(other, 0.8, address) for address in made) < 0.05, "it is sure until 1.0, and the last to see it"
        for route, at in ((one, 0.9), (one, 60), (other, 60)):
            assert min(get(route, at, address) for address in made) > 0.1
        for session in sessions:
            session.forget()
