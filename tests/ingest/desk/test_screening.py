"""What people type as a reason is kept for ever, so what looks like an identifier is not taken."""

import pytest

from archive.errors import FreeTextRefused
from ingest.desk.purposes import Wanted


@pytest.mark.parametrize("words", ["for 943 476 5919", "S26-0012345 again", "born 5 July 1948", "Planted^Jane"])
def test_words_that_may_name_a_patient_are_no_purpose(words: str) -> None:
    with pytest.raises(FreeTextRefused) as refused:
        Wanted.of("other", words)
    assert words not in str(refused.value)


def test_a_purpose_in_plain_words_is_one() -> None:
    assert str(Wanted.of("other", "check of a new stain")) == "Another purpose: check of a new stain"
