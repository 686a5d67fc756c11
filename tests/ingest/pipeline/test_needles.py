"""A slide of anybody is taken in, whatever they are called and numbered; and yet each of their words is looked for."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive.codes import new_key
from archive.consent import Facts
from archive.consent.terms import Authority, Jurisdiction, Maturity, Recorded, TissueSource, Vital
from archive.holdings import PIXELS
from archive.pyramid.layout import read_layout
from archive.records import CaseRecord, Concept, Scheme, SlideRecord
from ingest.auditor import audit_folder
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.answers import Description
from ingest.pipeline.describing import describe
from ingest.pipeline.needles import needles_of, schema_words
from ingest.pipeline.source import Source
from tests.ingest.pipeline.conftest import LIVING, Laboratory
from tests.slides.generic import make_tiff
from tests.slides.ome import make_ome_tiff
from tests.slides.planted import Plant
from tests.slides.svs import make_svs

NUMBERS = 2000

SURGICAL = Facts(
    source=TissueSource.LIVING, jurisdiction=Jurisdiction.ENGLAND, vital=Vital.ALIVE, maturity=Maturity.ADULT
)
POST_MORTEM = Facts(
    source=TissueSource.POST_MORTEM,
    authority=Authority.HOSPITAL,
    recorded=Recorded.AS_PART_OF_EXAMINATION,
    jurisdiction=Jurisdiction.ENGLAND,
)

MAKERS: dict[str, Callable[[Path], Any]] = {
    "Aperio with a colour profile": lambda path: make_svs(path, width=900, height=700, plant=Plant()),
    "grey": lambda path: make_svs(path, width=600, height=500, colours="grey"),
    "lossless": lambda path: make_tiff(path, "deflate", width=600, height=500),
    "OME-TIFF": lambda path: make_ome_tiff(path),
}


NAMES = (
    *("Living", "England", "Scale", "Brown", "Unknown", "State", "Green^False", "Null^Ada", "Long^Page", "Size"),
    *("Alive", "Screened^Ida", "Structure", "Case^Block", "Adult", "Copied", "Aperio", "Ng^An", "Lee^Kim^Ann", "Might"),
    *("Identifiable", "Unassessed", "Record^Json", "Pyramid", "Zarr^Ome"),
)
"""Words that stand in what is stored, and words that are short."""


@pytest.mark.parametrize("name", NAMES)
def test_a_patient_may_have_any_name(tmp_path: Path, laboratory: Laboratory, name: str) -> None:
    slide = make_svs(tmp_path / "a.svs", width=300, height=260, factors=(1,)).path
    assert laboratory.take_in(slide, SURGICAL, patient_name=name).new


@pytest.mark.parametrize("name", ["Mortem^Post", "Hospital", "England", "Examination"])
def test_a_patient_may_have_any_name_after_death(tmp_path: Path, laboratory: Laboratory, name: str) -> None:
    slide = make_svs(tmp_path / "a.svs", width=300, height=260, factors=(1,)).path
    assert laboratory.take_in(slide, POST_MORTEM, patient_name=name).new


@pytest.mark.parametrize("number", ["1234", "2024", "0001", "1024", "256", "3", "20", "S26-1", "299-792"])
def test_a_case_may_have_any_number(tmp_path: Path, laboratory: Laboratory, number: str) -> None:
    slide = make_svs(tmp_path / "a.svs", width=300, height=260, factors=(1,)).path
    assert laboratory.take_in(slide, case=number, patient=number).new


def test_a_case_may_have_the_number_that_is_the_size_of_one_of_its_files(
    tmp_path: Path, laboratory: Laboratory
) -> None:
    """The metadata of each level have about as many bytes, whoever the slide is of."""
    first = laboratory.take_in(make_svs(tmp_path / "a.svs", width=300, height=260, factors=(1,)).path)
    folder = laboratory.folder_of(first)
    sizes = {file["size_bytes"] for file in json.loads((folder / "manifest.json").read_text())["files"]}
    assert len(sizes) == 4
    for size in sizes:
        slide = make_svs(tmp_path / f"b{size}.svs", width=300, height=260, factors=(1,), seed=size).path
        assert laboratory.take_in(slide, case=f"{size}").new


def test_a_case_may_have_the_number_that_is_its_diagnosis(tmp_path: Path, laboratory: Laboratory) -> None:
    slide = make_svs(tmp_path / "a.svs", width=300, height=260, factors=(1,)).path
    organ, diagnosis = Concept(Scheme.ICD_O_3, "C50.9"), Concept(Scheme.ICD_O_3, "8500/3")
    assert laboratory.take_in(slide, case="8500", patient="85003", organ=organ, diagnosis=diagnosis).new


@pytest.mark.parametrize("folder", ["2024", "pyramid", "living", "Aperio scans", "no", "uint8"])
def test_a_laboratory_may_call_its_folders_as_it_likes(tmp_path: Path, laboratory: Laboratory, folder: str) -> None:
    (tmp_path / folder).mkdir()
    slide = make_svs(tmp_path / folder / "scale.svs", width=300, height=260, factors=(1,)).path
    assert laboratory.take_in(slide).new


@pytest.mark.parametrize("kind", MAKERS)
def test_no_short_number_is_met_by_chance_in_what_is_stored(tmp_path: Path, laboratory: Laboratory, kind: str) -> None:
    """Thousands of other numbers at once: none of them is in digests, keys, sizes, or anywhere else."""
    slide = tmp_path / "a.svs"
    MAKERS[kind](slide)
    folder = laboratory.folder_of(laboratory.take_in(slide, SURGICAL))
    rng = random.Random(7)
    numbers = [str(rng.randrange(10 ** (digits - 1), 10**digits)) for digits in rng.choices(range(4, 9), k=NUMBERS)]
    case = CaseRecord(new_key(), new_key(), SURGICAL)
    known = Source.receive(slide), _description(slide), read_layout(folder / PIXELS)
    needles = needles_of(numbers, *known, case, SlideRecord(new_key(), case.key))
    sizes = frozenset(float(file.stat().st_size) for file in folder.rglob("*") if file.is_file())
    found = audit_folder(folder, needles.with_numbers(sizes))
    assert found.is_clean, [(hit.place, hit.offset) for hit in found.hits]
    assert len({needle.words for needle in needles.all}) > NUMBERS


@pytest.mark.parametrize(
    "told",
    [
        {"patient": "H0012345"},
        {"patient": "1234567"},
        {"patient_name": "Doe^Jane"},
        {"case": "S25-10432"},
        {"birth_date": "born"},
    ],
    ids=lambda told: next(iter(told)),
)
@pytest.mark.parametrize("place", ["shard", "metadata", "name"])
def test_what_is_known_of_the_case_is_found_wherever_it_stands(
    tmp_path: Path, laboratory: Laboratory, told: dict[str, Any], place: str, born: Any
) -> None:
    """The words are smuggled in just before the search, past everything that keeps them out."""
    told = {key: born if value == "born" else value for key, value in told.items()}
    word = {"patient_name": "DOE, JANE", "birth_date": "05.07.1948"}.get(
        next(iter(told)), str(next(iter(told.values())))
    )
    slide = make_svs(tmp_path / "a.svs", width=300, height=260, factors=(1,)).path

    def smuggle(step: str, progress: dict[str, Any]) -> None:
        if step == "commit":
            (pixels,) = laboratory.archive.place.staging.glob(f"*/{PIXELS}")
            if place == "name":
                (pixels / word).write_bytes(b"")
                return
            path = pixels / ("0/c/0/0/0" if place == "shard" else "0/zarr.json")
            whole = path.read_bytes()
            path.write_bytes(whole[:100] + f" {word} ".encode() + whole[100:])

    with pytest.raises(SlideRefused) as refused:
        laboratory.take_in(slide, watch=smuggle, **told)
    assert refused.value.reason is Reason.IDENTIFIER_FOUND
    assert list(laboratory.archive.place.staging.iterdir()) == []
    assert laboratory.archive.slides() == ()


def test_the_words_of_the_archive_are_those_that_are_written(tmp_path: Path, laboratory: Laboratory) -> None:
    """Every text in the metadata of a real scan is a known word, a key, a digest or a path; all else is searched."""
    folder = laboratory.folder_of(
        laboratory.take_in(make_svs(tmp_path / "a.svs", width=300, height=260, factors=(1,)).path, LIVING)
    )
    words = schema_words()
    for path in folder.rglob("*.json"):
        unknown = {text for text in _texts(json.loads(path.read_text())) if text not in words and "/" not in text}
        assert all(len(text) in (32, 64) or text.startswith("{") for text in unknown), unknown


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(text for one in value.values() for text in _texts(one))]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []


def _description(slide: Path) -> Description:
    return Description.from_json(describe(lambda _: None, str(slide)))
