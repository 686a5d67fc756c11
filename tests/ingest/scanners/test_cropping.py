"""A picture that is cut keeps its pixels, and nothing but its pixels."""

import numpy as np
import pytest

from archive.holdings.pixels import NotPlainJpeg
from ingest.scanners import cropping
from ingest.scanners.cropping import can_cut, cut
from tests.slides import jpegs
from tests.slides.tissue import grey, tissue

pytestmark = pytest.mark.usefixtures("cutting")


@pytest.mark.parametrize("colours", ["ycbcr", "grey"])
@pytest.mark.parametrize("parts", [1, 2, 4])
def test_the_parts_are_the_whole(colours: jpegs.Colours, parts: int) -> None:
    picture = tissue(512, 64)
    whole = jpegs.encode(grey(picture) if colours == "grey" else picture, colours=colours, sampling="444")
    found = cut(whole, width=512, height=64, parts=parts)
    assert len(found) == parts
    assert np.array_equal(
        np.concatenate([jpegs.decode(one, colours) for one in found], 1), jpegs.decode(whole, colours)
    )


def test_words_are_left_behind() -> None:
    whole = jpegs.encode(tissue(256, 64), sampling="444")
    named = jpegs.insert(whole, jpegs.segment(jpegs.COM, b"Thistlewaite"), jpegs.segment(jpegs.APP1, b"Thistlewaite"))
    assert not any(b"Thistle" in part for part in cut(named, width=256, height=64, parts=2))


@pytest.mark.parametrize("stream", [b"", b"no picture", jpegs.encode(tissue(64, 64), sampling="444")[:200]])
def test_what_cannot_be_read_is_not_cut(stream: bytes) -> None:
    with pytest.raises(NotPlainJpeg):
        cut(stream, width=64, height=64, parts=2)


def test_without_the_library_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cropping, "_TURBO", None)
    assert not can_cut()
    with pytest.raises(NotPlainJpeg, match="machine"):
        cut(jpegs.encode(tissue(64, 64), sampling="444"), width=64, height=64, parts=2)


def test_a_machine_without_the_library_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise RuntimeError("Unable to locate turbojpeg library automatically")

    monkeypatch.setattr(cropping, "TurboJPEG", missing)
    assert cropping._find() is None
