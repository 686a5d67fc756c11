"""A QPTIFF file says in XML what each of its directories is; only what also looks like a level is one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.deidentify import deidentify
from ingest.errors import Reason, SlideRefused
from ingest.scanners import AssociatedKind, Scan
from ingest.scanners.akoya import ROOT, AkoyaReader
from ingest.scanners.base import SourceChannel
from ingest.scanners.opening import open_scan
from tests.slides.generic import make_tiff
from tests.slides.planted import Plant
from tests.slides.qptiff import make_qptiff


def scan_of(path: Path, **options: Any) -> Scan:
    with AkoyaReader(make_qptiff(path, **options).path) as reader:
        return reader.scan()


def refusal(path: Path, **options: Any) -> Reason:
    with pytest.raises(SlideRefused) as refused:
        scan_of(path, **options)
    return refused.value.reason


def test_levels_lie_in_tiles_or_in_strips(tmp_path: Path) -> None:
    scan = scan_of(tmp_path / "a.qptiff")
    assert [(level.size.width, level.is_jpeg) for level in scan.levels] == [(1100, True), (550, False), (275, False)]


def test_thumbnail_overview_and_label_are_told_apart_and_none_is_a_level(tmp_path: Path) -> None:
    made = make_qptiff(tmp_path / "a.qptiff")
    with AkoyaReader(made.path) as reader:
        scan = reader.scan()
        assert [str(image.kind) for image in scan.associated] == ["thumbnail", "macro", "label"]
        for kind in (AssociatedKind.THUMBNAIL, AssociatedKind.MACRO, AssociatedKind.LABEL):
            (pixels,) = reader.pictures(kind)
            assert np.array_equal(pixels, made.associated[kind.value])


@pytest.mark.parametrize("number", [4, 5], ids=["overview", "label"])
def test_a_picture_of_the_glass_that_says_it_is_a_level_is_none(tmp_path: Path, number: int) -> None:
    scan = scan_of(tmp_path / "a.qptiff", types=((number, "ReducedResolution"),))
    assert [level.size.width for level in scan.levels] == [1100, 550, 275]
    assert AssociatedKind.UNKNOWN in {image.kind for image in scan.associated}


@pytest.mark.parametrize("said", ["", "Something"])
def test_a_directory_that_does_not_say_that_it_is_a_level_is_none(tmp_path: Path, said: str) -> None:
    scan = scan_of(tmp_path / "a.qptiff", types=((3, said),))
    assert [level.size.width for level in scan.levels] == [1100, 550]
    assert AssociatedKind.UNKNOWN in {image.kind for image in scan.associated}


@pytest.mark.parametrize(
    ("types", "reason"),
    [
        (((0, "Label"),), Reason.NOT_A_WHOLE_SLIDE),
        (((0, "Overview"),), Reason.NOT_A_WHOLE_SLIDE),
        (((0, "ReducedResolution"),), Reason.DAMAGED_STRUCTURE),
        (((2, "FullResolution"),), Reason.UNSUPPORTED_PIXELS),
        (((1, "FullResolution"),), Reason.UNSUPPORTED_PIXELS),
    ],
    ids=["a label alone", "an overview alone", "no full resolution", "two slides", "a thumbnail as a slide"],
)
def test_what_is_no_slide_is_refused(tmp_path: Path, types: Any, reason: Reason) -> None:
    assert refusal(tmp_path / "a.qptiff", types=types) is reason


def test_xml_that_breaks_off_is_damage(tmp_path: Path) -> None:
    path = make_qptiff(tmp_path / "a.qptiff").path
    path.write_bytes(path.read_bytes().replace(f"</{ROOT}>".encode(), f"<!{ROOT}>".encode()))
    with AkoyaReader(path) as reader, pytest.raises(SlideRefused) as refused:
        reader.scan()
    assert refused.value.reason is Reason.DAMAGED_STRUCTURE


CHANNELS = (("DAPI", "0,0,255"), ("Opal 520", "0, 255, 0"), ("Jane Doe", "255,999,0"), ("Sample AF", "none"))


@pytest.mark.parametrize("pixel_type", [np.uint8, np.uint16])
def test_each_channel_of_fluorescence_is_told_value_for_value(tmp_path: Path, pixel_type: Any) -> None:
    made = make_qptiff(tmp_path / "a.qptiff", channels=CHANNELS, pixel_type=pixel_type)
    with AkoyaReader(made.path) as reader:
        scan = reader.scan()
        assert scan.channels == (
            SourceChannel("DAPI", "0000FF"),
            SourceChannel("Opal 520", "00FF00"),
            SourceChannel("Jane Doe", None),
            SourceChannel("Sample AF", None),
        )
        assert [str(image.kind) for image in scan.associated] == ["thumbnail", "macro", "label"]
        assert [(level.size.width, level.size.height) for level in scan.levels] == [known.size for known in made.levels]
        for level, known in zip(scan.levels, made.levels, strict=True):
            for column, row, pixels in level.decoded_tiles():
                x, y = column * level.tile.width, row * level.tile.height
                expected = known.pixels[y : y + level.tile.height, x : x + level.tile.width]
                assert np.array_equal(pixels[: expected.shape[0], : expected.shape[1]], expected)


def test_a_smaller_level_that_lacks_a_channel_is_left_behind(tmp_path: Path) -> None:
    scan = scan_of(tmp_path / "a.qptiff", channels=CHANNELS, types=((6, "Something"),))
    assert [level.size.width for level in scan.levels] == [1100, 275]
    assert [image.kind for image in scan.associated].count(AssociatedKind.UNKNOWN) == 4


def test_measures_are_kept_and_no_word(tmp_path: Path) -> None:
    plant = Plant()
    scan = scan_of(tmp_path / "a.qptiff", plant=plant)
    clean = deidentify(scan.maker, scan.properties)
    assert clean.mpp is not None
    assert (clean.mpp.x, clean.mpp.y, clean.objective_power) == (0.5, 0.5, 20)
    assert (clean.scanner_maker, clean.scanner_model) == ("Akoya Biosciences", None)
    assert plant.survivors(repr(clean).encode()) == []


def test_each_text_of_the_xml_is_told_to_the_auditor(tmp_path: Path) -> None:
    plant = Plant()
    told = " ".join(scan_of(tmp_path / "a.qptiff", plant=plant).properties.values())
    assert {place for place, token in plant.tokens.items() if token not in told} == {"bytes after the last structure"}


@pytest.mark.parametrize("objective", ["twenty", "20x Smith", "", "20000x"])
def test_an_objective_that_is_no_number_is_left_behind(tmp_path: Path, objective: str) -> None:
    scan = scan_of(tmp_path / "a.qptiff", factors=(1,), objective=objective)
    assert deidentify(scan.maker, scan.properties).objective_power is None


def test_other_tiffs_are_not_akoyas(tmp_path: Path) -> None:
    assert AkoyaReader.recognise(make_tiff(tmp_path / "a.tif").path) is not None


def test_a_qptiff_is_opened_by_its_own_module(tmp_path: Path) -> None:
    with open_scan(make_qptiff(tmp_path / "a.qptiff").path) as reader:
        assert isinstance(reader, AkoyaReader)
