"""What ingest may use of the pyramid: the one door through which a scanner's pixels come in."""

from zarr.storage import LocalStore

from archive.pyramid.between import BetweenLevel, padded
from archive.pyramid.codec import Pixels, encode_jpeg
from archive.pyramid.jpeg import HeaderReader, plain_header, scan_end
from archive.pyramid.jpeg_header import Header, NotPlainJpeg
from archive.pyramid.layout import WHITE, Coding, LevelLayout, Origin, ScanLayout, shard_key, write_metadata
from archive.pyramid.reader import Level
from archive.pyramid.shard import ShardGrid
from archive.pyramid.verify import MADE_HERE, LevelCheck, open_source, sample_tiles, verify_level
from archive.pyramid.writer import LevelWriter, encode_lossless

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
    "LevelWriter",
    "LocalStore",
    "NotPlainJpeg",
    "Origin",
    "Pixels",
    "ScanLayout",
    "ShardGrid",
    "encode_jpeg",
    "encode_lossless",
    "open_source",
    "padded",
    "plain_header",
    "sample_tiles",
    "scan_end",
    "shard_key",
    "verify_level",
    "write_metadata",
]
