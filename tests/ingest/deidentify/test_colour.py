"""A rebuilt colour profile gives the same colours, and none of the words that the scanner's had."""

import os
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ingest.deidentify import rebuild_icc
from tests.ingest.deidentify import profiles_by_hand as made
from tests.ingest.deidentify.colour_difference import assert_same_colours, chart, ciede2000
from tests.ingest.deidentify.profiles_by_hand import NAME, Profile
from tests.slides import icc
from tests.slides.planted import Plant, encodings

SLIDES = Path(os.environ.get("COVERSLIP_TEST_SLIDES", "../shared/slides"))

FROM_DAYLIGHT = (
    b"sf32" + bytes(4) + made.fixed(1.0479, 0.0229, -0.0502, 0.0296, 0.9904, -0.0171, -0.0092, 0.0151, 0.7517)
)
"""Bradford's adaptation from D65 to D50, as ICC.1 Annex E gives it."""

PROFILES = {
    "matrix, one gamma": Profile(made.matrix_tags(made.gamma(2.2))),
    "matrix, straight curves": Profile(made.matrix_tags(b"curv" + bytes(8))),
    "matrix, sampled curves": Profile(
        made.matrix_tags(made.sampled(2, 1), made.sampled(256, 2), made.sampled(1024, 3))
    ),
    "matrix, parametric, version 4": Profile(made.matrix_tags(made.parametric()), version=4, kind=b"mntr"),
    "matrix, with black point and adaptation": Profile(
        {
            **made.matrix_tags(made.gamma(1.8)),
            "bkpt": made.xyz(0.001, 0.001, 0.001),
            "chad": b"sf32" + bytes(4) + made.fixed(1, 0, 0, 0, 1, 0, 0, 0, 1),
        }
    ),
    "matrix, adapted from daylight, version 4": Profile(
        {**made.matrix_tags(made.parametric()), "chad": FROM_DAYLIGHT}, version=4, kind=b"mntr"
    ),
    "table of curves, adapted from daylight": Profile(
        {"A2B0": made.table_of_curves(), "chad": FROM_DAYLIGHT}, version=4, connection=b"Lab "
    ),
    "table of bytes": Profile({"A2B0": made.table_of_bytes()}, connection=b"Lab "),
    "table of words": Profile({"A2B0": made.table_of_words()}, connection=b"Lab "),
    "table of words, version 4": Profile({"A2B0": made.table_of_words()}, version=4, connection=b"Lab ", kind=b"spac"),
    "table of curves": Profile({"A2B0": made.table_of_curves()}, version=4, connection=b"Lab "),
    "table of curves, with a matrix": Profile(
        {"A2B0": made.table_of_curves(with_matrix=True, precision=1)}, version=4, connection=b"Lab "
    ),
    "table of curves, without a grid": Profile(
        {"A2B0": made.table_of_curves(with_matrix=True, with_grid=False)}, version=4, connection=b"Lab "
    ),
    "two tables, and a matrix": Profile(
        {"A2B0": made.table_of_words(), "A2B1": made.table_of_bytes(), **made.matrix_tags(made.gamma(2.2))},
        connection=b"Lab ",
    ),
}  # fmt: skip


def tag_names(profile: bytes) -> set[str]:
    (count,) = struct.unpack_from(">I", profile, 128)
    return {profile[132 + 12 * k : 136 + 12 * k].decode() for k in range(count)}


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_colour_differences_are_those_that_were_published(one, other, difference):
    assert abs(ciede2000(np.array(one, float), np.array(other, float)) - difference) < 1e-4


@pytest.mark.parametrize("name", PROFILES)
def test_colours_stay_the_same(name):
    before = PROFILES[name].to_bytes()
    after = rebuild_icc(before)
    assert after is not None
    assert_same_colours(before, after, chart())


def test_colours_of_a_grey_profile_stay_the_same():
    before = Profile({"kTRC": made.sampled(64, 2.2), "wtpt": made.xyz(*made.D50)}, space=b"GRAY").to_bytes()
    after = rebuild_icc(before)
    assert after is not None
    assert_same_colours(before, after, Image.fromarray(np.arange(256, dtype=np.uint8)[None]))


@pytest.mark.parametrize("name", PROFILES)
def test_no_text_date_or_private_tag_survives(name):
    profile = replace(PROFILES[name], gap=b" DOE^JANE ")
    after = rebuild_icc(profile.to_bytes() + b"DOE^JANE after the end")
    assert after is not None
    assert tag_names(after) == {"desc", "cprt", *profile.tags}
    for word in ("DOE", "JANE", "JDO", "S25", NAME):
        for pattern in encodings(word).values():
            assert len(pattern) < 3 or pattern not in after
    assert after[24:36] == bytes(12), "the date"
    assert after[4:8] + after[40:64] + after[80:128] == bytes(76), "makers, models, flags and identifier"


def test_words_as_points_of_a_curve_that_is_not_used_are_gone():
    words = b"DOE^JANE H0012345 S25-10432"
    curve = b"curv" + bytes(4) + struct.pack(">I", len(words) // 2) + words
    coloured = Profile({**made.matrix_tags(made.gamma(2.2)), "kTRC": curve})
    grey = Profile({"kTRC": made.sampled(64, 2.2), "wtpt": made.xyz(*made.D50), "rTRC": curve}, space=b"GRAY")
    for profile in (coloured, grey):
        after = rebuild_icc(profile.to_bytes())
        assert after is not None
        assert words[:8] not in after


def test_a_rebuilt_profile_has_exactly_the_length_that_it_says():
    after = rebuild_icc(PROFILES["table of curves"].to_bytes())
    assert after is not None
    assert struct.unpack_from(">I", after) == (len(after),)
    assert rebuild_icc(after) == after, "rebuilding again changes nothing"


def test_names_that_a_slide_maker_plants_in_a_profile_are_gone():
    plant = Plant()
    before = icc.profile(plant)
    after = rebuild_icc(before)
    assert after is not None
    assert plant.survivors(before)
    assert not plant.survivors(after)
    assert_same_colours(before, after, chart())


def _embedded() -> dict[str, bytes]:
    import pydicom
    import tifffile

    with tifffile.TiffFile(SLIDES / "openslide-fixtures" / "boxes.tiff") as file:
        found = {"boxes.tiff": bytes(file.pages.first.iccprofile)}
    for name in ("openslide-fixtures/boxes_0.dcm", "dicom/highdicom/sm_image.dcm"):
        found[name] = bytes(pydicom.dcmread(SLIDES / name).OpticalPathSequence[0].ICCProfile)
    return found


@pytest.mark.skipif(not SLIDES.is_dir(), reason="needs the real slides; set COVERSLIP_TEST_SLIDES to their folder")
def test_colours_of_profiles_in_real_slides_stay_the_same():
    for before in _embedded().values():
        after = rebuild_icc(before)
        assert after is not None
        assert_same_colours(before, after, chart())


@pytest.mark.parametrize(
    "damage",
    [
        lambda p: b"",
        lambda p: p[:127],
        lambda p: p[:200],
        lambda p: p[:-40],
        lambda p: p.replace(b"acsp", b"acsq"),
        lambda p: p.replace(b"RGB ", b"CMYK"),
        lambda p: p.replace(b"scnr", b"link"),
        lambda p: p[:8] + b"\5" + p[9:],
        lambda p: p[:128] + b"\xff\xff\xff\xff" + p[132:],
        lambda p: p.replace(b"rXYZ", b"gXYZ"),
        lambda p: p.replace(b"rTRC", b"xTRC"),
        lambda p: p.replace(b"XYZ \0", b"XYY \0"),
        lambda p: p.replace(b"curv\0\0\0\0\0\0\0\1", b"curv\0\0\0\0\xff\xff\xff\xff"),
    ],
)
def test_a_damaged_or_foreign_profile_is_left_behind(damage):
    assert rebuild_icc(damage(PROFILES["matrix, one gamma"].to_bytes())) is None


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(sorted(PROFILES)), data=st.data())
def test_damage_is_never_an_exception_and_never_copies_more_than_numbers(name, data):
    profile = bytearray(PROFILES[name].to_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        profile[data.draw(st.integers(0, len(profile) - 1))] = data.draw(st.integers(0, 255))
    after = rebuild_icc(bytes(profile))
    if after is not None:
        assert NAME.encode() not in after
        assert rebuild_icc(after) == after
