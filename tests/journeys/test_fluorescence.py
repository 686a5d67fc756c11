"""Fluorescence comes in value for value, and a viewer sees it in colours; no channel brings a name along."""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

import ingest.pipeline.admitting as admitting
from archive.consent import Facts
from archive.consent.terms import TissueSource
from archive.holdings import Archive
from archive.pyramid.reader import Pyramid
from ingest.cli.places import Places
from ingest.deidentify.channels import NamedChannel
from ingest.delivery import read_delivery
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.slide import Intake, ingest_slide
from tests.journeys.laboratory import Laboratory, Said, row_of, write_list
from tests.slides.made import MadeSlide
from tests.slides.ome import make_fluorescence_ome_tiff
from tests.slides.planted import Plant
from tests.slides.qptiff import make_qptiff
from tests.slides.tissue import Picture


@dataclass(frozen=True)
class Delivery:
    """What was delivered, and the laboratory where it is now."""

    laboratory: Laboratory
    slides: dict[str, MadeSlide]
    codes: dict[str, str]
    plant: Plant
    said: Said

    def open(self, archive: Archive, kind: str) -> Pyramid:
        (scan,) = archive.scans_of(archive.slide(self.codes[kind]).record.key)
        return archive.open_pyramid(scan.key)

    def folder(self, archive: Archive, kind: str) -> Path:
        """Give the folder of a slide's pixels."""
        (scan,) = archive.scans_of(archive.slide(self.codes[kind]).record.key)
        (found,) = self.laboratory.archive.glob(f"scans/*/{scan.key}/*.ome.zarr")
        return found


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Delivery:
    """Deliver an OME-TIFF and a QPTIFF whose channels are called after dyes and after a patient."""
    home = tmp_path_factory.mktemp("fluorescence")
    plants = {kind: Plant(seed=number) for number, kind in enumerate(("ome", "qptiff"))}
    (home / "delivery").mkdir()
    slides = {
        "ome": make_fluorescence_ome_tiff(
            home / "delivery" / "a.ome.tif",
            (("DAPI", 0x0000FFFF), (plants["ome"]("channel"), 0x00FF00FF), ("cy5", None)),
            plant=plants["ome"],
        ),
        "qptiff": make_qptiff(
            home / "delivery" / "b.qptiff",
            channels=(("DAPI", "0,0,255"), (plants["qptiff"]("channel"), "255,0,0")),
            width=1300,
            factors=(1,),
            plant=plants["qptiff"],
        ),
    }
    laboratory = Laboratory(home / "laboratory")
    laboratory.home.mkdir()
    laboratory.declare_feed()
    rows = [row_of(made.path, f"S26-{number:06}") for number, made in enumerate(slides.values())]
    said = laboratory.take_in(home / "delivery", write_list(home / "list.csv", *rows))
    codes = {kind: said.slides[number + 2] for number, kind in enumerate(slides)}
    everything = Plant(tokens={f"{k}: {at}": t for k, p in plants.items() for at, t in p.tokens.items()})
    return Delivery(laboratory, slides, codes, everything, said)


@pytest.fixture
def archive(delivery: Delivery) -> Iterator[Archive]:
    with Archive.open(delivery.laboratory.archive, read_only=True) as opened:
        yield opened


@pytest.mark.parametrize("kind", ["ome", "qptiff"])
def test_every_value_of_every_level_is_kept(delivery: Delivery, archive: Archive, kind: str) -> None:
    with delivery.open(archive, kind) as pyramid:
        for level, known in zip(pyramid.levels, delivery.slides[kind].levels, strict=False):
            assert (level.size.width, level.size.height) == known.size
            for channel in range(known.pixels.shape[2]):
                assert np.array_equal(level.read_channel(channel, 0, 0, *known.size), known.pixels[..., channel])
        assert max(pyramid.levels[-1].size.width, pyramid.levels[-1].size.height) <= 1024


def test_listed_names_and_colours_are_kept_and_others_are_numbers(delivery: Delivery, archive: Archive) -> None:
    told = {}
    for kind in delivery.slides:
        with delivery.open(archive, kind) as pyramid:
            told[kind] = [(channel.name, channel.colour) for channel in pyramid.layout.channels]
    assert told == {
        "ome": [("DAPI", "0000FF"), ("channel 2", "00FF00"), ("Cy5", "FF0000")],
        "qptiff": [("DAPI", "0000FF"), ("channel 2", "FF0000")],
    }


def test_no_planted_name_survives(delivery: Delivery) -> None:
    delivered = delivery.plant.survivors_under(delivery.laboratory.home.parent / "delivery")
    assert {found.rsplit(" (", 1)[0] for found in delivered} == delivery.plant.tokens.keys()
    assert delivery.plant.survivors_under(delivery.laboratory.archive) == []
    assert delivery.plant.survivors(delivery.said.everything.encode()) == []


def test_a_viewer_sees_the_channels_in_their_colours(delivery: Delivery, archive: Archive) -> None:
    delivery.laboratory.grade_as_clean()
    collection = delivery.laboratory.teach("Lymph node", *delivery.codes.values())
    with delivery.laboratory.serving() as base:
        first, _ = httpx.get(f"{base}/api/collections/{collection}").json()["slides"]
        tile = shown(httpx.get(f"{base}/slides/{first['handle']}/tiles/0/0_0.jpg"))
        thumbnail = shown(httpx.get(f"{base}/slides/{first['handle']}/thumbnail.jpg"))
        between = shown(httpx.get(f"{base}/slides/{first['handle']}_files/9/0_0.jpeg"))
    with delivery.open(archive, "ome") as pyramid:
        expected = pyramid.level(0).read_region(0, 0, 256, 256)
    assert np.abs(tile.astype(int) - expected).mean() < 6
    assert expected.std((0, 1)).min() > 10  # there is something to see in each colour
    for picture in (thumbnail, between):
        assert picture.std((0, 1)).min() > 10


def shown(answer: httpx.Response) -> Picture:
    """Decode a picture that was served."""
    assert answer.status_code == 200
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def test_a_damaged_channel_is_found_and_put_back_from_its_source(delivery: Delivery) -> None:
    with Archive.open(delivery.laboratory.archive, read_only=True) as opened:
        folder = delivery.folder(opened, "ome")
    shard = folder / "0" / "c" / "2" / "0" / "0"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:50] + bytes([whole[50] ^ 1]) + whole[51:])
    found = delivery.laboratory.run("check", "--json", ends=4).out.splitlines()
    assert [json.loads(line)["code"] for line in found] == ["tile-damaged"]
    delivery.laboratory.run("check", "--repair", "--source", delivery.slides["ome"].path)
    assert shard.read_bytes() == whole


def test_a_name_that_a_channel_was_called_after_is_seen_where_names_are_not_cleaned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slide = make_fluorescence_ome_tiff(tmp_path / "a.ome.tif", (("DAPI", None), ("Thistlewaite Dorothea", None)))
    row = row_of(slide.path, "S26-000001", patient_name="Thistlewaite Dorothea")
    (read,) = read_delivery(write_list(tmp_path / "list.csv", row))
    places = Places.of(tmp_path / "laboratory" / "archive")
    places.create()
    with places.opened() as (archive, vault):
        intake, facts = Intake(archive, vault), Facts(source=TissueSource.LIVING)
        with monkeypatch.context() as switched_off:
            switched_off.setattr(admitting, "name_channels", as_they_stand)
            with pytest.raises(SlideRefused) as refused:
                ingest_slide(slide.path, read, facts, intake)
        assert refused.value.reason is Reason.IDENTIFIER_FOUND
        assert ingest_slide(slide.path, read, facts, intake).slide_code


def as_they_stand(said: Sequence[tuple[str, str | None]]) -> tuple[NamedChannel, ...]:
    """Keep every name of a file's channels."""
    return tuple(NamedChannel(name, "00FF00") for name, _ in said)
