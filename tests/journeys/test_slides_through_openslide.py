"""Slides of makers that OpenSlide reads come in pixel for pixel, each as one delivery, and without any planted name."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np
import openslide
import pytest

from archive.holdings import Archive
from ingest.scanners.through_openslide import composited
from tests.journeys.planted import PlantedDelivery, deliver_planted
from tests.slides.bif import make_bif
from tests.slides.made import MadeSlide
from tests.slides.mirax import HALF, make_mirax
from tests.slides.planted import Plant
from tests.slides.sakura import make_sakura
from tests.slides.trestle import make_trestle
from tests.slides.vms import make_vms
from tests.slides.vmu import make_vmu

Make = Callable[..., MadeSlide]

_NONE: frozenset[tuple[int, int]] = frozenset()
KINDS: dict[str, tuple[Make, str, dict[str, Any]]] = {
    "MIRAX": (make_mirax, ".mrxs", {}),
    "MIRAX, half empty": (make_mirax, ".mrxs", {"left_out": HALF}),
    "MIRAX, PNG": (
        make_mirax,
        ".mrxs",
        {"coding": "PNG", "photographs": (4, 3), "places": "compressed", "left_out": _NONE},
    ),
    "MIRAX, BMP": (make_mirax, ".mrxs", {"coding": "BMP24", "photographs": (4, 3), "places": None, "left_out": _NONE}),
    "Ventana": (make_bif, ".bif", {}),
    "Ventana, wrapped": (make_bif, ".bif", {"wrapped": True, "macro": "Label Image", "tiles": (3, 3)}),
    "Ventana, without joints": (make_bif, ".tif", {"joined": False, "tiles": (3, 2), "overlap": (0, 0)}),
    "Trestle": (make_trestle, ".tif", {}),
    "Sakura": (make_sakura, ".svslide", {}),
    "Sakura, three planes": (make_sakura, ".svslide", {"levels": 2, "planes": 3, "sparse": frozenset()}),
    "Hamamatsu VMS": (make_vms, ".vms", {}),
    "Hamamatsu VMU": (make_vmu, ".vmu", {}),
}
VENDORS = {"MIRAX": "mirax", "Ventana": "ventana", "Trestle": "trestle", "Sakura": "sakura", "Hamamatsu": "hamamatsu"}
LEFT_BEHIND = {
    "MIRAX": {"label", "macro", "thumbnail"},
    "Ventana": {"macro", "thumbnail"},
    "Trestle": {"macro"},
    "Sakura": {"label", "macro", "thumbnail"},
    "Hamamatsu": {"macro"},
}


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> PlantedDelivery:
    """Deliver one folder in which the files of all slides lie side by side, all called after patients."""
    home = tmp_path_factory.mktemp("openslide")
    folder = home / "delivery"
    folder.mkdir()
    named = Plant(seed=99)
    slides: dict[str, MadeSlide] = {}
    for number, (kind, (make, ending, options)) in enumerate(KINDS.items()):
        name = named(f"name of {kind}")
        own = {"name": name} if make in (make_vms, make_vmu) else {}
        slides[kind] = make(folder / f"{name}{ending}", seed=number + 1, plant=Plant(seed=number), **own, **options)
    return deliver_planted(home, folder, slides, named)


@pytest.fixture(scope="module")
def archive(delivery: PlantedDelivery) -> Iterator[Archive]:
    with Archive.open(delivery.laboratory.archive, read_only=True) as opened:
        yield opened


def test_each_is_one_slide_however_many_its_files_are(delivery: PlantedDelivery, archive: Archive) -> None:
    assert len(set(delivery.codes.values())) == len(KINDS) == len(archive.slides())
    assert delivery.said.refused == {}


@pytest.mark.parametrize("kind", KINDS)
def test_every_pixel_is_that_of_openslide(delivery: PlantedDelivery, archive: Archive, kind: str) -> None:
    with openslide.OpenSlide(delivery.slides[kind].path) as slide, delivery.open(archive, kind) as pyramid:
        assert slide.properties["openslide.vendor"] == VENDORS[kind.split()[0].rstrip(",")]
        sizes = [(level.size.width, level.size.height) for level in pyramid.levels]
        assert sizes == list(slide.level_dimensions)
        for number, level in enumerate(pyramid.levels):
            mine = level.read_region(0, 0, level.size.width, level.size.height)
            assert str(level.origin) == "decoded"
            assert np.array_equal(mine, composited(slide, number, 0, 0, level.size.width, level.size.height))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_is_the_tissue(delivery: PlantedDelivery, archive: Archive, kind: str) -> None:
    """OpenSlide and the tests' makers agree, but for what compression does to a pixel."""
    known = delivery.slides[kind].levels[0].pixels.astype(np.int16)
    with delivery.open(archive, kind) as pyramid:
        mine = pyramid.levels[0].read_region(0, 0, pyramid.levels[0].size.width, pyramid.levels[0].size.height)
        assert mine.shape == known.shape
        assert np.abs(mine - known).mean() < 3
        assert pyramid.mpp is not None
        assert pyramid.mpp.x == pyramid.mpp.y == delivery.slides[kind].mpp
        assert pyramid.objective_power == 20


@pytest.mark.parametrize("kind", KINDS)
def test_label_macro_and_thumbnail_are_told_and_left_behind(delivery: PlantedDelivery, kind: str) -> None:
    receipt = delivery.receipts[delivery.codes[kind]]
    assert set(receipt["left_behind"]["pictures"]) == LEFT_BEHIND[kind.split()[0].rstrip(",")]
    assert receipt["kept"]["pixels"] == "decoded and stored without loss"


def test_a_ventana_slides_colour_profile_is_kept_without_its_texts(delivery: PlantedDelivery) -> None:
    profiles = list(delivery.laboratory.archive.glob("scans/*/*/colour-profile.icc"))
    assert len(profiles) == sum(kind.startswith("Ventana") for kind in KINDS)


def test_every_token_was_in_what_was_delivered(delivery: PlantedDelivery) -> None:
    folder = delivery.laboratory.home.parent / "delivery"
    found = {line.split(" (")[0] for line in delivery.searched.survivors_under(folder)}
    assert found == delivery.plant.tokens.keys()
    assert len(found) > 1000


def test_no_token_is_in_archive_catalogue_or_anything_that_was_said(delivery: PlantedDelivery) -> None:
    assert delivery.searched.survivors_under(delivery.laboratory.archive) == []
    with closing(sqlite3.connect(f"file:{delivery.laboratory.archive / 'catalogue.sqlite'}?mode=ro", uri=True)) as file:
        tables = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        cells = [str(cell) for table in tables for row in file.execute(f'SELECT * FROM "{table}"') for cell in row]
    assert delivery.searched.survivors("\n".join(cells).encode()) == []
    assert delivery.searched.survivors(delivery.said.everything.encode()) == []
    assert delivery.searched.survivors(json.dumps(delivery.receipts).encode()) == []


def test_nothing_of_label_macro_or_thumbnail_is_kept(delivery: PlantedDelivery) -> None:
    kept = [path.read_bytes() for path in delivery.laboratory.archive.rglob("*") if path.is_file()]
    streams = [raw for made in delivery.slides.values() for raws in made.associated_bytes.values() for raw in raws]
    assert len(streams) >= 2 * len(KINDS)
    assert not any(raw[start : start + 64] in whole for raw in streams for start in (100, 1000) for whole in kept)
