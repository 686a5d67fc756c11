"""Profiles are data that a laboratory may read and change, so a fault in one is told and never passed over."""

from pathlib import Path

import pytest

from archive.errors import InvalidValue
from ingest.profiles import product_names, profile_for, read_profile, read_profiles
from ingest.profiles.public_keys import public_form

SMALLEST = 'names = ["acme"]\n'


def test_every_profile_that_is_shipped_is_valid():
    profiles = read_profiles()
    assert {"aperio", "generic", "ome", "hamamatsu", "mirax", "leica", "dicom"} <= profiles.keys()
    assert all(name in profile.names for name, profile in profiles.items())


def test_every_property_that_a_profile_reads_is_a_published_key():
    for profile in read_profiles().values():
        rules = profile.pixel_size
        read = {key for rule in rules for key in (rule.x, rule.y, rule.unit_x, rule.unit_y) if key}
        read |= set(profile.objective_power) | {rule.property for rule in profile.model}
        assert {key for key in read if public_form(key) is None} == set()


def test_a_maker_without_a_profile_is_read_like_a_file_without_a_maker():
    assert profile_for("some-new-scanner") is profile_for("generic")
    assert profile_for("generic").maker is None


def test_the_products_that_can_be_told_are_a_closed_list():
    assert {"Aperio", "Aperio GT 450", "Hamamatsu"} <= product_names()


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ('colour = "blue"', "colour"),
        ('maker = "Acme\\nof Springfield"', "maker"),
        ('objective_power = ["no prefix"]', "objective_power"),
        ('[[pixel_size]]\nx = "a.x"\ny = "a.y"', "unit"),
        ('[[pixel_size]]\nx = "a.x"\ny = "a.y"\nunit = "furlong"', "unit"),
        ('[[pixel_size]]\nx = "a.x"\ny = "a.y"\nunit_x = "a.u"', "unit_x and unit_y"),
        ('[[pixel_size]]\nx = "a.x"\ny = "a.y"\nunit = "mm"\ngives = "a guess"', "gives"),
        ('[[model]]\nproperty = "a.b"\nmodel = "M1"', "equals"),
        ('[[model]]\nproperty = "a.b"\nmodel = "M1"\nequals = "x"\nbegins = "x"', "equals"),
        ('[[model]]\nproperty = "a.b"\nmodel = "M1"\nbegins = ""', "empty"),
        ("[plausible]\npixel_size_um = [2.0, 1.0]", "range"),
        ("[plausible]\npixel_size_um = [0.0, 1.0]", "range"),
        ('label_expected = "yes"', "label_expected"),
        ("day = 1979-05-27", "TOML"),
        ("this is no TOML", "TOML"),
    ],
)
def test_a_fault_in_a_profile_is_told_with_its_place(fault, told):
    with pytest.raises(InvalidValue, match="the profile acme.toml .*" + told):
        read_profile(SMALLEST + fault, "acme.toml")


def test_a_profile_for_nobody_is_refused():
    with pytest.raises(InvalidValue, match="names"):
        read_profile('maker = "Acme"', "acme.toml")


def test_two_profiles_for_one_maker_are_refused(tmp_path: Path):
    for name in ("one.toml", "two.toml"):
        (tmp_path / name).write_text(SMALLEST)
    with pytest.raises(InvalidValue, match=r"two profiles are for acme; the second is two\.toml"):
        read_profiles(tmp_path)
