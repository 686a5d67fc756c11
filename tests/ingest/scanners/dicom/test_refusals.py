"""A DICOM slide that contradicts itself, is incomplete, or holds pixels that are not stored is refused for that."""

import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from ingest.errors import Reason
from ingest.scanners.base import AssociatedKind
from ingest.scanners.dicom import header as reading
from ingest.scanners.dicom.frames import _firsts
from ingest.scanners.dicom.reader import DicomReader
from tests.ingest.scanners.dicom.conftest import Make, assert_known, reason_of
from tests.slides.dicom import ROOT


def said(keyword: str, value: Any, of: str = "level 0") -> Callable[[str, Dataset], None]:
    """Have the files of a level say something else."""

    def edit(name: str, dataset: Dataset) -> None:
        if name.startswith(of):
            setattr(dataset, keyword, value)

    return edit


def unsaid(keyword: str, of: str = "level 0") -> Callable[[str, Dataset], None]:
    def edit(name: str, dataset: Dataset) -> None:
        if name.startswith(of) and keyword in dataset:
            delattr(dataset, keyword)

    return edit


KINDS = {
    "16 bits": ("BitsAllocated", 16),
    "12 of 16 bits": ("BitsStored", 12),
    "signed": ("PixelRepresentation", 1),
    "four colours": ("SamplesPerPixel", 4),
    "inverted grey": ("PhotometricInterpretation", "MONOCHROME1"),
    "a palette": ("PhotometricInterpretation", "PALETTE COLOR"),
    "a transform of another compression": ("PhotometricInterpretation", "YBR_ICT"),
    "focal planes": ("TotalPixelMatrixFocalPlanes", 3),
    "optical paths": ("NumberOfOpticalPaths", 4),
}


@pytest.mark.parametrize(("keyword", "value"), KINDS.values(), ids=KINDS)
def test_pixels_that_are_not_stored_are_refused(make: Make, keyword: str, value: Any) -> None:
    assert reason_of(make(edit=said(keyword, value)).path) is Reason.UNSUPPORTED_PIXELS


BEHIND_META = 332
"""A place in a made file behind its meta information."""

NEEDED = (
    *("ImageType", "TotalPixelMatrixRows", "TotalPixelMatrixColumns", "Rows", "Columns", "BitsAllocated"),
    *("SamplesPerPixel", "PhotometricInterpretation", "SOPInstanceUID", "SeriesInstanceUID"),
)


@pytest.mark.parametrize("keyword", NEEDED)
def test_a_file_that_does_not_say_what_must_be_known_is_refused(make: Make, keyword: str) -> None:
    path = make(factors=(1,), associated=()).path
    content = path.read_bytes()
    group, number = divmod(tag_for_keyword(keyword) or 0, 1 << 16)
    at = content.index(struct.pack("<HH", group, number), BEHIND_META)
    path.write_bytes(content[:at] + struct.pack("<HH", group + 1, number) + content[at + 4 :])
    assert reason_of(path) is Reason.DAMAGED_STRUCTURE


CONTRADICTIONS = {
    "too short an ImageType": ("ImageType", ["ORIGINAL", "PRIMARY"], Reason.DAMAGED_STRUCTURE),
    "no columns": ("TotalPixelMatrixColumns", 0, Reason.DAMAGED_STRUCTURE),
    "columns beyond any slide's": ("TotalPixelMatrixColumns", 2**32 - 1, Reason.TOO_LARGE),
    "tiles of a pixel": ("Columns", 1, Reason.DAMAGED_STRUCTURE),
    "fewer frames than places": ("NumberOfFrames", 4, Reason.DAMAGED_STRUCTURE),
    "more frames than places": ("NumberOfFrames", 400, Reason.DAMAGED_STRUCTURE),
    "a million frames": ("NumberOfFrames", 2**31 - 1, Reason.TOO_LARGE),
    "no place for frames that have one each": ("DimensionOrganizationType", "TILED_SPARSE", Reason.DAMAGED_STRUCTURE),
    "the label in the picture": ("SpecimenLabelInImage", "YES", Reason.LABEL_IN_PICTURE),
}


@pytest.mark.parametrize(("keyword", "value", "reason"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_file_that_contradicts_itself_is_refused(make: Make, keyword: str, value: Any, reason: Reason) -> None:
    assert reason_of(make(edit=said(keyword, value)).path) is reason


def test_that_the_label_is_in_the_picture_may_be_said_in_small_letters(make: Make) -> None:
    path = make(edit=said("SpecimenLabelInImage", "YES")).path
    stream = path.read_bytes()
    assert b"CS\x04\0YES " in stream
    path.write_bytes(stream.replace(b"CS\x04\0YES ", b"CS\x04\0Yes "))
    assert reason_of(path) is Reason.LABEL_IN_PICTURE


PLACES = {
    "between places": (lambda column, row: (column + 1, row), Reason.UNSUPPORTED_PIXELS),
    "two at one place": (lambda column, row: (1, row), Reason.UNSUPPORTED_PIXELS),
    "outside": (lambda column, row: (column + 128 * 9, row), Reason.DAMAGED_STRUCTURE),
    "before the first": (lambda column, row: (column - 128, row), Reason.DAMAGED_STRUCTURE),
    "beyond all numbers": (lambda column, row: (2**31 - 256, 2**31 - 256), Reason.UNSUPPORTED_PIXELS),
}


@pytest.mark.parametrize(("moved", "reason"), PLACES.values(), ids=PLACES)
def test_a_frame_at_a_place_where_no_tile_is_is_refused(
    make: Make, moved: Callable[[int, int], tuple[int, int]], reason: Reason
) -> None:
    def edit(name: str, dataset: Dataset) -> None:
        for groups in dataset.get("PerFrameFunctionalGroupsSequence", ()) if name == "level 0" else ():
            (place,) = groups.PlanePositionSlideSequence
            column, row = place.ColumnPositionInTotalImagePixelMatrix, place.RowPositionInTotalImagePixelMatrix
            column, row = moved(column, row)
            place.ColumnPositionInTotalImagePixelMatrix, place.RowPositionInTotalImagePixelMatrix = column, row

    assert reason_of(make(sparse=True, edit=edit).path) is reason


def test_places_of_some_frames_only_are_a_contradiction(make: Make) -> None:
    def edit(name: str, dataset: Dataset) -> None:
        if name == "level 0":
            del dataset.PerFrameFunctionalGroupsSequence[2].PlanePositionSlideSequence

    assert reason_of(make(sparse=True, edit=edit).path) is Reason.DAMAGED_STRUCTURE


class TestConcatenation:
    def test_a_missing_part_is_missed(self, make: Make) -> None:
        made = make(parts=3)
        part_named(made.path.parent, 2).unlink()
        assert reason_of(made.path) is Reason.MISSING_COMPANION

    def test_a_missing_last_part_is_missed(self, make: Make) -> None:
        made = make(parts=2)
        part_named(made.path.parent, 2).unlink()
        assert reason_of(made.path) is Reason.MISSING_COMPANION

    def test_without_a_total_frames_that_are_not_there_are_missed(self, make: Make) -> None:
        made = make(parts=3, edit=unsaid("InConcatenationTotalNumber"))
        part_named(made.path.parent, 3).unlink()
        assert reason_of(made.path) is Reason.DAMAGED_STRUCTURE

    def test_without_a_total_all_parts_are_enough(self, make: Make) -> None:
        assert_known(make(parts=3, edit=unsaid("InConcatenationTotalNumber")))

    @pytest.mark.parametrize(("number", "reason"), [(0, Reason.DAMAGED_STRUCTURE), (1, Reason.DAMAGED_STRUCTURE)])
    def test_a_part_has_a_number_of_its_own_from_one_on(self, make: Make, number: int, reason: Reason) -> None:
        made = make(parts=2, edit=said("InConcatenationNumber", number, "level 0, part 2"))
        assert reason_of(made.path) is reason

    @pytest.mark.parametrize(
        "edit",
        [
            said("ConcatenationUID", f"{ROOT}1", "level 0, part 2"),
            unsaid("ConcatenationUID", "level 0, part 2"),
            said("Columns", 64, "level 0, part 2"),
            said("PhotometricInterpretation", "RGB", "level 0, part 2"),
        ],
        ids=["another number", "no number", "other tiles", "other colours"],
    )
    def test_parts_that_disagree_are_refused(self, make: Make, edit: Callable[[str, Dataset], None]) -> None:
        assert reason_of(make(parts=2, edit=edit).path) is Reason.DAMAGED_STRUCTURE

    def test_parts_that_name_other_patients_are_parts(self, make: Make) -> None:
        """What a file says of people is not what tells slides apart."""
        assert_known(make(parts=2, edit=said("PatientID", "another", "level 0, part 2")))


def part_named(folder: Path, number: int) -> Path:
    for path in folder.iterdir():
        if pydicom.dcmread(path, stop_before_pixels=True).get("InConcatenationNumber") == number:
            return path
    raise AssertionError(number)


class TestSeries:
    def test_a_file_that_is_there_twice_is_one(self, make: Make) -> None:
        made = make(parts=2)
        for path in list(made.path.parent.iterdir()):
            shutil.copy(path, path.with_name(f"copy of {path.name}"))
        assert_known(made)
        with DicomReader(made.path) as reader:
            assert len(reader.scan().associated) == 3

    def test_two_labels_are_both_left_behind(self, make: Make) -> None:
        made = make(associated=("label",))
        make(
            factors=(),
            associated=("label", "overview"),
            edit=lambda name, dataset: setattr(dataset, "SOPInstanceUID", dataset.SOPInstanceUID[:-3] + "999"),
        )
        with DicomReader(made.path) as reader:
            assert [str(image.kind) for image in reader.scan().associated] == ["label", "label", "macro"]

    def test_a_label_that_calls_itself_a_part_is_a_label(self, make: Make) -> None:
        def edit(name: str, dataset: Dataset) -> None:
            if name == "label":
                dataset.ConcatenationUID, dataset.InConcatenationNumber = f"{ROOT}1", 5
                dataset.ConcatenationFrameOffsetNumber = 12

        made = make(edit=edit)
        assert_known(made)
        with DicomReader(made.path) as reader:
            (picture,) = reader.pictures(AssociatedKind.LABEL)
        assert np.array_equal(picture, made.associated["label"])

    def test_a_label_that_calls_itself_a_level_is_left_behind_for_its_shape(self, make: Make) -> None:
        def edit(name: str, dataset: Dataset) -> None:
            if name == "label":
                dataset.ImageType, dataset.SpecimenLabelInImage = ["DERIVED", "PRIMARY", "VOLUME", "RESAMPLED"], "NO"

        made = make(edit=edit, associated=("label",))
        assert_known(made)
        with DicomReader(made.path) as reader:
            assert [str(image.kind) for image in reader.scan().associated] == ["unknown"]
            (picture,) = reader.pictures(AssociatedKind.UNKNOWN)
        assert np.array_equal(picture, made.associated["label"])

    def test_two_pictures_of_one_size_are_refused(self, make: Make) -> None:
        made = make()
        make(edit=lambda name, dataset: setattr(dataset, "SOPInstanceUID", dataset.SOPInstanceUID[:-3] + "999"))
        assert reason_of(made.path) is Reason.DAMAGED_STRUCTURE

    def test_a_damaged_file_of_the_series_spoils_the_slide(self, make: Make) -> None:
        made = make(associated=())
        (_, second, *_) = sorted(made.path.parent.iterdir(), key=lambda path: -path.stat().st_size)
        second.write_bytes(second.read_bytes()[:-3000])
        assert reason_of(made.path) is Reason.TRUNCATED

    def test_files_that_are_not_dicom_do_not_matter(self, make: Make) -> None:
        made = make()
        (made.path.parent / "notes.txt").write_text("no DICOM")
        (made.path.parent / "folder").mkdir()
        (made.path.parent / "link.dcm").symlink_to("/nowhere")
        assert_known(made)


class TestOffsets:
    """A table that contradicts where the frames lie is not believed, and nor is the file."""

    @pytest.mark.parametrize("table", ["basic", "extended"])
    @pytest.mark.parametrize("wrong", [lambda old: old + 2, lambda old: 0, lambda old: (1 << 31) - 2])
    def test_an_offset_of_nothing_is_refused(self, make: Make, table: str, wrong: Callable[[int], int]) -> None:
        made = make(table=table, factors=(1,), associated=())
        assert reason_of(changed(made.path, table, 1, wrong)) is Reason.DAMAGED_STRUCTURE

    def test_offsets_that_wrapped_round_are_understood(self) -> None:
        starts = np.array([0, 10, 20, 30], np.int64) * (1 << 30)
        assert _firsts(starts, (starts % (1 << 32)).astype(np.uint64), 4).tolist() == [0, 1, 2, 3]

    def test_a_table_of_another_length_is_refused(self, make: Make) -> None:
        made = make(table="extended", factors=(1,), edit=lambda name, dataset: shorten(dataset))
        assert reason_of(made.path) is Reason.DAMAGED_STRUCTURE

    def test_pieces_that_nothing_puts_together_are_refused(self, make: Make) -> None:
        made = make(table=None, fragments=2, syntax="rle", factors=(1,))
        assert reason_of(made.path) is Reason.DAMAGED_STRUCTURE

    def test_a_piece_that_is_longer_than_the_file_is_refused(self, make: Make) -> None:
        made = make(factors=(1,), associated=())
        content = made.path.read_bytes()
        made.path.write_bytes(content[: len(content) // 2])
        assert reason_of(made.path) is Reason.TRUNCATED

    @pytest.mark.parametrize("syntax", ["implicit", "explicit"])
    def test_uncompressed_pixels_that_are_cut_short_are_refused(self, make: Make, syntax: str) -> None:
        made = make(syntax=syntax, factors=(1,), associated=())
        made.path.write_bytes(made.path.read_bytes()[:-100])
        assert reason_of(made.path) is Reason.TRUNCATED

    def test_a_frame_that_is_no_picture_is_refused(self, make: Make) -> None:
        made = make(syntax="jpeg2000", change=lambda at, stream: b"\xff\x4f" + bytes(100), factors=(1,), associated=())
        assert reason_of(made.path) is Reason.UNREADABLE_PIXELS

    def test_a_frame_of_another_size_is_refused(self, make: Make) -> None:
        small = bytes(imagecodecs.jpegls_encode(np.zeros((9, 9, 3), np.uint8)))
        made = make(syntax="jpeg-ls", change=lambda at, stream: small, factors=(1,), associated=())
        assert reason_of(made.path) is Reason.UNREADABLE_PIXELS


def changed(path: Path, table: str, number: int, change: Callable[[int], int]) -> Path:
    """Change one offset of a table in a file."""
    content = bytearray(path.read_bytes())
    form = "<I" if table == "basic" else "<Q"
    begins = struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF)
    at = content.index(begins) + len(begins) + 8
    if table == "extended":
        at = content.index(struct.pack("<HH2sH", 0x7FE0, 1, b"OV", 0)) + 12
    at += number * struct.calcsize(form)
    struct.pack_into(form, content, at, change(struct.unpack_from(form, content, at)[0]))
    path.write_bytes(content)
    return path


def shorten(dataset: Dataset) -> None:
    if "ExtendedOffsetTable" in dataset:
        dataset.ExtendedOffsetTable = dataset.ExtendedOffsetTable[:-8]


class TestHeader:
    def test_a_header_longer_than_the_first_reading_is_read(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reading, "FIRST_BYTES", 300)
        assert_known(make(sparse=True))

    def test_a_header_without_end_is_too_large(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reading, "FIRST_BYTES", 300)
        monkeypatch.setattr(reading, "MOST_BYTES", 600)
        assert reason_of(make(sparse=True).path) is Reason.TOO_LARGE

    def test_more_than_pydicom_should_read_is_too_large(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reading, "MOST_PARSED_BYTES", 600)
        assert reason_of(make().path) is Reason.TOO_LARGE

    def test_sequences_within_sequences_without_end_are_refused(self, make: Make) -> None:
        made = make(factors=(1,), associated=())
        opened = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
            "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
        )
        content = made.path.read_bytes()
        at = content.index(struct.pack("<HH2s", 0x0008, 0x0060, b"CS"))
        made.path.write_bytes(content[:at] + opened * 2000 + content[at:])
        assert reason_of(made.path) is Reason.DAMAGED_STRUCTURE

    @pytest.mark.parametrize("content", [b"", bytes(132), bytes(128) + b"DICM"])
    def test_what_is_no_dicom_slide_is_refused(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "slide.dcm"
        path.write_bytes(content)
        assert reason_of(path) in {Reason.NOT_A_SLIDE, Reason.DAMAGED_STRUCTURE}
