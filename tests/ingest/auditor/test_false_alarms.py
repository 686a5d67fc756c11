"""What is no identifier raises no alarm: chance, the archive's own words, measured numbers, digests."""

import hashlib
import json
from collections.abc import Callable

import numpy as np
import pytest
import zstandard

from ingest.auditor import Audit, IdentifierClass, KnownIdentifier, Needles
from ingest.auditor.needle import LONG
from ingest.auditor.needles import MOST_METADATA_NEEDLES
from tests.ingest.auditor.conftest import CASE, TERMS, needles_for

Class = IdentifierClass
Auditing = Callable[[dict[str, bytes], Needles], Audit]

MEGABYTES = 30

ORDINARY = (
    *CASE,
    (Class.CASE_NUMBER, "S25-10432"),
    (Class.PATIENT_NUMBER, "1234567"),
    (Class.BARCODE, "0042"),
    (Class.FILE_NAME, "CMU-1"),
    *((Class.NAME, name) for name in ("Doe, John", "Brown", "Colon", "Li Wei", "Ng, An", "Lee Kim Ann", "Scale, Ray")),
    *((Class.FOLDER_NAME, name) for name in ("slides", "2025", "data")),
    *((Class.SOURCE_METADATA, text) for text in ("1004486", "12/29/09", "09:59:15", "CPAPERIOCS", "USM Filter")),
)

ARRAY = {
    "zarr_format": 3,
    "node_type": "array",
    "shape": [3, 30000, 40000],
    "data_type": "uint8",
    "codecs": [{"name": "sharding_indexed", "configuration": {"chunk_shape": [3, 256, 256]}}],
    "attributes": {"ome": {"version": "0.5"}, "scale": [1.0, 0.499, 3.9920199600798403]},
}


def test_ordinary_identifiers_are_not_met_by_chance_in_compressed_pixels(audit: Auditing):
    pixels = np.random.default_rng(20).bytes(MEGABYTES << 20)
    assert b"doe" in pixels.lower(), "short words are there by chance, and are not what is looked for"
    shards = {f"0/c/0/0/{n}": pixels[n << 20 : (n + 10) << 20] for n in range(0, MEGABYTES, 10)}
    manifest = {name: hashlib.sha256(shard).hexdigest() for name, shard in shards.items()}
    texts = {"zarr.json": json.dumps(ARRAY).encode(), "manifest.json": json.dumps(manifest).encode()}
    found = audit({**shards, **texts}, needles_for(*ORDINARY))
    assert found.is_clean
    assert found.files == 5
    assert found.bytes_scanned == (MEGABYTES << 20) + sum(map(len, texts.values()))


@pytest.mark.parametrize("name", ["Coverslip", "Micrometer", "Scale, Channel", "Array", "Group", "Space", "Unit, Type"])
def test_a_patient_may_be_called_like_a_word_of_the_archive(name, audit: Auditing):
    needles = needles_for((Class.NAME, name))
    metadata = {"attributes": {"coverslip": {"unit": "micrometer", "type": "scale", "space": "channel"}}, **ARRAY}
    assert audit({"zarr.json": json.dumps(metadata).encode()}, needles).is_clean
    for told in (f"seen with {name}", name.partition(",")[0]):
        assert not audit({"zarr.json": json.dumps({"attributes": {"coverslip": told}}).encode()}, needles).is_clean


def test_a_measured_number_is_no_identifier_but_in_another_place_it_is(audit: Auditing):
    needles = needles_for((Class.PATIENT_NUMBER, "40000"), numbers=(40000.0,))
    assert audit({"zarr.json": json.dumps(ARRAY).encode()}, needles).is_clean
    assert not audit({"zarr.json": json.dumps({"name": "40000"}).encode()}, needles).is_clean
    assert not audit({"zarr.json": json.dumps(ARRAY).encode()}, needles_for((Class.PATIENT_NUMBER, "40000"))).is_clean


def test_a_row_of_numbers_is_no_date(audit: Auditing):
    needles = needles_for((Class.BIRTH_DATE, "1961-10-12"), (Class.PATIENT_NUMBER, "310122561"))
    assert audit({"zarr.json": json.dumps({"shape": [3, 10, 12, 1961, 310, 122, 561]}).encode()}, needles).is_clean
    assert not audit({"zarr.json": json.dumps({"shape": "10, 12, 1961"}).encode()}, needles).is_clean


@pytest.mark.parametrize(
    "value",
    [
        *(
            "20",
            "0.499",
            "0.4990",
            "-0.000313",
            "352.85814906304194",
            "3.4591494502960332E-07",
            "46000",
            "32914",
            "0,25",
        ),
        *(
            "20x",
            "40 X",
            "0.25 um",
            "HE",
            "IHC",
            "RGB",
            "Aperio",
            "JPEG",
            "jpeg",
            "uint8",
            "",
            " ",
            "|||",
            "1.0",
            "yes",
        ),
        *("AppMag = 20|MPP = 0.4990|Left = 25.691574|OriginalWidth = 46000", "\0\0\0", "a=b=c"),
    ],
)
def test_measurements_and_words_of_the_archive_never_become_needles(value):
    assert needles_for((Class.SOURCE_METADATA, value)).all == ()


def test_a_word_of_the_metadata_that_is_no_measurement_becomes_a_needle():
    texts = "Title = DOE^JANE|Left = 25.691574|ImageID = 1004486|Date = 12/29/09|User = b414003d-95c6-48b0"
    needles = needles_for((Class.SOURCE_METADATA, texts))
    assert [needle.words for needle in needles.all] == [
        ("doe", "jane"),
        ("1004486",),
        ("12", "29", "09"),
        ("b414003d", "95c6", "48b0"),
    ]


def test_metadata_of_any_length_gives_a_bounded_number_of_needles():
    huge = "<data>" + "".join(f"<key{n}>value {n} of many</key{n}>" for n in range(50_000)) + "</data>"
    many = [KnownIdentifier(Class.SOURCE_METADATA, f"word {n} of a header") for n in range(2000)]
    needles = Needles.of([KnownIdentifier(Class.SOURCE_METADATA, huge), *many])
    assert len(needles.all) == MOST_METADATA_NEEDLES
    assert needles.left_out > 1000


def test_a_short_number_in_a_digest_is_chance(audit: Auditing):
    digest = "3f9a1234567c0de5" * 4
    needles = needles_for((Class.PATIENT_NUMBER, "1234567"))
    assert audit({"manifest.json": json.dumps({"path": digest}).encode()}, needles).is_clean
    assert not audit({"manifest.json": json.dumps({"path": "no. 1234567"}).encode()}, needles).is_clean


def test_a_digest_of_the_source_is_found(audit: Auditing):
    digest = hashlib.sha256(b"the source file").hexdigest()
    needles = needles_for((Class.SOURCE_METADATA, digest))
    assert not audit({"manifest.json": json.dumps({"path": digest}).encode()}, needles).is_clean


@pytest.mark.parametrize("number", ["1234567", "00123456", "4567890123"])
def test_a_smooth_dark_tile_that_counts_like_a_number_is_no_alarm(number, coded, audit: Auditing):
    row = np.tile(np.frombuffer(number.encode(), np.uint8), 1 << 16)[: 256 * 256 * 3]
    shard = coded[:500] + zstandard.compress(row.tobytes()) + coded[500:900]
    files = {"0/zarr.json": json.dumps(ARRAY).encode(), "0/c/0/0/0": shard}
    assert audit(files, needles_for((Class.PATIENT_NUMBER, number))).is_clean


def test_a_dark_tile_that_consists_of_letters_is_no_text(coded, audit: Auditing):
    tile = np.random.default_rng(5).integers(32, 123, 3 * 256 * 256).astype(np.uint8).tobytes()
    needles = needles_for((Class.NAME, "Li Wei"), (Class.NAME, "Doe, Jane"))
    shard = coded[:500] + zstandard.compress(tile) + coded[500:900]
    assert audit({"0/zarr.json": json.dumps(ARRAY).encode(), "0/c/0/0/0": shard}, needles).is_clean


def test_places_of_shards_are_no_dates_or_numbers(audit: Auditing):
    needles = needles_for((Class.BIRTH_DATE, "2012-03-10"), (Class.PATIENT_NUMBER, "0103"), terms=("c",))
    assert audit({f"0/c/0/{row}/{column}": b"" for row in (3, 10, 12) for column in (3, 10, 12)}, needles).is_clean


def test_a_folder_may_be_called_like_a_part_of_a_path_in_the_archive(audit: Auditing):
    needles = needles_for((Class.FOLDER_NAME, "zarr"), (Class.FILE_NAME, "json 12"))
    paths = {"path": ["0/zarr.json", "0/c/0/12/3", "zarr.json", "0"]}
    assert audit({"zarr.json": json.dumps(paths).encode()}, needles).is_clean
    assert not audit({"zarr.json": json.dumps({"path": "0/zarr/0"}).encode()}, needles).is_clean


def test_words_shorter_than_an_identifier_are_not_looked_for():
    assert needles_for((Class.BARCODE, "A3"), (Class.FILE_NAME, "20"), (Class.PATIENT_NUMBER, "7")).all == ()


def test_short_needles_are_words_of_their_own(audit: Auditing):
    needles = needles_for((Class.NAME, "Lee"), (Class.NAME, "Ann"))
    assert all(needle.weight < LONG for needle in needles.all)
    assert audit({"a.json": b'{"note": "sleeves of annexes, bee-line"}'}, needles).is_clean


def test_the_vocabulary_of_the_tests_is_not_what_lets_shards_pass(coded, audit: Auditing):
    needles = needles_for((Class.NAME, "Coverslip"), terms=TERMS)
    assert not audit({"shard": coded[:900] + b"coverslip" + coded[900:2000]}, needles).is_clean
