"""Only codes that the published lists can have are accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import InvalidValue
from archive.records import Concept, Scheme


@pytest.mark.parametrize(
    ("scheme", "code"),
    [
        (Scheme.SNOMED_CT, "76752008"),  # breast structure
        (Scheme.SNOMED_CT, "80248007"),  # left breast structure
        (Scheme.SNOMED_CT, "10200004"),  # liver structure
        (Scheme.SNOMED_CT, "254837009"),  # malignant neoplasm of breast
        (Scheme.ICD_O_3, "C50.9"),
        (Scheme.ICD_O_3, "C80"),
        (Scheme.ICD_O_3, "8500/3"),
        (Scheme.ICD_O_3, "8140/32"),
    ],
)
def test_codes_of_the_lists_are_accepted(scheme: Scheme, code: str) -> None:
    assert str(Concept(scheme, code)) == f"{scheme} {code}"


@pytest.mark.parametrize(
    ("scheme", "code"),
    [
        (Scheme.SNOMED_CT, "76752009"),
        (Scheme.SNOMED_CT, "123"),
        (Scheme.SNOMED_CT, "0000000"),
        (Scheme.SNOMED_CT, "７６７５２００８"),
        (Scheme.SNOMED_CT, "breast"),
        (Scheme.ICD_O_3, "C81.0"),
        (Scheme.ICD_O_3, "c50.9"),
        (Scheme.ICD_O_3, "8500/4"),
        (Scheme.ICD_O_3, "C50.9 Doe"),
        (Scheme.ICD_O_3, "C50.9\n"),
        (Scheme.ICD_O_3, ""),
    ],
)
def test_other_texts_are_refused_without_repeating_them(scheme: Scheme, code: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        Concept(scheme, code)
    assert not code.strip() or code not in str(refusal.value)


def test_a_list_that_nobody_publishes_is_refused() -> None:
    with pytest.raises(InvalidValue, match="one of SNOMED-CT, ICD-O-3"):
        Concept("local list", "C50.9")  # type: ignore[arg-type]


@given(position=st.integers(0, 7), digit=st.sampled_from("0123456789"))
def test_one_wrong_digit_in_a_snomed_code_is_found(position: int, digit: str) -> None:
    right = "76752008"
    wrong = right[:position] + digit + right[position + 1 :]
    if wrong == right:
        Concept(Scheme.SNOMED_CT, wrong)
        return
    with pytest.raises(InvalidValue):
        Concept(Scheme.SNOMED_CT, wrong)
