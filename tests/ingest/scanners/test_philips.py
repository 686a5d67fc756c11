"""A Philips file tells in XML what its directories do not: the levels' true sizes, and what else there is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.deidentify import deidentify
from ingest.errors import Reason, SlideRefused
from ingest.scanners import AssociatedKind, Scan
from ingest.scanners.opening import open_scan
from ingest.scanners.philips import PhilipsReader
from ingest.scanners.plain_tiff import PlainTiffReader
from tests.slides.philips import make_philips
from tests.slides.planted import Plant


def scan_of(path: Path, **options: Any) -> Scan:
    with PhilipsReader(make_philips(path, **options).path) as reader:
        return reader.scan()


def test_what_fills_levels_up_to_whole_tiles_is_cut_off(tmp_path: Path) -> None:
    scan = scan_of(tmp_path / "a.tiff")
    assert [(level.size.width, level.size.height) for level in scan.levels] == [
        (1152, 896), (576, 448), (288, 224), (144, 112),
    ]  # fmt: skip


def test_tiles_that_lie_in_the_padding_alone_are_no_tiles(tmp_path: Path) -> None:
    """Told to be eight times smaller, a level of 5 x 4 tiles has 2 x 1 that show anything."""
    spacing = {1: '"0.0018184" "0.0018152"', 2: '"0.0036368" "0.0036304"'}
    path = make_philips(tmp_path / "a.tiff", factors=(1, 2, 4), spacing=spacing).path
    with PhilipsReader(path) as reader:
        level = reader.scan().levels[1]
        assert (level.size.width, level.size.height) == (144, 112)
        assert [(tile.column, tile.row) for tile in level.encoded_tiles()] == [(0, 0), (1, 0)]
        (_, _, first), (_, _, second) = level.decoded_tiles()
        assert np.array_equal(level.decoded_tile(0, 0), first)
        assert np.array_equal(level.decoded_tile(1, 0), second)


def test_glass_that_was_not_scanned_is_told(tmp_path: Path) -> None:
    path = make_philips(tmp_path / "a.tiff", sparse=frozenset({(1, 4, 2)})).path
    with PhilipsReader(path) as reader:
        level = reader.scan().levels[1]
        assert level.leaves_out(4, 2)
        assert not level.leaves_out(2, 3)
        assert level.gaps_are_glass
        assert level.decoded_tile(4, 2) is None
        assert (4, 2) not in {(tile.column, tile.row) for tile in level.encoded_tiles()}


@pytest.mark.parametrize(
    ("where", "found_by"),
    [("directories", "directory in strips"), ("xml", "picture in the XML"), ("both", "directory in strips")],
)
def test_label_and_macro_are_found_wherever_they_are_and_each_once(tmp_path: Path, where: Any, found_by: str) -> None:
    made = make_philips(tmp_path / "a.tiff", where=where)
    with PhilipsReader(made.path) as reader:
        found = reader.scan().associated
        assert [(str(image.kind), image.found_by) for image in found] == [("label", found_by), ("macro", found_by)]
        for kind in (AssociatedKind.LABEL, AssociatedKind.MACRO):
            (pixels,) = reader.pictures(kind)
            assert np.array_equal(pixels, made.associated[kind.value])


def test_measures_are_kept_and_no_word(tmp_path: Path) -> None:
    plant = Plant()
    scan = scan_of(tmp_path / "a.tiff", plant=plant)
    clean = deidentify(scan.maker, scan.properties)
    assert clean.mpp is not None
    assert (clean.mpp.x, clean.mpp.y, clean.objective_power) == (0.2269, 0.2273, 40)
    assert (clean.scanner_maker, clean.scanner_model) == ("Philips", None)
    assert plant.survivors(repr(clean).encode()) == []


def test_a_barcode_in_base64_is_told_to_the_auditor_in_plain(tmp_path: Path) -> None:
    plant = Plant()
    scan = scan_of(tmp_path / "a.tiff", plant=plant)
    assert scan.properties["philips.barcode"] == plant.tokens["PIM_DP_UFS_BARCODE in Base64"]


@pytest.mark.parametrize(
    ("derivation", "power"),
    [
        ("tiff-levels=20,10000-q80", 20),
        ("tiff-levels=10003,10002-q80", None),
        ("tiff-q80", None),
        ('tiff-sourceFilename="levels=40-"', None),
        ("levels=²", None),
        ("levels=", None),
        ("", None),
    ],
)
def test_the_objective_is_told_where_the_first_level_is_a_power(tmp_path: Path, derivation: str, power: Any) -> None:
    scan = scan_of(tmp_path / "a.tiff", factors=(1,), derivation=derivation)
    assert deidentify(scan.maker, scan.properties).objective_power == power


@pytest.mark.parametrize(
    "options",
    [
        {"spacing": {2: "none"}},
        {"spacing": {2: '"0.001"'}},
        {"spacing": {2: '"nan" "nan"'}},
        {"spacing": {0: '"0" "0"'}},
        {"spacing": {2: '"0.9" "0.9"'}},
        {"spacing": {1: '"0.0001" "0.0001"'}},
        {"slides": 2},
        {"reduced": False},
    ],
    ids=str,
)
def test_xml_that_contradicts_the_directories_is_damage(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(SlideRefused) as refused:
        scan_of(tmp_path / "a.tiff", **options)
    assert refused.value.reason is Reason.DAMAGED_STRUCTURE


def test_xml_without_a_slide_is_no_slide(tmp_path: Path) -> None:
    with pytest.raises(SlideRefused) as refused:
        scan_of(tmp_path / "a.tiff", slides=0)
    assert refused.value.reason is Reason.NOT_A_WHOLE_SLIDE


def test_xml_of_another_kind_is_not_philips(tmp_path: Path) -> None:
    path = make_philips(tmp_path / "a.tiff", object_type="DPSomethingElse").path
    assert PhilipsReader.recognise(path) is not None
    with open_scan(path) as reader:
        assert isinstance(reader, PlainTiffReader)
