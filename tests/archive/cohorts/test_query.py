"""A query is understood as it reads, or refused with all of its faults, which repeat nothing that could be a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.cohorts import Fault, QueryRefused, parse
from archive.cohorts.query import Comparison, Joined, Not
from archive.cohorts.words import DIAGNOSES, ORGANS, codes_below
from archive.records import Stain


def faults_of(text: str) -> list[str]:
    with pytest.raises(QueryRefused) as refused:
        parse(text)
    return [str(fault) for fault in refused.value.faults]


def terms(text: str) -> frozenset[str]:
    condition = parse(text).condition
    assert isinstance(condition, Comparison)
    return condition.values[0].terms


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("organ = colon and stain = HE", "organ = colon and stain = H&E"),
        ("ORGAN = Colon AND Stain = h&e", "organ = colon and stain = H&E"),
        ("organ=colon and(stain=HE or stain=PAS)", "organ = colon and (stain = H&E or stain = PAS)"),
        ("stain in (HE, PAS, Alcian blue)", 'stain in (H&E, PAS, "Alcian blue")'),
        ('stain = "H and E"', "stain = H&E"),
        ("stain not in (HE, PAS)", "not (stain in (H&E, PAS))"),
        ("not organ = lung or mpp < .3", "not (organ = lung) or mpp < 0.3"),
        ("organ = small bowel", 'organ = "small intestine"'),
        ("organ = esophagus", "organ = oesophagus"),
        ("organ = c18.2", "organ = C18.2"),
        ("organ = SNOMED-CT 71854001", "organ = 71854001"),
        ("diagnosis = 8140", "diagnosis = 8140"),
        ("objective >= 40x", "objective >= 40"),
        ("width > 120000", "width > 120000"),
        ("scanner = NanoZoomer S360", 'scanner = "nanozoomer s360"'),
        ("organ = unknown", "organ = unknown"),
        ("tissue = post-mortem and fidelity != lossy", "tissue = post-mortem and fidelity != lossy"),
        ("a = 1 or b = 2", None),
    ],
)
def test_a_query_is_read_as_it_is_typed(typed: str, read: str | None) -> None:
    if read is None:
        assert len(faults_of(typed)) == 2
        return
    assert str(parse(typed)) == read
    assert parse(read) == parse(typed)


def test_not_binds_before_and_and_and_before_or() -> None:
    condition = parse("not stain = HE and organ = lung or mpp < 0.3").condition
    assert isinstance(condition, Joined)
    assert condition.word == "or"
    first = condition.parts[0]
    assert isinstance(first, Joined)
    assert isinstance(first.parts[0], Not)


def test_a_heading_stands_for_all_codes_below_it() -> None:
    assert {"C18", "C18.0", "C18.2", "C18.9", "71854001"} == terms("organ = colon") & {
        *("C18", "C18.0", "C18.2", "C18.9", "71854001", "C19.9")
    }
    assert terms("organ = C18.2") == {"C18.2"}
    assert {"8140/3", "8140/0", "8140/31"} <= terms("diagnosis = 8140")
    assert terms("diagnosis = 8140/3") == {"8140/3"}


@pytest.mark.parametrize("word", [*ORGANS, *DIAGNOSES])
def test_every_word_stands_for_codes_that_the_lists_can_have(word: str) -> None:
    for code in (ORGANS | DIAGNOSES)[word]:
        assert codes_below(code), code


@pytest.mark.parametrize("stain", list(Stain))
def test_every_stain_can_be_asked_for(stain: Stain) -> None:
    assert terms(f'stain = "{stain}"') == {str(stain)}


def test_all_faults_are_told_at_once_with_their_places() -> None:
    assert faults_of("orgn = colon and stain = purple and mpp < many and (width > 10") == [
        "at character 1: found 'orgn' (is it organ?); expected a field: organ, diagnosis, stain, scanner, mpp, "
        "objective, width, height, scans, fidelity, tissue",
        "at character 26: found a word that has no meaning here; expected a stain such as HE or Ki-67, or unknown",
        "at character 43: found a word that has no meaning here; expected micrometres per pixel, such as 0.25, "
        "or unknown",
        "at character 63: found the end of the query; expected ')'",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "a field"),
        ("organ", "one of ="),
        ("organ =", "an organ"),
        ("organ = colon and", "a field"),
        ("organ = colon stain", "an organ"),
        ("organ = colon)", "'and', 'or' or the end"),
        ("organ < colon", "has no order"),
        ("organ not = colon", "'in'"),
        ("stain in HE", "'('"),
        ("stain in (HE PAS)", "a stain"),
        ("stain in (HE, PAS", "',' or ')'"),
        ("mpp < -1", "micrometres"),
        ("mpp < nan", "micrometres"),
        ("mpp < 1e400", "micrometres"),
        ("organ = 8140/3", "an organ"),
        ("diagnosis = C18.2", "a diagnosis"),
        ("organ = 71854002", "an organ"),
        ("organ & colon", "one of ="),
        ("(" * 60 + "organ = colon" + ")" * 60, "within one another"),
        ("organ = colon" + " " * 2_000, "characters at most"),
    ],
)
def test_a_faulty_query_says_what_was_expected(text: str, expected: str) -> None:
    assert any(expected in fault for fault in faults_of(text))


@pytest.mark.parametrize(
    "text",
    [
        "organ = QUILLFEATHER",
        "QUILLFEATHER = colon",
        'stain = "QUILLFEATHER^DOROTHEA"',
        "scanner = S26-0104732",
        "scanner = dorothea@larkspur",
        "organ = colon QUILLFEATHER",
        "scanner = 4123456789",
    ],
)
def test_what_could_be_a_name_is_neither_taken_nor_repeated(text: str) -> None:
    told = " ".join(faults_of(text))
    assert not any(part in told.upper() for part in ("QUILL", "DOROTHEA", "0104732", "4123456789"))


@given(st.text(st.sampled_from("organstiHE=!<>(),'\" .0189&and or not in colon"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    found: tuple[Fault, ...] = ()
    try:
        query = parse(text)
    except QueryRefused as refused:
        found = refused.faults
    else:
        assert parse(str(query)) == query
        return
    assert found
    assert all(1 <= fault.place <= len(text) + 1 for fault in found)
