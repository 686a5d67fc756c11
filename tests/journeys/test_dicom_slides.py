"""DICOM slides of many files come in pixel for pixel, as one slide each, and without any name planted in them."""

import json
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from archive.holdings import Archive
from tests.journeys.laboratory import Laboratory, row_of, write_list
from tests.journeys.planted import PlantedDelivery, deliver_planted
from tests.slides import jpegs
from tests.slides.dicom import make_dicom
from tests.slides.made import MadeSlide
from tests.slides.planted import Plant

KINDS: dict[str, dict[str, Any]] = {
    "JPEG": {},
    "JPEG, each frame with its place": {"sparse": True, "absent": frozenset({(0, 1, 1), (1, 1, 0)})},
    "JPEG in three files": {"parts": 3, "table": "extended"},
    "JPEG without a table": {"table": None, "colours": "rgb", "photometric": "YBR_FULL_422"},
    "JPEG in pieces": {"fragments": 3, "table": None},
    "JPEG, grey": {"colours": "grey", "sparse": True, "defined": True},
    "JPEG 2000": {"syntax": "jpeg2000", "parts": 2},
    "JPEG-LS": {"syntax": "jpeg-ls"},
    "run lengths": {"syntax": "rle"},
    "uncompressed": {"syntax": "implicit"},
}
COPIED = {kind for kind in KINDS if kind.startswith("JPEG") and kind not in {"JPEG 2000", "JPEG-LS", "JPEG in pieces"}}


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> PlantedDelivery:
    """Deliver a folder with a folder of files for each slide, all called after patients."""
    home = tmp_path_factory.mktemp("dicom")
    named = Plant(seed=99)
    slides: dict[str, MadeSlide] = {}
    for number, (kind, options) in enumerate(KINDS.items()):
        folder = home / "delivery" / named(f"folder of {kind}")
        size = {"width": 620, "height": 450, "tile": (256, 256), "factors": (1, 2)}
        slides[kind] = make_dicom(folder, **size, **options, seed=number, plant=Plant(seed=number))
    return deliver_planted(home, home / "delivery", slides, named)


@pytest.fixture(scope="module")
def archive(delivery: PlantedDelivery) -> Iterator[Archive]:
    with Archive.open(delivery.laboratory.archive, read_only=True) as opened:
        yield opened


def test_many_files_are_one_slide_each(delivery: PlantedDelivery, archive: Archive) -> None:
    assert len(set(delivery.codes.values())) == len(KINDS) == len(archive.slides())
    assert delivery.said.refused == {}


@pytest.mark.parametrize("kind", KINDS)
def test_every_pixel_of_every_level_is_kept(delivery: PlantedDelivery, archive: Archive, kind: str) -> None:
    made = delivery.slides[kind]
    with delivery.open(archive, kind) as pyramid:
        assert [(level.size.width, level.size.height) for level in pyramid.levels] == [
            known.size for known in made.levels
        ]
        for level, known in zip(pyramid.levels, made.levels, strict=True):
            mine = level.read_region(0, 0, level.size.width, level.size.height)
            grey = known.pixels.ndim == 2
            assert np.array_equal(mine, np.stack([known.pixels] * 3, axis=-1) if grey else known.pixels)
        assert {str(level.origin) for level in pyramid.levels} == {"copied" if kind in COPIED else "decoded"}


@pytest.mark.parametrize("kind", sorted(COPIED))
def test_entropy_coded_bytes_are_those_of_the_frames(delivery: PlantedDelivery, archive: Archive, kind: str) -> None:
    with delivery.open(archive, kind) as pyramid:
        for level, known in zip(pyramid.levels, delivery.slides[kind].levels, strict=True):
            for row in range(level.rows):
                for column in range(level.columns):
                    mine = level.encoded_tile(column, row)
                    frame = known.tiles.get((column, row))
                    assert (mine is None) == (frame is None)
                    if mine is not None and frame is not None:
                        assert jpegs.scan_data(mine) == jpegs.scan_data(frame)
                        kept = {code for code, _ in jpegs.segments(mine)}
                        assert kept <= {jpegs.APP14, jpegs.DQT, jpegs.DHT, 0xC0, jpegs.SOS}


def test_pixel_size_objective_maker_and_colours_are_kept(delivery: PlantedDelivery, archive: Archive) -> None:
    for kind in KINDS:
        with delivery.open(archive, kind) as pyramid:
            assert pyramid.mpp is not None
            assert (pyramid.mpp.x, pyramid.mpp.y, pyramid.objective_power) == (0.499, 0.499, 20)
    profiles = list(delivery.laboratory.archive.glob("scans/*/*/colour-profile.icc"))
    assert len(profiles) == len(KINDS) - 1  # a grey slide's optical path has none


def test_every_token_was_in_what_was_delivered(delivery: PlantedDelivery) -> None:
    found = {
        line.split(" (")[0] for line in delivery.searched.survivors_under(delivery.laboratory.home.parent / "delivery")
    }
    assert found == delivery.plant.tokens.keys()
    assert len(found) > 3000


def test_no_token_is_in_archive_catalogue_or_anything_that_was_said(delivery: PlantedDelivery) -> None:
    assert delivery.searched.survivors_under(delivery.laboratory.archive) == []
    with closing(sqlite3.connect(f"file:{delivery.laboratory.archive / 'catalogue.sqlite'}?mode=ro", uri=True)) as file:
        tables = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        cells = [str(cell) for table in tables for row in file.execute(f'SELECT * FROM "{table}"') for cell in row]
    assert delivery.searched.survivors("\n".join(cells).encode()) == []
    assert delivery.searched.survivors(delivery.said.everything.encode()) == []
    assert delivery.searched.survivors(json.dumps(delivery.receipts).encode()) == []


def test_no_token_is_in_pixels_that_are_stored_without_loss(delivery: PlantedDelivery, archive: Archive) -> None:
    for kind in KINDS:
        with delivery.open(archive, kind) as pyramid:
            for level in pyramid.levels:
                pixels = level.read_region(0, 0, level.size.width, level.size.height)
                assert delivery.searched.survivors(np.ascontiguousarray(np.moveaxis(pixels, -1, 0)).tobytes()) == []
                assert delivery.searched.survivors(pixels.tobytes()) == []


def test_nothing_of_label_overview_or_thumbnail_is_kept(delivery: PlantedDelivery) -> None:
    kept = [path.read_bytes() for path in delivery.laboratory.archive.rglob("*") if path.is_file()]
    streams = [raw for made in delivery.slides.values() for raws in made.associated_bytes.values() for raw in raws]
    assert len(streams) == 3 * len(KINDS)
    assert not any(raw[start : start + 64] in whole for raw in streams for start in (100, 1000) for whole in kept)


def test_a_colour_profile_as_long_as_leicas_is_kept_without_what_fills_it(tmp_path: Path) -> None:
    """Slides of a GT 450 DX have one of 13 MB."""
    token = Plant()("behind the colours")

    def lengthen(name: str, dataset: Dataset) -> None:
        (optical_path,) = dataset.OpticalPathSequence
        profile = optical_path.ICCProfile + token.encode() + bytes(13 << 20)
        optical_path.ICCProfile = struct.pack(">I", len(profile)) + profile[4:]

    made = make_dicom(tmp_path / "slide", width=300, height=200, factors=(1,), associated=(), edit=lengthen)
    laboratory = Laboratory(tmp_path / "laboratory")
    laboratory.home.mkdir()
    laboratory.declare_feed()
    said = laboratory.take_in(made.path, write_list(tmp_path / "list.csv", row_of(made.path, "S26-000001")))
    assert len(said.slides) == 1
    (profile,) = laboratory.archive.glob("scans/*/*/colour-profile.icc")
    assert 400 < profile.stat().st_size < 4000
    assert token.encode() not in profile.read_bytes()
