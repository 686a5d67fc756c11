"""Readers of what scanners write. They run in the jail only; importing this package loads none of them."""

from ingest.scanners.base import (
    AssociatedImage,
    AssociatedKind,
    EncodedTile,
    Scan,
    ScanReader,
    SourceLevel,
)

__all__ = [
    "AssociatedImage",
    "AssociatedKind",
    "EncodedTile",
    "Scan",
    "ScanReader",
    "SourceLevel",
]
