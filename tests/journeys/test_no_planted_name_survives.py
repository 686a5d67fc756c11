"""What people, programs and scanners wrote on and into slides is looked for everywhere that a slide leaves a trace.

Each hiding place has a word of its own, and so have the delivery list, the feed, and the names of files and folders.
All of them are looked for in every usual spelling: in the archive, in what commands and server say, and in every
answer over HTTP.
"""

import base64
import hashlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import tifffile
import zarr

import ingest.pipeline.slide as story
from archive.consent import Facts
from archive.consent.terms import TissueSource
from archive.holdings import Archive
from archive.holdings.pixels import Coding
from ingest.cli.demo_slide import BLOCK, CASE, PATIENT, PLANTED, STAIN, draw_demo_slide
from ingest.cli.places import Places
from ingest.delivery import read_delivery
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.slide import Intake, ingest_slide
from tests.journeys.laboratory import Laboratory, Said, row_of, write_list
from tests.slides import jpegs
from tests.slides.generic import make_tiff
from tests.slides.made import MadeSlide
from tests.slides.ome import make_ome_tiff
from tests.slides.planted import Plant
from tests.slides.svs import make_svs

UNTOLD = (b"12/29/09", b"09:59:15", b"2009-12-29")
"""When the scanner says that it made the scans."""

TELLING = 40
"""Different byte values that a run of pixels or compressed data has before it is one picture's and no other's."""


@dataclass
class Journey:
    """All that was delivered, and all that came of it."""

    laboratory: Laboratory
    delivery: Path
    plant: Plant
    slides: dict[str, MadeSlide]
    receipts: Path
    handles: tuple[str, ...] = ()
    answers: dict[str, bytes] = field(default_factory=dict)
    """Each address with its whole answer: status, headers and body."""
    statuses: dict[str, int] = field(default_factory=dict)
    in_archive_while_served: list[str] = field(default_factory=list)

    @property
    def sent(self) -> bytes:
        """Everything that was sent over HTTP, each different body once."""
        return b"\n".join(dict.fromkeys(self.answers.values()))


def delivered(home: Path) -> Journey:
    """Write slides of every kind into folders that are called after a patient, and a list that says whose they are."""
    listed = Plant(values={"surname": "Thistlewaite", "born": "1948-07-05", "ward": "Mortlake Ward 7"}, seed=9)
    delivery = home / listed("folder above") / listed("folder")
    delivery.mkdir(parents=True)
    path = {kind: delivery / f"{listed(f'name of the {kind}')}.{end}" for kind, end in _ENDS.items()}
    slides = {
        "svs": make_svs(path["svs"], width=700, height=530, factors=(1, 2), plant=Plant(seed=1)),
        "jpeg tiff": make_tiff(path["jpeg tiff"], "jpeg", plant=Plant(seed=2)),
        "lossless tiff": make_tiff(path["lossless tiff"], "deflate", seed=8, plant=Plant(seed=3)),
        "ome-tiff": make_ome_tiff(path["ome-tiff"], seed=9, plant=Plant(seed=4)),
    }
    unlisted = make_svs(path["file without a row"], width=300, height=300, factors=(1,), plant=Plant(seed=5))
    broken = make_tiff(path["broken file"], "deflate", seed=10, plant=Plant(seed=6))
    broken.path.write_bytes(broken.path.read_bytes()[:5000])
    rows = [
        row_of(
            path[kind],
            listed(f"case of the {kind}"),
            patient=listed(f"patient of the {kind}"),
            block=listed(f"block of the {kind}"),
            slide=listed(f"number of the {kind}"),
            patient_name=f"{listed('surname')}^{listed(f'first name for the {kind}')}",
            birth_date=listed("born"),
            procedure=listed(f"procedure for the {kind}"),
            location=listed("ward"),
            might_identify="no",
            assessed_by=listed(f"who looked at the {kind}"),
        )
        for kind in (*slides, "broken file")
    ]
    write_list(delivery / f"{listed('name of the list')}.csv", *rows)
    everything = Plant()
    for name, plant in {"list": listed, **{k: s.plant for k, s in slides.items()}, "unlisted": unlisted.plant}.items():
        everything.tokens |= {f"{name}: {place}": token for place, token in plant.tokens.items()}
    everything.tokens |= {"list: name as a sentence": "Thistlewaite, ", "list: born": "5 July 1948"}
    return Journey(Laboratory(home / "laboratory"), delivery, everything, slides, home / "receipts.jsonl")


_ENDS = {
    **{"svs": "svs", "jpeg tiff": "tif", "lossless tiff": "tiff", "ome-tiff": "ome.tif"},
    **{"file without a row": "svs", "broken file": "tif"},
}


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Journey:
    """Take a delivery in, look at it with every command, teach it, and ask the server for all that it has."""
    made = delivered(tmp_path_factory.mktemp("journey"))
    laboratory = made.laboratory
    laboratory.home.mkdir()
    (delivery_list,) = made.delivery.glob("*.csv")
    attested, statement = made.plant("feed: who attests it"), made.plant("feed: statement")
    laboratory.declare_feed("--attested-by", attested, "--no-post-mortems", f"none is sent here, says {statement}")
    laboratory.run("feed", "list")
    laboratory.run("delivery", "check", delivery_list)
    for slide in made.slides.values():
        laboratory.run("inspect", slide.path)
    laboratory.run("inspect", made.slides["svs"].path, "--json")
    laboratory.take_in(made.delivery, delivery_list, "--dry-run")
    taken = laboratory.take_in(made.delivery, delivery_list, "--receipts", made.receipts, ends=3)
    assert len(taken.slides) == len(made.slides)
    again = laboratory.take_in(made.delivery, delivery_list, "--receipts", made.receipts, ends=3)
    assert again.slides == taken.slides
    laboratory.run("quarantine", "list")
    laboratory.run("quarantine", "list", "--json")
    laboratory.run("list")
    laboratory.run("list", "--json")
    some = next(iter(taken.slides.values()))
    laboratory.run("show", some)
    laboratory.run("show", some, "--json")
    laboratory.run("explain", some, "--purpose", "teaching", "--to", "class")
    laboratory.run("doctor")
    collection = laboratory.teach("Colon, first week", *taken.slides.values())
    with laboratory.serving() as base:
        ask_for_everything(made, base, collection)
        made.in_archive_while_served = made.plant.survivors_under(laboratory.archive)
    return made


def ask_for_everything(made: Journey, base: str, collection: str) -> None:
    """Ask for every page, every tile of every level, and for much that is not there."""
    with httpx.Client(base_url=base) as client:
        told = client.get(f"/api/collections/{collection}").json()
        made.handles = tuple(slide["handle"] for slide in told["slides"])
        pictures = [address for handle in made.handles for address in _pictures(client, handle)]
        pages = ["/", f"/collections/{collection}", "/healthz", "/static/pages.css", "/static/viewer.js"]
        api = ["/api/openapi.json", "/api/collections", f"/api/collections/{collection}"]
        api += [f"/api/slides/{handle}" for handle in made.handles]
        for address in (*pages, *api, *(f"/slides/{handle}" for handle in made.handles), *pictures):
            _ask(made, client, "GET", address)
        name, handle = made.plant.tokens["list: surname"], made.handles[0]
        for address in (*_ABSENT, f"/slides/{name}", f"/api/slides/{name}", f"/static/{name}"):
            _ask(made, client, "GET", address.format(handle=handle))
        _ask(made, client, "POST", f"/api/collections?patient={name}")
        _ask(made, client, "POST", f"/slides/{handle}/tiles/0/0_0.jpg?patient={name}")
        _ask(made, client, "GET", f"/?patient={name}", host=f"{name}.example")


_ABSENT = (
    *("/nothing", "/slides/{handle}x", "/collections/{handle}", "/api/slides/x", "/api/nothing", "/docs", "/static/x"),
    *("/slides/{handle}/tiles/99/0_0.jpg", "/slides/{handle}/tiles/0/99_0.jpg", "/slides/{handle}/tiles/0/x_0.jpg"),
    *("/slides/{handle}_files/0/1_0.jpeg", "/slides/{handle}_files/99/0_0.jpeg", "/slides/{handle}_files/-1/0_0.jpeg"),
    *("/slides/%00.dzi", "/slides/..%2f..%2farchive.json", "/slides/{handle}/thumbnail.png", "/catalogue.sqlite"),
)
"""Addresses of nothing, and malformed ones."""


def _pictures(client: httpx.Client, handle: str) -> Iterator[str]:
    told = client.get(f"/api/slides/{handle}").json()
    yield from (f"/slides/{handle}/thumbnail.jpg", f"/slides/{handle}.dzi")
    for number, level in enumerate(told["levels"]):
        for row in range(-(-level["height"] // level["tile_height"])):
            for column in range(-(-level["width"] // level["tile_width"])):
                yield f"/slides/{handle}/tiles/{number}/{column}_{row}.jpg"
    size = told["levels"][0]["width"], told["levels"][0]["height"]
    tile = int(re.findall(r'TileSize="(\d+)"', client.get(f"/slides/{handle}.dzi").text)[0])
    highest = (max(size) - 1).bit_length()
    for level in range(highest + 1):
        width, height = (-(-side // 2 ** (highest - level)) for side in size)
        for row in range(-(-height // tile)):
            for column in range(-(-width // tile)):
                yield f"/slides/{handle}_files/{level}/{column}_{row}.jpeg"


def _ask(made: Journey, client: httpx.Client, method: str, address: str, host: str | None = None) -> None:
    answer = client.request(method, address, headers={"host": host} if host else None)
    head = b"\n".join(b"%b: %b" % pair for pair in answer.headers.raw)
    name = f"{method} {address}"
    made.statuses[name] = answer.status_code
    made.answers[name] = b"%d %b\n%b\n\n%b" % (answer.status_code, answer.reason_phrase.encode(), head, answer.content)


def test_every_planted_name_is_found_in_what_was_delivered(journey: Journey) -> None:
    found = {line.split(" (")[0] for line in journey.plant.survivors_under(journey.delivery.parents[1])}
    missing = set(journey.plant.tokens) - found
    assert {place.split(":")[0] for place in missing} <= {"feed", "list"}
    assert missing <= {"feed: who attests it", "feed: statement", "list: name as a sentence", "list: born"}
    assert len(found) > 200


def test_every_answer_was_of_the_kind_that_was_asked_for(journey: Journey) -> None:
    shown = {name: status for name, status in journey.statuses.items() if status == 200}
    assert sum("/tiles/" in name for name in shown) > 40
    assert sum("_files/" in name for name in shown) > 80
    assert {status for name, status in journey.statuses.items() if name not in shown} == {400, 404, 405, 421}
    assert {said.code for said in journey.laboratory.said} == {0, 3}


def test_no_planted_name_is_in_the_archive(journey: Journey) -> None:
    assert journey.in_archive_while_served == []
    assert journey.plant.survivors_under(journey.laboratory.archive) == []


def test_no_planted_name_is_in_the_catalogue_when_it_is_read_out(journey: Journey) -> None:
    assert journey.plant.survivors(catalogue_read_out(journey.laboratory.archive)) == []


def test_no_planted_name_is_in_what_the_commands_and_the_server_say(journey: Journey) -> None:
    for said in journey.laboratory.said:
        assert journey.plant.survivors(said.everything.encode()) == [], said.words[:4]
    assert journey.plant.survivors(journey.receipts.read_bytes()) == []


def test_no_planted_name_is_in_what_the_server_sends(journey: Journey) -> None:
    assert journey.plant.survivors(journey.sent) == []
    assert not any(when in journey.sent for when in UNTOLD)


def test_the_server_sends_no_code_no_key_and_no_digest(journey: Journey) -> None:
    told = json.dumps([json.loads(line) for line in journey.receipts.read_text().splitlines()])
    known = Plant(tokens={code: code for code in re.findall(r"[PCSN]-[0-9A-Z]{5}-[0-9A-Z]{5}", told)})
    known.tokens |= {f"key {key}": key for key in internal_keys(journey.laboratory.archive)}
    assert len(known.tokens) > 20
    assert known.survivors(journey.sent) == []
    assert not any(digest in journey.sent for digest in digests(journey))


def test_the_archive_has_no_digest_of_a_source_and_no_date_of_a_scan(journey: Journey) -> None:
    for path in journey.laboratory.archive.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert not any(untold in data for untold in (*digests(journey), *UNTOLD)), path.name


def test_no_pixel_of_label_macro_or_thumbnail_is_kept_or_sent(journey: Journey) -> None:
    made = journey.slides["svs"]
    pieces = [piece for name in made.associated for piece in [*made.associated_bytes[name], *made.associated[name]]]
    telling = [bytes(piece) for piece in pieces if len(set(bytes(piece))) > TELLING]
    assert len(telling) > 400
    source = made.path.read_bytes()
    assert sum(piece in source for piece in telling) > 30
    kept = [path.read_bytes() for path in journey.laboratory.archive.rglob("*") if path.is_file()]
    kept += [pixels.tobytes() for pixels in stored_pixels(journey.laboratory.archive)]
    for where in (*kept, journey.sent):
        assert not any(piece in where for piece in telling)


def test_no_planted_name_is_in_pixels_that_are_stored_without_loss(journey: Journey) -> None:
    pixels = list(stored_pixels(journey.laboratory.archive))
    assert len(pixels) >= 8
    for level in pixels:
        assert journey.plant.survivors(level.tobytes()) == []


def test_a_stored_tile_is_its_picture_and_nothing_else(journey: Journey) -> None:
    tiles = list(stored_tiles(journey.laboratory.archive))
    assert len(tiles) > 20
    for tile in tiles:
        found = list(jpegs.segments(tile))
        assert {code for code, _ in found} <= {jpegs.APP14, jpegs.DQT, jpegs.DHT, 0xC0, 0xC1, 0xDD, jpegs.SOS}
        assert [len(segment) for code, segment in found if code == jpegs.APP14] in ([], [16])
        assert jpegs.SOI + b"".join(segment for _, segment in found) + jpegs.EOI == tile


def test_the_metadata_of_a_scan_hold_what_is_listed_and_nothing_else(journey: Journey) -> None:
    groups = list(journey.laboratory.archive.glob("scans/*/*/pyramid.ome.zarr"))
    assert len(groups) == len(journey.slides)
    for group in groups:
        attributes = json.loads((group / "zarr.json").read_bytes())["attributes"]
        assert set(strings(attributes)) <= ATTRIBUTES
        assert set(attributes["coverslip"]) <= {"layout", "origins", "objective_power"}
        for array in group.glob("*/zarr.json"):
            assert json.loads(array.read_bytes())["attributes"] == {}
        listed = {"manifest.json", "record.json", "pyramid.ome.zarr"}
        assert {path.name for path in group.parent.iterdir()} - {"colour-profile.icc"} == listed
        names = {path.name for path in group.iterdir()}
        assert {name for name in names if not name.isdigit()} == {"zarr.json"}


def test_the_record_beside_a_scan_holds_keys_and_closed_terms_only(journey: Journey) -> None:
    records = list(journey.laboratory.archive.glob("scans/*/*/record.json"))
    assert len(records) == len(journey.slides)
    for record in records:
        tables = json.loads(record.read_bytes())
        tables["case"] |= json.loads(tables["case"].pop("facts"))
        found = {word for table in tables.values() for word in strings(list(table.values()))}
        assert {word for word in found if not re.fullmatch("[0-9a-f]{32}", word)} <= CLOSED_TERMS | {""}


ATTRIBUTES = {
    *("ome", "version", "0.5", "multiscales", "axes", "datasets", "name", "type", "unit", "path", "channel", "space"),
    *("coordinateTransformations", "scale", "translation", "micrometer", "c", "y", "x", *map(str, range(12))),
    *("coverslip", "layout", "origins", "objective_power", "copied", "cut", "decoded", "added"),
}
"""All the words that the attributes of a stored scan may hold."""

CLOSED_TERMS = {
    *("unknown", "England", "living", "identifiable", "no (person)", "no (screened, structure-1)"),
    *("H&E", "copied", "lossless", "kept", "Aperio"),
}
"""All the words that are recorded of these slides."""


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> tuple[Laboratory, Said, Plant]:
    """Take in the slide that is drawn for whoever tries Coverslip out, drawn small."""
    home = tmp_path_factory.mktemp("demonstration")
    slide = home / f"{CASE}.svs"
    draw_demo_slide(slide, width=1500, height=1100)
    listed = {"file": slide.name, "patient": PATIENT, "case": CASE, "block": BLOCK, "stain": STAIN}
    laboratory = Laboratory(home / "laboratory")
    laboratory.home.mkdir()
    laboratory.declare_feed()
    said = laboratory.take_in(slide, write_list(home / "list.csv", listed))
    return laboratory, said, Plant(tokens=dict(PLANTED))


def test_no_name_of_the_demonstration_slide_survives(demonstration: tuple[Laboratory, Said, Plant]) -> None:
    laboratory, said, planted = demonstration
    assert len(said.slides) == 1
    assert planted.survivors_under(laboratory.archive) == []
    assert planted.survivors(catalogue_read_out(laboratory.archive)) == []
    assert planted.survivors("".join(one.everything for one in laboratory.said).encode()) == []
    searched = {line.split(" (")[0] for line in planted.survivors_under(laboratory.home.parent)}
    drawn_as_pixels = {place for place in PLANTED if place.startswith("label: ")}
    assert set(PLANTED) - searched <= drawn_as_pixels


@dataclass(frozen=True)
class Bench:
    """A laboratory's places, with one slide on the bench whose names are known."""

    places: Places
    slide: MadeSlide
    listed: Plant

    def take_in(self) -> None:
        """Take the slide in, in this process, so that a test can switch a part of the story off."""
        slide, listed = self.slide.path, self.listed
        row = row_of(slide, listed("case"), patient=listed("patient"), patient_name=listed("name"))
        (read,) = read_delivery(write_list(slide.parent / "list.csv", row))
        with self.places.opened() as (archive, vault):
            ingest_slide(slide, read, Facts(source=TissueSource.LIVING), Intake(archive, vault))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Make a slide whose colour profile holds the patient's name."""
    listed = Plant(values={"name": "Thistlewaite Dorothea"})
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
    with pytest.raises(SlideRefused) as refused:
        bench.take_in()
    assert refused.value.reason is Reason.IDENTIFIER_FOUND
    assert bench.listed.survivors(str(refused.value).encode()) == []
    root = bench.places.archive
    assert [path.name for folder in ("scans", "staging", "aside") for path in (root / folder).rglob("*")] == []
    assert bench.listed.survivors_under(root) == []


def catalogue_read_out(archive: Path) -> bytes:
    """Give every cell of every table, one a line: in the file itself, a long text may lie in two places."""
    with closing(sqlite3.connect(f"file:{archive / 'catalogue.sqlite'}?mode=ro", uri=True)) as catalogue:
        tables = [name for (name,) in catalogue.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [row for table in tables for row in catalogue.execute(f'SELECT * FROM "{table}"')]
    assert len(rows) > 5
    return "\n".join(str(cell) for row in rows for cell in row).encode()


def internal_keys(archive: Path) -> set[str]:
    """Give every internal key that is recorded beside a scan."""
    texts = [path.read_text() for path in archive.glob("scans/*/*/record.json")]
    return {key for text in texts for key in re.findall(r'"([0-9a-f]{32})"', text)}


def digests(journey: Journey) -> list[bytes]:
    """Give the digest of every delivered file, raw, in hexadecimal and in base64."""
    raw = [hashlib.sha256(path.read_bytes()).digest() for path in journey.delivery.iterdir()]
    return [spelt for one in raw for spelt in (one, one.hex().encode(), base64.b64encode(one).rstrip(b"="))]


def stored_pixels(archive: Path) -> Iterator[np.ndarray[Any, np.dtype[np.uint8]]]:
    """Give every stored level as Zarr reads it, row by row, (height, width, channels) uint8."""
    for group in archive.glob("scans/*/*/pyramid.ome.zarr"):
        for array in sorted(group.glob("*/zarr.json")):
            level = zarr.open_array(array.parent, mode="r")
            yield np.ascontiguousarray(np.moveaxis(np.asarray(level[...]), 0, -1))


def stored_tiles(archive: Path) -> Iterator[bytes]:
    """Give every tile that is stored as JPEG."""
    with Archive.open(archive, read_only=True) as holdings:
        for scan in [scan.record.key for slide in holdings.slides() for scan in slide.scans]:
            with holdings.open_pyramid(scan) as pyramid:
                for level in pyramid.levels:
                    if level.layout.coding is Coding.JPEG:
                        tiles = (level.encoded_tile(c, r) for r in range(level.rows) for c in range(level.columns))
                        yield from (tile for tile in tiles if tile is not None)


def strings(value: Any) -> Iterator[str]:
    """Give every key and every text of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        yield from strings(list(value.values()))
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)
