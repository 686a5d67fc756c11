"""A TIFF without a maker's mark is read by its structure alone, and refused if its pixels cannot be stored so."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.geometry import Size
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.jailed import MODULES
from ingest.sandbox import Jail, prepare
from ingest.scanners import AssociatedKind, Scan
from ingest.scanners._shapes import same_shape
from ingest.scanners.plain_tiff import PlainTiffReader
from tests.slides.generic import make_tiff, make_unstorable_tiff
from tests.slides.imitated.reading import read_all
from tests.slides.made import mend
from tests.slides.ome import make_ome_tiff
from tests.slides.tiff import Directory, Photometric, Segment, Type, Writer, picture
from tests.slides.tissue import tissue

OME = '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">{}</Image></OME>'


def scan_of(path: Path) -> Scan:
    with PlainTiffReader(path) as reader:
        return reader.scan()


def reason_of(path: Path) -> Reason:
    with pytest.raises(SlideRefused) as refused:
        scan_of(path)
    return refused.value.reason


def level(width: int = 512, height: int = 512, **options: Any) -> Directory:
    tiles: list[Segment] = [bytes(256 * 256 * 3)] * (-(-width // 256) * -(-height // 256))
    return picture(width, height, tiles, tile=(256, 256), **options)


def write(path: Path, *directories: Directory) -> Path:
    writer = Writer()
    for directory in directories:
        writer.append(directory)
    return writer.save(path)


def test_a_picture_that_follows_and_is_smaller_each_time_is_a_level(tmp_path: Path) -> None:
    scan = scan_of(write(tmp_path / "a.tif", level(1024, 768), level(512, 384), level(256, 192)))
    assert [level.size.width for level in scan.levels] == [1024, 512, 256]
    assert scan.associated == ()


@pytest.mark.parametrize(
    "other",
    [
        level(300, 512),
        level(1024, 768),
        picture(256, 192, [bytes(256 * 192 * 3)]),
        picture(512, 384, [bytes(256 * 256)] * 4, tile=(256, 256), photometric=Photometric.GREY, samples=1),
        level(512, 384, bits=16),
    ],
    ids=["other proportions", "as large as the first", "in strips", "grey", "16 bits"],
)
def test_any_other_picture_is_left_behind_as_unknown(tmp_path: Path, other: Directory) -> None:
    scan = scan_of(write(tmp_path / "a.tif", level(1024, 768), other))
    assert len(scan.levels) == 1
    assert [image.kind for image in scan.associated] == [AssociatedKind.UNKNOWN]


@pytest.mark.parametrize("kind", ["16-bit RGB", "five channels", "float"])
def test_pixels_of_another_kind_are_not_recognised(tmp_path: Path, kind: Any) -> None:
    assert PlainTiffReader.recognise(make_unstorable_tiff(tmp_path / "a.tif", kind)) is not None


def test_planes_are_put_side_by_side(tmp_path: Path) -> None:
    """Each colour of a planar file lies by itself; the file's tiles are no tiles of the slide."""
    path = make_unstorable_tiff(tmp_path / "a.tif", "planar")
    rng = np.random.default_rng(7)
    planes = [rng.integers(0, 100, 256 * 256, np.uint8).reshape(256, 256) for _ in range(12)]
    with PlainTiffReader(path) as reader:
        (only,) = reader.scan().levels
        ((column, row, pixels),) = only.decoded_tiles()
    assert (column, row, only.is_jpeg, only.in_tiles) == (0, 0, False, False)  # type: ignore[attr-defined]
    for channel in range(3):
        assert np.array_equal(pixels[:256, 256:, channel], planes[4 * channel + 1])


@pytest.mark.parametrize("turn", range(2, 9))
def test_a_turned_picture_is_refused(tmp_path: Path, turn: int) -> None:
    directory = level()
    directory.tags[274] = (Type.SHORT, [turn])
    assert reason_of(write(tmp_path / "a.tif", directory)) is Reason.TURNED_PICTURE


@pytest.mark.parametrize("turn", [0, 1])
def test_an_upright_picture_is_kept(tmp_path: Path, turn: int) -> None:
    directory = level()
    directory.tags[274] = (Type.SHORT, [turn])
    assert len(scan_of(write(tmp_path / "a.tif", directory)).levels) == 1


@pytest.mark.parametrize("mpp", [0.25, 0.5])
def test_the_resolution_is_told_as_one_number(tmp_path: Path, mpp: float) -> None:
    properties = scan_of(make_tiff(tmp_path / "a.tif", mpp=mpp).path).properties
    assert float(properties["tiff.XResolution"]) == pytest.approx(10_000 / mpp)
    assert properties["tiff.ResolutionUnit"] == "3"


def test_a_resolution_divided_by_nothing_is_no_number(tmp_path: Path) -> None:
    directory = level()
    directory.tags[282] = (Type.RATIONAL, [72, 0])
    assert scan_of(write(tmp_path / "a.tif", directory)).properties["tiff.XResolution"] == "(72, 0)"


class TestOme:
    """An OME-TIFF tells its pixels' size and planes in XML."""

    def test_the_size_of_a_pixel_is_told(self, tmp_path: Path) -> None:
        scan = scan_of(make_ome_tiff(tmp_path / "a.ome.tif", mpp=0.25).path)
        assert scan.maker == "ome"
        told = {key: value for key, value in scan.properties.items() if key.startswith("ome.")}
        assert told["ome.PhysicalSizeX"] == told["ome.PhysicalSizeY"] == "0.25"
        assert told["ome.PhysicalSizeXUnit"] == "µm"

    @pytest.mark.parametrize("planes", ['SizeZ="5"', 'SizeC="3" SizeT="2"', 'SizeC="4"'])
    def test_several_planes_are_refused(self, tmp_path: Path, planes: str) -> None:
        text = OME.format(f'<Pixels ID="Pixels:0" {planes}/>')
        assert reason_of(write(tmp_path / "a.tif", level(description=text))) is Reason.UNSUPPORTED_PIXELS

    def test_the_first_of_three_channels_is_not_taken_for_a_grey_slide(self, tmp_path: Path) -> None:
        text = OME.format('<Pixels ID="Pixels:0" SizeC="3"/>')
        grey = {"photometric": Photometric.GREY, "samples": 1}
        assert reason_of(write(tmp_path / "a.tif", level(description=text, **grey))) is Reason.UNSUPPORTED_PIXELS

    def test_a_number_of_planes_that_is_none_is_damage(self, tmp_path: Path) -> None:
        text = OME.format('<Pixels ID="Pixels:0" SizeC="three"/>')
        assert reason_of(write(tmp_path / "a.tif", level(description=text))) is Reason.DAMAGED_STRUCTURE

    def test_further_images_are_left_behind_whatever_their_shape(self, tmp_path: Path) -> None:
        """The smaller levels lie in SubIFDs; what follows the slide is another picture, even with its proportions."""
        overview = tissue(70, 53)
        made = make_ome_tiff(tmp_path / "a.ome.tif", other_images=(tissue(120, 90), overview))
        with PlainTiffReader(made.path) as reader:
            scan = reader.scan()
            assert [level.size.width for level in scan.levels] == [700, 350, 175]
            assert [image.size for image in scan.associated] == [Size(120, 90), Size(70, 53)]
            assert np.array_equal(list(reader.pictures(AssociatedKind.UNKNOWN))[1], overview)

    @pytest.mark.parametrize("strips", [False, True], ids=["tiles", "strips"])
    @pytest.mark.parametrize("compression", [None, "lzw", "deflate", "zstd", "jpeg2000", "webp", "jpeg"])
    def test_every_compression_shows_what_tifffile_shows(
        self, tmp_path: Path, compression: str | None, strips: bool
    ) -> None:
        made = make_ome_tiff(tmp_path / "a.ome.tif", compression=compression, strips=strips)
        with PlainTiffReader(made.path) as reader:
            levels = reader.scan().levels
            assert [(level.size.width, level.size.height) for level in levels] == [known.size for known in made.levels]
            for found, known in zip(levels, made.levels, strict=True):
                assert found.is_jpeg == (compression == "jpeg" and not strips)
                tiles = {(column, row): pixels for column, row, pixels in found.decoded_tiles()}
                size = (found.tile.width, found.tile.height)
                assert np.array_equal(mend(found.size.width, found.size.height, size, tiles), known.pixels)

    def test_xml_that_breaks_off_is_damage(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.tif", level(description=OME.format("<Pixels")))
        assert reason_of(path) is Reason.DAMAGED_STRUCTURE

    def test_entities_do_not_explode(self, tmp_path: Path) -> None:
        entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol"}">' for n in range(12))
        text = f"<!DOCTYPE OME [{entities}]><OME><Pixels/>&e11;</OME>"
        assert reason_of(write(tmp_path / "a.tif", level(description=text))) is Reason.DAMAGED_STRUCTURE

    def test_xml_without_pixels_is_a_plain_tiff(self, tmp_path: Path) -> None:
        assert scan_of(write(tmp_path / "a.tif", level(description=OME.format("")))).maker == "generic"


@given(
    width=st.integers(1, 200_000), height=st.integers(1, 200_000), factor=st.sampled_from([1, 2, 4, 8, 16, 32, 64]),
    up=st.booleans(),
)  # fmt: skip
def test_a_reduced_picture_has_the_shape_of_the_whole_however_it_was_rounded(
    width: int, height: int, factor: int, up: bool
) -> None:
    base = Size(width, height)
    small = base.reduced(factor) if up else Size(max(1, width // factor), max(1, height // factor))
    assert same_shape(small, base)
    assert not same_shape(Size(width + 1, height), base)


def test_levels_of_a_core_biopsy_are_recognised() -> None:
    """It is many times as high as wide, so that a pixel more or less across is many down."""
    assert same_shape(Size(1250, 22_500), Size(5003, 90_001))


@pytest.mark.parametrize("size", [(387, 463), (1280, 431), (574, 600)])
def test_a_label_has_another_shape_than_a_slide(size: tuple[int, int]) -> None:
    assert not same_shape(Size(*size), Size(46_000, 32_914))


def test_a_file_whose_first_picture_is_not_its_largest_is_no_slide(tmp_path: Path) -> None:
    """A damaged slide whose maker puts the label first would be kept as a picture of its label."""
    writer = Writer()
    for directory in (level(256, 256), level(512, 512)):
        writer.append(directory)
    assert reason_of(writer.save(tmp_path / "a.tif")) is Reason.NOT_A_WHOLE_SLIDE


@pytest.mark.parametrize(
    "words", ["http://www.leica-microsystems.com/scn/2013/03/10", '<DataObject ObjectType="DPUfsImport">', "<iScan "]
)
@pytest.mark.parametrize("code", [270, 700])
def test_a_makers_file_that_is_not_as_the_maker_writes_is_not_taken_for_a_plain_one(
    tmp_path: Path, words: str, code: int
) -> None:
    path = make_tiff(tmp_path / "a.tif", tags={code: words}).path
    assert reason_of(path) is Reason.DAMAGED_STRUCTURE


def test_another_file_that_the_xml_names_is_not_opened(tmp_path: Path) -> None:
    """An OME-TIFF can name the files of its other planes, and could name another patient's."""
    other = make_ome_tiff(tmp_path / "b.ome.tif", factors=(1,), seed=8).path
    (tmp_path / "own").mkdir()
    path = make_ome_tiff(tmp_path / "own" / "aaaa.ome.tif", factors=(1,)).path
    content = path.read_bytes()
    assert len("aaaa.ome.tif") == len(f"../{other.name}")
    named = content.replace(b'FileName="aaaa.ome.tif">urn:uuid:3', f'FileName="../{other.name}">urn:uuid:4'.encode())
    assert named != content
    path.write_bytes(named)
    prepare(*MODULES, read_all.__module__)
    with Jail(read=[path]) as jail:  # nothing else can be opened in there
        assert jail.call(read_all, str(path)) == len(scan_of(path).levels) * 9
