"""A barcode is read from labels as they are found: of any kind, askew, upside down, small, dark or large."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp

from ingest.cli.demo_slide import PLANTED, draw_demo_slide, draw_label
from ingest.label.barcodes import MAX_BARCODES, barcodes_of, read_barcodes
from ingest.pipeline.answers import Description
from ingest.pipeline.jailed import PREPARED, describe
from ingest.pipeline.source import Source
from ingest.sandbox import prepare
from ingest.scanners.aperio import AperioReader
from ingest.scanners.base import MAX_PICTURE_PIXELS
from ingest.scanners.opening import open_scan
from ingest.scanners.through_openslide import OpenSlideReader
from tests.slides.generic import make_tiff
from tests.slides.svs import label_picture, make_svs
from tests.slides.tissue import Picture

SAYS = "S26-0104732;A3;1"
TEXTS = {
    **dict.fromkeys(("Code128", "Code93", "DataMatrix", "QRCode", "PDF417", "Aztec"), SAYS),
    **{"Code39": "S26-0104732-A3", "ITF": "260104732012", "Codabar": "A26010473201B", "MicroQRCode": "S26-01047"},
}


def printed(kind: str, text: str) -> Picture:
    """Print one barcode on a label, (600, 900, 3) uint8."""
    symbol = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind))
    drawn = np.asarray(symbol.to_image(scale=3))[:400]
    label = np.full((600, 900), 240, np.uint8)
    label[100 : 100 + drawn.shape[0], 60 : 60 + drawn.shape[1]] = drawn
    return np.repeat(label[..., None], 3, axis=2)


def turned(label: Picture, degrees: float) -> Picture:
    """Glue it on askew."""
    matrix = cv2.getRotationMatrix2D((label.shape[1] / 2, label.shape[0] / 2), degrees, 0.8)
    return np.asarray(cv2.warpAffine(label, matrix, label.shape[1::-1], borderValue=(235, 235, 235)), np.uint8)


def resized(label: Picture, factor: float) -> Picture:
    return np.asarray(cv2.resize(label, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


@pytest.mark.parametrize("degrees", [0, 7, -12])
@pytest.mark.parametrize("kind", TEXTS)
def test_barcodes_of_every_kind_are_read_straight_and_askew(kind: str, degrees: float) -> None:
    assert read_barcodes(turned(printed(kind, TEXTS[kind]), degrees)).count(TEXTS[kind]) == 1


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("kind", ["Code39", "DataMatrix", "PDF417"])
def test_a_label_may_lie_on_its_side_or_its_head(kind: str, quarters: int) -> None:
    assert read_barcodes(np.rot90(printed(kind, TEXTS[kind]), quarters)) == (TEXTS[kind],)


@pytest.mark.parametrize("factor", [0.5, 1, 4.2])
def test_a_label_may_be_small_or_large(factor: float) -> None:
    assert read_barcodes(resized(draw_label(), factor)) == (PLANTED["label: barcode"],)


def test_a_label_may_be_grey_and_faint() -> None:
    grey = draw_label()[..., 0]
    assert read_barcodes((grey // 8 + 150).astype(np.uint8)) == (PLANTED["label: barcode"],)


def test_all_barcodes_of_a_label_are_read_each_once() -> None:
    one, other = printed("DataMatrix", "S26-1;A1"), printed("QRCode", "rack 7")
    assert sorted(read_barcodes(np.concatenate([one, other, one], axis=1))) == ["S26-1;A1", "rack 7"]


def test_no_more_is_read_than_is_answered() -> None:
    sheet = [
        np.concatenate([printed("QRCode", f"{row}-{k}")[:200, :200] for k in range(5)], axis=1) for row in range(5)
    ]
    assert len(read_barcodes(np.concatenate(sheet))) == MAX_BARCODES
    endless = np.pad(np.asarray(zxingcpp.create_barcode("x" * 900, zxingcpp.BarcodeFormat.QRCode).to_image(scale=3)), 9)
    assert read_barcodes(endless) == ()


def test_text_and_noise_are_no_barcodes() -> None:
    rng = np.random.default_rng(7)
    assert read_barcodes(label_picture("DOE, JANE", "MRN 00123456", "S25-10432 A3", "H&E |||| 1111")) == ()
    assert read_barcodes(rng.integers(0, 255, (500, 400, 3), dtype=np.uint8)) == ()
    assert read_barcodes(np.full((1, 1), 255, np.uint8)) == ()


@pytest.mark.parametrize("reader", [AperioReader, OpenSlideReader])
@pytest.mark.parametrize("compression", ["lzw", "jpeg"])
def test_the_label_of_a_slide_is_read(tmp_path: Path, reader: type[AperioReader], compression: str) -> None:
    made = make_svs(tmp_path / "slide.svs", barcode=SAYS, label=compression)
    with reader(made.path) as opened:
        assert barcodes_of(opened) == (SAYS,)


def test_a_slide_without_a_readable_label_says_nothing(tmp_path: Path) -> None:
    plain = make_svs(tmp_path / "plain.svs").path
    bare = make_svs(tmp_path / "bare.svs", label=None, macro=False, thumbnail=False).path
    tiff = make_tiff(tmp_path / "plain.tiff", "deflate").path
    for path in (plain, bare, tiff):
        with open_scan(path) as opened:
            assert barcodes_of(opened) == ()


def test_the_macro_is_read_where_there_is_no_picture_of_the_label(tmp_path: Path) -> None:
    path = tmp_path / "demo.svs"
    draw_demo_slide(path, width=1200, height=900)
    _mark_as(path, label=0)
    with open_scan(path) as opened:
        assert [str(image.kind) for image in opened.scan().associated].count("label") == 0
        assert barcodes_of(opened) == (PLANTED["label: barcode"],)


def test_a_label_that_cannot_be_decoded_is_one_that_says_nothing(tmp_path: Path) -> None:
    made = make_svs(tmp_path / "slide.svs", barcode=SAYS, label="jpeg", macro=False)
    data = made.path.read_bytes()
    for piece in made.associated_bytes["label"]:
        data = data.replace(piece, bytes(len(piece)))
    made.path.write_bytes(data)
    with open_scan(made.path) as opened:
        assert barcodes_of(opened) == ()


def test_a_picture_without_end_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_svs(tmp_path / "slide.svs", barcode=SAYS)
    pixels = made.associated["label"].shape[0] * made.associated["label"].shape[1]
    assert pixels < MAX_PICTURE_PIXELS
    for module in ("_tiff", "through_openslide"):
        monkeypatch.setattr(f"ingest.scanners.{module}.MAX_PICTURE_PIXELS", pixels - 1)
    for reader in (AperioReader, OpenSlideReader):
        with reader(made.path) as opened:
            assert barcodes_of(opened) == ()


def test_the_jail_answers_what_the_label_of_the_demo_slide_says(tmp_path: Path) -> None:
    prepare(*PREPARED)
    path = tmp_path / "demo.svs"
    draw_demo_slide(path, width=1200, height=900)
    with Source.receive(path).jail() as jail:
        found = Description.from_json(jail.call(describe, str(path)))
    assert found.barcodes == (PLANTED["label: barcode"],)
    assert PLANTED["label: barcode"] not in repr(replace(found, properties={}))


def _mark_as(path: Path, label: int) -> None:
    """Give the directory that is marked as the label (subfile type 1) another mark."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        (place,) = [page.tags[254].valueoffset for page in file.pages if page.tags.valueof(254) == 1]
    with path.open("r+b") as file:
        file.seek(place)
        file.write(label.to_bytes(4, "little"))
