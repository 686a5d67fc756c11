"""A QPTIFF file has a description in every directory, XML that says what the directory is and whose slide it was.

Pictures wider or higher than some 2,000 px lie in tiles, smaller ones in strips; here the bound can be set. A slide in
bright field is one RGB picture, a fluorescent one a grey picture for each channel, at every level. The thumbnail
stands behind the slide at full resolution, the overview and the label stand last.

Source: PerkinElmer's description of the format, as tifffile and Bio-Formats document it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import tifffile
from PIL import Image

from tests.slides.made import MadeLevel, MadeSlide
from tests.slides.ome import channel_pictures
from tests.slides.planted import Plant
from tests.slides.svs import label_picture
from tests.slides.tissue import Picture, reduced, tissue

_PLACES = (
    *("Identifier", "SlideID", "Barcode", "ComputerName", "OperatorName", "StudyName", "InstrumentType", "Comments"),
    *("CameraName", "ValidationCode", "AcquisitionSoftware", "SomethingNew"),
)


@dataclass(frozen=True)
class Qptiff:
    """What the scanner was like.

    Parameters
    ----------
    tiled_from
        Pictures of at least so many pixels a side lie in tiles of ``tile`` px, smaller ones in strips.
    types
        What the directories say that they are, instead of the truth, by their order.
    objective
        As it stands in the XML.
    channels
        Name and colour of each channel of a fluorescent slide, as they stand in the XML; none in bright field.
    """

    width: int = 1100
    height: int = 820
    tile: int = 256
    tiled_from: int = 600
    factors: tuple[int, ...] = (1, 2, 4)
    compression: str = "jpeg"
    mpp: float = 0.5
    objective: str = "20x"
    types: tuple[tuple[int, str], ...] = ()
    with_label: bool = True
    channels: tuple[tuple[str, str], ...] = ()
    pixel_type: type[np.generic] = np.uint16
    seed: int = 7
    plant: Plant | None = None


def make_qptiff(path: Path, **options: Any) -> MadeSlide:
    """Write a QPTIFF as ``Qptiff(**options)`` says, with its known pixels; of channels they are side by side."""
    made = Qptiff(**options)
    plant, count = made.plant or Plant(), len(made.channels)
    whole: Any = tissue(made.width, made.height, made.seed)
    if count:
        whole = channel_pictures(made.width, made.height, count, made.pixel_type, made.seed)
    label = label_picture("DOE, JANE", "MRN 00123456", "S25-10432 A3", "H&E")
    overview = np.full((300, 900, 3), 235, np.uint8)
    overview[:, :230] = np.asarray(Image.fromarray(label).resize((230, 300)))
    smaller = [_smaller(whole, made.width // factor, made.height // factor) for factor in made.factors[1:]]
    pictures = [("FullResolution", picture) for picture in _pages(whole, count)]
    pictures += [("Thumbnail", tissue(made.width // 5, made.height // 5))]
    pictures += [("ReducedResolution", picture) for level in smaller for picture in _pages(level, count)]
    pictures += [("Overview", overview), ("Label", label)] if made.with_label else []
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        for number, (kind, picture) in enumerate(pictures):
            said = dict(made.types).get(number, kind)
            _write(file, made, picture, _xml(made, plant, number, said), picture.shape[1] / made.width)
    with path.open("ab") as file:
        file.write(plant("bytes after the last structure").encode() if made.plant else b"")
    with tifffile.TiffFile(path) as file:
        shown = [(kind, page.asarray()) for (kind, _), page in zip(pictures, file.pages, strict=True)]
    pages = [pixels for kind, pixels in shown if kind.endswith("Resolution")]
    known = [np.stack(pages[at : at + count], -1) for at in range(0, len(pages), count)] if count else pages
    levels = tuple(
        MadeLevel(pixels, (made.tile, made.tile) if _is_tiled(made, pixels) else (512, 512)) for pixels in known
    )
    named = {"Thumbnail": "thumbnail", "Overview": "macro", "Label": "label"}
    associated = {named[kind]: pixels for kind, pixels in shown if kind in named}
    return MadeSlide(path, levels, plant, associated=associated, mpp=made.mpp, objective_power=20)


def _pages(picture: Any, channels: int) -> list[Any]:
    """Give the picture itself, or its channels one by one."""
    return [np.ascontiguousarray(picture[..., channel]) for channel in range(channels)] if channels else [picture]


def _smaller(picture: Any, width: int, height: int) -> Any:
    if picture.dtype == np.uint8 and picture.shape[2] == 3:
        return reduced(picture, width, height)
    factor = picture.shape[1] // width
    return np.ascontiguousarray(picture[: height * factor : factor, : width * factor : factor])


def _is_tiled(made: Qptiff, picture: Picture) -> bool:
    return bool(min(picture.shape[:2]) >= made.tiled_from)


def _write(file: tifffile.TiffWriter, made: Qptiff, picture: Picture, description: str, share: float) -> None:
    is_tiled = _is_tiled(made, picture)
    per_centimetre = 10_000 / made.mpp * share
    options: dict[str, Any] = {"tile": (made.tile, made.tile)} if is_tiled else {"rowsperstrip": 64}
    if made.plant:
        options["extratags"] = [
            (code, 2, 0, made.plant(f"tag {code}"), True) for code in (269, 272, 315, 316, 33432, 65000)
        ]
    file.write(
        picture,
        photometric="rgb" if picture.ndim == 3 else "minisblack",
        compression=made.compression if is_tiled and picture.ndim == 3 else "lzw",
        description=description,
        software="PerkinElmer-QPI",
        resolution=(per_centimetre, per_centimetre),
        resolutionunit="CENTIMETER",
        metadata=None,
        **options,
    )


def _xml(made: Qptiff, plant: Plant, number: int, kind: str) -> str:
    """Write what a directory says: what it is, and all that the scanner knows."""
    facts = {"DescriptionVersion": "2", "ImageType": kind}
    if made.plant:
        facts |= {place: plant(f"description key {place}") for place in _PLACES}
        facts["Comments"] += f" & {plant(f'description of directory {number}')}"
    if made.channels and kind.endswith("Resolution"):
        page = number - (0 if number < len(made.channels) else 1)  # the thumbnail lies in between
        facts |= dict(zip(("Name", "Color"), made.channels[page % len(made.channels)], strict=True))
    if number == 0:
        facts["Objective"] = made.objective
    scan = f"<ScanProfile>{{'operator': '{plant('scan profile')}'}}</ScanProfile>" if made.plant else ""
    body = "".join(f"<{name}>{escape(text)}</{name}>\n" for name, text in facts.items())
    # the scanner writes 8-bit text under a declaration that says 16
    return (
        '<?xml version="1.0" encoding="utf-16"?>\n<PerkinElmer-QPI-ImageDescription>\n'
        f"{body}{scan}</PerkinElmer-QPI-ImageDescription>"
    )
