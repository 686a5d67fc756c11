"""The Zarr codec whose encoded chunk is a JPEG file.

``imagecodecs_jpeg`` is the name that the package imagecodecs-zarr registers (Python 3.12 and newer). Where that
package is not installed, this module offers the same codec under the same name and configuration through the
``zarr.codecs`` entry point, so that ``zarr.open_group`` alone reads an archive.
"""

import asyncio
from dataclasses import dataclass
from typing import Self, cast

import numpy as np
from zarr.abc.codec import ArrayBytesCodec
from zarr.core.array_spec import ArraySpec
from zarr.core.buffer import Buffer, NDBuffer
from zarr.core.common import JSON, parse_named_configuration

from archive.errors import InvalidValue
from archive.pyramid.jpeg_pixels import Pixels, decode_jpeg, encode_jpeg
from archive.pyramid.layout import JPEG_CODEC as NAME


@dataclass(frozen=True)
class JpegCodec(ArrayBytesCodec):
    """A chunk of ``(height, width, 3)`` or ``(height, width, 1)`` uint8 pixels as a JPEG file."""

    level: int | None = None

    is_fixed_size = False

    @classmethod
    def from_dict(cls, data: dict[str, JSON]) -> Self:
        """Read the codec's configuration; a setting this codec does not know is refused."""
        _, configuration = parse_named_configuration(data, NAME, require_configuration=False)
        settings = dict(configuration or {})
        level = settings.pop("level", None)
        if settings or not (level is None or isinstance(level, int)):
            raise InvalidValue(f"the {NAME} codec here knows the setting 'level' only")
        return cls(level=level)

    def to_dict(self) -> dict[str, JSON]:
        """Write the codec's configuration."""
        if self.level is None:
            return {"name": NAME}
        return {"name": NAME, "configuration": {"level": self.level}}

    def _decode_sync(self, chunk_bytes: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        height, width, channels = chunk_spec.shape
        pixels = decode_jpeg(chunk_bytes.to_bytes(), width=width, height=height, channels=channels)
        return chunk_spec.prototype.nd_buffer.from_numpy_array(pixels.reshape(chunk_spec.shape))

    async def _decode_single(self, chunk_data: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        return await asyncio.to_thread(self._decode_sync, chunk_data, chunk_spec)

    def _encode_sync(self, chunk_array: NDBuffer, chunk_spec: ArraySpec) -> Buffer:
        pixels = cast(Pixels, np.ascontiguousarray(chunk_array.as_numpy_array()))
        quality = 90 if self.level is None else self.level
        encoded = encode_jpeg(pixels if pixels.shape[2] == 3 else pixels[..., 0], quality=quality)
        return chunk_spec.prototype.buffer.from_bytes(encoded)

    async def _encode_single(self, chunk_data: NDBuffer, chunk_spec: ArraySpec) -> Buffer | None:
        return await asyncio.to_thread(self._encode_sync, chunk_data, chunk_spec)

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        """Fail: the size of a JPEG file depends on its picture."""
        raise NotImplementedError("the size of a JPEG file depends on its picture")
