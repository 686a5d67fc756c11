"""Whatever removes something can fail, so behind each of them stands something else that sees what it left.

The auditor knows who the patient is and what the file says, and nothing of how anything is removed. What it cannot
know, a word that stands nowhere but in one tile, is what the journey with planted words is for: its search finds it.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import tifffile

import ingest.deidentify.channels as channels
import ingest.deidentify.metadata as metadata
import ingest.pipeline.admitting as admitting
import ingest.pipeline.colours as colours
import ingest.pipeline.slide as story
from archive.consent import Facts
from archive.consent.terms import TissueSource
from archive.holdings import Archive
from ingest.cli.places import Places
from ingest.deidentify import CleanMetadata, deidentify
from ingest.delivery import read_delivery
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.receipt import Receipt
from ingest.pipeline.slide import Intake, ingest_slide
from tests.journeys.forgetting import (
    Switch,
    forget_in_jail,
    forget_to_lay_levels_beside_each_other,
    forget_to_prove_headers,
    keep_segments,
    keep_what_follows,
    take_label_for_level,
    take_macro_for_level,
)
from tests.journeys.laboratory import row_of, write_list
from tests.slides.formats import FORMATS
from tests.slides.likeness import ALIKE, likeness
from tests.slides.made import MadeSlide
from tests.slides.planted import Plant
from tests.slides.svs import make_svs

NAME = "Thistlewaite Dorothea"


@dataclass(frozen=True)
class Bench:
    """A laboratory's places, with one slide on the bench whose names are known."""

    places: Places
    slide: MadeSlide
    listed: Plant

    def take_in(self) -> Receipt:
        """Take the slide in, in this process, so that a test can switch a part of the story off."""
        slide, listed = self.slide.path, self.listed
        row = row_of(slide, listed("case"), patient=listed("patient"), patient_name=listed("name"))
        (read,) = read_delivery(write_list(self.places.archive.parent / "list.csv", row))
        with self.places.opened() as (archive, vault):
            return ingest_slide(slide, read, Facts(source=TissueSource.LIVING), Intake(archive, vault))

    def refused(self) -> Reason:
        """See that the slide is refused and that nothing of it is left, and tell why."""
        with pytest.raises(SlideRefused) as refused:
            self.take_in()
        assert self.listed.survivors(str(refused.value).encode()) == []
        root = self.places.archive
        assert [path.name for folder in ("scans", "staging", "aside") for path in (root / folder).rglob("*")] == []
        assert self.listed.survivors_under(root) == []
        return refused.value.reason


def laid_out(home: Path, kind: str, *named: str) -> Bench:
    """Lay a slide of a format on the bench, with the patient's name in some of its hiding places."""
    listed = Plant(values={"name": NAME})
    folder = home / listed("folder")
    folder.mkdir(parents=True)
    places = Places.of(home / "laboratory" / "archive")
    places.create()
    return Bench(
        places, FORMATS[kind].planted(folder, listed("file"), Plant(values=dict.fromkeys(named, NAME))), listed
    )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Make a slide whose colour profile holds the patient's name."""
    listed = Plant(values={"name": NAME})
    folder = tmp_path / listed("folder")
    folder.mkdir()
    plant = Plant(values={"ICC desc": listed("name")})
    slide = make_svs(folder / f"{listed('file')}.svs", width=300, height=300, factors=(1,), plant=plant)
    places = Places.of(tmp_path / "laboratory" / "archive")
    places.create()
    return Bench(places, slide, listed)


def test_what_is_cleaned_passes_the_auditor(bench: Bench) -> None:
    bench.take_in()
    with Archive.open(bench.places.archive, read_only=True) as archive:
        assert len(archive.slides()) == 1
    assert bench.listed.survivors_under(bench.places.archive) == []


Leak = Callable[[Bench, Path], None]


def in_an_attribute(bench: Bench, pixels: Path) -> None:
    """Keep a field of the scanner's among the metadata."""
    group = json.loads((pixels / "zarr.json").read_bytes())
    group["attributes"]["title"] = f"slide of {bench.listed('patient')}"
    (pixels / "zarr.json").write_text(json.dumps(group))


def in_a_colour_profile(bench: Bench, pixels: Path) -> None:
    """Keep the colour profile as the scanner wrote it, with its texts in UTF-16."""
    with tifffile.TiffFile(bench.slide.path) as file:
        pixels.with_name("colour-profile.icc").write_bytes(file.pages[0].tags[34675].value)


def in_a_file_name(bench: Bench, pixels: Path) -> None:
    """Call a file as the source was called."""
    (pixels / f"{bench.slide.path.stem}.json").write_text("{}")


def behind_the_tiles(bench: Bench, pixels: Path) -> None:
    """Keep what stood behind the last tile."""
    with (pixels / "0" / "c" / "0" / "0" / "0").open("ab") as shard:
        shard.write(bench.listed("case").lower().encode())


def in_base64(bench: Bench, pixels: Path) -> None:
    """Keep a block of the header, in base64 inside JSON."""
    text = base64.b64encode(f"<Title>{bench.listed('name')}</Title>".encode()).decode()
    (pixels / "0" / "extra.json").write_text(json.dumps({"header": text}))


@pytest.mark.parametrize("leak", [in_an_attribute, in_a_colour_profile, in_a_file_name, behind_the_tiles, in_base64])
def test_a_remover_that_left_something_is_caught_by_the_auditor(
    bench: Bench, leak: Leak, monkeypatch: pytest.MonkeyPatch
) -> None:
    class ForgetfulSearch(story.Search):
        def __call__(self, folder: Path) -> None:
            leak(bench, folder / "pyramid.ome.zarr")
            super().__call__(folder)

    monkeypatch.setattr(story, "Search", ForgetfulSearch)
    assert bench.refused() is Reason.IDENTIFIER_FOUND


IN_TILES = {
    "svs": ("COM in a tile of level 0", "APP13 in a tile of level 1"),
    "philips": ("COM in a tile of level 0",),
    "scn": ("COM in a tile of region 0",),
    "dicom": ("COM in a frame of level 0", "APP1 in a frame of level 1"),
    "ndpi": ("COM of level 0", "EXIF of level 1"),
}
"""Where names stand in the headers of tiles that are copied, or that are cut."""

BEHIND_TILES = {
    "svs": ("after EOI of a tile of level 0",),
    "dicom": ("after the end of a frame of level 0",),
}


@pytest.mark.parametrize("kind", IN_TILES)
def test_words_in_the_headers_of_tiles_are_seen(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = laid_out(tmp_path, kind, *IN_TILES[kind])
    assert_seen_twice(bench, keep_segments, monkeypatch)


@pytest.mark.parametrize("kind", BEHIND_TILES)
def test_words_behind_tiles_are_seen(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = laid_out(tmp_path, kind, *BEHIND_TILES[kind])
    assert_seen_twice(bench, keep_what_follows, monkeypatch)


def assert_seen_twice(bench: Bench, switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    """See that the proof refuses what was left, and that the auditor does where the proof is switched off, too."""
    forget_in_jail(monkeypatch, switch)
    assert bench.refused() is Reason.PIXELS_DIFFER
    forget_to_prove_headers(monkeypatch)
    assert bench.refused() is Reason.IDENTIFIER_FOUND


@pytest.mark.parametrize("kind", IN_TILES)
def test_words_that_nobody_knows_are_found_by_the_search_of_the_journey(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = laid_out(tmp_path, kind)
    forget_in_jail(monkeypatch, keep_segments)
    forget_to_prove_headers(monkeypatch)
    bench.take_in()
    found = {line.split(" (")[0] for line in bench.slide.plant.survivors_under(bench.places.archive)}
    assert found >= set(IN_TILES[kind])


@pytest.mark.parametrize("kind", ["svs", "philips", "dicom"])
def test_words_in_a_colour_profile_are_seen(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = laid_out(tmp_path, kind, "ICC private tag")
    monkeypatch.setattr(colours, "rebuild_icc", lambda profile: profile)
    assert bench.refused() is Reason.IDENTIFIER_FOUND


@pytest.mark.parametrize(
    "kind",
    [
        "svs",
        "ndpi",
        "philips",
        "scn",
        "dicom",
        "ome-tiff",
        "ome-tiff in fluorescence",
        "qptiff in fluorescence",
        "zstd tiff",
    ],
)
def test_what_a_file_says_is_seen_where_no_list_says_what_may_be_kept(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scanner's model is whatever the file says last."""
    bench = laid_out(tmp_path, kind)

    def keep_a_text(maker: str, properties: Any) -> CleanMetadata:
        words = [text for text in properties.values() if text in bench.slide.plant.tokens.values()]
        return replace(deidentify(maker, properties), scanner_model=words[-1])

    monkeypatch.setattr(admitting, "deidentify", keep_a_text)
    assert bench.refused() is Reason.IDENTIFIER_FOUND


@pytest.mark.parametrize(
    ("kind", "place"),
    [("ome-tiff in fluorescence", "OME name of a channel"), ("qptiff in fluorescence", "description key Name")],
)
def test_a_channel_that_is_called_after_somebody_is_seen_where_no_list_says_what_channels_are_called(
    kind: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = laid_out(tmp_path, kind, place)
    monkeypatch.setattr(channels, "channel_term", lambda text: (text, "FFFFFF") if text else None)
    assert bench.refused() is Reason.IDENTIFIER_FOUND


def test_a_key_that_is_not_published_is_found_in_the_receipt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = laid_out(tmp_path, "svs")
    plant = Plant()
    make_svs(bench.slide.path, width=300, height=300, factors=(1,), header=f"Aperio|{plant('key')} = 1")
    assert plant.survivors(json.dumps(bench.take_in().as_json()).encode()) == []
    monkeypatch.setattr(metadata, "public_form", lambda key: key)
    other = laid_out(tmp_path / "other", "svs")
    make_svs(other.slide.path, width=300, height=300, factors=(1,), header=f"Aperio|{plant('key')} = 1")
    assert plant.survivors(json.dumps(other.take_in().as_json()).encode()) != []


SHOWN = {
    take_label_for_level: ("svs", "svs without words for label and macro", "philips", "dicom", "qptiff"),
    take_macro_for_level: ("svs", "ndpi", "scn", "dicom"),
}


@pytest.mark.parametrize(("switch", "kind"), [(switch, kind) for switch, kinds in SHOWN.items() for kind in kinds])
def test_a_label_or_macro_that_is_taken_for_a_level_is_refused(
    switch: Switch, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = laid_out(tmp_path, kind)
    forget_in_jail(monkeypatch, switch)
    with pytest.raises(SlideRefused) as refused:
        bench.take_in()
    assert refused.value.reason is Reason.ANOTHER_PICTURE


@pytest.mark.parametrize(("switch", "kind"), [(switch, kind) for switch, kinds in SHOWN.items() for kind in kinds])
def test_a_label_or_macro_that_is_taken_for_a_level_is_seen_in_the_pixels(
    switch: Switch, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = laid_out(tmp_path, kind)
    forget_in_jail(monkeypatch, switch, forget_to_lay_levels_beside_each_other)
    code = str(bench.take_in().slide_code)
    name = "label" if switch is take_label_for_level else "macro"
    with Archive.open(bench.places.archive, read_only=True) as archive:
        (scan,) = archive.scans_of(archive.slide(code).record.key)
        with archive.open_pyramid(scan.key) as pyramid:
            level = pyramid.levels[-1]
            shown = level.read_region(0, 0, level.size.width, level.size.height)
    assert likeness(bench.slide.associated[name], shown) > ALIKE
