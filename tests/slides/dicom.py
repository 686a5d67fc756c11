"""A DICOM slide is a folder of files, one a level or a part of one, and more for label, overview and thumbnail.

The data sets are pydicom's; the pixel data are put together here, piece by piece, because a library writes neither
contradictory offset tables nor frames in fragments nor words in the places where nobody looks.

Sources: DICOM PS3.3 section A.32.8 (the object), PS3.5 annex A (transfer syntaxes), PS3.10 section 7 (the file).
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite

from tests.slides import jpegs
from tests.slides.dicom_frames import DCT, NATIVE, SYNTAXES, compress, encapsulated
from tests.slides.dicom_words import plant_words
from tests.slides.icc import profile
from tests.slides.made import MadeLevel, MadeSlide, cut, mend
from tests.slides.planted import Plant
from tests.slides.svs import label_picture
from tests.slides.tissue import Picture, grey, reduced, tissue

WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
ROOT = "1.2.826.0.1.3680043.8.498."

Address = tuple[int, int, int]
"""Level, column and row of a tile."""


@dataclass(frozen=True)
class Dicom:
    """What the scanner was like; the defaults make an everyday slide of three levels, 20x, YCbCr 4:2:0.

    Parameters
    ----------
    syntax
        A name of `SYNTAXES`.
    table
        What tells where frames begin: the basic or the extended offset table, or nothing.
    fragments
        In how many pieces each compressed frame lies.
    sparse
        Whether each frame tells its place (TILED_SPARSE); then frames lie in the opposite order of their places.
    absent
        Tiles of a sparse slide that have no frame; white in the known pixels.
    parts
        In how many files level 0 lies, as a concatenation.
    planes
        Whether uncompressed colours lie one after the other.
    photometric
        What the files say of their colours instead of the truth.
    barcode
        What a Data Matrix on the label says, where there is one.
    defined
        Whether sequences tell their length rather than ending by a mark.
    change
        Given a tile's address and the stream as it would be stored; returns what is stored instead.
    edit
        Given each data set before it is written, and the name of its file.
    plant
        Where to register planted tokens; without it nothing is planted but a made-up label.
    """

    width: int = 700
    height: int = 530
    tile: tuple[int, int] = (256, 256)
    factors: tuple[int, ...] = (1, 2, 4)
    seed: int = 7
    syntax: str = "jpeg"
    colours: jpegs.Colours = "ycbcr"
    sampling: jpegs.Sampling = "420"
    component_ids: tuple[int, ...] | None = None
    transform: int | None = None
    table: Literal["basic", "extended", None] = "basic"
    fragments: int = 1
    sparse: bool = False
    absent: frozenset[Address] = frozenset()
    parts: int = 1
    planes: bool = False
    photometric: str | None = None
    associated: tuple[str, ...] = ("label", "overview", "thumbnail")
    barcode: str | None = None
    defined: bool = False
    mpp: float = 0.499
    objective_power: float = 20
    change: Callable[[Address, bytes], bytes] | None = None
    edit: Callable[[str, Dataset], None] | None = None
    plant: Plant | None = None
    picture: Picture | None = None


@dataclass
class _Made:
    """What has been made of a slide so far."""

    dicom: Dicom
    folder: Path
    plant: Plant
    levels: list[MadeLevel] = field(default_factory=list)
    pictures: dict[str, Picture] = field(default_factory=dict)
    raw: dict[str, list[bytes]] = field(default_factory=dict)
    paths: list[Path] = field(default_factory=list)


def make_dicom(folder: Path, **options: Any) -> MadeSlide:
    """Write a slide's files into a folder as ``Dicom(**options)`` says; the slide is named by the first of level 0."""
    dicom = Dicom(**options)
    made = _Made(dicom, folder, dicom.plant or Plant())
    folder.mkdir(parents=True, exist_ok=True)
    whole = dicom.picture if dicom.picture is not None else tissue(dicom.width, dicom.height, dicom.seed)
    whole = grey(whole) if dicom.colours == "grey" else whole
    for number, factor in enumerate(dicom.factors):
        small = whole if factor == 1 else reduced(whole, whole.shape[1] // factor, whole.shape[0] // factor)
        _write_level(made, number, small, factor)
    for name in dicom.associated:
        _write_associated(made, name, whole)
    return MadeSlide(
        path=made.paths[0],
        levels=tuple(made.levels),
        plant=made.plant,
        associated=made.pictures,
        associated_bytes=made.raw,
        mpp=dicom.mpp,
        objective_power=dicom.objective_power,
    )


def encode(dicom: Dicom, part: Picture) -> bytes:
    """Write one tile as its transfer syntax says."""
    if dicom.syntax in DCT:
        return jpegs.encode(
            part,
            colours=dicom.colours,
            sampling=dicom.sampling,
            component_ids=dicom.component_ids,
            transform=dicom.transform,
        )
    return compress(part, dicom.syntax, planes=dicom.planes)


def decode(dicom: Dicom, part: Picture, stream: bytes) -> Picture:
    """Give the pixels that a stream holds; all but DCT and lossy JPEG 2000 keep them as they were."""
    if dicom.syntax in DCT:
        return jpegs.decode(stream, dicom.colours)
    return np.asarray(imagecodecs.jpeg2k_decode(stream)) if dicom.syntax == "jpeg2000 lossy" else part


def _write_level(made: _Made, number: int, pixels: Picture, factor: int) -> None:
    dicom, (height, width) = made.dicom, pixels.shape[:2]
    columns, rows = -(-width // dicom.tile[0]), -(-height // dicom.tile[1])
    streams: dict[tuple[int, int], bytes] = {}
    decoded: dict[tuple[int, int], Picture] = {}
    for row in range(rows):
        for column in range(columns):
            if (number, column, row) not in dicom.absent:
                part = cut(pixels, dicom.tile, column, row)
                streams[column, row] = encode(dicom, part)
                decoded[column, row] = decode(dicom, part, streams[column, row])
    known = streams if dicom.syntax in DCT else {}
    made.levels.append(MadeLevel(mend(width, height, dicom.tile, decoded), dicom.tile, known))
    stored = [(place, _tampered(made, number, place, stream)) for place, stream in streams.items()]
    if dicom.sparse:
        stored.reverse()
    parts = dicom.parts if number == 0 else 1
    bounds = np.linspace(0, len(stored), parts + 1).astype(int).tolist()
    for part, (first, last) in enumerate(pairwise(bounds)):
        name = f"level {number}" + (f", part {part + 1}" if parts > 1 else "")
        dataset = _picture(made, name, (width, height), dicom.tile, factor, "VOLUME")
        if parts > 1:
            dataset.ConcatenationUID = f"{ROOT}{_numbered(made, 'concatenation')}"
            dataset.InConcatenationNumber, dataset.InConcatenationTotalNumber = part + 1, parts
            dataset.ConcatenationFrameOffsetNumber = first
        _frames(made, name, dataset, stored[first:last])


def _tampered(made: _Made, number: int, place: tuple[int, int], stream: bytes) -> bytes:
    dicom, (column, row) = made.dicom, place
    stream = dicom.change((number, column, row), stream) if dicom.change else stream
    return _plant_in_frame(made, number, place, stream) if dicom.plant is not None else stream


def _plant_in_frame(made: _Made, level: int, place: tuple[int, int], stream: bytes) -> bytes:
    """Hide tokens in the first frames of a level, each in another part of the stream."""
    places = {(0, 0): ("COM", jpegs.COM, b""), (1, 0): ("APP1", jpegs.APP1, b"Exif\0\0")}
    if made.dicom.syntax in DCT and place in places:
        name, code, lead = places[place]
        token = made.plant(f"{name} in a frame of level {level}").encode()
        return jpegs.insert(stream, jpegs.segment(code, lead + token))
    if made.dicom.syntax.startswith("jpeg2000") and place == (0, 0):
        token = made.plant(f"COM marker in a JPEG 2000 frame of level {level}").encode()
        size = 4 + struct.unpack_from(">H", stream, 4)[0]  # behind SOC and SIZ
        return stream[:size] + struct.pack(">HHH", 0xFF64, 4 + len(token), 1) + token + stream[size:]
    if made.dicom.syntax not in (*NATIVE, "rle") and place == (0, 1):  # run lengths have no end: it would be pixels
        return stream + made.plant(f"after the end of a frame of level {level}").encode()
    return stream


def _write_associated(made: _Made, name: str, whole: Picture) -> None:
    """Write the picture of the label, of the whole glass, or a small one of the tissue: one JPEG frame."""
    colour = whole if whole.ndim == 3 else np.stack([whole] * 3, axis=-1)
    label = label_picture("DOE, JANE", "MRN 00123456", "S25-10432 A3", barcode=made.dicom.barcode)
    small = reduced(colour, 160, max(1, 160 * colour.shape[0] // colour.shape[1]))
    overview = np.full((463, 900, 3), 235, np.uint8)
    overview[:, :387] = label
    overview[60 : 60 + small.shape[0], 500 : 500 + small.shape[1]] = small
    picture = {"label": label, "overview": overview, "thumbnail": small}[name]
    stream = jpegs.encode(picture, quality=80)
    kind = "macro" if name == "overview" else name
    made.pictures[kind], made.raw[kind] = jpegs.decode(stream, "ycbcr"), [jpegs.scan_data(stream)]
    if made.dicom.plant is not None:
        stream = jpegs.insert(stream, jpegs.segment(jpegs.COM, made.plant(f"COM in the {name}").encode()))
    size = picture.shape[1], picture.shape[0]
    alone = _as_plain_jpeg(made)
    dataset = _picture(alone, name, size, size, 1, name.upper())
    dataset.SpecimenLabelInImage = "NO" if name == "thumbnail" else "YES"
    if name == "label" and made.dicom.plant is None:
        dataset.BarcodeValue, dataset.LabelText = "S25-10432", "DOE, JANE"
    _frames(alone, name, dataset, [((0, 0), stream)])


def _as_plain_jpeg(made: _Made) -> _Made:
    """Return the same slide, whose next file is an everyday one."""
    plain = replace(made.dicom, syntax="jpeg", colours="ycbcr", sampling="420", photometric=None, planes=False)
    return replace(made, dicom=replace(plain, sparse=False, fragments=1, table="basic"))


def _picture(
    made: _Made, name: str, size: tuple[int, int], tile: tuple[int, int], factor: int, flavour: str
) -> Dataset:
    """Say what every file says of its picture."""
    dicom, dataset = made.dicom, Dataset()
    dataset.SOPClassUID = WHOLE_SLIDE
    dataset.SOPInstanceUID = f"{ROOT}{_numbered(made, name)}"
    dataset.StudyInstanceUID = f"{ROOT}{_numbered(made, 'study')}"
    dataset.SeriesInstanceUID = f"{ROOT}{_numbered(made, 'series')}"
    dataset.Modality, dataset.Manufacturer, dataset.ManufacturerModelName = "SM", "Leica Biosystems", "GT450 DX"
    kind = "ORIGINAL" if factor == 1 and flavour == "VOLUME" else "DERIVED"
    dataset.ImageType = [kind, "PRIMARY", flavour, "NONE" if factor == 1 else "RESAMPLED"]
    dataset.Columns, dataset.Rows = tile
    dataset.TotalPixelMatrixColumns, dataset.TotalPixelMatrixRows = size
    dataset.TotalPixelMatrixFocalPlanes = dataset.NumberOfOpticalPaths = 1
    grey_only = dicom.colours == "grey"
    dataset.SamplesPerPixel = 1 if grey_only else 3
    dataset.PhotometricInterpretation = dicom.photometric or _photometric(dicom)
    if not grey_only:
        dataset.PlanarConfiguration = int(dicom.planes)
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.BurnedInAnnotation, dataset.SpecimenLabelInImage, dataset.VolumetricProperties = "NO", "NO", "VOLUME"
    dataset.ImagedVolumeWidth = size[0] * dicom.mpp * factor / 1000
    dataset.ImagedVolumeHeight = size[1] * dicom.mpp * factor / 1000
    measures, groups, path = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = [f"{dicom.mpp * factor / 1000:.9g}"] * 2
    groups.PixelMeasuresSequence = [measures]
    dataset.SharedFunctionalGroupsSequence = [groups]
    path.OpticalPathIdentifier, path.ObjectiveLensPower = "1", dicom.objective_power
    if not grey_only:
        path.ICCProfile = profile(made.plant if dicom.plant is not None else Plant())
    dataset.OpticalPathSequence = [path]
    if dicom.plant is not None:
        plant_words(dataset, name, made.plant)
    return dataset


def _photometric(dicom: Dicom) -> str:
    if dicom.colours == "grey":
        return "MONOCHROME2"
    if dicom.syntax in DCT:
        return "YBR_FULL_422" if dicom.colours == "ycbcr" else "RGB"
    return {"jpeg2000": "YBR_RCT", "jpeg2000 lossy": "YBR_ICT", "htj2k": "YBR_RCT"}.get(dicom.syntax, "RGB")


def _numbered(made: _Made, name: str) -> int:
    """Give a number to a thing; with a plant it is a token, because numbers name sites and dates."""
    token = Plant(seed=made.dicom.seed)(name)
    number = int.from_bytes(token.encode(), "big") % 10**20 + 10**20
    if made.dicom.plant is not None:
        made.plant.tokens[f"UID of the {name}"] = str(number)
    return number


def _frames(made: _Made, name: str, dataset: Dataset, frames: list[tuple[tuple[int, int], bytes]]) -> None:
    """Add the frames to a data set and write its file."""
    dicom = made.dicom
    dataset.NumberOfFrames = len(frames)
    dataset.DimensionOrganizationType = "TILED_SPARSE" if dicom.sparse else "TILED_FULL"
    if dicom.sparse:
        tile = dataset.Columns, dataset.Rows
        dataset.PerFrameFunctionalGroupsSequence = [_place(made, k, place, tile) for k, (place, _) in enumerate(frames)]
    streams = [stream for _, stream in frames]
    if dicom.syntax in NATIVE:
        dataset.PixelData = b"".join(streams)
        dataset["PixelData"].VR = "OB" if dicom.syntax == "explicit" else "OW"
    else:
        dataset.PixelData = _encapsulated(dicom, dataset, streams)
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    _save(made, name, dataset)


def _place(made: _Made, number: int, place: tuple[int, int], tile: tuple[int, int]) -> Dataset:
    groups, position, content = Dataset(), Dataset(), Dataset()
    position.ColumnPositionInTotalImagePixelMatrix = place[0] * tile[0] + 1
    position.RowPositionInTotalImagePixelMatrix = place[1] * tile[1] + 1
    content.DimensionIndexValues = [place[0] + 1, place[1] + 1]
    if made.dicom.plant is not None and number == 0:
        content.FrameComments = made.plant("FrameComments")
    groups.FrameContentSequence, groups.PlanePositionSlideSequence = [content], [position]
    return groups


def _encapsulated(dicom: Dicom, dataset: Dataset, streams: list[bytes]) -> bytes:
    """Lay frames as fragments behind an offset table."""
    body, offsets, lengths = encapsulated(streams, dicom.fragments, basic=dicom.table == "basic")
    if dicom.table == "extended":
        dataset.ExtendedOffsetTable = struct.pack(f"<{len(offsets)}Q", *offsets)
        dataset.ExtendedOffsetTableLengths = struct.pack(f"<{len(lengths)}Q", *lengths)
    return body


def _save(made: _Made, name: str, dataset: Dataset) -> None:
    dicom, meta = made.dicom, FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = WHOLE_SLIDE, dataset.SOPInstanceUID
    meta.TransferSyntaxUID = SYNTAXES[dicom.syntax]
    preamble = bytes(128)
    if dicom.plant is not None:
        preamble = made.plant(f"preamble of the {name}").encode().ljust(128, b"\0")
        meta.SourceApplicationEntityTitle = made.plant(f"SourceApplicationEntityTitle of the {name}")
        meta.ImplementationVersionName = made.plant(f"ImplementationVersionName of the {name}")
        meta.PrivateInformationCreatorUID = f"{ROOT}{_numbered(made, f'private information of the {name}')}"
        meta.PrivateInformation = made.plant(f"PrivateInformation of the {name}").encode()
        dataset.add_new(0xFFFCFFFC, "OB", made.plant(f"trailing padding of the {name}").encode())
    if not dicom.defined:
        _end_by_marks(dataset)
    if dicom.edit:
        dicom.edit(name, dataset)
    path = made.folder / f"{dataset.SOPInstanceUID[-12:]}.dcm"
    dataset.file_meta, dataset.preamble = meta, preamble
    dcmwrite(path, dataset, enforce_file_format=True)
    if dicom.plant is not None:
        with path.open("ab") as file:
            file.write(made.plant(f"bytes behind the {name}").encode())
    made.paths.append(path)


def _end_by_marks(dataset: Dataset) -> None:
    """Have sequences and their items end by a mark, as most writers do."""
    for element in dataset:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                _end_by_marks(item)
