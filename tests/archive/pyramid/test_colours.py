"""Colours are turned into sRGB as the scanner's profile says; where it says nothing or is broken, they are not."""

import hashlib
import logging
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from archive.errors import ArchiveError, ColoursUnknown, DamagedPyramid
from archive.geometry import Size
from archive.pyramid import colours as module
from archive.pyramid.channels import Channel, PixelType
from archive.pyramid.colours import Colours, Profile, StoredProfile, ToSrgb
from archive.pyramid.layout import Coding, LevelLayout, Origin, ScanLayout
from archive.pyramid.reader import Pyramid
from ingest.deidentify import rebuild_icc
from tests.ingest.deidentify.colour_difference import ciede2000
from tests.ingest.deidentify.profiles_by_hand import Profile as Written
from tests.ingest.deidentify.profiles_by_hand import gamma, matrix_tags, sampled
from tests.slides.colour_charts import chart, grey_scanner, lab_of_linear, lab_of_scanner, lab_of_srgb, scanner


def stored(folder: Path, content: bytes, name: str = "colour-profile.icc") -> StoredProfile:
    path = folder / name
    path.write_bytes(content)
    return StoredProfile(len(content), hashlib.sha256(content).hexdigest(), path)


@pytest.fixture(autouse=True)
def _no_transform_is_kept() -> None:
    module._transform.cache_clear()


def test_a_chart_has_the_colours_that_a_table_says() -> None:
    shown = ToSrgb(scanner())(chart())
    assert ciede2000(lab_of_srgb(shown), lab_of_scanner(chart())).max() < 1


@pytest.mark.parametrize("powers", [(2.2, 2.2, 2.2), (1.8, 2.0, 2.4)])
def test_a_chart_has_the_colours_that_a_matrix_and_curves_say(powers: tuple[float, ...]) -> None:
    curves = [sampled(1024, power) for power in powers]
    profile = rebuild_icc(Written(matrix_tags(*curves)).to_bytes())
    assert profile is not None
    wanted = lab_of_linear((chart() / 255) ** np.array(powers))
    assert ciede2000(lab_of_srgb(ToSrgb(profile)(chart())), wanted).max() < 1


def test_colours_of_a_scanner_that_is_not_srgb_change_visibly() -> None:
    assert ciede2000(lab_of_srgb(chart()), lab_of_scanner(chart())).mean() > 3, "this chart could prove nothing"


def test_clean_glass_is_white_and_what_is_darkest_stays_as_light_as_it_was_measured() -> None:
    white, black = ToSrgb(scanner())(np.array([[[255, 255, 255], [0, 0, 0]]], np.uint8))[0]
    assert white.tolist() == [255, 255, 255]
    assert 15 < black.mean() < 25, "black point compensation would make it 0"


def test_grey_pixels_of_a_grey_profile_are_turned_as_grey(tmp_path: Path) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    shown = Colours(stored(tmp_path, grey_scanner()), grey=True).to_srgb(ramp)
    assert (shown == shown[..., :1]).all()
    assert ciede2000(lab_of_srgb(shown), lab_of_linear((ramp / 255) ** 2.2)).max() < 1


def test_a_scan_without_a_profile_says_so() -> None:
    assert Colours().profile is Profile.NONE
    with pytest.raises(ColoursUnknown, match="did not say"):
        Colours().to_srgb(chart())


def test_fluorescence_has_no_colours_to_be_turned(tmp_path: Path) -> None:
    size = Size(64, 64)
    level = LevelLayout.planned(
        size, size, Coding.LOSSLESS, Origin.DECODED, channels=1, pixel_type=PixelType.UINT16, apart=True
    )
    layout = ScanLayout((level,), channels=(Channel("DAPI", "0000FF", 0, 65535),))
    assert Pyramid(tmp_path, layout, stored(tmp_path, scanner())).colours.profile is Profile.NONE


def spoilt(content: bytes) -> bytes:
    return content[:-40] + bytes([content[-40] ^ 1]) + content[-39:]


DAMAGE = {
    "another byte": lambda path: path.write_bytes(spoilt(path.read_bytes())),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "empty": lambda path: path.write_bytes(b""),
    "gone": lambda path: path.unlink(),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_profile_that_is_not_what_was_stored_is_not_used_and_the_log_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    profile = stored(tmp_path, scanner())
    DAMAGE[damage](profile.path)
    broken = Colours(profile)
    with caplog.at_level(logging.ERROR):
        assert [broken.profile for _ in range(3)] == [Profile.UNUSABLE] * 3
    assert [record.getMessage() for record in caplog.records] == [
        "A scan's colours stay as scanned because of DamagedPyramid: run coverslip check."
    ]
    with pytest.raises(DamagedPyramid):
        broken.to_srgb(chart())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no profile at all",
        scanner()[:200],
        scanner().replace(b"acsp", b"acsq"),
        scanner().replace(b"RGB Lab ", b"CMYKLab "),
        scanner().replace(b"A2B0", b"A2Bx"),
        scanner().replace(b"mft2", b"mftx"),
        grey_scanner(),
    ],
    ids=["empty", "text", "cut", "unmarked", "of ink", "without its table", "with another table", "for grey pixels"],
)
def test_a_profile_that_is_not_understood_is_not_used(tmp_path: Path, content: bytes) -> None:
    strange = Colours(stored(tmp_path, content))
    assert strange.profile is Profile.UNUSABLE
    with pytest.raises(ColoursUnknown):
        strange.to_srgb(chart())


def test_damage_of_any_byte_is_an_error_of_ours_or_none(tmp_path: Path) -> None:
    """The digest keeps damage out; this is what would come if it were written so."""
    whole = Written(matrix_tags(gamma(2.2))).to_bytes()
    rng = np.random.default_rng(5)
    for _ in range(60):
        changed = bytearray(whole)
        for at in rng.integers(0, len(whole), 4):
            changed[at] = rng.integers(0, 256)
        with suppress(ArchiveError):
            ToSrgb(bytes(changed))(chart(3))


def test_a_profile_of_a_size_that_no_scanner_has_is_not_read(tmp_path: Path) -> None:
    profile = stored(tmp_path, scanner())
    huge = StoredProfile(module.LARGEST_BYTES + 1, profile.sha256, profile.path)
    with pytest.raises(DamagedPyramid, match="at most"):
        huge.read()


def test_equal_profiles_of_many_scans_are_read_and_built_once_and_few_are_kept(tmp_path: Path) -> None:
    for number in range(3):
        Colours(stored(tmp_path, scanner(), f"{number}.icc")).to_srgb(chart(2))
    assert module._transform.cache_info().misses == 1
    for number in range(module.TRANSFORMS + 3):
        curves = sampled(16, 1.5 + number / 10)
        assert Colours(stored(tmp_path, Written(matrix_tags(curves)).to_bytes())).profile is Profile.USABLE
    assert module._transform.cache_info().currsize == module.TRANSFORMS
