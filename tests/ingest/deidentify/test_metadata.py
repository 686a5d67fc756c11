"""Four facts are read out of a slide's metadata; nothing else comes through, whatever a file says and however."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.geometry import MicronsPerPixel
from ingest.deidentify import Kept, deidentify
from ingest.deidentify.metadata import parse_number
from ingest.profiles import product_names, public_keys, read_profiles

APERIO = {
    "aperio.AppMag": "20",
    "aperio.MPP": "0.4990",
    "aperio.Filename": "S25-10432",
    "aperio.Title": "DOE^JANE",
    "aperio.ScanScope ID": "SS1302",
    "aperio.Dr. Jane Doe's own key": "yes",
    "tiff.ImageDescription": "Aperio Image Library v11.2.1 \r\n46000x32914 ... |AppMag = 20|Title = DOE^JANE",
    "openslide.mpp-x": "0.499",
}

TEXTS = st.text(max_size=60) | st.from_regex(r"[-+]?\d{0,14}[.,]?\d{0,30}([eE][-+]?\d{0,3})?", fullmatch=True)
KEYS = st.sampled_from(sorted(public_keys())) | st.text(max_size=40)


def test_size_power_and_maker_of_an_aperio_slide_are_kept():
    clean = deidentify("aperio", APERIO)
    assert clean.mpp == MicronsPerPixel(0.499, 0.499)
    assert clean.objective_power == 20
    assert (clean.scanner_maker, clean.scanner_model) == ("Aperio", None)
    assert clean.kept == (Kept.PIXEL_SIZE, Kept.OBJECTIVE_POWER, Kept.SCANNER_MAKER)


def test_what_is_left_behind_is_named_only_by_keys_that_are_published():
    clean = deidentify("aperio", APERIO)
    assert clean.left_behind_count == 6
    assert clean.left_behind == (
        "aperio.Filename",
        "aperio.ScanScope ID",
        "aperio.Title",
        "openslide.mpp-x",
        "tiff.ImageDescription",
    )


@pytest.mark.parametrize(
    ("properties", "model"),
    [
        ({"aperio.ScannerType": "GT450"}, "Aperio GT 450"),
        ({"aperio.ScannerType": "GT450 DX"}, "Aperio GT 450 DX"),
        ({"tiff.ImageDescription": "Aperio Leica Biosystems GT450 v1.0.1 \r\n1x1|"}, "Aperio GT 450"),
        ({"tiff.ImageDescription": "Aperio Leica Biosystems GT450 DX v1.0.1"}, "Aperio GT 450 DX"),
        ({"aperio.ScanScope ID": "GT450"}, None),
        ({"aperio.ScannerType": "GT450 of Jane Doe"}, None),
        ({"tiff.ImageDescription": "Jane Doe, Aperio Leica Biosystems GT450"}, None),
    ],
)
def test_a_model_is_told_from_a_closed_list_or_not_at_all(properties, model):
    assert deidentify("aperio", properties).scanner_model == model


def test_the_model_does_not_say_that_the_text_which_told_it_was_kept():
    clean = deidentify("hamamatsu", {"tiff.Model": "C9600-12"})
    assert (clean.scanner_model, clean.left_behind) == ("NanoZoomer C9600-12", ("tiff.Model",))


def test_another_firm_that_writes_a_makers_format_is_told_by_its_own_name():
    clean = deidentify("aperio", {"tiff.ImageDescription": "Aperio Image, Grundium Ocus\r\n|MPP=0.49"})
    assert (clean.scanner_maker, clean.scanner_model) == ("Grundium", "Ocus")


def ome(size, unit=None):
    units = {"ome.PhysicalSizeXUnit": unit, "ome.PhysicalSizeYUnit": unit} if unit else {}
    return {"ome.PhysicalSizeX": size, "ome.PhysicalSizeY": size, **units}


def resolution(pixels, unit):
    return {"tiff.XResolution": pixels, "tiff.YResolution": pixels, "tiff.ResolutionUnit": unit}


@pytest.mark.parametrize(
    ("maker", "properties", "expected"),
    [
        ("ome", ome("0.227"), 0.227),
        ("ome", ome("227", "nm"), 0.227),
        ("ome", ome("0.5", "µm"), 0.5),
        ("ome", ome("0.00025", "mm"), 0.25),
        ("generic", resolution("40000", "centimeter"), 0.25),
        ("generic", resolution("50800", "inch"), 0.5),
        ("generic-tiff", resolution("40000", "3"), 0.25),
        ("mirax", {"openslide.mpp-x": "0,2325", "openslide.mpp-y": "0,2325"}, 0.2325),
    ],
)
def test_sizes_are_read_in_the_units_that_files_use(maker, properties, expected):
    clean = deidentify(maker, properties)
    assert clean.mpp is not None
    assert math.isclose(clean.mpp.x, expected)
    assert clean.mpp.x == clean.mpp.y
    assert clean.left_behind_count == 0


@pytest.mark.parametrize(
    "properties",
    [
        {"tiff.XResolution": "72", "tiff.YResolution": "72", "tiff.ResolutionUnit": "inch"},
        {"tiff.XResolution": "40000", "tiff.YResolution": "40000"},
        {"tiff.XResolution": "40000", "tiff.YResolution": "40000", "tiff.ResolutionUnit": "none"},
        {"tiff.XResolution": "0", "tiff.YResolution": "0", "tiff.ResolutionUnit": "inch"},
        {"tiff.XResolution": "40000", "tiff.ResolutionUnit": "centimeter"},
        {"openslide.mpp-x": "0.00001", "openslide.mpp-y": "0.00001"},
        {"openslide.mpp-x": "1e30", "openslide.mpp-y": "1e30"},
        {"openslide.mpp-x": "0.25", "openslide.mpp-y": "nan"},
    ],
)
def test_a_size_that_no_microscope_has_is_left_behind(properties):
    clean = deidentify("generic", properties)
    assert clean.mpp is None
    assert clean.left_behind_count == len(properties)


def test_a_second_source_is_asked_where_the_first_is_not_plausible():
    clean = deidentify("aperio", {"aperio.MPP": "S25-10432", "openslide.mpp-x": "0.25", "openslide.mpp-y": "0.25"})
    assert clean.mpp == MicronsPerPixel(0.25, 0.25)
    assert clean.left_behind == ("aperio.MPP",)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "-1", "0", "0x10", "1 000", "1_000", "٣", "twenty", "20x"),
        *("1.2.3", "nan", "inf", "1e999", "9" * 50, "20\0", "0.0e0", ".", ","),
    ],
)
def test_only_a_number_is_a_number(text):
    assert parse_number(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [("20", 20), (" 0.25\n", 0.25), (".25", 0.25), ("+40", 40), ("0,5", 0.5), ("5e-1", 0.5)],
)
def test_numbers_are_read_as_readers_print_them(text, number):
    assert parse_number(text) == number


def test_no_long_number_rides_on_a_measured_one():
    clean = deidentify("aperio", {"aperio.MPP": "0.2500001234567"})
    assert clean.mpp == MicronsPerPixel(0.25, 0.25)


@settings(deadline=None)
@given(st.sampled_from([*sorted(read_profiles()), "unheard of"]), st.dictionaries(KEYS, TEXTS, max_size=30))
def test_whatever_a_file_says_nothing_but_numbers_and_our_own_words_comes_out(maker, properties):
    clean = deidentify(maker, properties)
    words = {clean.scanner_maker, clean.scanner_model, *clean.left_behind, *map(str, clean.kept)} - {None}
    assert words <= product_names() | public_keys() | set(map(str, Kept))
    numbers = [clean.objective_power] + ([clean.mpp.x, clean.mpp.y] if clean.mpp else [])
    assert all(number is None or len(f"{number:g}") <= 8 for number in numbers)
    assert clean.left_behind_count <= len(properties)
