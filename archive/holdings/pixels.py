"""What ingest may use of the pyramid: the one door through which a scanner's pixels come in.

What writes is in `archive.holdings.writing`, because Zarr takes a quarter of a second to import.
"""

from archive.pyramid.between import BetweenLevel, padded
from archive.pyramid.channels import MAX_CHANNELS, Channel, PixelType, Plane, area_average_plane, window
from archive.pyramid.jpeg import HeaderReader, join_intervals, plain_header, scan_end, with_size
from archive.pyramid.jpeg_header import Header, NotPlainJpeg
from archive.pyramid.jpeg_pixels import Pixels, decode_jpeg, encode_jpeg
from archive.pyramid.layout import WHITE, Coding, LevelLayout, Origin, ScanLayout, shard_keys
from archive.pyramid.level import Level
from archive.pyramid.shard import ShardGrid
from archive.pyramid.verify import MADE_HERE, LevelCheck, SourceFile, sample_tiles, verify_level

__all__ = [
    "MADE_HERE",
    "MAX_CHANNELS",
    "WHITE",
    "BetweenLevel",
    "Channel",
    "Coding",
    "Header",
    "HeaderReader",
    "Level",
    "LevelCheck",
    "LevelLayout",
    "NotPlainJpeg",
    "Origin",
    "PixelType",
    "Pixels",
    "Plane",
    "ScanLayout",
    "ShardGrid",
    "SourceFile",
    "area_average_plane",
    "decode_jpeg",
    "encode_jpeg",
    "join_intervals",
    "padded",
    "plain_header",
    "sample_tiles",
    "scan_end",
    "shard_keys",
    "verify_level",
    "window",
    "with_size",
]
