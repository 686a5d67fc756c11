"""A stain is one of a closed list, however the laboratory writes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.records.stain import Stain, _spelling


@pytest.mark.parametrize("text", ["H&E", "h & e", "HE", "H+E", "Haematoxylin and Eosin", "hematoxylin-eosin", " he "])
def test_one_stain_has_many_spellings(text: str) -> None:
    assert Stain.parse(text) is Stain.HE


@pytest.mark.parametrize(
    ("text", "stain"),
    [
        ("ki67", Stain.KI67),
        ("MIB1", Stain.KI67),
        ("PAS", Stain.PAS),
        ("pas-d", Stain.PAS_DIASTASE),
        ("AB/PAS", Stain.ALCIAN_BLUE_PAS),
        ("Klüver-Barrera", Stain.LUXOL_FAST_BLUE),
        ("CK 5/6", Stain.CK5_6),
        ("estrogen receptor", Stain.ER),
        ("c-Kit", Stain.CD117),
        ("dapi", Stain.DAPI),
        ("DIF", Stain.IMMUNOFLUORESCENCE),
    ],
)
def test_stains_are_found_by_their_aliases(text: str, stain: Stain) -> None:
    assert Stain.parse(text) is stain


@pytest.mark.parametrize("text", ["", "   ", "&", "HE Jane Doe", "Doe", "HE 2024", "S25-10432"])
def test_what_is_not_in_the_list_is_not_kept(text: str) -> None:
    assert Stain.parse(text) is None


def test_no_spelling_means_two_stains() -> None:
    meanings: dict[str, set[str]] = {}
    for stain in Stain:
        for text in (stain.value, *stain.aliases):
            meanings.setdefault(_spelling(text), set()).add(stain.value)
    assert {spelling: stains for spelling, stains in meanings.items() if len(stains) > 1} == {}


@given(st.text(max_size=30))
def test_any_text_is_a_stain_or_nothing(text: str) -> None:
    assert Stain.parse(text) in {None, *Stain}
