"""What the laboratory declares is kept in every version, and who declared it is told."""

import pytest

from archive.errors import InvalidValue
from ingest.keyvault import KeyVault
from tests.ingest.keyvault.conftest import Place


def test_the_newest_version_of_a_declaration_is_in_force(place: Place, vault: KeyVault) -> None:
    vault.declare("feed", "Surgical", "first", who="a.clinician")
    vault.declare("feed", "Autopsies", "other", who="a.clinician")
    vault.declare("feed", "Surgical", "second", who="b.clinician")
    vault.declare("setting", "Surgical", "another kind", who="a.clinician")
    vault.close()
    with place.open() as again:
        assert again.declared("feed") == {"Surgical": "second", "Autopsies": "other"}
        assert again.declared("nothing") == {}
        assert again.check() == ()
    assert place.change("SELECT count(*) FROM declaration") == [(4,)]


def test_who_declared_what_is_in_the_trail(vault: KeyVault) -> None:
    vault.declare("feed", "Surgical", "first", who="a.clinician")
    (entry,) = vault.trail()
    assert (entry.act, entry.who, entry.reason) == ("declared feed", "a.clinician", "Surgical")
    assert vault.verify_trail([vault.trail_head()]) == ()


def test_nothing_is_declared_without_an_account_or_a_name(vault: KeyVault) -> None:
    with pytest.raises(InvalidValue):
        vault.declare("feed", "Surgical", "first", who="")
    with pytest.raises(InvalidValue):
        vault.declare("feed", " ", "first", who="a.clinician")
    assert vault.declared("feed") == {}
    assert vault.trail() == ()


def test_a_trail_whose_end_was_cut_off_is_noticed_by_a_head_kept_elsewhere(place: Place, vault: KeyVault) -> None:
    vault.declare("feed", "Surgical", "first", who="a.clinician")
    before = vault.trail_head()
    vault.declare("feed", "Surgical", "second", who="a.clinician")
    kept = vault.trail_head()
    vault.close()
    place.change("DELETE FROM audit WHERE number = 2")
    place.change("UPDATE head SET number = ?, digest = ?", before.number, before.digest)
    with place.open() as again:
        assert again.verify_trail() == ()
        assert again.verify_trail([kept]) != ()
