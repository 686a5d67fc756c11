"""An Aperio file says by its structure which directory is what; its words may say anything."""

from pathlib import Path

import pytest

from ingest.errors import Reason, SlideRefused
from ingest.scanners import AssociatedKind, Scan
from ingest.scanners.aperio import AperioReader
from tests.slides.svs import label_picture, make_svs
from tests.slides.tiff import Compression, Directory, Segment, Writer, picture

HEADER = "Aperio Image Library v11.2.1 \r\n512x512 [0,0 512x512] (256x256) JPEG/RGB"
TILES = [bytes(256 * 256 * 3)] * 4


def scan_of(path: Path) -> Scan:
    with AperioReader(path) as reader:
        return reader.scan()


def write(path: Path, *directories: Directory) -> Path:
    writer = Writer()
    for directory in directories:
        writer.append(directory)
    return writer.save(path)


def level(side: int = 512, *, description: str = HEADER, subfile: int = 0) -> Directory:
    tiles: list[Segment] = [bytes(256 * 256 * 3)] * (-(-side // 256)) ** 2
    return picture(side, side, tiles, tile=(256, 256), description=description, subfile=subfile)


def strips(width: int, height: int, *, subfile: int = 0, description: str | None = None) -> Directory:
    return picture(width, height, [bytes(width * height * 3)], subfile=subfile, description=description)


def test_pairs_between_bars_are_properties(tmp_path: Path) -> None:
    text = f"{HEADER}|AppMag = 20|MPP = 0.4990|Remark = a = b|Empty =|no pair|| Spaced  =  x y "
    properties = scan_of(write(tmp_path / "a.svs", level(description=text))).properties
    told = {key: value for key, value in properties.items() if key.startswith("aperio.")}
    assert told == {
        "aperio.AppMag": "20",
        "aperio.MPP": "0.4990",
        "aperio.Remark": "a = b",
        "aperio.Empty": "",
        "aperio.no pair": "",
        "aperio.": "",
        "aperio.Spaced": "x y",
    }


def test_directories_are_told_by_their_structure_and_not_by_their_words(tmp_path: Path) -> None:
    lying = "Aperio \r\nlabel 387x463"
    path = write(
        tmp_path / "a.svs",
        level(description=HEADER),
        strips(128, 128, description=lying),
        level(256, description=lying),
        strips(387, 463, subfile=1, description="Aperio \r\nmacro"),
        strips(1280, 431, subfile=9, description="Aperio \r\nlabel"),
        strips(64, 48, description=lying),
    )
    scan = scan_of(path)
    assert [level.size.width for level in scan.levels] == [512, 256]
    assert [image.kind for image in scan.associated] == [
        AssociatedKind.THUMBNAIL,
        AssociatedKind.LABEL,
        AssociatedKind.MACRO,
        AssociatedKind.UNKNOWN,
    ]


def test_a_tiled_picture_of_other_proportions_is_no_level(tmp_path: Path) -> None:
    other = picture(300, 100, [bytes(256 * 256 * 3)] * 2, tile=(256, 256))
    scan = scan_of(write(tmp_path / "a.svs", level(), other))
    assert len(scan.levels) == 1
    assert [image.kind for image in scan.associated] == [AssociatedKind.UNKNOWN]


def test_a_tiled_picture_that_is_marked_as_label_is_no_level(tmp_path: Path) -> None:
    scan = scan_of(write(tmp_path / "a.svs", level(), level(256, subfile=1)))
    assert len(scan.levels) == 1
    assert [image.kind for image in scan.associated] == [AssociatedKind.LABEL]


def test_levels_come_from_the_largest_down_in_whatever_order_they_lie(tmp_path: Path) -> None:
    scan = scan_of(write(tmp_path / "a.svs", level(1024), level(256), level(512)))
    assert [level.size.width for level in scan.levels] == [1024, 512, 256]


def test_a_file_that_begins_with_a_picture_in_strips_is_no_slide(tmp_path: Path) -> None:
    label = picture(
        387, 463, [label_picture("S26-1").tobytes()], subfile=1, description="Aperio Image Library\r\nlabel"
    )
    with pytest.raises(SlideRefused) as refused:
        scan_of(write(tmp_path / "a.svs", label))
    assert refused.value.reason is Reason.NOT_A_WHOLE_SLIDE


@pytest.mark.parametrize("description", ["aperio in small letters", "An Aperio", "Leica", ""])
def test_only_a_description_that_begins_as_aperios_does_is_aperios(tmp_path: Path, description: str) -> None:
    assert AperioReader.recognise(write(tmp_path / "a.svs", level(description=description))) is not None


def test_a_level_of_other_pixels_is_refused(tmp_path: Path) -> None:
    deep = picture(256, 256, [bytes(256 * 256 * 6)], tile=(256, 256), bits=16, description=HEADER)
    with pytest.raises(SlideRefused) as refused:
        scan_of(write(tmp_path / "a.svs", deep))
    assert refused.value.reason is Reason.UNSUPPORTED_PIXELS


@pytest.mark.parametrize("coding", [Compression.JPEG2000_APERIO, Compression.NONE])
def test_only_jpeg_tiles_are_worth_copying(tmp_path: Path, coding: int) -> None:
    directory = picture(512, 512, list(TILES), tile=(256, 256), compression=coding, description=HEADER)
    assert not scan_of(write(tmp_path / "a.svs", directory)).levels[0].is_jpeg


def test_tiles_that_the_scanner_left_out_are_told(tmp_path: Path) -> None:
    made = make_svs(tmp_path / "a.svs", factors=(1,), sparse=frozenset({(0, 1, 0), (0, 2, 2)}))
    with AperioReader(made.path) as reader:
        (only,) = reader.scan().levels
        columns, rows = only.size.tiles(only.tile)
        places = {(column, row) for column in range(columns) for row in range(rows)}
        out = {place for place in places if only.leaves_out(*place)}
        assert out == {(1, 0), (2, 2)}
        assert {(tile.column, tile.row) for tile in only.encoded_tiles()} == places - out
        assert only.decoded_tile(1, 0) is None
