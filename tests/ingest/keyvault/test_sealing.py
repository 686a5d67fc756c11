"""A sealed field opens at its own place, under its own key, unchanged; otherwise not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import InvalidValue
from ingest.errors import VaultDamaged
from ingest.keyvault.sealing import FieldKey

KEY = FieldKey(bytes(range(64)))
PLACE = ("entry", "label", "row", "column")


@given(st.binary(max_size=300), st.lists(st.text(max_size=20), max_size=5))
def test_what_was_sealed_opens_at_its_place(plain: bytes, place: list[str]) -> None:
    assert KEY.unseal(KEY.seal(plain, *place), *place) == plain


@given(st.data())
def test_any_changed_bit_is_noticed(data: st.DataObject) -> None:
    sealed = bytearray(KEY.seal(b"Planted^Jane", *PLACE))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(VaultDamaged):
        KEY.unseal(bytes(sealed), *PLACE)


@given(st.integers(0, 40))
def test_a_field_that_was_cut_short_is_noticed(length: int) -> None:
    with pytest.raises(VaultDamaged):
        KEY.unseal(KEY.seal(b"Planted^Jane", *PLACE)[:length], *PLACE)


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_a_field_opens_at_no_other_place(here: list[str], there: list[str]) -> None:
    sealed = KEY.seal(b"Planted^Jane", *here)
    if here != there:
        with pytest.raises(VaultDamaged):
            KEY.unseal(sealed, *there)
        assert KEY.look_up(*here) != KEY.look_up(*there)


def test_the_same_text_is_sealed_differently_each_time() -> None:
    assert len({KEY.seal(b"Planted^Jane", *PLACE) for _ in range(100)}) == 100


def test_another_key_opens_nothing_and_looks_up_differently() -> None:
    other = FieldKey.random()
    with pytest.raises(VaultDamaged):
        other.unseal(KEY.seal(b"Planted^Jane", *PLACE), *PLACE)
    assert other.look_up("Planted^Jane") != KEY.look_up("Planted^Jane")
    assert other.name != KEY.name


def test_a_key_of_another_length_cannot_be() -> None:
    with pytest.raises(InvalidValue):
        FieldKey(b"short")


def test_a_key_does_not_show_itself() -> None:
    shown = f"{KEY!r} {KEY!s}"
    assert repr(KEY.material) not in shown
    assert KEY.material.hex() not in shown
