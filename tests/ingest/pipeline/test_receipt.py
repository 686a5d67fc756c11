"""A receipt says what was kept, left behind and proven, in numbers and in our own words; it names nobody."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive.codes import new_key
from archive.errors import UnknownCode
from archive.geometry import Size
from archive.holdings.pixels import Coding, LevelLayout, Origin, ScanLayout
from archive.records import Fidelity
from ingest.deidentify import deidentify
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.receipt import receipt_of_known, scan_record
from ingest.pipeline.source import Source
from tests.ingest.pipeline.conftest import Laboratory
from tests.slides.generic import make_tiff
from tests.slides.planted import Plant
from tests.slides.svs import make_svs


def level(origin: Origin) -> LevelLayout:
    coding = Coding.LOSSLESS if origin is Origin.DECODED else Coding.JPEG
    return LevelLayout.planned(Size(512, 512), Size(256, 256), coding, origin)


def test_it_tells_what_was_kept_left_behind_and_proven(tmp_path: Path, laboratory: Laboratory) -> None:
    made = make_svs(tmp_path / "a.svs", plant=Plant())
    receipt = laboratory.take_in(made.path)
    told = receipt.as_json()
    assert told["kept"]["levels"] == [
        {"width": width, "height": height, "origin": "copied"} for width, height in (one.size for one in made.levels)
    ]
    assert told["kept"]["mpp"] == [made.mpp, made.mpp]
    assert (told["kept"]["objective_power"], told["kept"]["pixels"]) == (20.0, "copied, not re-encoded")
    assert told["left_behind"]["pictures"] == {"label": 1, "macro": 1, "thumbnail": 1}
    assert told["left_behind"]["jpeg_segments"] > 3
    assert told["left_behind"]["properties"] > 30
    tiles = sum(len(one.tiles) for one in made.levels)
    sample = sum(min(8, len(one.tiles)) for one in made.levels)
    proof = told["verified"]
    assert (proof["tiles"], proof["same_bytes"], proof["same_pixels"]) == (tiles, tiles, sample)
    assert proof["bytes_searched"] > receipt.stored_bytes
    assert proof["words_left_out"] == 0
    assert told["source_bytes"] == made.path.stat().st_size
    assert told["decision"] == "K1"


def test_it_tells_how_many_words_of_the_file_were_too_many_to_look_for(
    tmp_path: Path, laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.auditor.needles.MOST_METADATA_NEEDLES", 20)
    receipt = laboratory.take_in(make_svs(tmp_path / "a.svs", plant=Plant()).path)
    assert receipt.as_json()["verified"]["words_left_out"] > 20


def test_it_holds_no_planted_word_and_no_word_of_the_list(tmp_path: Path, laboratory: Laboratory) -> None:
    made = make_svs(tmp_path / "planted-file-name.svs", plant=Plant())
    words: dict[str, Any] = {
        "patient": "H-planted-1",
        "patient_name": "Planted^Jane",
        "case": "S26-planted",
        "block": "Planted A1",
    }
    receipt = laboratory.take_in(made.path, **words)
    text = json.dumps(receipt.as_json()) + repr(receipt)
    assert made.plant.survivors(text.encode()) == []
    assert "planted" not in text.lower()


def test_a_file_that_is_known_is_told_by_its_codes_alone(tmp_path: Path, laboratory: Laboratory) -> None:
    path = make_svs(tmp_path / "a.svs", width=300, height=260, factors=(1,)).path
    first, second = laboratory.take_in(path), laboratory.take_in(path)
    assert (first.new, second.new) == (True, False)
    for name in ("patient_code", "case_code", "slide_code", "scan_code", "stored_bytes", "source_bytes"):
        assert getattr(second, name) == getattr(first, name)
    assert second.as_json()["verified"] is None
    assert (second.size, second.levels) == (None, ())


def test_a_scan_that_the_archive_has_not_is_not_made_up(
    tmp_path: Path, make_laboratory: Callable[[], Laboratory]
) -> None:
    one, other = make_laboratory(), make_laboratory()
    path = make_svs(tmp_path / "a.svs", width=300, height=260, factors=(1,)).path
    one.take_in(path)
    scan = one.vault.scan_of_file(Source.receive(path).sha256)
    assert scan is not None
    with pytest.raises(UnknownCode, match="check both folders"):
        receipt_of_known(other.archive, scan, Source.receive(path).size_bytes)


@pytest.mark.parametrize(
    ("origins", "fidelity", "added"),
    [
        ([Origin.COPIED], Fidelity.COPIED, 0),
        ([Origin.COPIED, Origin.ADDED], Fidelity.COPIED, 1),
        ([Origin.COPIED, Origin.DECODED, Origin.ADDED], Fidelity.COPIED, 1),
        ([Origin.DECODED, Origin.ADDED, Origin.ADDED], Fidelity.LOSSLESS, 2),
    ],
)
def test_the_catalogue_is_told_how_the_largest_level_is_stored(
    origins: list[Origin], fidelity: Fidelity, added: int
) -> None:
    layout = ScanLayout(tuple(map(level, origins)))
    record = scan_record(new_key(), new_key(), layout, deidentify("aperio", {"aperio.MPP": "0.25"}))
    assert (record.fidelity, record.levels_added, record.level_count) == (fidelity, added, len(origins))
    assert (record.deidentified, record.rescreen, str(record.might_identify)) == (True, True, "unassessed")


def test_pixels_are_told_in_words(tmp_path: Path, laboratory: Laboratory) -> None:
    lossless = laboratory.take_in(make_tiff(tmp_path / "a.tif", "lzw", factors=(1,)).path)
    assert lossless.pixels == "decoded and stored without loss"


@pytest.mark.parametrize("step", ["recognise", "pixels", "prove"])
def test_a_file_that_changes_meanwhile_is_refused_for_that(tmp_path: Path, laboratory: Laboratory, step: str) -> None:
    """Whatever else goes wrong with a file that somebody is still writing, this is what to tell."""
    path = make_svs(tmp_path / "a.svs", width=300, height=260, factors=(1,)).path

    def write(now: str, told: dict[str, Any]) -> None:
        if now == step:
            path.write_bytes(path.read_bytes()[:3000])

    with pytest.raises(SlideRefused) as refused:
        laboratory.take_in(path, watch=write)
    assert refused.value.reason is Reason.CHANGED_WHILE_READ
    assert laboratory.archive.slides() == ()
    assert list(laboratory.archive.place.staging.iterdir()) == []
