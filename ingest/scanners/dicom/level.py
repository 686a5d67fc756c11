"""A level of a DICOM slide: the frames of one file, or of several that a level was too large for one of."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

import numpy as np

from archive.holdings.pixels import HeaderReader, NotPlainJpeg
from ingest.errors import Reason, SlideRefused
from ingest.scanners.base import EncodedTile, Pixels, SourceLevel
from ingest.scanners.dicom.colours import looks_ycbcr
from ingest.scanners.dicom.decoding import decode_frame
from ingest.scanners.dicom.files import Files
from ingest.scanners.dicom.frames import Frames
from ingest.scanners.dicom.instance import MAX_TILE_PX, Instance

LOOKED_AT: Final = 8
"""Frames whose pixels are looked at where no header tells of their colours."""

ABSENT: Final = -1


class DicomLevel(SourceLevel):
    """The frames of one picture by their place.

    Parameters
    ----------
    files : Files
        To read with.
    parts : tuple of Instance
        The files that the picture is in, in their order.

    Raises
    ------
    SlideRefused
        If two frames have one place, or a frame is not there, or is too large to be a tile.
    """

    gaps_are_glass = True

    def __init__(self, files: Files, parts: tuple[Instance, ...]) -> None:
        first = parts[0]
        if max(first.tile.width, first.tile.height) > MAX_TILE_PX:
            raise SlideRefused(Reason.UNSUPPORTED_PIXELS)
        self._parts, self._headers = parts, HeaderReader()
        self._frames = [Frames(files, part.header, part.frames, part.frame_bytes) for part in parts]
        self.size, self.tile, self.channels = first.size, first.tile, first.channels
        self._columns, rows = self.size.tiles(self.tile)
        self._at = np.full((rows, self._columns, 2), ABSENT, np.int64)
        for number, part in enumerate(parts):
            self._lay(number, part)
        if first.header.positions is None and (self._at == ABSENT).any():
            raise SlideRefused(Reason.DAMAGED_STRUCTURE)  # no place is left out where frames lie in their order
        self.is_jpeg = first.is_jpeg and all(frames.are_whole for frames in self._frames)
        self.mean_tile_bytes = max(frames.mean_bytes for frames in self._frames)
        self.tag_says_ycbcr = first.says_ycbcr
        if self.channels == 3:
            self._look_at_colours()

    def _lay(self, number: int, part: Instance) -> None:
        """Note at which place each frame of a part lies; each has one of its own."""
        columns, rows = part.places().T
        if (self._at[rows, columns, 0] != ABSENT).any() or len(np.unique(rows * self._columns + columns)) < len(rows):
            raise SlideRefused(Reason.UNSUPPORTED_PIXELS)
        self._at[rows, columns] = np.stack([np.full(len(rows), number), np.arange(len(rows))], axis=1)

    def encoded_tiles(self) -> Iterator[EncodedTile]:
        """Give the frames as they lie in their files."""
        for column, row, part, number in self._walk():
            frames = self._frames[part]
            yield EncodedTile(column, row, frames.offset(number), frames.read(number), file=frames.path)

    def decoded_tiles(self) -> Iterator[tuple[int, int, Pixels]]:
        """Decode frame by frame."""
        for column, row, part, number in self._walk():
            yield column, row, self._decoded(part, number)

    def leaves_out(self, column: int, row: int) -> bool:
        """Whether there is no frame at this place."""
        return bool(self._at[row, column, 0] == ABSENT)

    def decoded_tile(self, column: int, row: int) -> Pixels | None:
        """Decode one frame."""
        part, number = self._at[row, column].tolist()
        return None if part == ABSENT else self._decoded(part, number)

    def whole(self) -> Pixels:
        """Decode the whole picture, ``(height, width, channels)``; only for one of bounded size."""
        rows, columns = self._at.shape[:2]
        picture = np.full((rows * self.tile.height, columns * self.tile.width, self.channels), 255, np.uint8)
        for column, row, pixels in self.decoded_tiles():
            y, x = row * self.tile.height, column * self.tile.width
            picture[y : y + self.tile.height, x : x + self.tile.width] = pixels
        return picture[: self.size.height, : self.size.width]

    def _walk(self) -> Iterator[tuple[int, int, int, int]]:
        """Go from top to bottom: column, row, part, and the frame's number in it."""
        for index, (part, number) in enumerate(self._at.reshape(-1, 2).tolist()):
            if part != ABSENT:
                yield index % self._columns, index // self._columns, part, number

    def _decoded(self, part: int, number: int) -> Pixels:
        instance, stream = self._parts[part], self._frames[part].read(number)
        return decode_frame(
            stream,
            instance.header.syntax,
            self.tile,
            self.channels,
            planes=instance.planes,
            ycbcr=self._is_ycbcr(stream),
        )

    def _is_ycbcr(self, stream: bytes) -> bool:
        if not self._parts[0].is_jpeg or self.channels == 1:
            return False
        try:
            return self._headers.read(stream).is_ycbcr(self.tag_says_ycbcr)
        except NotPlainJpeg:
            return self.tag_says_ycbcr

    def _look_at_colours(self) -> None:
        """Look at the pixels of some frames where no header tells what their colours are.

        Raises
        ------
        SlideRefused
            If what should be RGB when it is decoded is not.
        """
        seen = looks_ycbcr(islice(self._untold(), LOOKED_AT))
        if self._parts[0].is_jpeg:
            self.tag_lies = seen is not None and seen != self.tag_says_ycbcr
            self.tag_says_ycbcr = self.tag_says_ycbcr if seen is None else seen
        elif seen:
            raise SlideRefused(Reason.UNSUPPORTED_PIXELS)

    def _untold(self) -> Iterator[Pixels]:
        """Decode some frames whose colours only the file tells, as their streams hold them."""
        for _, _, part, number in islice(self._walk(), 0, None, max(1, self._at[..., 0].size // LOOKED_AT)):
            instance, stream = self._parts[part], self._frames[part].read(number)
            try:
                if not instance.is_jpeg or self._is_told_by_the_file(stream):
                    yield decode_frame(
                        stream, instance.header.syntax, self.tile, 3, planes=instance.planes, ycbcr=False
                    )
            except (NotPlainJpeg, SlideRefused):
                return

    def _is_told_by_the_file(self, stream: bytes) -> bool:
        header = self._headers.read(stream)
        return header.is_ycbcr(tag_says_ycbcr=True) and not header.is_ycbcr(tag_says_ycbcr=False)
