"""A TIFF is taken when its numbers agree with one another and with the file, in every way of writing them."""

import struct
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from ingest.errors import Reason
from ingest.precheck import Family
from tests.ingest.precheck.spoilt import Change, described, level, save, tables, tag
from tests.slides.tiff import Compression, Directory, Type, Writer, picture

Outcome = Callable[[Path], Family | Reason]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "slide.tif"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_a_sound_slide_is_taken_in_both_byte_orders_and_both_sizes(
    path: Path, outcome: Outcome, big: bool, order: Literal["<", ">"]
) -> None:
    assert outcome(save(path, big=big, order=order)) is Family.TIFF


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(tag(256, Type.LONG, 0), Reason.DAMAGED_STRUCTURE, id="no width"),
        pytest.param(tag(257, Type.LONG, 0), Reason.DAMAGED_STRUCTURE, id="no height"),
        pytest.param(tag(256, Type.LONG, 50, 50), Reason.DAMAGED_STRUCTURE, id="two widths"),
        pytest.param(lambda first: first.tags.pop(257), Reason.DAMAGED_STRUCTURE, id="height left out"),
        pytest.param(tag(256, Type.RATIONAL, 50, 1), Reason.DAMAGED_STRUCTURE, id="a width that is a fraction"),
        pytest.param(tag(256, Type.LONG, (1 << 20) + 1), Reason.TOO_LARGE, id="too wide"),
        pytest.param(tag(322, Type.LONG, 8193), Reason.TOO_LARGE, id="tiles too wide"),
        pytest.param(tag(322, Type.LONG, 0), Reason.DAMAGED_STRUCTURE, id="tiles without width"),
        pytest.param(lambda first: first.tags.pop(323), Reason.DAMAGED_STRUCTURE, id="tiles without height"),
        pytest.param(tag(256, Type.LONG, 2000), Reason.DAMAGED_STRUCTURE, id="too few tiles"),
        pytest.param(tag(256, Type.LONG, 16), Reason.DAMAGED_STRUCTURE, id="too many tiles"),
        pytest.param(tables([100] * 12, [1] * 11), Reason.DAMAGED_STRUCTURE, id="fewer lengths than places"),
        pytest.param(tables([100] * 11, [1] * 11), Reason.DAMAGED_STRUCTURE, id="one tile missing"),
        pytest.param(tables([100] * 12, [1 << 30] * 12), Reason.TRUNCATED, id="tiles longer than the file"),
        pytest.param(tables([1 << 30] * 12, [1] * 12), Reason.TRUNCATED, id="tiles behind the file"),
        pytest.param(tables([0xFFFFFFFF] * 12, [0xFFFFFFFF] * 12), Reason.TRUNCATED, id="places that overflow"),
        pytest.param(tag(273, Type.LONG, 100), Reason.DAMAGED_STRUCTURE, id="tiles and strips at once"),
        pytest.param(tag(277, Type.SHORT, 0), Reason.DAMAGED_STRUCTURE, id="no samples"),
        pytest.param(tag(277, Type.SHORT, 65), Reason.DAMAGED_STRUCTURE, id="too many samples"),
        pytest.param(tag(258, Type.SHORT, 8, 8), Reason.DAMAGED_STRUCTURE, id="depths of two samples of three"),
        pytest.param(tag(258, Type.SHORT, 7, 7, 7), Reason.DAMAGED_STRUCTURE, id="seven bits"),
        pytest.param(tag(284, Type.SHORT, 3), Reason.DAMAGED_STRUCTURE, id="an unknown arrangement of planes"),
        pytest.param(tag(317, Type.SHORT, 9), Reason.DAMAGED_STRUCTURE, id="an unknown predictor"),
        pytest.param(tag(339, Type.SHORT, 9), Reason.DAMAGED_STRUCTURE, id="an unknown sample format"),
        pytest.param(tag(530, Type.SHORT, 4, 3), Reason.DAMAGED_STRUCTURE, id="chroma in thirds"),
        pytest.param(tag(32997, Type.LONG, 2), Reason.UNSUPPORTED_PIXELS, id="a volume"),
    ],
)
def test_a_number_that_cannot_be_true_is_refused(
    path: Path, outcome: Outcome, big: bool, order: Literal["<", ">"], change: Change, reason: Reason
) -> None:
    assert outcome(save(path, change, big=big, order=order)) is reason


@pytest.mark.parametrize("compression", [1, 5, 7, 8, 32946, 33003, 33005, 34712, 34927, 50000, 50001])
def test_compressions_of_slides_are_taken(path: Path, outcome: Outcome, compression: int) -> None:
    assert outcome(save(path, tag(259, Type.SHORT, compression))) is Family.TIFF


@pytest.mark.parametrize(
    "compression",
    [
        0,
        2,
        3,
        4,
        6,
        99,
        22610,
        32766,
        32773,
        32809,
        32895,
        32908,
        32909,
        34661,
        34676,
        34677,
        34887,
        34925,
        50002,
        65535,
    ],
)
def test_other_compressions_are_refused(path: Path, outcome: Outcome, compression: int) -> None:
    """Among them old JPEG, NeXT, ThunderScan, PixarLog and LogLuv, whose decoders have been broken into."""
    assert outcome(save(path, tag(259, Type.SHORT, compression))) is Reason.FORBIDDEN_COMPRESSION


@pytest.mark.parametrize("where", ["SubIFD", "last"])
def test_every_directory_is_looked_at(path: Path, outcome: Outcome, where: str) -> None:
    bad = level()
    bad.tags[259] = (Type.SHORT, [6])
    writer = Writer()
    first = level()
    if where == "SubIFD":
        first.below[330] = [level(50, 50), bad]
    writer.append(first)
    writer.append(level(50, 50))
    if where == "last":
        writer.append(bad)
    assert outcome(writer.save(path)) is Reason.FORBIDDEN_COMPRESSION


def test_a_tile_that_the_scanner_left_out_is_no_fault(path: Path, outcome: Outcome) -> None:
    assert outcome(save(path, tables([0] * 12, [0] * 12))) is Family.TIFF


def test_planes_that_lie_apart_have_a_tile_each(path: Path, outcome: Outcome) -> None:
    def apart(tiles: int) -> Change:
        def change(first: Directory) -> None:
            tag(284, Type.SHORT, 2)(first)
            tables([100] * tiles, [1] * tiles)(first)

        return change

    assert outcome(save(path, apart(36))) is Family.TIFF
    assert outcome(save(path, apart(12))) is Reason.DAMAGED_STRUCTURE


def test_the_area_of_a_slide_is_bounded(path: Path, outcome: Outcome) -> None:
    wide = described(1 << 20, 1 << 19, 1, tile=4096)
    assert outcome(save(path, big=True, directory=wide)) is Reason.TOO_LARGE


def test_the_area_of_a_tile_is_bounded(path: Path, outcome: Outcome) -> None:
    assert outcome(save(path, big=True, directory=described(8192, 8192, 1, tile=8192))) is Reason.TOO_LARGE


def test_what_a_tile_takes_in_memory_is_bounded(path: Path, outcome: Outcome) -> None:
    deep = described(4096, 4096, 1, tile=4096)
    deep.tags |= {277: (Type.SHORT, [32]), 258: (Type.SHORT, [32])}
    assert outcome(save(path, big=True, directory=deep)) is Reason.TOO_LARGE


def test_a_place_near_the_end_of_64_bits_does_not_wrap_round(path: Path, outcome: Outcome) -> None:
    wrapping = tables([(1 << 64) - 2] * 12, [4] * 12, Type.LONG8)
    assert outcome(save(path, wrapping, big=True)) is Reason.TRUNCATED


def test_large_images_in_strips_are_refused(path: Path, outcome: Outcome) -> None:
    def strips(height: int) -> Path:
        flat = picture(10_000, height, [], rows_per_strip=height, compression=Compression.JPEG, samples=1)
        flat.tags |= {273: (Type.LONG, [8]), 279: (Type.LONG, [1])}
        writer = Writer()
        writer.append(flat)
        return writer.save(path)

    assert outcome(strips(10_000)) is Family.TIFF
    assert outcome(strips(10_001)) is Reason.TOO_LARGE


class TestNdpi:
    """Hamamatsu writes each level as one JPEG, however large, and 64-bit places into a 32-bit format."""

    def slide(self, path: Path, *, directory_at: int, strip_at: int, compression: int = 7, rows: int = 60_000) -> Path:
        tags = [
            (254, 4, 1, 0),
            (256, 4, 1, 120_000),
            (257, 4, 1, 60_000),
            (258, 3, 1, 8),
            (259, 3, 1, compression),
            (273, 4, 1, strip_at),
            (277, 3, 1, 3),
            (278, 4, 1, rows),
            (279, 4, 1, 1000),
            (65420, 4, 1, 1),
        ]
        entries = b"".join(struct.pack("<HHII", *entry[:3], entry[3] & 0xFFFFFFFF) for entry in tags)
        high_bits = b"".join(struct.pack("<I", entry[3] >> 32) for entry in tags)
        with path.open("wb") as file:
            file.write(b"II*\0" + struct.pack("<Q", directory_at))
            file.truncate(max(directory_at, strip_at) + 2000)
            file.seek(directory_at)
            file.write(struct.pack("<H", len(tags)) + entries + bytes(8) + high_bits)
        return path

    @pytest.mark.parametrize("at", [4096, 5 << 30], ids=["small", "over 4 GiB"])
    def test_one_long_strip_with_restart_markers_is_taken(self, path: Path, outcome: Outcome, at: int) -> None:
        assert outcome(self.slide(path, directory_at=at, strip_at=at - 1024)) is Family.NDPI

    def test_a_strip_behind_the_end_in_64_bits_is_refused(self, path: Path, outcome: Outcome) -> None:
        slide = self.slide(path, directory_at=5 << 30, strip_at=4096)
        with slide.open("r+b") as file:
            file.seek((5 << 30) + 2 + 10 * 12 + 8 + 5 * 4)  # the upper half of the strip's place
            file.write(struct.pack("<I", 9))
        assert outcome(slide) is Reason.TRUNCATED

    def test_a_long_strip_that_is_no_jpeg_is_refused(self, path: Path, outcome: Outcome) -> None:
        assert outcome(self.slide(path, directory_at=4096, strip_at=16, compression=1)) is Reason.TOO_LARGE

    def test_several_long_strips_are_refused(self, path: Path, outcome: Outcome) -> None:
        assert outcome(self.slide(path, directory_at=4096, strip_at=16, rows=30_000)) is Reason.TOO_LARGE


class TestDirectories:
    """Directories are few, short, inside the file, and come to an end."""

    def links(self, path: Path, *targets: int) -> Path:
        """Write small one-pixel images whose directories follow one another in the order given."""
        writer = Writer()
        places = [
            writer.append(picture(1, 1, [bytes(3)], rows_per_strip=1), linked=number == 0)
            for number in range(len(targets))
        ]
        for place, target in zip(places, targets, strict=True):
            (count,) = struct.unpack_from("<H", writer.data, place)
            struct.pack_into("<I", writer.data, place + 2 + 12 * count, places[target] if target >= 0 else 0)
        return writer.save(path)

    @pytest.mark.parametrize("targets", [(0,), (1, 0), (1, 2, 1), (1, 2, 3, 0)])
    def test_a_loop_is_refused(self, path: Path, outcome: Outcome, targets: tuple[int, ...]) -> None:
        assert outcome(self.links(path, *targets)) is Reason.ENDLESS_STRUCTURE

    @pytest.mark.parametrize(("count", "expected"), [(512, Family.TIFF), (513, Reason.TOO_LARGE)])
    def test_their_number_is_bounded(self, path: Path, outcome: Outcome, count: int, expected: Family | Reason) -> None:
        assert outcome(self.links(path, *range(1, count), -1)) is expected

    def test_a_subdirectory_that_leads_back_is_refused(self, path: Path, outcome: Outcome) -> None:
        slide = save(path, tag(330, Type.LONG, 0), directory=Directory(level().tags, level().segments))
        data = bytearray(slide.read_bytes())
        (first,) = struct.unpack_from("<I", data, 4)
        entry = next(at for at in range(first + 2, len(data), 12) if struct.unpack_from("<H", data, at)[0] == 330)
        struct.pack_into("<I", data, entry + 8, first)
        slide.write_bytes(data)
        assert outcome(slide) is Reason.ENDLESS_STRUCTURE

    def test_subdirectories_of_subdirectories_end_soon(self, path: Path, outcome: Outcome) -> None:
        def nested(depth: int) -> Path:
            innermost = level(50, 50)
            for _ in range(depth):
                outer = level(50, 50)
                outer.below[330] = [innermost]
                innermost = outer
            writer = Writer()
            writer.append(innermost)
            return writer.save(path)

        assert outcome(nested(4)) is Family.TIFF
        assert outcome(nested(5)) is Reason.DAMAGED_STRUCTURE

    def test_two_directories_may_share_a_subdirectory(self, path: Path, outcome: Outcome) -> None:
        writer = Writer()
        shared = writer.append(level(50, 50), linked=False)
        for _ in range(2):
            directory = level()
            directory.tags[330] = (Type.LONG, [shared])
            writer.append(directory)
        assert outcome(writer.save(path)) is Family.TIFF

    @pytest.mark.parametrize(("entries", "expected"), [(499, Family.TIFF), (500, Reason.DAMAGED_STRUCTURE)])
    def test_their_length_is_bounded(
        self, path: Path, outcome: Outcome, entries: int, expected: Family | Reason
    ) -> None:
        more = {40_000 + number: (Type.SHORT, [1]) for number in range(entries)}  # beside the thirteen of a level
        assert outcome(save(path, lambda first: first.tags.update(more))) is expected

    def test_a_tag_that_stands_twice_is_refused(self, path: Path, outcome: Outcome) -> None:
        slide = save(path)
        data = bytearray(slide.read_bytes())
        (first,) = struct.unpack_from("<I", data, 4)
        data[first + 14 : first + 16] = data[first + 2 : first + 4]
        slide.write_bytes(data)
        assert outcome(slide) is Reason.DAMAGED_STRUCTURE

    def test_a_value_outside_the_file_is_refused_whatever_its_tag(self, path: Path, outcome: Outcome) -> None:
        slide = save(path, tag(40_000, Type.LONG, 1, 2, 3))
        data = bytearray(slide.read_bytes())
        at = data.rindex(struct.pack("<HHI", 40_000, 4, 3))
        struct.pack_into("<I", data, at + 8, len(data) - 11)
        slide.write_bytes(data)
        assert outcome(slide) is Reason.TRUNCATED

    def test_a_count_that_overflows_is_refused(self, path: Path, outcome: Outcome) -> None:
        slide = save(path, tag(40_000, Type.LONG8, 1, 2, 3), big=True)
        data = bytearray(slide.read_bytes())
        at = data.rindex(struct.pack("<HHQ", 40_000, 16, 3))
        struct.pack_into("<Q", data, at + 4, 1 << 62)
        slide.write_bytes(data)
        assert outcome(slide) is Reason.TRUNCATED

    def test_a_tag_of_unknown_type_is_passed_over(self, path: Path, outcome: Outcome) -> None:
        slide = save(path, tag(40_000, Type.LONG, 1, 2, 3))
        data = bytearray(slide.read_bytes())
        at = data.rindex(struct.pack("<HHI", 40_000, 4, 3))
        struct.pack_into("<HII", data, at + 2, 99, 0xFFFFFFFF, 0xFFFFFFFF)
        slide.write_bytes(data)
        assert outcome(slide) is Family.TIFF

    @pytest.mark.parametrize(
        ("head", "reason"),
        [
            (b"II*\0", Reason.TRUNCATED),
            (b"II*\0" + struct.pack("<I", 0), Reason.DAMAGED_STRUCTURE),
            (b"II*\0" + struct.pack("<I", 4) + bytes(100), Reason.DAMAGED_STRUCTURE),
            (b"MM\0*" + struct.pack(">I", 5000) + bytes(100), Reason.TRUNCATED),
            (b"II+\0" + struct.pack("<HHQ", 4, 0, 16) + bytes(100), Reason.DAMAGED_STRUCTURE),
            (b"II+\0" + struct.pack("<HHQ", 8, 0, 16) + struct.pack("<Q", 1 << 60), Reason.DAMAGED_STRUCTURE),
            (b"II*\0" + struct.pack("<IH", 8, 0), Reason.DAMAGED_STRUCTURE),
        ],
    )
    def test_a_header_that_leads_nowhere_is_refused(
        self, path: Path, outcome: Outcome, head: bytes, reason: Reason
    ) -> None:
        path.write_bytes(head)
        assert outcome(path) is reason


class TestCost:
    """A slide is checked in no time, and no file costs much."""

    def holes(self, path: Path, tiles: int, directories: int = 1) -> Path:
        """Write images of ``tiles`` tiles each whose tables lie in a hole of the file, so all were left out."""
        writer = Writer(big=True)
        for _ in range(directories):
            directory = described(tiles, 1, 1, tile=1)
            directory.tags[257] = (Type.LONG, [1])
            writer.append(directory)
        data = writer.data
        for code in (324, 325):
            at = -1
            while (at := data.find(struct.pack("<HHQ", code, 16, 1), at + 1)) >= 0:
                struct.pack_into("<QQ", data, at + 4, tiles, 1 << 20)
        path.write_bytes(data)
        with path.open("r+b") as file:
            file.truncate((1 << 20) + 8 * tiles)
        return path

    def test_two_hundred_thousand_tiles_take_less_than_a_tenth_of_a_second(self, path: Path, outcome: Outcome) -> None:
        slide = save(path, big=True, directory=described(500 * 256, 400 * 256, 200_000))
        seconds = []
        for _ in range(3):
            started = time.perf_counter()
            assert outcome(slide) is Family.TIFF
            seconds.append(time.perf_counter() - started)
        assert min(seconds) < 0.1

    def test_a_table_of_a_million_tiles_takes_little_memory(self, path: Path, outcome: Outcome) -> None:
        slide = self.holes(path, 1 << 20)
        tracemalloc.start()
        try:
            assert outcome(slide) is Family.TIFF
            assert tracemalloc.get_traced_memory()[1] < 50e6
        finally:
            tracemalloc.stop()

    def test_tables_of_all_directories_together_are_bounded(self, path: Path, outcome: Outcome) -> None:
        assert outcome(self.holes(path, 1 << 20, directories=8)) is Family.TIFF
        started = time.perf_counter()
        assert outcome(self.holes(path, 1 << 20, directories=500)) is Reason.TOO_LARGE
        assert time.perf_counter() - started < 2
