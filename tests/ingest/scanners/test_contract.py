"""What every scanner module promises, whoever made the file: its levels, their pixels, and what else is in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from archive.geometry import Size
from ingest.errors import Reason, SlideRefused
from ingest.scanners import Scan, ScanReader, SourceLevel
from ingest.scanners.akoya import AkoyaReader
from ingest.scanners.aperio import AperioReader
from ingest.scanners.base import MAX_PROPERTIES, MAX_PROPERTY_CHARACTERS
from ingest.scanners.dicom import DicomReader
from ingest.scanners.hamamatsu import HamamatsuReader
from ingest.scanners.leica import LeicaReader
from ingest.scanners.opening import open_scan
from ingest.scanners.philips import PhilipsReader
from ingest.scanners.plain_tiff import PlainTiffReader
from ingest.scanners.through_openslide import OpenSlideReader
from tests.slides import jpegs
from tests.slides.dicom import make_dicom
from tests.slides.generic import APERIO_JPEG2000, make_libvips_tiff, make_tiff
from tests.slides.made import MadeSlide, mend
from tests.slides.ndpi import intervals_of, make_ndpi
from tests.slides.ome import make_ome_tiff
from tests.slides.philips import make_philips
from tests.slides.planted import Plant
from tests.slides.qptiff import make_qptiff
from tests.slides.scn import make_scn
from tests.slides.svs import make_svs
from tests.slides.tissue import Picture


@dataclass(frozen=True)
class Maker:
    """A kind of file, the module that reads it, and what that calls its maker."""

    make: Callable[[Path], MadeSlide]
    reader: type[ScanReader]
    called: str


MAKERS = {
    "Aperio": Maker(lambda path: make_svs(path, plant=Plant()), AperioReader, "aperio"),
    "Aperio in JPEG 2000": Maker(
        lambda path: make_tiff(path, "jpeg2000", description=APERIO_JPEG2000, factors=(1,)), AperioReader, "aperio"
    ),
    "Aperio, BigTIFF": Maker(lambda path: make_svs(path, big=True, tile=(240, 240)), AperioReader, "aperio"),
    "tiled TIFF": Maker(lambda path: make_tiff(path, "deflate", plant=Plant()), PlainTiffReader, "generic"),
    "tiled TIFF with SubIFDs": Maker(
        lambda path: make_tiff(path, "lzw", levels_below=True, order=">"), PlainTiffReader, "generic"
    ),
    "TIFF in strips": Maker(lambda path: make_tiff(path, "zstd", tile=None, factors=(1,)), PlainTiffReader, "generic"),
    "libvips": Maker(make_libvips_tiff, PlainTiffReader, "generic"),
    "OME-TIFF": Maker(make_ome_tiff, PlainTiffReader, "ome"),
    "Hamamatsu NDPI": Maker(lambda path: make_ndpi(path, plant=Plant()), HamamatsuReader, "hamamatsu"),
    "Hamamatsu NDPI above 4 GB": Maker(lambda path: make_ndpi(path, gap=5 << 30), HamamatsuReader, "hamamatsu"),
    "Philips": Maker(lambda path: make_philips(path, plant=Plant()), PhilipsReader, "philips"),
    "QPTIFF": Maker(lambda path: make_qptiff(path, plant=Plant()), AkoyaReader, "akoya"),
    "Leica SCN": Maker(lambda path: make_scn(path, plant=Plant()), LeicaReader, "leica"),
    "DICOM": Maker(lambda path: make_dicom(path, plant=Plant()), DicomReader, "dicom"),
    "DICOM, in parts": Maker(lambda path: make_dicom(path, parts=2, sparse=True, table=None), DicomReader, "dicom"),
    "DICOM in JPEG-LS": Maker(lambda path: make_dicom(path, syntax="jpeg-ls", factors=(1,)), DicomReader, "dicom"),
    "OpenSlide": Maker(lambda path: make_svs(path, factors=(1, 2)), OpenSlideReader, "aperio"),
}
OWN = {kind: maker for kind, maker in MAKERS.items() if maker.reader is not OpenSlideReader}


@pytest.fixture(params=MAKERS)
def maker(request: pytest.FixtureRequest) -> Maker:
    return MAKERS[request.param]


@pytest.fixture
def made(maker: Maker, tmp_path: Path) -> MadeSlide:
    return maker.make(tmp_path / "slide")


@pytest.fixture
def scan(maker: Maker, made: MadeSlide) -> Iterator[Scan]:
    with maker.reader(made.path) as reader:
        yield reader.scan()


@pytest.mark.parametrize("kind", OWN)
def test_a_file_is_opened_by_its_own_module(kind: str, tmp_path: Path) -> None:
    with open_scan(OWN[kind].make(tmp_path / "slide").path) as reader:
        assert type(reader) is OWN[kind].reader


@pytest.mark.parametrize("kind", [kind for kind in OWN if not kind.startswith(("Aperio", "DICOM"))])
def test_no_file_of_another_maker_is_aperios(kind: str, tmp_path: Path) -> None:
    assert AperioReader.recognise(OWN[kind].make(tmp_path / "slide").path) is not None


def test_maker_and_levels_are_told(maker: Maker, made: MadeSlide, scan: Scan) -> None:
    assert scan.maker == maker.called
    assert [(level.size.width, level.size.height) for level in scan.levels] == [level.size for level in made.levels]


def test_every_pixel_is_decoded(made: MadeSlide, scan: Scan) -> None:
    for level, known in zip(scan.levels, made.levels, strict=True):
        tiles = {(column, row): pixels for column, row, pixels in level.decoded_tiles()}
        assert all(pixels.shape == (level.tile.height, level.tile.width, level.channels) for pixels in tiles.values())
        shown = mend(level.size.width, level.size.height, (level.tile.width, level.tile.height), tiles)
        assert np.array_equal(shown, known.pixels)


def test_tiles_come_from_top_to_bottom_and_each_once(scan: Scan) -> None:
    for level in scan.levels:
        columns, rows = level.size.tiles(level.tile)
        places = [(row, column) for column, row, _ in level.decoded_tiles()]
        assert places == [(row, column) for row in range(rows) for column in range(columns)]


def test_one_tile_is_decoded_as_among_all(scan: Scan) -> None:
    level = scan.levels[-1]
    for column, row, pixels in level.decoded_tiles():
        alone = level.decoded_tile(column, row)
        if alone is not None:
            assert np.array_equal(alone, pixels[: alone.shape[0], : alone.shape[1]])


def bytes_at(path: Path, place: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(place)
        return file.read(length)


def test_compressed_tiles_are_those_of_the_file(made: MadeSlide, scan: Scan) -> None:
    for level, known in zip(scan.levels, made.levels, strict=True):
        if not level.is_jpeg:
            continue
        for tile in level.encoded_tiles():
            if tile.runs:
                pieces = [bytes_at(made.path, *run) for run in tile.runs]
                assert intervals_of(tile.stream) == pieces
                continue
            assert bytes_at(tile.file or made.path, tile.offset, len(tile.stream)) == tile.stream
            if known.tiles:
                stream = jpegs.join(level.jpeg_tables, tile.stream) if level.jpeg_tables else tile.stream
                assert jpegs.scan_data(stream) == jpegs.scan_data(known.tiles[tile.column, tile.row])


def test_every_associated_image_has_a_kind_and_the_mark_it_was_found_by(made: MadeSlide, scan: Scan) -> None:
    found = {str(image.kind): image for image in scan.associated}
    assert found.keys() == made.associated.keys()
    for name, picture in made.associated.items():
        assert found[name].size == Size(picture.shape[1], picture.shape[0])
        assert found[name].found_by


def test_properties_are_texts_of_bounded_number_and_length(scan: Scan) -> None:
    assert 0 < len(scan.properties) <= MAX_PROPERTIES
    for key, text in scan.properties.items():
        assert isinstance(text, str)
        assert len(key) <= 256
        assert len(text) <= MAX_PROPERTY_CHARACTERS


def test_every_word_that_was_planted_in_a_text_is_told_to_the_auditor(made: MadeSlide, scan: Scan) -> None:
    """The auditor searches for what it is told; what stands in tags and descriptions must be among it."""
    told = " ".join(scan.properties.values())
    texts = [place for place in made.plant.tokens if place.startswith(("tag ", "description key", "text before"))]
    assert {place for place in texts if made.plant.tokens[place] not in told} == set()


def test_closing_twice_is_harmless(maker: Maker, made: MadeSlide) -> None:
    reader = maker.reader(made.path)
    reader.close()
    reader.close()


@pytest.mark.parametrize("content", [b"", b"II*\0", b"II*\0\x08\0\0\0", b"no slide at all" * 100])
def test_what_is_no_slide_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "slide"
    path.write_bytes(content)
    with pytest.raises(SlideRefused) as refused:
        open_scan(path)
    assert refused.value.reason in {Reason.DAMAGED_STRUCTURE, Reason.NOT_A_SLIDE, Reason.UNSUPPORTED_PIXELS}


def test_a_level_without_compressed_tiles_says_so() -> None:
    class Bare(SourceLevel):
        def decoded_tiles(self) -> Iterator[tuple[int, int, Picture]]:
            return iter(())

    with pytest.raises(NotImplementedError):
        Bare().encoded_tiles()
    assert Bare().decoded_tile(0, 0) is None
    assert not Bare().leaves_out(0, 0)
