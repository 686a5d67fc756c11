"""In fluorescence each channel is a page of its own; the XML tells which, or the file is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from ingest.errors import Reason, SlideRefused
from ingest.scanners import Scan
from ingest.scanners.base import SourceChannel
from ingest.scanners.plain_tiff import PlainTiffReader
from tests.slides.made import mend
from tests.slides.ome import channel_pictures, make_fluorescence_ome_tiff
from tests.slides.planted import Plant


def scan_of(path: Path) -> Scan:
    with PlainTiffReader(path) as reader:
        return reader.scan()


def reason_of(path: Path) -> Reason:
    with pytest.raises(SlideRefused) as refused:
        scan_of(path)
    return refused.value.reason


def reworded(path: Path, old: str, new: str) -> Path:
    """Change the XML of a made file, to a text of the same length."""
    assert old.encode() in path.read_bytes()
    assert len(new) <= len(old)
    path.write_bytes(path.read_bytes().replace(old.encode(), new.ljust(len(old)).encode()))
    return path


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"pixel_type": np.uint8},
        {"byteorder": ">"},
        {"strips": True},
        {"strips": True, "byteorder": ">", "compression": None},
        {"order": (2, 0, 3, 1)},
        {"predictor": True},
        {"predictor": True, "byteorder": ">", "strips": True},
        *({"compression": compression} for compression in (None, "deflate", "zstd", "jpeg2000")),
    ],
    ids=str,
)
def test_every_value_of_every_channel_is_told(tmp_path: Path, options: dict[str, Any]) -> None:
    made = make_fluorescence_ome_tiff(tmp_path / "a.ome.tif", **options)
    with PlainTiffReader(made.path) as reader:
        levels = reader.scan().levels
        assert [(level.size.width, level.size.height) for level in levels] == [known.size for known in made.levels]
        for level, known in zip(levels, made.levels, strict=True):
            shape = (level.tile.width, level.tile.height)
            for channel, plane in enumerate(level.planes):
                tiles = {(column, row): values for column, row, values in plane.values()}
                assert {values.dtype for values in tiles.values()} == {np.dtype(level.pixel_type.dtype)}
                shown = (
                    mend(*known.size, shape, tiles) if level.pixel_type == "uint8" else laid(known.size, shape, tiles)
                )
                assert np.array_equal(shown, known.pixels[..., channel])
                for (column, row), values in tiles.items():
                    alone = plane.values_at(column, row)
                    assert alone is not None
                    assert np.array_equal(alone, values[: alone.shape[0], : alone.shape[1]])


def laid(size: tuple[int, int], tile: tuple[int, int], tiles: dict[tuple[int, int], Any]) -> Any:
    """Lay tiles of 16 bits side by side."""
    whole = np.zeros((size[1] + tile[1], size[0] + tile[0]), np.uint16)
    for (column, row), values in tiles.items():
        whole[row * tile[1] : (row + 1) * tile[1], column * tile[0] : (column + 1) * tile[0]] = values
    return whole[: size[1], : size[0]]


def test_all_channels_of_a_tile_come_side_by_side(tmp_path: Path) -> None:
    made = make_fluorescence_ome_tiff(tmp_path / "a.ome.tif")
    with PlainTiffReader(made.path) as reader:
        column, row, pixels = next(iter(reader.scan().levels[1].decoded_tiles()))
    assert (column, row, pixels.shape) == (0, 0, (256, 256, 4))
    assert np.array_equal(pixels, made.levels[1].pixels[:256, :256])


def test_words_of_every_page_are_told_to_the_auditor(tmp_path: Path) -> None:
    made = make_fluorescence_ome_tiff(tmp_path / "a.ome.tif", plant=Plant())
    told = " ".join(scan_of(made.path).properties.values())
    assert len(made.plant.tokens) > 8
    assert {place for place, token in made.plant.tokens.items() if token not in told} == set()


def test_names_and_colours_are_told_as_they_stand(tmp_path: Path) -> None:
    channels = (("DAPI", 0x0000FFFF), ("Jane Doe", -1), ("", 0xFF000000), ("Cy5", None))
    scan = scan_of(make_fluorescence_ome_tiff(tmp_path / "a.ome.tif", channels).path)
    assert scan.maker == "ome"
    assert scan.channels == (
        SourceChannel("DAPI", "0000FF"),
        SourceChannel("Jane Doe", "FFFFFF"),
        SourceChannel("", "FF0000"),
        SourceChannel("Cy5", None),
    )


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('SizeC="4"', 'SizeC="5"', Reason.DAMAGED_STRUCTURE),
        ('SizeC="4"', 'SizeC="x"', Reason.DAMAGED_STRUCTURE),
        ('SizeC="4"', 'SizeC="0"', Reason.DAMAGED_STRUCTURE),
        ('SizeZ="1"', 'SizeZ="2"', Reason.UNSUPPORTED_PIXELS),
        ('SizeT="1"', 'SizeT="3"', Reason.UNSUPPORTED_PIXELS),
        ('IFD="3"', 'IFD="9"', Reason.UNSUPPORTED_PIXELS),
        ('IFD="3"', 'IFD="1"', Reason.DAMAGED_STRUCTURE),
        ('FirstC="3"', 'FirstC="1"', Reason.DAMAGED_STRUCTURE),
        ('IFD="3"', 'IFD=" "', Reason.DAMAGED_STRUCTURE),
    ],
)
def test_pages_that_the_xml_does_not_tell_apart_are_refused(tmp_path: Path, old: str, new: str, reason: Reason) -> None:
    path = make_fluorescence_ome_tiff(tmp_path / "a.ome.tif", order=(0, 1, 2, 3)).path
    assert reason_of(reworded(path, old, new)) is reason


def test_a_file_with_fewer_pages_than_channels_is_refused(tmp_path: Path) -> None:
    path = make_fluorescence_ome_tiff(tmp_path / "a.ome.tif").path
    assert reason_of(reworded(path, 'SizeC="4"', 'SizeC="5"')) is Reason.UNSUPPORTED_PIXELS


def test_channels_that_lie_in_another_file_are_refused(tmp_path: Path) -> None:
    text = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        '<Pixels ID="Pixels:0" SizeC="2"><TiffData IFD="0" FirstC="0"><UUID FileName="a">urn:uuid:1</UUID></TiffData>'
        '<TiffData IFD="0" FirstC="1"><UUID FileName="b">urn:uuid:2</UUID></TiffData></Pixels></Image></OME>'
    )
    pages = channel_pictures(300, 300, 2, np.uint16)
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as file:
        file.write(pages[..., 0], tile=(256, 256), photometric="minisblack", description=text, metadata=None)
        file.write(pages[..., 1], tile=(256, 256), photometric="minisblack", metadata=None)
    assert reason_of(tmp_path / "a.ome.tif") is Reason.UNSUPPORTED_PIXELS


@pytest.mark.parametrize("other", [{"dtype": np.uint8}, {"size": 256}, {"tile": (128, 128)}], ids=str)
def test_channels_of_different_kinds_are_refused(tmp_path: Path, other: dict[str, Any]) -> None:
    first = {"dtype": np.uint16, "size": 300, "tile": (256, 256)}
    text = '<OME xmlns="x"><Image><Pixels SizeC="2"/></Image></OME>'
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as file:
        for number, kind in enumerate((first, {**first, **other})):
            values = channel_pictures(kind["size"], kind["size"], 1, kind["dtype"])[..., 0]
            description = text if number == 0 else None
            file.write(values, tile=kind["tile"], photometric="minisblack", description=description, metadata=None)
    assert reason_of(tmp_path / "a.ome.tif") is Reason.UNSUPPORTED_PIXELS


def written(path: Path, *sizes: tuple[int, int]) -> Path:
    """Write one grey picture of 16 bits for each size, without any XML."""
    with tifffile.TiffWriter(path) as file:
        for number, (width, height) in enumerate(sizes):
            values = channel_pictures(width, height, 1, np.uint16)[..., 0]
            file.write(values, tile=(128, 128), photometric="minisblack", subfiletype=int(number > 0), metadata=None)
    return path


def test_a_grey_slide_of_16_bits_has_one_channel_and_the_levels_that_follow(tmp_path: Path) -> None:
    scan = scan_of(written(tmp_path / "a.tif", (600, 400), (300, 200), (90, 200)))
    assert scan.maker == "generic"
    assert [(level.size.width, len(level.planes)) for level in scan.levels] == [(600, 1), (300, 1)]
    assert [image.size.width for image in scan.associated] == [90]
    assert scan.channels == (SourceChannel(),)


def test_several_pictures_of_one_size_that_nothing_tells_apart_are_refused(tmp_path: Path) -> None:
    assert reason_of(written(tmp_path / "a.tif", (600, 400), (600, 400))) is Reason.UNSUPPORTED_PIXELS
