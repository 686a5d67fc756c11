"""Whatever is planted is found: every spelling, in every encoding, in every place."""

import base64
import gzip
import json
import zlib
from collections.abc import Callable
from urllib.parse import quote

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.auditor import Audit, Hit, IdentifierClass, Needles
from ingest.auditor import coded as coded_room
from ingest.auditor.unfolding import Unfolding
from tests.ingest.auditor.conftest import needles_for

Class = IdentifierClass

SPELLINGS = {
    Class.PATIENT_NUMBER: ("00123456", "MRN00123456", "no. 00-123-456", "0012 3456", "pid_00123456_x"),
    Class.NAME: ("DOE^JANE", "Doe, Jane", "jane doe", "JaneDoe", "JANE_DOE", "jane.doe", "DOE|JANE", "Jane^Doe^^Dr"),
    Class.BIRTH_DATE: (
        *("1961-02-03", "19610203", "1961:02:03", "03.02.1961", "02/03/1961", "3.2.1961", "2/3/1961", "1961-2-3"),
        *("3 February 1961", "Feb 3, 1961", "03-FEB-1961", "3feb1961"),
    ),
    Class.CASE_NUMBER: ("S25-10432", "s25 10432", "S 25/10432", "S-25-10432", "S2510432", "25-10432", "S25_10432A3"),
    Class.BARCODE: ("B7731-0042-X", "b77310042x", "B7731 0042 X", "7731/0042/x"),
    Class.FILE_NAME: ("pancreas biopsy_77 A3", "Pancreas-Biopsy-77-A3", "pancreasbiopsy77a3"),
    Class.FOLDER_NAME: ("ward nineteen", "WARD_NINETEEN", "WardNineteen"),
    Class.SOURCE_METADATA: ("Springfield General", "springfield-general", "SPRINGFIELDGENERAL"),
}

WRITTEN = [(kind, text) for kind, texts in SPELLINGS.items() for text in texts]


def shifted(codec: str, shift: int) -> Callable[[str], bytes]:
    return lambda text: base64.b64encode(b"#$%"[:shift] + text.encode(codec) + b"&'"[:shift])


ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "address": lambda text: quote(text, safe="").encode(),
    "hex": lambda text: text.encode().hex().encode(),
    "capital hex": lambda text: text.encode().hex().upper().encode(),
    "hex of utf-16": lambda text: text.encode("utf-16-le").hex().encode(),
    **{f"base64, shifted by {n}": shifted("utf-8", n) for n in range(3)},
    **{f"base64 of utf-16, shifted by {n}": shifted("utf-16-le", n) for n in range(3)},
}

COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": zstandard.ZstdCompressor().compress,
    "zlib": zlib.compress,
    "gzip": gzip.compress,
}

Auditing = Callable[[dict[str, bytes], Needles], Audit]


def metadata(text: str) -> bytes:
    return json.dumps({"attributes": {"ome": {"version": "0.5"}, "note": text}, "shape": [3, 40000]}).encode()


def assert_all_found(found: Audit, files: dict[str, bytes], kind: Class) -> None:
    missed = files.keys() - {hit.place for hit in found.hits if hit.identifier_class is kind}
    assert not missed


def encodings_for(kind: Class, text: str) -> dict[str, Callable[[str], bytes]]:
    """Give all encodings; but of a machine's words only those that a machine makes, in the case that it keeps."""
    if kind is not Class.SOURCE_METADATA:
        return ENCODINGS
    changed = ("of utf-16",) if "Springfield" in text else ("hex", "base64")
    return {name: encode for name, encode in ENCODINGS.items() if not any(part in name for part in changed)}


@pytest.mark.parametrize(("kind", "text"), WRITTEN)
def test_it_is_found_among_compressed_pixels(kind, text, needles, coded, audit: Auditing):
    files = {
        f"0/c/0/0/{number}": coded[: 40_000 + number] + encode(text) + coded[40_000 + number : 60_000]
        for number, encode in enumerate(encodings_for(kind, text).values())
    }
    assert_all_found(audit(files, needles), files, kind)


@pytest.mark.parametrize(("kind", "text"), WRITTEN)
def test_it_is_found_in_metadata(kind, text, needles, audit: Auditing):
    files = {}
    for name, encode in ENCODINGS.items():
        raw = encode(text)
        note = raw.decode() if raw.isascii() and b"\0" not in raw else base64.b64encode(raw).decode()
        files[f"{len(files)}/zarr.json"] = metadata(note)
        files[f"{len(files)}/escaped.json"] = metadata("xxxx").replace(
            b"xxxx", "".join(f"\\u{ord(c):04x}" for c in text).encode()
        )
        if name.startswith("utf-16"):
            files[f"{len(files)}/whole.json"] = metadata(text).decode().encode(name)
    assert_all_found(audit(files, needles), files, kind)


@pytest.mark.parametrize(("kind", "text"), WRITTEN)
def test_it_is_found_in_compressed_metadata(kind, text, needles, coded, audit: Auditing):
    files = {}
    for compress in COMPRESSIONS.values():
        files[f"shard {len(files)}"] = coded[:30_000] + compress(metadata(text)) + coded[30_000:50_000]
        files[f"file {len(files)}"] = compress(metadata(text))
        files[f"zarr {len(files)}.json"] = metadata(base64.b64encode(compress(metadata(text))).decode())
    assert_all_found(audit(files, needles), files, kind)


@pytest.mark.parametrize(("kind", "text"), WRITTEN)
def test_it_is_found_in_names_which_are_then_withheld(kind, text, needles, audit: Auditing):
    names = [encode(text).decode().replace("/", "-") for name, encode in ENCODINGS.items() if "utf" not in name]
    found = audit({f"{number}/{name}": b"" for number, name in enumerate(names)} | {"zarr.json": b"{}"}, needles)
    assert {hit.place for hit in found.hits if hit.identifier_class is kind} == {
        f"{number}/[name withheld]" for number in range(len(names))
    }
    assert all(name not in repr(found) for name in names)


@pytest.mark.parametrize("name", ["Müller, Jürgen", "Žižková, Łucja", "Nguyễn Thị", "Ødegård Æsa", "Иванов Пётр"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_letters_beyond_ascii_are_found_in_both_of_their_forms(name, form, coded, audit: Auditing):
    import unicodedata

    needles = needles_for((Class.NAME, name))
    text = unicodedata.normalize(form, name)
    files = {
        "a.json": metadata(text.upper()),
        "b.json": json.dumps({"note": text}, ensure_ascii=False).encode(),
        "c": coded[:5000] + text.encode() + coded[5000:9000],
        "d": coded[:5000] + text.upper().encode("utf-16-le") + coded[5000:9000],
        "e": coded[:5000] + base64.b64encode(text.encode()) + coded[5000:9000],
    }
    assert_all_found(audit(files, needles), files, Class.NAME)


@pytest.mark.parametrize(
    ("name", "written"),
    [("Müller, Jürgen", "MUELLER JUERGEN"), ("Müller, Jürgen", "Muller, Jurgen"), ("Ødegård Æsa", "Oedegaard Aesa")],
)
def test_letters_beyond_ascii_are_found_when_they_are_written_without(name, written, coded, audit: Auditing):
    needles = needles_for((Class.NAME, name))
    files = {"a.json": metadata(written), "b": coded[:5000] + written.encode() + coded[5000:9000]}
    assert_all_found(audit(files, needles), files, Class.NAME)


def test_latin_1_is_found_too(coded, audit: Auditing):
    needles = needles_for((Class.NAME, "Müller, Jürgen"))
    raw = "MÜLLER, JÜRGEN".encode("latin-1")
    files = {"a": coded[:5000] + raw + coded[5000:9000], "b.json": b'{"note": "' + raw + b'"}'}
    assert_all_found(audit(files, needles), files, Class.NAME)


@pytest.mark.parametrize("word", ["DOE", "Jane", "S25-1", "Li"])
def test_short_words_are_found_in_texts(word, coded, audit: Auditing):
    kind = Class.CASE_NUMBER if "-" in word else Class.NAME
    needles = needles_for((kind, word))
    files = {
        "a.json": metadata(f"seen by {word}, twice"),
        "b.txt": word.lower().encode(),
        "c": coded[:9000] + zstandard.compress(metadata(word)) + coded[9000:20_000],
        f"d_{word}_.x": b"",
    }
    if len(word) > 2:
        files["e.json"] = metadata(base64.b64encode(word.encode()).decode())
        files["f.json"] = metadata(word.encode().hex())
        files["g.json"] = metadata(base64.b64encode(word.encode("utf-16-le")).decode())
    found = audit(files, needles)
    assert {hit.place for hit in found.hits} == files.keys() - {f"d_{word}_.x"} | {"[name withheld]"}


def test_a_long_identifier_in_decompressed_pixels_is_found(needles, coded, audit: Auditing):
    tile = np.full(256 * 256 * 3, 200, np.uint8).tobytes()
    tile = tile[:1000] + b"pancreas biopsy 77 A3" + tile[1021:]
    found = audit({"0/c/0/0/0": coded[:9000] + zstandard.compress(tile) + coded[9000:9900]}, needles)
    assert [hit.identifier_class for hit in found.hits] == [Class.FILE_NAME]


def test_what_lies_deep_is_found(needles, audit: Auditing):
    deep = base64.b64encode(gzip.compress(base64.b64encode(b'{"who": "\\u0044OE^JANE"}')))
    found = audit({"zarr.json": metadata(deep.decode())}, needles)
    assert [hit.identifier_class for hit in found.hits] == [Class.NAME]


def test_an_identifier_across_two_strings_is_found(needles, audit: Auditing):
    found = audit({"zarr.json": json.dumps({"year": ["S25", "10432"]}, separators=(",", ":")).encode()}, needles)
    assert [hit.identifier_class for hit in found.hits] == [Class.CASE_NUMBER]


@pytest.mark.parametrize("border", range(-24, 25, 3))
def test_it_is_found_across_the_end_of_a_window(border, needles, coded, monkeypatch, audit: Auditing):
    monkeypatch.setattr(coded_room, "WINDOW_BYTES", 4096)
    at = 4096 + border
    found = audit({"a": coded[:at] + b"DOE^JANE" + coded[at:20_000]}, needles)
    assert found.hits == (Hit("a", at + len("DOE^"), Class.NAME),)


def test_a_place_is_told_exactly_in_plain_text_and_data(needles, coded, audit: Auditing):
    text = b'{"shape": [1, 2], "attributes": {"ome": "Aperio", "note": "of S25-10432"}}'
    found = audit({"zarr.json": text, "shard": coded[:777] + b"00123456" + coded[:99]}, needles)
    assert found.hits == (
        Hit("shard", 777, Class.PATIENT_NUMBER),
        Hit("zarr.json", text.index(b"S25"), Class.CASE_NUMBER),
    )


def test_every_class_and_file_has_one_hit_at_its_first_place(needles, audit: Auditing):
    found = audit({"a.json": metadata("S25-10432 DOE^JANE " * 50), "b.json": metadata("DOE^JANE")}, needles)
    assert [(hit.place, hit.identifier_class) for hit in found.hits] == [
        ("a.json", Class.CASE_NUMBER),
        ("a.json", Class.NAME),
        ("b.json", Class.NAME),
    ]


PIXELS = np.random.default_rng(9).bytes(1 << 13)

words = st.text("abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=9)


@settings(max_examples=60, deadline=None)
@given(
    first=words,
    last=words,
    between=st.sampled_from(["", " ", "-", "_", ".", "/", "^", ", ", "|", "\\", "__", "::"]),
    case=st.sampled_from([str.upper, str.lower, str.title]),
    encode=st.sampled_from(sorted(ENCODINGS)),
    swapped=st.booleans(),
    at=st.integers(0, 5000),
)
def test_any_name_is_found_in_any_spelling(first, last, between, case, encode, swapped, at):
    needles = needles_for((Class.NAME, f"{last}, {first}"))
    text = between.join(map(case, (last, first) if swapped else (first, last)))
    search = Unfolding(needles)
    search.file(memoryview(PIXELS[:at] + ENCODINGS[encode](text) + PIXELS[at : at + 3000]), "shard")
    assert search.found.keys() == {Class.NAME}
