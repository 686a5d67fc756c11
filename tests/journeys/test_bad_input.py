"""Whatever is delivered, the sound slides beside it are kept, and each bad file is refused in one clear sentence."""

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from archive import fixity
from archive.fixity import Manifest
from archive.holdings import Archive
from ingest.errors import Reason
from ingest.precheck import Family
from tests.journeys.delivered import Delivered, deliver
from tests.journeys.elsewhere import shown_elsewhere
from tests.journeys.laboratory import Laboratory
from tests.journeys.mutating import NEVER, SEEDS, ingest_mutants
from tests.slides.malformed import MALFORMED
from tests.slides.mutants import NEVER_KEPT
from tests.slides.svs import make_svs

MUTANTS = 500
NUMBERED = re.compile(r"(.+); its number is ([0-9a-f]{8})")
BY_NAME = {f"{family.value} cannot be read here; {family.advice}" for family in Family if family.advice}
"""What is said of formats that nobody here can read."""

GOOD = ("good-first.svs", "good-last.svs")

STRUCTURE = {"damaged-structure"}
CUT_OFF = {"truncated"}
NO_SLIDE = {"not-a-whole-slide"}
UNSAFE = {"forbidden-compression"}
OTHER_PIXELS = {"unsupported-pixels"}
NOTHING_KNOWN = {"not-a-slide"}
BROKEN_PIXELS = {"unreadable-pixels"}
KEPT = {"kept"}

EXPECTED: Mapping[str, set[str]] = {
    "broken.svs": NOTHING_KNOWN,  # not a TIFF
    "openslide/unopenable.tiff": UNSAFE,
    "openslide/unreadable.svs": BROKEN_PIXELS,
    "panimg/corrupt.png": NOTHING_KNOWN,
    # odd, and sound: levels without a pixel size, one page, tiny
    **dict.fromkeys((f"panimg/{name}.tif" for name in ("invalid_resolutions_tiff", "no_dzi", "valid_tiff")), KEPT),
    "pillow-tiff/crash-0da013a13571cc8eb457a39fee8db18f8a3c7127.tif": STRUCTURE | CUT_OFF,
    "pillow-tiff/crash-1152ec2d1a1a71395b6f2ce6721c38924d025bf3.tif": STRUCTURE | CUT_OFF,
    "pillow-tiff/crash-2020-10-test.tif": STRUCTURE | CUT_OFF,
    "pillow-tiff/crash-4f085cc12ece8cde18758d42608bed6a2a2cfb1c.tif": STRUCTURE | CUT_OFF,
    "pillow-tiff/crash-63b1dffefc8c075ddc606c0a2f5fdc15ece78863.tif": STRUCTURE | CUT_OFF,
    "pillow-tiff/crash-f46f5b2f43c370fe65706c11449f567ecc345e74.tif": STRUCTURE | CUT_OFF,
    # JPEG 2000 files are pictures
    "pillow-tiff/crash-7d4c83eb92150fb8f1653a697703ae06ae7c4998.j2k": NO_SLIDE,
    "pillow-tiff/crash-ccca68ff40171fdae983d924e127a721cab2bd50.j2k": NO_SLIDE,
    "pillow-tiff/invalid_header_length.jp2": NO_SLIDE,
    "pillow-tiff/not_enough_data.jp2": NO_SLIDE,
    "pillow-tiff/zero_height.j2k": NO_SLIDE,
    "pillow-tiff/multipage_multiple_frame_loop.tiff": {"endless-structure"},
    "pillow-tiff/multipage_single_frame_loop.tiff": {"endless-structure"},
    "pillow-tiff/old-style-jpeg-compression.tif": UNSAFE,
    "pillow-tiff/total-pages-zero.tif": UNSAFE,  # fax
    "pillow-tiff/separate_planar_extra_samples.tiff": OTHER_PIXELS,  # brightness and transparency, signed
    "pillow-tiff/tiff_strip_planar_16bit_RGB.tiff": OTHER_PIXELS,
    "pillow-tiff/tiff_tiled_planar_16bit_RGB.tiff": OTHER_PIXELS,
    "pillow-tiff/tiff_wrong_bits_per_sample_2.tiff": STRUCTURE,
    # sound pictures of 8-bit RGB: planes, strips and tiles
    "pillow-tiff/tiff_strip_planar_lzw.tiff": KEPT,
    "pillow-tiff/tiff_strip_planar_raw_with_overviews.tif": KEPT,
    "pillow-tiff/tiff_tiled_planar_lzw.tiff": KEPT,
    "pillow-tiff/tiff_tiled_raw.tif": KEPT,
    "pillow-tiff/tiff_tiled_ycbcr_jpeg_2x2_sampling.tif": KEPT,
    # DICOM of other classes, or without the head that tells the class
    "pydicom/MR_truncated.dcm": NO_SLIDE,
    "pydicom/badVR.dcm": NO_SLIDE,
    "pydicom/rtplan_truncated.dcm": NO_SLIDE,
    "pydicom/meta_missing_tsyntax.dcm": STRUCTURE,
    "pydicom/no_meta.dcm": NOTHING_KNOWN,
}
"""What may be said of each broken or odd file that other projects collected."""


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with two sound slides."""
    folder = tmp_path_factory.mktemp("delivery")
    for seed, name in enumerate(GOOD):
        make_svs(folder / name, width=600, height=500, factors=(1, 4), seed=seed)
    return folder


@pytest.fixture(scope="module")
def malformed(delivery: Path, tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    """Deliver every known fault between two sound slides."""
    names = [f"{number:02}.svs" for number in range(len(MALFORMED))]
    for name, fault in zip(names, MALFORMED, strict=True):
        fault.make(delivery / name)
    return _untouched(delivery, [GOOD[0], *names, GOOD[1]], tmp_path_factory.mktemp("laboratory"))


@pytest.fixture(scope="module")
def collected(real_slides: Path, delivery: Path, tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    """Deliver all files that other projects collected, between two sound slides."""
    folder = tmp_path_factory.mktemp("collected")
    shutil.copytree(real_slides / "bad-input", folder, dirs_exist_ok=True)
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    for name in GOOD:
        shutil.copy(delivery / name, folder)
    return _untouched(folder, [GOOD[0], *names, GOOD[1]], tmp_path_factory.mktemp("laboratory"))


def _untouched(folder: Path, names: list[str], home: Path) -> Delivered:
    """Deliver files and see that none of them was changed."""
    before = _state(folder)
    delivered = deliver(Laboratory(home), folder, names, ends=3)
    assert _state(folder) == before
    return delivered


def _state(folder: Path) -> dict[str, tuple[str, int]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns) for path in files}


@pytest.mark.parametrize("number", range(len(MALFORMED)), ids=lambda number: MALFORMED[number].name)
def test_a_malformed_slide_is_refused_for_its_fault(malformed: Delivered, number: int) -> None:
    assert malformed.outcomes[f"{number:02}.svs"] in MALFORMED[number].reasons


def test_every_collected_file_has_a_right_outcome(collected: Delivered) -> None:
    outcomes = {name: outcome for name, outcome in collected.outcomes.items() if name not in GOOD}
    assert {name: outcome for name, outcome in outcomes.items() if outcome not in EXPECTED[name]} == {}
    assert outcomes.keys() == EXPECTED.keys()


def test_an_odd_file_that_is_kept_shows_what_other_programs_show(collected: Delivered, real_slides: Path) -> None:
    with Archive.open(collected.laboratory.archive, read_only=True) as archive:
        for name in collected.codes.keys() - set(GOOD):
            with collected.open(archive, name) as pyramid:
                kept = {(level.size.width, level.size.height): level for level in pyramid.levels}
                for size, y, band in shown_elsewhere(real_slides / "bad-input" / name):
                    mine = kept[size].read_region(0, y, band.shape[1], band.shape[0])
                    assert np.array_equal(mine, band), f"{name}, level of {size}, from row {y}"


@pytest.mark.parametrize("batch", ["malformed", "collected"])
def test_the_sound_slides_beside_bad_ones_are_kept_and_nothing_is_half_written(
    batch: str, request: pytest.FixtureRequest
) -> None:
    delivered: Delivered = request.getfixturevalue(batch)
    assert delivered.codes.keys() >= set(GOOD)
    home = delivered.laboratory.archive
    assert [list((home / place).iterdir()) for place in ("staging", "aside")] == [[], []]
    folders = list((home / "scans").glob("*/*"))
    assert len(folders) == len(set(delivered.codes.values()))
    for folder in folders:
        assert fixity.verify(folder, Manifest.from_bytes((folder / fixity.MANIFEST).read_bytes())) == ()


@pytest.mark.parametrize("batch", ["malformed", "collected"])
def test_each_refusal_is_one_sentence_on_one_line_that_names_nothing(
    batch: str, request: pytest.FixtureRequest
) -> None:
    delivered: Delivered = request.getfixturevalue(batch)
    lines = [line for line in delivered.said.out.splitlines() if line.startswith("refused ")]
    assert len(lines) == len(delivered.reasons)
    numbers = {entry["number"] for entry in json.loads(delivered.laboratory.run("quarantine", "list", "--json").out)}
    for line in lines:
        called, reason, sentence = line.removeprefix("refused").split(": ", 2)
        assert called.strip().startswith("row ")
        told = NUMBERED.fullmatch(sentence)
        assert told
        assert told[1] in {Reason(reason).sentence, *BY_NAME}
        assert told[2] in numbers
    assert {name for name in delivered.reasons if Path(name).name in delivered.said.everything} == set()
    assert delivered.said.err == ""


@pytest.mark.parametrize("batch", ["malformed", "collected"])
def test_what_was_refused_waits_in_quarantine_with_its_reason(batch: str, request: pytest.FixtureRequest) -> None:
    delivered: Delivered = request.getfixturevalue(batch)
    waiting = json.loads(delivered.laboratory.run("quarantine", "list", "--json").out)
    assert Counter(entry["reason"] for entry in waiting) == Counter(delivered.reasons.values())


@pytest.mark.parametrize("kind", SEEDS)
def test_mutants_end_soon_in_a_reason_or_are_kept(kind: str, tmp_path: Path) -> None:
    count = MUTANTS // len(SEEDS) + (list(SEEDS).index(kind) < MUTANTS % len(SEEDS))
    mutated = ingest_mutants(SEEDS[kind], count, tmp_path)
    assert mutated.outcomes.total() == count
    assert 0 <= mutated.outcomes["kept"] < count
    assert mutated.outcomes.keys() <= {"kept", *Reason} - NEVER
    assert mutated.within_limits, mutated
    assert mutated.faults == []
    assert [way for way in NEVER_KEPT if mutated.by_way[way]["kept"]] == []
