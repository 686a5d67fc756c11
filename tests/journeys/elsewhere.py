"""What other programs show of a slide: OpenSlide on white, and where it refuses the file, its first page or frames.

None of this goes through Coverslip's own readers: pixels are composited, decoded and put together here.
"""

import io
from collections.abc import Iterator
from pathlib import Path

import imagecodecs
import numpy as np
import openslide
import pydicom
import pyvips
import tifffile
from PIL import Image

from tests.slides import jpegs
from tests.slides.tissue import Picture

BAND = 1024
"""Rows that are looked at in one go."""

JPEG = 7


def shown_elsewhere(path: Path) -> Iterator[tuple[tuple[int, int], int, Picture]]:
    """Give bands of every level that another program shows: the level's size, the band's first row, and its pixels."""
    try:
        slide = openslide.OpenSlide(path)
    except (openslide.OpenSlideError, OSError):
        whole = _frames(path) if pydicom.misc.is_dicom(path) else _first_page(path)
        yield (whole.shape[1], whole.shape[0]), 0, whole
        return
    with slide:
        for level, (width, height) in enumerate(slide.level_dimensions):
            factor = slide.dimensions[1] / height
            step = BAND if factor == int(factor) else height  # only then can a row of the level be addressed
            for y in range(0, height, step):
                at = (0, int(y * factor))
                yield (width, height), y, on_white(slide.read_region(at, level, (width, min(step, height - y))))


def on_white(picture: Image.Image) -> Picture:
    """Lay an RGBA picture on white: ``(height, width, 3)`` uint8."""
    white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    return np.asarray(Image.alpha_composite(white, picture).convert("RGB"))


def _frames(path: Path) -> Picture:
    """Put together the frames of one DICOM file, in the order of their places, as pydicom finds them."""
    dataset = pydicom.dcmread(path)
    columns = -(-dataset.TotalPixelMatrixColumns // dataset.Columns)
    rows = -(-dataset.TotalPixelMatrixRows // dataset.Rows)
    whole = np.full((rows * dataset.Rows, columns * dataset.Columns, 3), 255, np.uint8)
    frames = pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=dataset.NumberOfFrames)
    for index, stream in enumerate(frames):
        y, x = index // columns * dataset.Rows, index % columns * dataset.Columns
        whole[y : y + dataset.Rows, x : x + dataset.Columns] = imagecodecs.jpegls_decode(stream)
    return whole[: dataset.TotalPixelMatrixRows, : dataset.TotalPixelMatrixColumns]


def _first_page(path: Path) -> Picture:
    """Decode the first page of a TIFF: JPEG tiles by what each stream says of itself, all else by libtiff."""
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        if page.compression != JPEG or not page.is_tiled:
            return _by_libtiff(path)
        columns = -(-page.imagewidth // page.tilewidth)
        rows = -(-page.imagelength // page.tilelength)
        whole = np.full((rows * page.tilelength, columns * page.tilewidth, 3), 255, np.uint8)
        for index, (offset, length) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=True)):
            file.filehandle.seek(offset)
            stream = file.filehandle.read(length)
            if page.jpegtables:
                stream = jpegs.join(page.jpegtables, stream)
            y, x = index // columns * page.tilelength, index % columns * page.tilewidth
            whole[y : y + page.tilelength, x : x + page.tilewidth] = np.asarray(
                Image.open(io.BytesIO(stream)).convert("RGB")
            )
        return whole[: page.imagelength, : page.imagewidth]


def _by_libtiff(path: Path) -> Picture:
    pixels = pyvips.Image.new_from_file(str(path)).numpy()
    return pixels if pixels.ndim == 3 else np.stack([pixels] * 3, axis=-1)
