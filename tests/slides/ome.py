"""An OME-TIFF tells its story in XML in the first directory, and keeps smaller levels in SubIFDs.

The XML has room for a whole laboratory: experimenters, dates, serial numbers, paths, and whatever the converter found
in the scanner's own header.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import tifffile

from tests.slides.made import MadeLevel, MadeSlide
from tests.slides.planted import Plant
from tests.slides.tissue import Picture, grey, reduced, tissue

Values = npt.NDArray[Any]

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
    laid_out: dict[str, Any] = {"rowsperstrip": 64} if strips else {"tile": (tile, tile)}
    options: dict[str, Any] = {**laid_out, "photometric": "rgb", "compression": compression, "metadata": None}
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


_FLUORESCENCE_XML = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" Creator="{creator}">
<Experimenter ID="Experimenter:0" LastName="{last_name}" Institution="{institution}"/>
<Image ID="Image:0" Name="{image_name}"><AcquisitionDate>2009-12-29T09:59:15</AcquisitionDate>
<Description>{description}</Description>
<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="{pixel_type}" SizeX="{width}" SizeY="{height}" SizeC="{count}"
 SizeZ="1" SizeT="1" PhysicalSizeX="{mpp}" PhysicalSizeXUnit="µm" PhysicalSizeY="{mpp}" PhysicalSizeYUnit="µm">
{channels}{places}</Pixels></Image></OME>
"""

DAPI_AND_MORE = (("DAPI", 0x0000FFFF), ("CD8 (Opal 520)", None), ("", -1), ("cy5", None))
"""Names and colours of channels: two terms, one of them with its dye, none, and one in another spelling."""


def channel_pictures(width: int, height: int, count: int, pixel_type: type[np.generic], seed: int = 7) -> Values:
    """Draw channels, ``(height, width, count)``: dark glass, and signals that fill some of the range."""
    drawn = [255 - grey(tissue(width, height, seed + number)).astype(np.uint32) for number in range(count)]
    scale = 1 if pixel_type is np.uint8 else 37
    return np.stack([picture * scale for picture in drawn], -1).astype(pixel_type)


def make_fluorescence_ome_tiff(
    path: Path,
    channels: tuple[tuple[str, int | None], ...] = DAPI_AND_MORE,
    *,
    width: int = 700,
    height: int = 530,
    tile: int = 256,
    factors: tuple[int, ...] = (1, 2, 4),
    pixel_type: type[np.generic] = np.uint16,
    compression: str | None = "lzw",
    order: tuple[int, ...] | None = None,
    byteorder: Literal["<", ">"] = "<",
    predictor: bool = False,
    strips: bool = False,
    mpp: float = 0.325,
    seed: int = 7,
    plant: Plant | None = None,
) -> MadeSlide:
    """Write an OME-TIFF of several channels: a page each, whose smaller levels are its SubIFDs.

    Parameters
    ----------
    channels
        Name and colour of each, as they stand in the XML.
    order
        Which channel each page holds, where it is not the first the first.
    predictor
        Compress the differences between neighbours, as scanners do with LZW.

    Returns
    -------
    MadeSlide
        The known pixels of a level are ``(height, width, channels)``.
    """
    plant, count = plant or Plant(), len(channels)
    whole = channel_pictures(width, height, count, pixel_type, seed)
    pictures = [whole, *[_every(whole, factor) for factor in factors[1:]]]
    laid_out: dict[str, Any] = {"rowsperstrip": 64} if strips else {"tile": (tile, tile)}
    coded = {"compression": compression, "predictor": predictor}
    options: dict[str, Any] = {**laid_out, **coded, "photometric": "minisblack", "metadata": None}
    pages = order or tuple(range(count))
    planted = {place: plant(f"OME {place}") for place in _PLACES if f"{{{place}}}" in _FLUORESCENCE_XML}
    xml = _FLUORESCENCE_XML.format(
        width=width,
        height=height,
        mpp=mpp,
        count=count,
        pixel_type=np.dtype(pixel_type).name,
        channels="".join(_channel(number, *told) for number, told in enumerate(channels)),
        places="".join(f'<TiffData IFD="{page}" FirstC="{channel}" PlaneCount="1"/>' for page, channel in _told(order)),
        **planted,
    )
    with tifffile.TiffWriter(path, byteorder=byteorder) as file:
        for page, channel in enumerate(pages):
            first = {"description": xml.encode()} if page == 0 else {"description": plant("OME description of a page")}
            file.write(np.ascontiguousarray(whole[..., channel]), subifds=len(factors) - 1, **first, **options)
            for small in pictures[1:]:
                below = plant(f"OME description of a SubIFD of page {page}")
                file.write(np.ascontiguousarray(small[..., channel]), subfiletype=1, description=below, **options)
    shape = (512, 512) if strips else (tile, tile)
    return MadeSlide(path, tuple(MadeLevel(picture, shape) for picture in pictures), plant, mpp=mpp)


def _told(order: tuple[int, ...] | None) -> Iterator[tuple[int, int]]:
    return enumerate(order or ())


def _channel(number: int, name: str, colour: int | None) -> str:
    said = (f' Name="{name}"' if name else "") + (f' Color="{_signed(colour)}"' if colour is not None else "")
    return f'<Channel ID="Channel:0:{number}" SamplesPerPixel="1"{said}/>'


def _signed(colour: int) -> int:
    """Write red, green, blue and opacity as OME does: in 32 bits with a sign."""
    return colour - (1 << 32) if colour >= 1 << 31 else colour


def _every(picture: Values, factor: int) -> Values:
    """Keep one value in so many each way, as many as fit: a level need be no average."""
    height, width = picture.shape[0] // factor, picture.shape[1] // factor
    return np.ascontiguousarray(picture[: height * factor : factor, : width * factor : factor])
