"""Slides of several files: a Hamamatsu VMS slide, whose key file names its pictures, and a DICOM series.

The VMS slide is one JPEG picture with restart markers, from which OpenSlide makes its tiles, and a smaller map of it.
The DICOM slide has a file for each of two levels, uncompressed; as many senders do, it may say how many there are.

Sources: OpenSlide's description of the VMS format; DICOM PS3.3 section A.32.8 (VL whole slide microscopy image).
"""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, VLWholeSlideMicroscopyImageStorage, generate_uid

from tests.slides import jpegs
from tests.slides.tissue import Picture, reduced, tissue

TILE = 64


def make_vms(folder: Path, seed: int = 7) -> tuple[Path, ...]:
    """Write a VMS slide into a folder, and give its files, the key file first."""
    folder.mkdir(parents=True, exist_ok=True)
    picture = tissue(512, 384, seed)
    pictures = {"picture.jpg": picture, "map.jpg": reduced(picture, 128, 96)}
    for name, pixels in pictures.items():
        (folder / name).write_bytes(jpegs.encode(pixels, sampling="444", restart_every=8))
    key_file = folder / "slide.vms"
    lines = ["[Virtual Microscope Specimen]", "NoLayers=1", "NoJpegColumns=1", "NoJpegRows=1"]
    lines += ["ImageFile=picture.jpg", "MapFile=map.jpg", "SourceLens=20", "PhysicalWidth=256000"]
    key_file.write_text("\n".join([*lines, "PhysicalHeight=192000", ""]))
    return key_file, *(folder / name for name in pictures)


def make_dicom_series(folder: Path, seed: int = 7, *, told: bool = True, levels: int = 2) -> tuple[Path, ...]:
    """Write a DICOM slide into a folder, a file for each level, and give its files, the largest level first.

    Parameters
    ----------
    told
        Whether each file says how many the series has.
    """
    folder.mkdir(parents=True, exist_ok=True)
    picture, series = tissue(256, 192, seed), generate_uid()
    shared = {"study": generate_uid(), "series": series, "frame": generate_uid(), "pyramid": generate_uid()}
    paths = []
    for number in range(levels):
        size = picture.shape[1] >> number, picture.shape[0] >> number
        pixels = picture if number == 0 else reduced(picture, *size)
        paths.append(folder / f"level-{number}.dcm")
        _write(paths[-1], pixels, shared, number, levels if told else 0)
    return tuple(paths)


def _write(path: Path, pixels: Picture, shared: dict[str, str], number: int, count: int) -> None:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = VLWholeSlideMicroscopyImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
    data.StudyInstanceUID, data.SeriesInstanceUID = shared["study"], shared["series"]
    data.FrameOfReferenceUID, data.PyramidUID = shared["frame"], shared["pyramid"]
    data.ImageType = ["DERIVED" if number else "ORIGINAL", "PRIMARY", "VOLUME", "RESAMPLED" if number else "NONE"]
    data.Modality, data.InstanceNumber, data.Manufacturer = "SM", str(number + 1), "Nobody"
    if count:
        data.NumberOfSeriesRelatedInstances = str(count)
    data.DimensionOrganizationType = "TILED_FULL"
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "RGB", 0
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.Rows = data.Columns = TILE
    height, width = pixels.shape[:2]
    data.TotalPixelMatrixColumns, data.TotalPixelMatrixRows = width, height
    data.ImagedVolumeWidth, data.ImagedVolumeHeight = 256 * 0.0005, 192 * 0.0005
    data.NumberOfOpticalPaths = data.TotalPixelMatrixFocalPlanes = 1
    data.OpticalPathSequence = Sequence([Dataset()])
    data.OpticalPathSequence[0].OpticalPathIdentifier = "0"
    data.OpticalPathSequence[0].ObjectiveLensPower = "20"
    measures, functional = Dataset(), Dataset()
    measures.PixelSpacing = [0.0005 * 256 / width, 0.0005 * 256 / width]
    functional.PixelMeasuresSequence = Sequence([measures])
    data.SharedFunctionalGroupsSequence = Sequence([functional])
    tiles = _tiles(pixels)
    data.NumberOfFrames = str(len(tiles))
    data.PixelData = b"".join(tiles)
    data.save_as(path, enforce_file_format=True)


def _tiles(pixels: Picture) -> list[bytes]:
    """Cut into full tiles, row by row; what is beyond the edge is white."""
    height, width = pixels.shape[:2]
    padded = np.pad(pixels, ((0, -height % TILE), (0, -width % TILE), (0, 0)), constant_values=255)
    return [
        np.ascontiguousarray(padded[y : y + TILE, x : x + TILE]).tobytes()
        for y in range(0, height, TILE)
        for x in range(0, width, TILE)
    ]
