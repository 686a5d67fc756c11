"""A slide is read to its last pixel in a jail, as ingest reads it."""

from pathlib import Path

from ingest.sandbox.messages import Tell
from ingest.scanners.opening import open_scan


def read_all(tell: Tell, path: str) -> int:
    """Decode every tile of every level, and give their number."""
    with open_scan(Path(path)) as reader:
        return sum(1 for level in reader.scan().levels for _ in level.decoded_tiles())
