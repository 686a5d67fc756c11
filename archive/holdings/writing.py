"""What ingest may use to write a pyramid: shards through Zarr's ``Store`` interface, and the metadata about them."""

from zarr.storage import LocalStore, MemoryStore

from archive.pyramid.metadata import write_metadata
from archive.pyramid.redaction import black_out
from archive.pyramid.writer import LevelWriter, encode_lossless

__all__ = ["LevelWriter", "LocalStore", "MemoryStore", "black_out", "encode_lossless", "write_metadata"]
