"""A person who must judge a slide sees its label, its macro and its tissue, and nothing is written."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from archive.holdings.pixels import encode_jpeg
from ingest.errors import JailUnavailable, Reason, SlideRefused
from ingest.pipeline.pictures import pictures_from_json, pictures_of
from ingest.pipeline.picturing import SIDE_PX
from tests.slides.generic import make_tiff
from tests.slides.svs import make_svs

GREY = np.full((16, 16), 128, np.uint8)
COLOUR = np.full((16, 16, 3), (200, 100, 150), np.uint8)


def encoded(stream: bytes) -> str:
    return base64.b64encode(stream).decode()


def opened(stream: bytes) -> Any:
    picture = Image.open(io.BytesIO(stream))
    picture.load()
    return picture


def test_a_scanners_own_pictures_are_shown_by_their_kind(tmp_path: Path) -> None:
    made = make_svs(tmp_path / "a.svs")
    pictures = pictures_of(made.path)
    assert set(pictures) == {"label", "macro", "thumbnail"}
    assert all(opened(stream).format == "JPEG" for stream in pictures.values())
    assert all(max(opened(stream).size) <= SIDE_PX for stream in pictures.values())
    assert [file.name for file in tmp_path.iterdir()] == ["a.svs"]


def test_a_file_without_a_thumbnail_shows_its_tissue(tmp_path: Path) -> None:
    made = make_tiff(tmp_path / "a.tiff")
    picture = np.asarray(opened(pictures_of(made.path)["thumbnail"]), np.int16)
    level = made.levels[-1]
    width, height = level.size
    assert picture.shape[:2] == (height, width)
    assert np.abs(picture - level.pixels.astype(np.int16)).mean() < 3


def test_a_file_that_cannot_be_read_has_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "a.svs").write_text("no slide")
    with pytest.raises(SlideRefused) as refused:
        pictures_of(tmp_path / "a.svs")
    assert refused.value.reason is Reason.NOT_A_SLIDE


def test_a_slide_without_a_label_shows_none(tmp_path: Path) -> None:
    assert "label" not in pictures_of(make_svs(tmp_path / "a.svs", label=None).path)


def test_what_comes_out_of_the_jail_is_written_anew_without_its_words() -> None:
    stream = encode_jpeg(COLOUR, quality=90)
    comment = b"\xff\xfe\x00\x11DOE^JANE-196102"
    (picture,) = pictures_from_json({"label": encoded(stream[:2] + comment + stream[2:] + b"<script>")}).values()
    assert b"DOE" not in picture
    assert b"script" not in picture
    assert np.array_equal(np.asarray(opened(picture)), np.asarray(opened(stream)))


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {"label": None},
        {"label": "not base64!"},
        {"label": encoded(b"<html>")},
        {"label": encoded(encode_jpeg(GREY, quality=90))},
        {"label": encoded(encode_jpeg(COLOUR, quality=90)[:-2])},
        {"passport": encoded(encode_jpeg(COLOUR, quality=90))},
    ],
)
def test_an_answer_that_is_no_picture_is_refused(answer: Any) -> None:
    with pytest.raises(SlideRefused) as refused:
        pictures_from_json(answer)
    assert refused.value.reason is Reason.READER_CRASHED


def test_a_reader_that_could_reach_the_vault_is_not_started(tmp_path: Path) -> None:
    made = make_svs(tmp_path / "a.svs")
    with pytest.raises(JailUnavailable):
        pictures_of(made.path, keep_out=(tmp_path,))
