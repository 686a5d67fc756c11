"""Words hide around slides, too: in files beside them, in what the file system keeps of a file, in archives.

None of these belongs to a slide that is read here. A folder that is delivered is full of them all the same.
"""

import errno
import os
import zipfile
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ComprehensiveSRStorage, ExplicitVRLittleEndian

from tests.slides.planted import Plant

XATTR = "user.patient"
SECONDS = 1_262_083_155
"""When a planted file says that it was changed last."""

BY_FILE_SYSTEM = {"extended attribute of a file", "time of a file, in seconds", "time of a file, as a date"}
"""Places that are in no file's bytes and in no name."""


def plant_beside(slide: Path, plant: Plant) -> None:
    """Write what viewers and people leave beside a slide, with a word in each, into the slide's folder."""
    stem = slide.with_name(f"{slide.stem}-{plant('name of a file beside')}")
    texts = {
        ".ndpa": '<annotations><ndpviewstate id="1"><title>{}</title></ndpviewstate></annotations>',
        ".ndpis": "[NanoZoomer Digital Pathology Image Set]\r\nNoImages=1\r\nImage0={}.ndpi\r\n",
        ".xml": '<Annotations><Annotation Name="{}"><Regions/></Annotation></Annotations>',
        ".geojson": '{{"type": "Feature", "properties": {{"name": "{}"}}}}',
        ".qpproj": '{{"images": [{{"serverBuilder": {{"uri": "file:/home/{}/slide.svs"}}}}]}}',
        ".txt": "Report on {}\n",
        ".tsv": "code\tname\nS-1\t{}\n",
        ".log": "Failed_{}.svs\n",
    }
    for ending, text in texts.items():
        stem.with_suffix(ending).write_text(text.format(plant(f"file beside, {ending}")))
    _write_structured_report(stem.with_suffix(".dcm"), plant)
    with zipfile.ZipFile(stem.with_suffix(".zip"), "w") as archive:
        archive.comment = plant("comment of a zip archive").encode()
        archive.writestr(plant("name in a zip archive"), "II*\0")


def plant_on(slide: Path, plant: Plant) -> None:
    """Have the file system keep words of a slide's file: an attribute, where it can, and a time."""
    try:
        os.setxattr(slide, XATTR, plant("extended attribute of a file").encode())
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
    plant.values |= {"time of a file, in seconds": str(SECONDS), "time of a file, as a date": "2009-12-29T10:39:15"}
    for place in ("time of a file, in seconds", "time of a file, as a date"):
        plant(place)
    os.utime(slide, (SECONDS, SECONDS))


def _write_structured_report(path: Path, plant: Plant) -> None:
    report, meta = Dataset(), FileMetaDataset()
    report.SOPClassUID = meta.MediaStorageSOPClassUID = ComprehensiveSRStorage
    report.SOPInstanceUID = meta.MediaStorageSOPInstanceUID = UID("1.2.826.0.1.3680043.8.498.1")
    report.PatientName, report.Modality = plant("file beside, DICOM report"), "SR"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    report.file_meta, report.preamble = meta, bytes(128)
    dcmwrite(path, report, enforce_file_format=True)
