"""What ingest may use of the pyramid: the one door through which a scanner's pixels come in.

What writes is in `archive.holdings.writing`, because Zarr takes a quarter of a second to import.
"""

from archive.pyramid.between import BetweenLevel, padded
from archive.pyramid.jpeg import HeaderReader, plain_header, scan_end
from archive.pyramid.jpeg_header import Header, NotPlainJpeg
from archive.pyramid.jpeg_pixels import Pixels, decode_jpeg, encode_jpeg
from archive.pyramid.layout import WHITE, Coding, LevelLayout, Origin, ScanLayout, shard_key
from archive.pyramid.reader import Level
from archive.pyramid.shard import ShardGrid
from archive.pyramid.verify import MADE_HERE, LevelCheck, SourceFile, sample_tiles, verify_level

__all__ = [
    "MADE_HERE",
    "WHITE",
    "BetweenLevel",
    "Coding",
    "Header",
    "HeaderReader",
    "Level",
    "LevelCheck",
    "LevelLayout",
    "NotPlainJpeg",
    "Origin",
    "Pixels",
    "ScanLayout",
    "ShardGrid",
    "SourceFile",
    "decode_jpeg",
    "encode_jpeg",
    "padded",
    "plain_header",
    "sample_tiles",
    "scan_end",
    "shard_key",
    "verify_level",
]
