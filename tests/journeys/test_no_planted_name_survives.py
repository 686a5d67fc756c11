"""What people, programs and scanners wrote on and into slides is looked for everywhere that a slide leaves a trace.

Each hiding place of each format has a word of its own, and so have the delivery list, the feed, and the names of files
and folders. All of them are looked for in every usual spelling: in whatever the laboratory has on its disk afterwards,
in what commands and server say, and in every answer over HTTP; and labels and macros in whatever pixels are kept.
"""

import base64
import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from pyarrow import parquet

from archive.holdings import Archive
from archive.holdings.pixels import Coding
from ingest.cli.demo_slide import BLOCK, CASE, PATIENT, PLANTED, STAIN, draw_demo_slide
from tests.ingest.deidentify.colour_difference import assert_same_colours, chart
from tests.journeys.everywhere import OTHERS, Journey, journey, known_codes
from tests.journeys.laboratory import ROOT, Laboratory, Said, write_list
from tests.slides import icc, jpegs
from tests.slides.around import BY_FILE_SYSTEM, SECONDS, XATTR
from tests.slides.formats import FORMATS
from tests.slides.hiding import HIDING, places_of
from tests.slides.likeness import ALIKE, likeness
from tests.slides.made import MadeSlide
from tests.slides.planted import Plant
from tests.slides.searched import AnyOf, Searched
from tests.slides.tissue import Picture

UNTOLD = (b"12/29/09", b"09:59:15", b"2009-12-29")
"""When the scanner says that it made the scans."""

PIECE = 64

TELLING = 40
"""Different byte values that a run of pixels or compressed data has before it is one picture's and no other's."""

ONLY_TYPED = {"list: name as a sentence", "list: born"}
"""Spellings that stand in no file, and in which a name might yet come back."""

PLACES = ("the laboratory's disk", "the catalogue read out", "what commands say", "what the server sends", "pixels")


@pytest.fixture(scope="module")
def gone(tmp_path_factory: pytest.TempPathFactory) -> Journey:
    """Take slides of every format in, and look at them in every way that there is."""
    return journey(tmp_path_factory.mktemp("journey"))


@pytest.fixture(scope="module")
def searched(gone: Journey) -> Searched:
    return Searched(gone.plant)


@pytest.fixture(scope="module")
def found(gone: Journey, searched: Searched) -> Mapping[str, list[str]]:
    """Give by place what was found there: ``ndpi: tag 306 DateTime of level 0 (utf-8) in ...``."""
    said = "\n".join(said.everything for said in gone.laboratory.said)
    cohort = parquet.read_table(gone.exports / "cohort.parquet").to_pylist()
    pixels = b"".join(laid for level in stored_pixels(gone.laboratory.archive) for laid in both_ways(level))
    return {
        "the laboratory's disk": searched.survivors_under(gone.laboratory.home),
        "the catalogue read out": searched.survivors(catalogue_read_out(gone.laboratory.archive)),
        "what commands say": searched.survivors((said + json.dumps(cohort)).encode()),
        "what the server sends": searched.survivors(gone.sent),
        "pixels": searched.survivors(pixels),
    }


def test_every_planted_name_is_found_in_what_was_delivered(gone: Journey, searched: Searched) -> None:
    found = {line.split(" (")[0] for line in searched.survivors_under(gone.delivery.parents[1])}
    missing = set(gone.plant.tokens) - found
    by_file_system = {f"around: {place}" for place in BY_FILE_SYSTEM} & set(gone.plant.tokens)
    assert {place for place in missing if not place.startswith("feed: ")} == ONLY_TYPED | by_file_system
    for kind in FORMATS:
        assert sum(place.startswith(f"{kind}: ") for place in found) >= FEWEST_PLACES, kind


def test_what_the_file_system_keeps_of_a_file_is_not_taken_along(gone: Journey) -> None:
    delivered = gone.slides["svs"].path
    assert delivered.stat().st_mtime == SECONDS
    assert XATTR in os.listxattr(delivered) or "around: extended attribute of a file" not in gone.plant.tokens
    kept = [path for path in gone.laboratory.home.rglob("*") if not path.is_symlink()]
    assert [path.name for path in kept if os.listxattr(path) or int(path.stat().st_mtime) == SECONDS] == []


def test_the_documentation_says_of_every_place_what_becomes_of_it(gone: Journey) -> None:
    """Each planted word stands in a place that the page tells of, and the page tells in what it was planted."""
    table = TOLD.findall(PAGE.read_text())[1:]
    told = {place: set(kinds.split("; ")) for place, _, kinds in table}
    assert told.keys() == HIDING.keys()
    assert told == places_of(name for name in gone.plant.tokens if not name.startswith(f"{OTHERS[3]}: "))


PAGE = ROOT / "docs/explanation/hiding-places.md"
TOLD = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$(?<!---\|)", re.MULTILINE)

FEWEST_PLACES = 10
"""Hiding places that any format has; most have dozens."""


def test_every_format_is_taken_in_and_shown(gone: Journey) -> None:
    assert gone.codes.keys() == FORMATS.keys()
    assert len(set(gone.codes.values())) == len(gone.handles) == len(FORMATS)
    for name in ("cohort.csv", "cohort.parquet", "entries.jsonl", "report.csv", "report.html"):
        assert (gone.exports / name).stat().st_size > 0
    assert len(parquet.read_table(gone.exports / "cohort.parquet")) == len(FORMATS)


def test_every_answer_was_of_the_kind_that_was_asked_for(gone: Journey) -> None:
    shown = {name: status for name, status in gone.statuses.items() if status == 200}
    assert sum("/tiles/" in name for name in shown) > 10 * len(FORMATS)
    assert sum("_files/" in name for name in shown) > 15 * len(FORMATS)
    assert sum("/srgb/tiles/" in name for name in shown) >= 3, "slides with a profile are shown in managed colours too"
    assert {status for name, status in gone.statuses.items() if name not in shown} == {400, 404, 405, 421}
    assert {said.code for said in gone.laboratory.said} == {0, 3}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", [*FORMATS, *OTHERS])
def test_no_planted_name_survives(found: Mapping[str, list[str]], kind: str, place: str) -> None:
    assert [line for line in found[place] if line.startswith(f"{kind}: ")] == []


def test_the_server_sends_no_code_no_key_and_no_digest(gone: Journey) -> None:
    known = known_codes(gone)
    assert len(known.tokens) > 4 * len(FORMATS)
    assert Searched(known).survivors(gone.sent) == []
    assert not any(digest in gone.sent for digest in digests(gone))


def test_the_archive_has_no_digest_of_a_source_and_no_date_of_a_scan(gone: Journey) -> None:
    untold = (*digests(gone), *UNTOLD)
    for path in gone.laboratory.archive.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert not any(one in data for one in untold), path.name


def test_no_byte_of_label_macro_or_thumbnail_is_kept_or_sent(gone: Journey) -> None:
    pieces = {(kind, piece) for kind in FORMATS for piece in pieces_of(gone.slides[kind])}
    assert {kind for kind, _ in pieces} >= {kind for kind in FORMATS if gone.slides[kind].associated}
    known = AnyOf([piece for _, piece in pieces])
    delivered = [path.read_bytes() for path in gone.delivery.rglob("*") if path.is_file()]
    assert sum(len(known.found_in(data)) for data in delivered) > 20 * len(FORMATS)
    kept = [path.read_bytes() for path in gone.laboratory.archive.rglob("*") if path.is_file()]
    shown = [laid for level in stored_pixels(gone.laboratory.archive) for laid in both_ways(level)]
    for data in (*kept, *shown, gone.sent):
        assert known.found_in(data) == []


def pieces_of(made: MadeSlide) -> Iterator[bytes]:
    """Cut pieces out of associated images, as they are stored and as they are shown."""
    raws = [raw for raws in made.associated_bytes.values() for raw in raws]
    rows = [row.tobytes() for picture in made.associated.values() for row in picture[::16]]
    pieces = [raw[start : start + PIECE] for raw in (*raws, *rows) for start in range(0, len(raw) - PIECE, 8 * PIECE)]
    yield from (piece for piece in pieces if len(set(piece)) > TELLING)


@pytest.mark.parametrize("kind", FORMATS)
def test_no_stored_level_shows_a_label_or_a_macro(gone: Journey, kind: str) -> None:
    made = gone.slides[kind]
    levels = list(levels_of(gone, kind))
    assert levels
    for name in made.associated.keys() & {"label", "macro"}:
        for level in levels:
            assert likeness(made.associated[name], level) < ALIKE, name


def test_a_stored_tile_is_its_picture_and_nothing_else(gone: Journey) -> None:
    tiles = list(stored_tiles(gone.laboratory.archive))
    assert len(tiles) > 20
    for tile in tiles:
        found = list(jpegs.segments(tile))
        assert {code for code, _ in found} <= {jpegs.APP14, jpegs.DQT, jpegs.DHT, 0xC0, 0xC1, 0xDD, jpegs.SOS}
        assert [len(segment) for code, segment in found if code == jpegs.APP14] in ([], [16])
        assert jpegs.SOI + b"".join(segment for _, segment in found) + jpegs.EOI == tile


def test_colours_are_those_of_the_scanner(gone: Journey) -> None:
    kept = list(gone.laboratory.archive.glob("scans/*/*/colour-profile.icc"))
    assert len(kept) >= 5
    for path in kept:
        assert_same_colours(icc.profile(Plant()), path.read_bytes(), chart())


def test_the_metadata_of_a_scan_hold_what_is_listed_and_nothing_else(gone: Journey) -> None:
    groups = list(gone.laboratory.archive.glob("scans/*/*/pyramid.ome.zarr"))
    assert len(groups) == len(gone.slides)
    for group in groups:
        attributes = json.loads((group / "zarr.json").read_bytes())["attributes"]
        assert {word for word in strings(attributes) if not re.fullmatch("[0-9A-F]{6}", word)} <= ATTRIBUTES
        assert set(attributes["coverslip"]) <= {"layout", "origins", "objective_power"}
        for array in group.glob("*/zarr.json"):
            assert json.loads(array.read_bytes())["attributes"] == {}
        listed = {"manifest.json", "record.json", "pyramid.ome.zarr"}
        assert {path.name for path in group.parent.iterdir()} - {"colour-profile.icc"} == listed
        names = {path.name for path in group.iterdir()}
        assert {name for name in names if not name.isdigit()} == {"zarr.json"}


def test_the_record_beside_a_scan_holds_keys_and_closed_terms_only(gone: Journey) -> None:
    records = list(gone.laboratory.archive.glob("scans/*/*/record.json"))
    assert len(records) == len(gone.slides)
    for record in records:
        tables = json.loads(record.read_bytes())
        tables["case"] |= json.loads(tables["case"].pop("facts"))
        found = {word for table in tables.values() for word in strings(list(table.values()))}
        assert {word for word in found if not re.fullmatch("[0-9a-f]{32}", word)} <= CLOSED_TERMS | {""}


ATTRIBUTES = {
    *("ome", "version", "0.5", "multiscales", "axes", "datasets", "name", "type", "unit", "path", "channel", "space"),
    *("coordinateTransformations", "scale", "translation", "micrometer", "c", "y", "x", *map(str, range(12))),
    *("coverslip", "layout", "origins", "objective_power", "copied", "cut", "decoded", "added"),
    *("omero", "channels", "label", "color", "active", "window", "min", "max", "start", "end"),
    *("DAPI", "CD8 (Opal 520)", "Cy5", "channel 2", "channel 3", "channel 5"),
}
"""All the words that the attributes of a stored scan may hold; colours are six digits."""

CLOSED_TERMS = {
    *("unknown", "England", "living", "identifiable", "no (person)", "unassessed"),
    *("H&E", "copied", "lossless", "kept"),
    *("3DHISTECH", "Akoya Biosciences", "Aperio", "Hamamatsu", "Leica", "Philips", "Sakura", "Trestle", "Ventana"),
    *("Aperio GT 450 DX", "NanoZoomer C13210", "SCN400"),
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


def catalogue_read_out(archive: Path) -> bytes:
    """Give every cell of every table, one a line: in the file itself, a long text may lie in two places."""
    with closing(sqlite3.connect(f"file:{archive / 'catalogue.sqlite'}?mode=ro", uri=True)) as catalogue:
        tables = [name for (name,) in catalogue.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [row for table in tables for row in catalogue.execute(f'SELECT * FROM "{table}"')]
    assert len(rows) > 5
    return "\n".join(str(cell) for row in rows for cell in row).encode()


def digests(gone: Journey) -> list[bytes]:
    """Give the digest of every delivered file, raw, in hexadecimal and in base64."""
    raw = [hashlib.sha256(path.read_bytes()).digest() for path in gone.delivery.rglob("*") if path.is_file()]
    return [spelt for one in raw for spelt in (one, one.hex().encode(), base64.b64encode(one).rstrip(b"="))]


def stored_pixels(archive: Path) -> Iterator[np.ndarray[Any, np.dtype[np.uint8]]]:
    """Give every stored level as Zarr reads it, ``(channels, height, width)`` uint8."""
    for group in archive.glob("scans/*/*/pyramid.ome.zarr"):
        for array in sorted(group.glob("*/zarr.json")):
            yield np.asarray(zarr.open_array(array.parent, mode="r")[...])


def both_ways(level: "np.ndarray[Any, np.dtype[np.uint8]]") -> tuple[bytes, bytes]:
    """Lay a level's pixels out colour by colour, and row by row."""
    return level.tobytes(), np.ascontiguousarray(np.moveaxis(level, 0, -1)).tobytes()


def levels_of(gone: Journey, kind: str) -> Iterator[Picture]:
    """Give every level that is stored of a slide, ``(height, width, 3)`` uint8."""
    with Archive.open(gone.laboratory.archive, read_only=True) as archive:
        for scan in archive.scans_of(archive.slide(gone.codes[kind]).record.key):
            with archive.open_pyramid(scan.key) as pyramid:
                for level in pyramid.levels:
                    yield level.read_region(0, 0, level.size.width, level.size.height)


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
