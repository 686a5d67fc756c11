"""After something was made black, neither a browser's memory nor the server's shows what was there."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from archive.consent import MightIdentify
from archive.geometry import Rectangle
from archive.holdings.pixels import Coding
from archive.holdings.redacting import redact
from tests.archive.server.conftest import Opened
from tests.archive.server.taught import TaughtArchive

PLACE = Rectangle(140, 140, 300, 200)
SEEN = ("tiles/0/1_1.jpg", "tiles/1/0_0.jpg", "thumbnail.jpg")


def black_share(content: bytes) -> float:
    """How much of a picture is black."""
    return float((np.asarray(Image.open(io.BytesIO(content)).convert("L")) < 12).mean())


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

    (scan,) = taught.archive.slide(code).scans
    redact(taught.archive, scan.code, [PLACE], reason="a label lies on the glass")
    taught.archive.set_grade(
        scan.record.key, MightIdentify.screened("structure-1"), rescreen=False, reason="screened again"
    )

    time.sleep(0.06)
    for what, answer in before.items():
        after = client.get(f"{address}/{what}", {"if-none-match": answer.headers["etag"]})
        assert after.status_code == 200, "the browser was told that nothing changed"
        assert after.headers["etag"] != answer.headers["etag"]
        assert black_share(after.content) > 0.1
