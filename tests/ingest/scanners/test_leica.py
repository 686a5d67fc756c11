"""An SCN file's XML tells which pictures are tissue; whatever may show the label is none."""

from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pytest

from archive.geometry import Size
from ingest.deidentify import deidentify
from ingest.errors import Reason, SlideRefused
from ingest.scanners import AssociatedKind, Scan, SourceLevel
from ingest.scanners.base import MAX_REGIONS
from ingest.scanners.leica import LeicaReader
from ingest.scanners.opening import open_scan
from ingest.scanners.plain_tiff import PlainTiffReader
from tests.slides.made import mend
from tests.slides.planted import Plant
from tests.slides.scn import Tissue, make_scn
from tests.slides.tissue import Picture

TWO_ALIKE = (Tissue(), Tissue(top=40_000_000))
TWO_MAGNIFICATIONS = (Tissue(), Tissue(top=40_000_000, objective="40", nm=250))


def scan_of(path: Path, **options: Any) -> Scan:
    with LeicaReader(make_scn(path, **options).path) as reader:
        return reader.scan()


def whole(level: SourceLevel) -> Picture:
    tiles = {(column, row): pixels for column, row, pixels in level.decoded_tiles()}
    return mend(level.size.width, level.size.height, (level.tile.width, level.tile.height), tiles)


def reason_of(path: Path, **options: Any) -> Reason:
    with pytest.raises(SlideRefused) as refused:
        scan_of(path, **options)
    return refused.value.reason


def test_one_region_is_one_scan_without_the_glass_around_it(tmp_path: Path) -> None:
    scan = scan_of(tmp_path / "a.scn")
    assert [level.size for level in scan.levels] == [Size(1100, 900), Size(275, 225)]
    assert [(level.canvas, level.offset) for level in scan.levels] == [
        (Size(52_000, 152_000), (8000, 40_000)),
        (Size(13_000, 38_000), (2000, 10_000)),
    ]


@pytest.mark.parametrize(
    "view",
    [
        (0, 0, 26_000_000, 76_000_000),
        (1, 0, 26_000_000, 76_000_000),
        (0, 0, 25_999_999, 75_999_999),
        (500_000, 500_000, 24_000_000, 70_000_000),
        (0, 0, 26_000_000, 30_000_000),
    ],
    ids=["the whole glass", "a nanometre aside", "a nanometre smaller", "most of the glass", "a piece, coarsely"],
)
def test_what_may_show_the_label_is_the_macro_however_its_place_is_written(tmp_path: Path, view: Any) -> None:
    made = make_scn(tmp_path / "a.scn", macro=view)
    with LeicaReader(made.path) as reader:
        scan = reader.scan()
        assert [level.size for level in scan.levels] == [Size(1100, 900), Size(275, 225)]
        assert [image.kind for image in scan.associated] == [AssociatedKind.MACRO]
        (pixels,) = reader.pictures(AssociatedKind.MACRO)
        assert np.array_equal(pixels, made.associated["macro"])


def test_other_focal_planes_and_fluorescence_are_left_behind(tmp_path: Path) -> None:
    regions = (Tissue(planes=2), Tissue(top=40_000_000, light="fluorescence", factors=(1,)))
    scan = scan_of(tmp_path / "a.scn", regions=regions)
    assert len(scan.levels) == 2
    assert [str(image.kind) for image in scan.associated] == ["macro", "unknown", "unknown", "unknown"]


def test_regions_of_one_magnification_are_scans_at_their_places_on_openslides_canvas(tmp_path: Path) -> None:
    path = make_scn(tmp_path / "a.scn", regions=TWO_ALIKE).path
    with open_scan(path) as reader, openslide.OpenSlide(path) as slide:
        assert isinstance(reader, LeicaReader)
        scans = reader.scans()
        assert [scan.levels[0].offset for scan in scans] == [(8000, 40_000), (8000, 80_000)]
        for scan in scans:
            for number, level in enumerate(scan.levels):
                assert level.canvas == Size(*slide.level_dimensions[number])
                left, top = (side * 4**number for side in level.offset)
                shown = np.asarray(slide.read_region((left, top), number, (level.size.width, level.size.height)))
                assert np.array_equal(shown[..., :3], whole(level))


@pytest.mark.parametrize(
    "options",
    [
        {"regions": TWO_MAGNIFICATIONS},
        {"regions": (Tissue(), Tissue(top=40_000_000, factors=(1,)))},
        {"regions": TWO_ALIKE, "macro": (0, 0, 25_999_999, 76_000_000)},
    ],
    ids=["magnifications", "numbers of levels", "a macro that OpenSlide would take for a region"],
)
def test_regions_that_openslide_does_not_show_are_scans_as_well(tmp_path: Path, options: dict[str, Any]) -> None:
    path = make_scn(tmp_path / "a.scn", **options).path
    with pytest.raises(openslide.OpenSlideError):
        openslide.OpenSlide(path)
    with open_scan(path) as reader:
        first, second = reader.scans()
        assert (len(first.levels), len(second.levels)) == tuple(len(one.factors) for one in options["regions"])
        assert all(level.is_jpeg for scan in (first, second) for level in scan.levels)
        assert not np.array_equal(whole(first.levels[0]), whole(second.levels[0]))


def test_each_region_tells_its_own_measures(tmp_path: Path) -> None:
    with LeicaReader(make_scn(tmp_path / "a.scn", regions=TWO_MAGNIFICATIONS).path) as reader:
        clean = [deidentify(scan.maker, scan.properties) for scan in reader.scans()]
    assert [(one.mpp.x, one.objective_power) for one in clean if one.mpp] == [(0.5, 20), (0.25, 40)]


def test_regions_of_fluorescence_between_others_do_not_count(tmp_path: Path) -> None:
    regions = (Tissue(light="fluorescence", factors=(1,)), *TWO_ALIKE)
    with LeicaReader(make_scn(tmp_path / "a.scn", regions=regions).path) as reader:
        assert [scan.levels[0].offset for scan in reader.scans()] == [(8000, 40_000), (8000, 80_000)]


def test_where_regions_overlap_openslide_is_not_asked(tmp_path: Path) -> None:
    overlapping = (Tissue(), Tissue(left=4_300_000, top=20_200_000))  # 600 and 400 px further
    with LeicaReader(make_scn(tmp_path / "a.scn", regions=overlapping).path) as reader:
        first, second = (scan.levels[0] for scan in reader.scans())
    assert first.is_alone_at(0, 0, 599, 900)
    assert first.is_alone_at(0, 0, 1100, 399)
    assert not first.is_alone_at(0, 0, 601, 401)
    assert not second.is_alone_at(499, 499, 1, 1)
    assert second.is_alone_at(502, 0, 1, 1)


def test_a_directory_is_of_one_region(tmp_path: Path) -> None:
    twice = {("dimension", "ifd"): "1"}
    regions = (Tissue(factors=(1,)), Tissue(factors=(1,)))
    assert reason_of(tmp_path / "a.scn", regions=regions, attributes=twice) is Reason.DAMAGED_STRUCTURE


def test_a_file_of_regions_without_end_is_refused(tmp_path: Path) -> None:
    many = (Tissue(width=16, height=16, factors=(1,)),) * (MAX_REGIONS + 1)
    assert reason_of(tmp_path / "a.scn", regions=many, tile=16) is Reason.TOO_MANY_REGIONS


def test_measures_and_model_are_kept_and_no_word(tmp_path: Path) -> None:
    plant = Plant()
    scan = scan_of(tmp_path / "a.scn", plant=plant)
    clean = deidentify(scan.maker, scan.properties)
    assert clean.mpp is not None
    assert (clean.mpp.x, clean.mpp.y, clean.objective_power) == (0.5, 0.5, 20)
    assert (clean.scanner_maker, clean.scanner_model) == ("Leica", "SCN400")
    assert plant.survivors(repr(clean).encode()) == []


def test_every_word_of_the_xml_is_told_to_the_auditor_the_barcode_in_plain(tmp_path: Path) -> None:
    plant = Plant()
    told = list(scan_of(tmp_path / "a.scn", plant=plant).properties.values())
    words = {token for place, token in plant.tokens.items() if place.startswith("XML ")}
    assert len(words) > 10
    assert words <= set(told)


DAMAGE: dict[str, dict[str, Any]] = {
    "no collection": {"collections": 0},
    "two collections": {"collections": 2},
    "no number": {"attributes": {("view", "sizeX"): "wide"}},
    "a number of other digits": {"attributes": {("view", "sizeX"): "²"}},
    "no width": {"attributes": {("view", "sizeX"): "0"}},
    "a collection without height": {"attributes": {("collection", "sizeY"): "-1"}},
    "no directory": {"attributes": {("dimension", "ifd"): "42"}},
    "a directory before the first": {"attributes": {("dimension", "ifd"): "-1"}},
    "another size": {"attributes": {("dimension", "sizeX"): "1000"}},
    "the macro's directory, called a region's level": {
        "attributes": {("dimension", "ifd"): "0", ("dimension", "sizeX"): "404", ("dimension", "sizeY"): "1168"}
    },
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_xml_that_contradicts_the_directories_is_damage(tmp_path: Path, kind: str) -> None:
    assert reason_of(tmp_path / "a.scn", **DAMAGE[kind]) is Reason.DAMAGED_STRUCTURE


@pytest.mark.parametrize(
    ("regions", "reason"),
    [((), Reason.NOT_A_WHOLE_SLIDE), ((Tissue(light="fluorescence"),), Reason.UNSUPPORTED_PIXELS)],
)
def test_a_file_without_a_region_is_refused_for_what_is_in_it(tmp_path: Path, regions: Any, reason: Reason) -> None:
    assert reason_of(tmp_path / "a.scn", regions=regions) is reason


def test_xml_of_another_namespace_is_not_leicas(tmp_path: Path) -> None:
    path = make_scn(tmp_path / "a.scn", namespace="http://example.org").path
    assert LeicaReader.recognise(path) is not None
    with open_scan(path) as reader:
        assert isinstance(reader, PlainTiffReader)
