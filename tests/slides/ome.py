"""An OME-TIFF tells its story in XML in the first directory, and keeps smaller levels in SubIFDs.

The XML has room for a whole laboratory: experimenters, dates, serial numbers, paths, and whatever the converter found
in the scanner's own header.
"""

from pathlib import Path

import numpy as np
import tifffile

from tests.slides.made import MadeLevel, MadeSlide
from tests.slides.planted import Plant
from tests.slides.tissue import Picture, reduced, tissue

_XML = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:3a0b1c2d-0000-4000-8000-000000000001"
 Creator="{creator}">
<Project ID="Project:0" Name="{project}"/><Dataset ID="Dataset:0" Name="{dataset}"/>
<Experimenter ID="Experimenter:0" FirstName="{first_name}" LastName="{last_name}" Email="{email}"
 Institution="{institution}"/>
<Instrument ID="Instrument:0"><Microscope Manufacturer="Maker" Model="Scanner 1" SerialNumber="{serial_number}"/>
<Objective ID="Objective:0" NominalMagnification="20.0"/></Instrument>
<Image ID="Image:0" Name="{image_name}"><AcquisitionDate>2009-12-29T09:59:15</AcquisitionDate>
<ExperimenterRef ID="Experimenter:0"/><Description>{description}</Description><ObjectiveSettings ID="Objective:0"/>
<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint8" SizeX="{width}" SizeY="{height}" SizeC="3" SizeZ="1" SizeT="1"
 Interleaved="true" PhysicalSizeX="{mpp}" PhysicalSizeXUnit="µm" PhysicalSizeY="{mpp}" PhysicalSizeYUnit="µm">
<Channel ID="Channel:0:0" SamplesPerPixel="3" Name="{channel_name}"><LightPath/></Channel>
<TiffData IFD="0" PlaneCount="1"><UUID FileName="{file_name}">urn:uuid:3a0b1c2d-0000-4000-8000-000000000001</UUID>
</TiffData></Pixels></Image>
<StructuredAnnotations><XMLAnnotation ID="Annotation:0" Namespace="openmicroscopy.org/OriginalMetadata"><Value>
<OriginalMetadata><Key>Title</Key><Value>{original_metadata}</Value></OriginalMetadata></Value></XMLAnnotation>
</StructuredAnnotations></OME>
"""
_PLACES = (
    *("creator", "project", "dataset", "first_name", "last_name", "email", "institution", "serial_number"),
    *("image_name", "description", "channel_name", "original_metadata"),
)


def make_ome_tiff(
    path: Path,
    *,
    width: int = 700,
    height: int = 530,
    tile: int = 256,
    factors: tuple[int, ...] = (1, 2, 4),
    compression: str | None = "jpeg",
    mpp: float = 0.25,
    strips: bool = False,
    other_images: tuple[Picture, ...] = (),
    seed: int = 7,
    plant: Plant | None = None,
) -> MadeSlide:
    """Write an RGB OME-TIFF with tifffile, whose own reading of it is what is known about the pixels.

    Names are always planted in its XML; ``plant`` says where to register them. ``other_images`` follow the slide, as
    Bio-Formats writes a label and an overview.
    """
    plant = plant or Plant()
    whole = tissue(width, height, seed)
    laid_out = {"rowsperstrip": 64} if strips else {"tile": (tile, tile)}
    options = {**laid_out, "photometric": "rgb", "compression": compression, "metadata": None}
    if compression == "jpeg":
        options |= {"compressionargs": {"level": 80}}
    planted = {place: plant(f"OME {place}") for place in _PLACES}
    xml = _XML.format(width=width, height=height, mpp=mpp, file_name=path.name, **planted)
    with tifffile.TiffWriter(path) as file:
        file.write(whole, subifds=len(factors) - 1, description=xml.encode(), **options)
        for factor in factors[1:]:
            small = reduced(whole, width // factor, height // factor)
            file.write(small, subfiletype=1, description=plant("OME description of a SubIFD"), **options)
        for other in other_images:
            file.write(other, photometric="rgb", compression="lzw", metadata=None)
    with tifffile.TiffFile(path) as file:
        pictures = [level.asarray() for level in file.series[0].levels]
    return MadeSlide(
        path,
        tuple(MadeLevel(p, (512, 512) if strips else (tile, tile)) for p in pictures),
        plant,
        mpp=mpp,
        objective_power=20,
    )


def make_fluorescence_ome_tiff(path: Path, channels: int = 4) -> Path:
    """Write a 16-bit OME-TIFF of several channels: a sound file whose pixels are not RGB."""
    rng = np.random.default_rng(7)
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(
            rng.integers(0, 4000, (channels, 512, 512), np.uint16),
            tile=(256, 256),
            photometric="minisblack",
            metadata={"axes": "CYX", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25},
        )
    return path
